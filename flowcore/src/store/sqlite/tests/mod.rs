//! The SQLite store, tested on files.

mod basics;
mod space;
mod world;
