//! Laws, tables and brute force.
mod adversarial;
mod brute;
mod budgets;
mod counting;
mod diffs;
mod forms;
mod laws;
mod matching;
mod normalization;
mod partitions;
mod patterns;
mod random;
mod re2;
mod regexes;
mod sets;
mod two_hops;
mod world;

pub(super) use random::{Random, texts};
