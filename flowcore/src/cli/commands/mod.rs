//! The commands, a file each.

mod cancel;
mod completions;
mod delete;
mod doctor;
mod export;
mod flows;
mod graph;
mod logs;
mod parameters;
mod prune;
mod resume;
mod retry;
mod run;
mod runs;
mod show;
mod timeline;

pub(super) use self::cancel::Cancel;
pub(super) use self::completions::Completions;
pub(super) use self::delete::Delete;
pub(super) use self::doctor::Doctor;
pub(super) use self::export::Export;
pub(super) use self::flows::{Flows, Tasks};
pub(super) use self::graph::Graph;
pub(super) use self::logs::Logs;
pub(super) use self::prune::Prune;
pub(super) use self::resume::Resume;
pub(super) use self::retry::Retry;
pub(super) use self::run::Run;
pub(super) use self::runs::Runs;
pub(super) use self::show::Show;
pub(super) use self::timeline::Timeline;
