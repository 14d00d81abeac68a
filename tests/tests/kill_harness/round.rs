//! One round: a flow, its processes, and how each of them is killed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use flowcore_tests::LIMIT;
use flowcore_tests::kills::{Ledger, Look, Plan};

use crate::kill::Kill;
use crate::oracle::Oracle;

/// How many processes of a round are killed at the most.
const MOST_KILLS: u32 = 4;

/// What became of a round.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What it was killed by, and how often.
    pub(crate) kills: BTreeMap<&'static str, u32>,
    /// How many processes it took.
    pub(crate) processes: u32,
    /// How many bodies were begun, beyond those of a round that nobody disturbs.
    pub(crate) bodies_again: u32,
    /// How often a recorded result answered a call.
    pub(crate) answered: u32,
}

/// A round that has its folder.
struct Round {
    folder: PathBuf,
    broken: Option<&'static str>,
    /// What was done, for who looks into a failure.
    told: String,
}

/// Plays the round of that seed; `broken` names a store that doesn't do what it should.
///
/// # Errors
/// The first promise that was found broken, with all that is needed to look into it.
pub(crate) fn play(seed: u64, broken: Option<&'static str>) -> Result<Report, String> {
    let name = format!("{seed}-{}-{}", broken.unwrap_or("sound"), std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kills").join(name);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut round = Round {
        folder,
        broken,
        told: String::new(),
    };
    let played = round.play(&mut Rng::with_seed(seed));
    if played.is_ok() || broken.is_some() {
        fs::remove_dir_all(&round.folder).map_err(|error| error.to_string())?;
    }
    played.map_err(|found| {
        let (folder, told) = (round.folder.display(), round.told.trim_end());
        format!("seed {seed}: {found}\n{told}\nstore, ledger and plan are in {folder}")
    })
}

impl Round {
    fn play(&mut self, rng: &mut Rng) -> Result<Report, String> {
        let plan = Plan::of(rng);
        let json = serde_json::to_vec_pretty(&plan).map_err(|error| error.to_string())?;
        fs::write(self.file("plan.json"), json).map_err(|error| error.to_string())?;
        let mut oracle = Oracle::new(&plan);
        let mut report = Report::default();
        let mut kills_left = 1;
        while kills_left < MOST_KILLS && rng.u32(..10) < 4 {
            kills_left += 1;
        }
        let mut root = None;
        loop {
            let kill = (kills_left > 0).then(|| Kill::draw(rng, report.processes == 0));
            let (pid, status) = self.process(root.as_deref(), kill.as_ref())?;
            report.processes += 1;
            let reopened = fs::read(self.file(&format!("reopened-{}", report.processes))).ok();
            let reopened = reopened.map(|json| serde_json::from_slice(&json)).transpose();
            oracle.reopened(reopened.map_err(|error| error.to_string())?)?;
            let errors = fs::read_to_string(self.file("stderr")).unwrap_or_default();
            let killed = !status.success() && kill.is_some() && is_killed(status);
            if killed {
                kills_left -= 1;
                *report.kills.entry(kill.as_ref().map_or("", Kill::name)).or_default() += 1;
            } else if !status.success() {
                return Err(format!(
                    "a process that nobody killed ended with {status}: {}",
                    errors.trim_end()
                ));
            }
            let look = Look::at(&self.file("flow.db")).map_err(|error| format!("the store can't be read: {error}"))?;
            let lines = Ledger::read(&self.file("ledger")).map_err(|error| error.to_string())?;
            oracle.look(look, lines, pid)?;
            root = oracle.root();
            if oracle.is_over() {
                break;
            }
            if !killed {
                return Err(format!(
                    "a process has ended in good order, and the flow is {}",
                    oracle.state()
                ));
            }
        }
        oracle.close(&mut report)?;
        Ok(report)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts the flow or goes on with it, until the process has ended.
    fn process(&mut self, root: Option<&str>, kill: Option<&Kill>) -> Result<(u32, ExitStatus), String> {
        let number = self.told.lines().count() + 1;
        let mut command = Command::new(env!("CARGO_BIN_EXE_kill_target"));
        match root {
            Some(run) => command.args(["resume", run]),
            None => command.arg("start").arg(self.file("plan.json")),
        };
        let errors = File::create(self.file("stderr")).map_err(|error| error.to_string())?;
        command
            .env_remove("FAILPOINTS")
            .env(
                "FLOW_DATABASE_URL",
                format!("sqlite:{}", self.file("flow.db").display()),
            )
            .env("FLOW_MAX_CRASHES", "1000")
            .env("KILL_STORE", self.file("flow.db"))
            .env("KILL_LEDGER", self.file("ledger"))
            .env("KILL_REOPENED", self.file(&format!("reopened-{number}")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors);
        if let Some(broken) = self.broken {
            command.env("KILL_BROKEN", broken);
        }
        if let Some(kill) = kill {
            kill.arm(&mut command);
        }
        let mut child = command
            .spawn()
            .map_err(|error| format!("kill_target can't be started: {error}"))?;
        let pid = child.id();
        let after = match kill {
            Some(Kill::Signal(after)) => Some(*after),
            _ => None,
        };
        let status = wait(&mut child, after).map_err(|error| error.to_string())?;
        let how = kill.map_or_else(|| "left alone".to_owned(), |kill| format!("killed {kill}"));
        let what = if root.is_some() { "resume" } else { "start" };
        let _ = writeln!(
            self.told,
            "process {number} ({pid}): {what}, to be {how}: {}",
            shown(status)
        );
        match status {
            Some(status) => Ok((pid, status)),
            None => Err(format!("process {pid} hangs")),
        }
    }
}

fn shown(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "hangs".to_owned(), |status| status.to_string())
}

/// Waits for the end of a process, which is killed after that time; `None` if it doesn't end.
fn wait(child: &mut Child, kill_after: Option<Duration>) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    let mut kill_after = kill_after;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if kill_after.is_some_and(|after| begun.elapsed() >= after) {
            child.kill()?;
            kill_after = None;
        }
        if begun.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_micros(500));
    }
}

#[cfg(unix)]
fn is_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal().is_some()
}

#[cfg(not(unix))]
fn is_killed(status: ExitStatus) -> bool {
    !status.success()
}
