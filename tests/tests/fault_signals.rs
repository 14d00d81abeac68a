//! SIGINT and SIGTERM, sent to a process of its own: this test's binary, started once more.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "sends signals")]

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::Arc;

use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time};

const ROLE: &str = "FLOWCORE_TEST_ROLE";

/// Tells the parent process what happens.
struct Tells;

impl flowcore::observe::Observer for Tells {
    fn on_state(&self, run: &RunContext, state: &State) {
        println!("{} {}", run.definition().name(), state.name());
        let _ = std::io::stdout().flush();
    }
}

#[task]
fn until_told() {
    // The parent writes a line when the body may end.
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

#[task]
async fn forever() {
    std::future::pending::<()>().await;
}

#[task]
fn quick() {}

#[flow]
fn graceful() -> flowcore::Result<()> {
    until_told.submit().result()
}

#[flow]
fn stuck() -> flowcore::Result<()> {
    forever.submit().result()
}

#[flow]
fn done() -> flowcore::Result<()> {
    quick.submit().result()
}

/// What the process does in its role; nothing where it has none.
#[test]
fn child_process() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let _watch = flowcore::observe::observe(Arc::new(Tells));
    let panics = role == "panics at last";
    flowcore::handle_signals_then(move |report| {
        println!("crashed {}", report.crashed);
        assert!(!panics, "no report");
    })
    .unwrap();
    match role.as_str() {
        "graceful" => drop(graceful()),
        "stuck" => drop(stuck()),
        _ => drop(done()),
    }
    // The exit is the signal handler's business.
    Gate::new().pass();
}

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    errors: Lines<BufReader<ChildStderr>>,
    seen: Vec<String>,
}

impl Process {
    fn start(role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_process", "--nocapture"])
            .env(ROLE, role)
            .env("FLOW_SHUTDOWN_SECONDS", "50")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            errors: BufReader::new(child.stderr.take().unwrap()).lines(),
            child,
            seen: Vec::new(),
        }
    }

    fn until(&mut self, line: &str) {
        while self.seen.last().is_none_or(|last| !last.ends_with(line)) {
            let next = self.lines.next().expect("the process ended").unwrap();
            self.seen.push(next);
        }
    }

    fn signal(&self, signal: libc::c_int) {
        let pid = libc::pid_t::try_from(self.child.id()).unwrap();
        // SAFETY: `kill` takes plain numbers, and the process is this test's own child, not yet waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Waits until the process has taken a first signal.
    fn until_stopping(&mut self) {
        let stopping = |line: std::io::Result<String>| line.unwrap().starts_with("flowcore: stopping");
        assert!(self.errors.any(stopping), "the process ended");
    }

    /// The exit code, the lines seen, and what it said of errors.
    fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        for line in self.lines.by_ref() {
            self.seen.push(line.unwrap());
        }
        let errors: Vec<String> = self.errors.map(Result::unwrap).collect();
        let status = self.child.wait().unwrap();
        self.seen
            .retain(|line| line.contains(' ') && !line.starts_with("running"));
        (status.code(), self.seen, errors.join("\n"))
    }
}

const SIGNALS: [(libc::c_int, i32); 2] = [(libc::SIGTERM, 143), (libc::SIGINT, 130)];

fn has(seen: &[String], line: &str) -> bool {
    seen.iter().any(|seen| seen.ends_with(line))
}

#[test]
fn a_first_signal_lets_bodies_end_and_exits_with_its_number() {
    for (signal, code) in SIGNALS {
        let (status, seen, _) = in_time("graceful", move || {
            let mut process = Process::start("graceful");
            process.until("until_told Running");
            process.signal(signal);
            process.until_stopping();
            // Only a process that waits for the body reads this.
            writeln!(process.child.stdin.as_mut().unwrap(), "end").unwrap();
            process.end()
        });
        assert_eq!(status, Some(code), "{seen:?}");
        assert!(
            has(&seen, "until_told Completed") && has(&seen, "graceful Completed"),
            "{seen:?}"
        );
        // The last report comes after all else.
        assert_eq!(seen.last().unwrap(), "crashed 0", "{seen:?}");
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once_and_what_is_left_is_crashed() {
    for (signal, code) in SIGNALS {
        let (status, seen, _) = in_time("second signal", move || {
            let mut process = Process::start("stuck");
            process.until("forever Running");
            process.signal(signal);
            process.until_stopping();
            process.signal(signal);
            process.end()
        });
        assert_eq!(status, Some(code), "{seen:?}");
        assert!(has(&seen, "forever Crashed") && has(&seen, "stuck Crashed"), "{seen:?}");
        assert_eq!(seen.last().unwrap(), "crashed 2", "{seen:?}");
    }
}

#[test]
fn a_signal_after_the_end_leaves_a_completed_run_completed() {
    for (signal, code) in SIGNALS {
        let (status, seen, _) = in_time("after the end", move || {
            let mut process = Process::start("done");
            process.until("done Completed");
            process.signal(signal);
            process.end()
        });
        assert_eq!(status, Some(code), "{seen:?}");
        assert!(!has(&seen, "Crashed"), "{seen:?}");
        assert_eq!(seen.iter().filter(|line| line.contains("done ")).count(), 3, "{seen:?}");
    }
}

#[test]
fn a_last_report_that_panics_is_told_and_the_process_ends_as_asked() {
    let (status, seen, errors) = in_time("panics at last", || {
        let mut process = Process::start("panics at last");
        process.until("done Completed");
        process.signal(libc::SIGTERM);
        process.end()
    });
    assert_eq!(status, Some(143), "{seen:?} {errors}");
    let told = |line: &str| line.starts_with("flowcore: the last report panicked at ") && line.ends_with(": no report");
    assert!(errors.lines().any(told), "{errors}");
}
