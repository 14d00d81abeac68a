//! The SQLite store, tested on files.

mod basics;
mod conformance;
mod migration;
mod plans;
mod space;
mod upkeep;
mod views;
mod world;
