//! A task that turns a child flow's failure into an error of its own, with the child's as the cause.

use std::fmt;

use flowcore::prelude::*;

#[derive(Debug)]
struct NoReport {
    day: u32,
    cause: flowcore::Error,
}

impl fmt::Display for NoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no report for day {}", self.day)
    }
}

impl std::error::Error for NoReport {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

#[flow]
fn load(day: u32) -> Result<u32, String> {
    if day == 7 {
        Err("the office is closed".to_owned())
    } else {
        Ok(day * 100)
    }
}

#[task]
fn report(day: u32) -> Result<String, NoReport> {
    let rows = load(day).map_err(|cause| NoReport { day, cause })?;
    Ok(format!("day {day}: {rows} rows"))
}

#[flow]
fn week() -> flowcore::Result<()> {
    for day in 6..=7 {
        match report(day) {
            Ok(line) => println!("{line}"),
            Err(error) => {
                println!("{error:#}");
                if let Some(NoReport { day, .. }) = error.downcast_ref() {
                    println!("day {day} is left out");
                }
            }
        }
    }
    Ok(())
}

fn main() -> flowcore::Result<()> {
    week()
}
