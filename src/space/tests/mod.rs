//! Laws, tables and brute force.
#![expect(clippy::missing_docs_in_private_items, reason = "the names of tests are claims")]

mod forms;
mod laws;
mod normalization;
mod partitions;
mod patterns;
mod random;
mod regexes;
mod two_hops;
