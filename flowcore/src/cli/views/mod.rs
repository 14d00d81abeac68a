//! Views of recorded runs: the tree of a run, its graph, its timeline, as text.
//!
//! Each is a function from a [`Store`](crate::store::Store) and a run to a `String`. They ask the store for no more than they show, so
//! a tree of a million runs is as quick to look at as one of ten.

mod colours;
pub mod graph;
mod outline;
mod summary;
mod svg;
pub mod timeline;
pub mod tree;

pub use super::style::Style;

/// Now, in Unix nanoseconds: what is still going on lasts until then.
fn now() -> i64 {
    crate::clock::wall_nanos()
}

#[cfg(test)]
mod testing;
