//! A recursive flow over a real directory: a subflow per directory, a task per file, and from the bottom up a hash and the totals
//! per language.
//!
//! ```text
//! cargo run --release --example tree_pipeline -- [DIR] [--all] [--max-workers N] [--no-progress]
//! ```

mod languages;
mod listing;
mod merkle;
mod report;
mod summary;
mod view;

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use clap::Parser;
use flowcore::ErrorKind;
use flowcore::prelude::*;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::listing::{Entry, Kind};
use crate::merkle::Directory;
use crate::summary::{FileFacts, Summary};
use crate::view::View;

/// How many files of one directory are under way at once.
const FILES_AT_ONCE: usize = 64;
/// How many directories are read ahead of those whose turn it is.
const DIRECTORIES_AHEAD: usize = 64;

/// Hashes a directory from the bottom up, and counts its files, lines and bytes per language.
///
/// Symbolic links are not followed: where a link points to is hashed in its place. Directories named `target` and `.git` are left
/// out. What can't be read is reported, and the rest goes on.
#[derive(Parser)]
struct Options {
    /// The directory; the workspace of this example unless told.
    dir: Option<PathBuf>,
    /// Include directories named `target` and `.git`.
    #[arg(long)]
    all: bool,
    /// How many files to read at once; as many as the machine takes unless told.
    #[arg(long, value_name = "N")]
    max_workers: Option<std::num::NonZeroUsize>,
    /// Show no progress.
    #[arg(long)]
    no_progress: bool,
}

static OPTIONS: OnceLock<Options> = OnceLock::new();

fn options() -> &'static Options {
    OPTIONS.get_or_init(Options::parse)
}

fn runner() -> ConcurrentTaskRunner {
    match options().max_workers {
        Some(most) => ConcurrentTaskRunner::new().max_workers(most.get()),
        None => ConcurrentTaskRunner::new(),
    }
}

/// Counts a file's bytes and lines, and hashes it.
#[task]
fn hash_file(path: PathBuf) -> anyhow::Result<FileFacts> {
    let run = flowcore::context();
    let (mut file, length) = listing::open(&path)?;
    let buffer_size = usize::try_from(length).unwrap_or(usize::MAX).clamp(1, 1 << 16);
    let mut buffer = vec![0; buffer_size];
    let mut facts = FileFacts::default();
    let mut hasher = blake3::Hasher::new();
    loop {
        if let Some(run) = &run {
            run.check_cancelled()?;
        }
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&buffer[..read]);
                facts.count(&buffer[..read]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    facts.hash = *hasher.finalize().as_bytes();
    report::note_done(&facts);
    Ok(facts)
}

/// Hashes a directory: its files a batch at a time, its directories side by side while there is room, one by one where not. So the
/// runs in flight are bounded, however large the tree. `_ahead` is the room that this run takes.
#[flow(task_runner = runner())]
async fn hash_dir(dir: PathBuf, room: Arc<Semaphore>, _ahead: Option<OwnedSemaphorePermit>) -> anyhow::Result<Summary> {
    let here = dir.clone();
    let entries = flowcore::spawn_blocking(move || listing::list(&here, options().all)).await??;
    let mut summary = Summary::default();
    // What stands for each entry in the directory's hash.
    let mut payloads: Vec<Option<Vec<u8>>> = entries.iter().map(Entry::payload).collect();
    for entry in &entries {
        summary.note(&dir, entry);
    }

    let files: Vec<usize> = indices(&entries, |kind| matches!(kind, Kind::File));
    for batch in files.chunks(FILES_AT_ONCE) {
        let runs: RunFutures<FileFacts> = batch
            .iter()
            .map(|index| &entries[*index].name)
            .map(|name| hash_file.bind(dir.join(name)).name(name.to_string_lossy()).submit())
            .collect();
        for (index, result) in batch.iter().zip(runs.settle().await) {
            let name = &entries[*index].name;
            if let Some(facts) = readable(result, &mut summary, &dir, name)? {
                payloads[*index] = Some(facts.payload());
                summary.add_file(name, &facts);
            }
        }
    }

    let mut ahead = Vec::new();
    for index in indices(&entries, |kind| matches!(kind, Kind::Directory)) {
        let name = &entries[index].name;
        let permit = room.clone().try_acquire_owned().ok();
        let has_room = permit.is_some();
        let call = hash_dir
            .bind(dir.join(name), room.clone(), permit)
            .name(name.to_string_lossy());
        if has_room {
            ahead.push((index, call.submit()));
        } else if let Some(below) = readable(call.await, &mut summary, &dir, name)? {
            payloads[index] = Some(below.hash.to_vec());
            summary.add_directory(below);
        }
    }
    for (index, run) in ahead {
        if let Some(below) = readable(run.await, &mut summary, &dir, &entries[index].name)? {
            payloads[index] = Some(below.hash.to_vec());
            summary.add_directory(below);
        }
    }

    let mut directory = Directory::new(entries.len());
    for (entry, payload) in entries.iter().zip(&payloads) {
        directory.add(&entry.kind, &entry.name, payload.as_deref());
    }
    summary.hash = directory.hash();
    Ok(summary)
}

fn indices(entries: &[Entry], wanted: impl Fn(&Kind) -> bool) -> Vec<usize> {
    let wanted = entries.iter().enumerate().filter(|(_, entry)| wanted(&entry.kind));
    wanted.map(|(index, _)| index).collect()
}

/// What a run gave; `None`, and a problem noted, if the file or directory could not be read. Anything else ends the caller too.
fn readable<T>(
    result: flowcore::Result<T>,
    summary: &mut Summary,
    dir: &Path,
    name: &OsString,
) -> flowcore::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.downcast_ref::<io::Error>() {
            Some(cause) if error.kind() == ErrorKind::Failed => {
                summary.add_unreadable(&dir.join(name), cause.to_string());
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let workspace = || Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let dir = options().dir.clone().unwrap_or_else(workspace);
    let dir = dir
        .canonicalize()
        .with_context(|| format!("can't read the directory '{}'", dir.display()))?;
    anyhow::ensure!(dir.is_dir(), "'{}' is no directory", dir.display());

    let view = View::start(!options().no_progress);
    view.end_on_signals()?;
    let room = Arc::new(Semaphore::new(DIRECTORIES_AHEAD));
    let result = hash_dir.bind(dir.clone(), room, None).name(dir.to_string_lossy()).await;
    match result {
        Ok(summary) => view.end(|| report::text(&dir, &summary)),
        // A signal ended it: the process exits once the report of that is out.
        Err(error) if error.kind() == ErrorKind::Crashed => std::future::pending().await,
        Err(error) => {
            view.end(String::new);
            return Err(error.into());
        }
    }
    Ok(())
}
