//! The report at the end.

use std::fmt::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use flowcore::cli::escaped;

use crate::languages::OTHER;
use crate::options;
use crate::summary::{FileFacts, Summary, Totals};

const LONGEST_PATH: usize = 120;

/// The files hashed so far, for a report before the end.
static DONE: Mutex<Totals> = Mutex::new(Totals::NONE);

pub(crate) fn note_done(facts: &FileFacts) {
    DONE.lock().unwrap_or_else(PoisonError::into_inner).add(facts.totals());
}

/// What was done until a signal came.
pub(crate) fn interrupted(crashed: usize) -> String {
    let Totals { files, lines, bytes } = *DONE.lock().unwrap_or_else(PoisonError::into_inner);
    format!(
        "\nInterrupted. Done until then: files {}, lines {}, bytes {}. Runs cut off: {}.\n",
        grouped(files),
        grouped(lines),
        grouped(bytes),
        grouped(crashed as u64)
    )
}

pub(crate) fn text(dir: &Path, summary: &Summary) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = write(&mut text, dir, summary);
    text
}

fn write(text: &mut String, dir: &Path, summary: &Summary) -> std::fmt::Result {
    writeln!(text, "\n{:12}{:>12}{:>14}{:>18}", "Language", "Files", "Lines", "Bytes")?;
    let mut languages: Vec<_> = summary.languages.iter().collect();
    languages.sort_by_key(|(name, totals)| (**name == OTHER, std::cmp::Reverse(totals.lines), **name));
    let mut all = Totals::default();
    for (language, totals) in languages {
        row(text, language, *totals)?;
        all.add(*totals);
    }
    row(text, "Total", all)?;

    if summary.problem_count > 0 {
        let mut problems = summary.problems.clone();
        problems.sort_unstable();
        writeln!(text, "\nTo look at:")?;
        for (path, what) in &problems {
            writeln!(text, "  {}: {}", escaped(&shortened(path)), escaped(what))?;
        }
        let more = summary.problem_count - problems.len() as u64;
        if more > 0 {
            writeln!(text, "  … and {} more", grouped(more))?;
        }
    }
    if !options().all {
        writeln!(
            text,
            "\nDirectories named 'target' and '.git' are left out; --all includes them."
        )?;
    }

    let hash = blake3::Hash::from_bytes(summary.hash).to_hex();
    let path = dir.to_string_lossy();
    writeln!(text, "\n{hash}  {}", escaped(&path))?;
    if summary.unreadable > 0 {
        writeln!(text, "The hash is without what could not be read.")?;
    }
    Ok(())
}

fn row(text: &mut String, name: &str, totals: Totals) -> std::fmt::Result {
    let Totals { files, lines, bytes } = totals;
    writeln!(
        text,
        "{name:12}{:>12}{:>14}{:>18}",
        grouped(files),
        grouped(lines),
        grouped(bytes)
    )
}

/// A path that fits a few lines, the middle left out.
fn shortened(path: &str) -> String {
    let length = path.chars().count();
    if length <= LONGEST_PATH {
        return path.to_owned();
    }
    let half = LONGEST_PATH / 2;
    let begin: String = path.chars().take(half).collect();
    let end: String = path.chars().skip(length - half).collect();
    format!("{begin}…{end}")
}

/// `1204` as `1,204`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
