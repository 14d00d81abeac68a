//! The runs that the command line names: by the beginning of their ids, or on standard input.

use std::io::{self, BufRead, IsTerminal, Read};

use super::failure::{Failure, Outcome};
use super::shell::Shell;
use crate::store::RunRow;

/// How much is read from standard input before one gives up on it: ids are short.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The one run that is meant.
pub(super) fn one(shell: &mut Shell, named: &str) -> Outcome<RunRow> {
    let mut runs = many(shell, &[named.to_owned()])?;
    match (runs.pop(), runs.is_empty()) {
        (Some(run), true) => Ok(run),
        (None, _) => Err(Failure::usage("standard input names no run")),
        (Some(_), false) => Err(Failure::usage(
            "standard input names several runs; this command takes one",
        )),
    }
}

/// The runs that are meant, each once.
pub(super) fn many(shell: &mut Shell, named: &[String]) -> Outcome<Vec<RunRow>> {
    let client = shell.client()?;
    let mut runs: Vec<RunRow> = Vec::new();
    for name in expanded(named)? {
        let run = client.find(&name)?;
        if !runs.iter().any(|other| other.id == run.id) {
            runs.push(run);
        }
    }
    Ok(runs)
}

/// With `-` replaced by what stands on standard input, a word each.
fn expanded(named: &[String]) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    let mut read = false;
    for name in named {
        if name != "-" {
            names.push(name.clone());
        } else if !read {
            read = true;
            for line in io::stdin().lock().take(MOST_BYTES).lines() {
                let line = line.map_err(|error| Failure::usage(format!("standard input can't be read: {error}")))?;
                names.extend(line.split_whitespace().map(str::to_owned));
            }
        }
    }
    Ok(names)
}

/// The shortest length at which the ids of these runs, as text, are told apart from all others in the store.
pub(super) fn id_length(shell: &mut Shell, runs: &[RunRow]) -> Outcome<usize> {
    let client = shell.client()?;
    // Ends of the groups of digits; within one there is little to gain.
    const LENGTHS: [usize; 4] = [8, 13, 18, 23];
    const WHOLE: usize = 36;
    'lengths: for length in LENGTHS {
        for run in runs {
            let digits: String = run.id.to_string().chars().take(length).filter(|c| *c != '-').collect();
            if client.store().ids(&digits, 2)?.len() > 1 {
                continue 'lengths;
            }
        }
        return Ok(length);
    }
    Ok(WHOLE)
}

/// Asks on the terminal; where there is none, `flag` must be given.
pub(super) fn confirmed(question: &str, flag: &str) -> Outcome<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(format!("{question} Nobody is there to ask: add {flag}")));
    }
    let _ = io::Write::write_all(&mut io::stderr(), format!("{question} [y/N] ").as_bytes());
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}
