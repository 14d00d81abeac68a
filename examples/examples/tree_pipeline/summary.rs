//! What is found below a directory.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use crate::languages;
use crate::listing::{Entry, Kind};
use crate::merkle::Hash;

/// How many problems are told one by one.
const PROBLEMS_TOLD: usize = 20;

/// What is known of a file once it is read.
#[derive(Clone, Default)]
pub(crate) struct FileFacts {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) hash: Hash,
    ends_within_line: bool,
    is_binary: bool,
}

impl FileFacts {
    /// Takes the next bytes in. A file with a zero byte is no text: it has no lines.
    pub(crate) fn count(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.is_binary |= bytes.contains(&0);
        self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.ends_within_line = bytes.last().is_some_and(|last| *last != b'\n');
    }

    fn lines(&self) -> u64 {
        if self.is_binary {
            0
        } else {
            self.lines + u64::from(self.ends_within_line)
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            files: 1,
            lines: self.lines(),
            bytes: self.bytes,
        }
    }

    /// What stands for the file in its directory's hash.
    pub(crate) fn payload(&self) -> Vec<u8> {
        [self.bytes.to_le_bytes().as_slice(), &self.hash].concat()
    }
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) files: u64,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
}

impl Totals {
    pub(crate) const NONE: Self = Self {
        files: 0,
        lines: 0,
        bytes: 0,
    };

    pub(crate) fn add(&mut self, other: Totals) {
        self.files += other.files;
        self.lines += other.lines;
        self.bytes += other.bytes;
    }
}

#[derive(Clone, Default)]
pub(crate) struct Summary {
    pub(crate) hash: Hash,
    pub(crate) languages: BTreeMap<&'static str, Totals>,
    pub(crate) directories: u64,
    pub(crate) unreadable: u64,
    /// The first of the problems by path, and how many there are in all.
    pub(crate) problems: Vec<(String, String)>,
    pub(crate) problem_count: u64,
}

impl Summary {
    /// Notes what is remarkable about an entry as it is listed.
    pub(crate) fn note(&mut self, dir: &Path, entry: &Entry) {
        let path = dir.join(&entry.name);
        if entry.name.to_str().is_none() {
            self.add_problem(&path, "its name is not UTF-8: hashed by the bytes".to_owned());
        }
        match &entry.kind {
            Kind::Link { target, is_loop: true } => {
                let target = target.to_string_lossy();
                self.add_problem(&path, format!("a symbolic link in a loop, to '{target}': not followed"));
            }
            Kind::Special(what) => self.add_problem(&path, format!("a {what}: not opened")),
            Kind::Unreadable(why) => self.add_unreadable(&path, why.clone()),
            Kind::File | Kind::Directory | Kind::Link { .. } => {}
        }
    }

    pub(crate) fn add_unreadable(&mut self, path: &Path, why: String) {
        self.unreadable += 1;
        self.add_problem(path, format!("can't be read: {why}"));
    }

    fn add_problem(&mut self, path: &Path, what: String) {
        self.problem_count += 1;
        self.problems.push((path.to_string_lossy().into_owned(), what));
        self.keep_first_problems();
    }

    fn keep_first_problems(&mut self) {
        if self.problems.len() > PROBLEMS_TOLD {
            self.problems.sort_unstable();
            self.problems.truncate(PROBLEMS_TOLD);
        }
    }

    pub(crate) fn add_file(&mut self, name: &OsStr, facts: &FileFacts) {
        let of_language = self.languages.entry(languages::of(name)).or_default();
        of_language.add(facts.totals());
    }

    pub(crate) fn add_directory(&mut self, below: Summary) {
        self.directories += 1 + below.directories;
        self.unreadable += below.unreadable;
        for (language, totals) in below.languages {
            self.languages.entry(language).or_default().add(totals);
        }
        self.problems.extend(below.problems);
        self.problem_count += below.problem_count;
        self.keep_first_problems();
    }
}
