//! Laws, tables and brute force.
mod forms;
mod laws;
mod normalization;
mod partitions;
mod patterns;
mod random;
mod re2;
mod regexes;
mod two_hops;
