//! Processes that die in a body or between two of its attempts, and what the next process makes of that.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]
#![cfg(unix)]

use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, process, thread};

use flowcore::RunId;
use flowcore::prelude::*;
use flowcore_tests::LIMIT;
use flowcore_tests::kills::{Look, Row};

const ROLE: &str = "FLOWCORE_TEST_ROLE";
const LEDGER: &str = "FLOWCORE_TEST_LEDGER";
const WAY: &str = "FLOWCORE_TEST_WAY";
const SIGABRT: i32 = 6;

fn unix_nanos() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos()
        .try_into()
        .unwrap()
}

/// A line in a file that flowcore knows nothing of, with the time.
fn note(what: &str) {
    let ledger = env::var_os(LEDGER).unwrap();
    let mut ledger = OpenOptions::new().create(true).append(true).open(ledger).unwrap();
    ledger
        .write_all(format!("{what}\t{}\n", unix_nanos()).as_bytes())
        .unwrap();
}

// --- what is run -------------------------------------------------------------------------------------------------------

#[task]
fn good(n: u32) -> u32 {
    note(&format!("good {n}"));
    n
}

#[task(run_name = "the {what} one")]
fn bad(what: &str) -> u32 {
    note("bad");
    println!("{what}");
    process::abort();
}

#[flow(durable)]
fn with_a_bad_call() -> flowcore::Result<String> {
    let one = good(1)?;
    let told = match bad.submit("bad").result() {
        Ok(_) => "completed".to_owned(),
        Err(error) => format!("{:?}: {error}", error.kind()),
    };
    let two = good(2)?;
    Ok(format!("{one} {two} {told}"))
}

#[flow(durable)]
fn bad_itself() -> u32 {
    note("bad itself");
    if env::var_os(WAY).is_none() {
        process::abort();
    }
    7
}

#[flow]
fn other() -> flowcore::Result<u32> {
    good.submit(10).result()
}

#[task(retries = 2, retry_delay_seconds = 1)]
fn failing() -> Result<(), String> {
    note("failing");
    Err("no luck".to_owned())
}

#[flow(durable)]
fn fails_in_the_end() -> flowcore::Result<()> {
    failing.submit().result()
}

#[task(retries = 1, retry_delay_seconds = 100_000)]
async fn patient() -> Result<u32, String> {
    note("patient");
    match flowcore::context().unwrap().attempt() {
        1 => Err("tomorrow, perhaps".to_owned()),
        attempt => Ok(attempt),
    }
}

#[flow(durable)]
async fn waits_long() -> flowcore::Result<u32> {
    patient().await
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("once more");
    }
}

#[task]
fn ends_the_process() -> u32 {
    note("ends the process");
    match env::var(WAY).as_deref() {
        Ok("double panic") => {
            let _bomb = PanicsInDrop;
            panic!("once");
        }
        Ok("panic hook") => {
            std::panic::set_hook(Box::new(|_| panic!("in the hook")));
            panic!("once");
        }
        Ok("abort") => process::abort(),
        _ => 3,
    }
}

#[flow(durable)]
fn survives() -> flowcore::Result<u32> {
    Ok(good(1)? + ends_the_process.submit().result()?)
}

#[flow(durable)]
fn named() -> flowcore::Result<u32> {
    ends_the_process()
}

fn start(flow: &str) -> flowcore::Result<serde_json::Value> {
    match flow {
        "with_a_bad_call" => with_a_bad_call().map(Into::into),
        "bad_itself" => bad_itself().map(Into::into),
        "other" => other().map(Into::into),
        "fails_in_the_end" => fails_in_the_end().map(Into::into),
        "waits_long" => waits_long().run().map(Into::into),
        "survives" => survives().map(Into::into),
        "named" => named.bind().name("of my own").run().map(Into::into),
        _ => panic!("{flow}"),
    }
}

/// What the process does in its role; nothing where it has none.
#[test]
fn child_process() {
    let Ok(role) = env::var(ROLE) else {
        return;
    };
    let outcome = match role.split_once(' ').unwrap() {
        ("start", flow) => start(flow),
        ("resume", run) => flowcore::resume(run.parse().unwrap()).and_then(|run| run.result_json()),
        _ => panic!("{role}"),
    };
    match outcome {
        Ok(value) => println!("\nreturned {value}"),
        Err(error) => println!("\nended {:?}: {error}", error.kind()),
    }
    println!("\nother {}", other().unwrap());
}

// --- what runs it ------------------------------------------------------------------------------------------------------

/// A store and a ledger for some processes, one after the other.
struct Stage {
    folder: PathBuf,
    max_crashes: Cell<u32>,
}

impl Stage {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fault_kills-{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self {
            folder,
            max_crashes: Cell::new(3),
        }
    }

    fn begin(&self, role: &str, way: Option<&str>) -> Child {
        let mut child = Command::new(env::current_exe().unwrap());
        child
            .args(["child_process", "--exact", "--nocapture"])
            .env(ROLE, role)
            .env(LEDGER, self.folder.join("ledger"));
        child
            .env("FLOW_DATABASE_URL", self.folder.join("flow.db"))
            .env_remove(WAY);
        child.env("FLOW_MAX_CRASHES", self.max_crashes.get().to_string());
        if let Some(way) = way {
            child.env(WAY, way);
        }
        child
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn play(&self, role: &str, way: Option<&str>) -> Output {
        self.begin(role, way).wait_with_output().unwrap()
    }

    /// Plays a process that dies by itself.
    fn dies(&self, role: &str, way: Option<&str>) {
        let ended = self.play(role, way);
        assert_eq!(ended.status.signal(), Some(SIGABRT), "{role}: {ended:?}");
    }

    /// Plays a process that lives; gives what it told.
    fn lives(&self, role: &str, way: Option<&str>) -> String {
        let ended = self.play(role, way);
        assert!(ended.status.success(), "{role}: {ended:?}");
        let told = String::from_utf8(ended.stdout).unwrap();
        assert!(told.contains("\nother 10\n"), "others go on: {told}");
        let told = told
            .lines()
            .find(|line| line.starts_with("returned ") || line.starts_with("ended "));
        told.unwrap().to_owned()
    }

    fn look(&self) -> Look {
        let look = Look::at(&self.folder.join("flow.db")).unwrap();
        assert_eq!(look.damage, Vec::<String>::new());
        look
    }

    /// The only row of that flow or task below the durable flow, or that flow.
    fn row(&self, definition: &str) -> Row {
        let rows = self.look().rows;
        let mut rows = rows
            .into_iter()
            .filter(|row| row.definition == definition && row.call_key.is_some());
        let row = rows
            .next()
            .unwrap_or_else(|| panic!("{definition} is not in the store"));
        assert_eq!(rows.next(), None);
        row
    }

    /// To go on with the durable flow.
    fn resume(&self) -> String {
        let id: RunId = self.look().root().unwrap().id.parse().unwrap();
        format!("resume {id}")
    }

    /// When a body of that sort was begun. Unix nanoseconds.
    fn bodies(&self, what: &str) -> Vec<i64> {
        let ledger = fs::read_to_string(self.folder.join("ledger")).unwrap_or_default();
        let lines = ledger.lines().filter_map(|line| line.split_once('\t'));
        lines
            .filter(|(noted, _)| *noted == what)
            .map(|(_, at)| at.parse().unwrap())
            .collect()
    }

    /// Kills the process when the store has that run in that state, and nothing of it is to be expected.
    fn kill_when(&self, mut child: Child, definition: &str, state: &str, attempt: u32) -> Row {
        let begun = Instant::now();
        loop {
            let row = self.look().rows.into_iter().find(|row| row.definition == definition);
            match row {
                Some(row) if row.state == state && row.attempt == attempt => {
                    child.kill().unwrap();
                    assert_eq!(child.wait().unwrap().signal(), Some(9));
                    return row;
                }
                _ => assert!(begun.elapsed() < LIMIT, "{definition} doesn't become {state}: {row:?}"),
            }
            thread::yield_now();
        }
    }

    fn patch(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.folder.join("flow.db")).unwrap();
        assert_eq!(connection.execute(sql, []).unwrap(), 1);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !thread::panicking() {
            fs::remove_dir_all(&self.folder).unwrap();
        }
    }
}

// --- a body that kills its process each time ---------------------------------------------------------------------------

#[test]
fn a_call_that_kills_its_process_each_time_is_parked_and_the_flow_goes_on() {
    let stage = Stage::new("poison");
    stage.dies("start with_a_bad_call", None);
    stage.dies(&stage.resume(), None);
    stage.dies(&stage.resume(), None);
    assert_eq!(stage.row("bad").crashes, 2, "the third is counted by whoever finds it");

    let told = stage.lives(&stage.resume(), None);
    assert!(told.starts_with("returned \"1 2 Crashed: "), "{told}");
    assert!(
        told.contains("poisoned: the process died 3 times in 'the bad one'"),
        "{told}"
    );
    let row = stage.row("bad");
    assert_eq!(
        (row.state.as_str(), row.label.as_str(), row.crashes),
        ("Crashed", "the bad one", 3)
    );
    assert_eq!(stage.row("with_a_bad_call").state, "Completed");
    assert_eq!(stage.bodies("bad").len(), 3);
    assert_eq!((stage.bodies("good 1").len(), stage.bodies("good 2").len()), (1, 1));
}

#[test]
fn a_flow_that_kills_its_process_each_time_is_parked_until_it_is_allowed_more() {
    let stage = Stage::new("poisonous-flow");
    stage.dies("start bad_itself", None);
    stage.dies(&stage.resume(), None);
    stage.dies(&stage.resume(), None);
    for _ in 0..2 {
        let told = stage.lives(&stage.resume(), None);
        assert!(
            told.starts_with("ended Crashed: poisoned: the process died 3 times"),
            "{told}"
        );
        assert!(told.contains("raise FLOW_MAX_CRASHES above 3"), "{told}");
        assert_eq!(
            (stage.row("bad_itself").state.as_str(), stage.row("bad_itself").crashes),
            ("Crashed", 3)
        );
    }
    assert_eq!(stage.bodies("bad itself").len(), 3);
    // It is mended, and allowed another.
    stage.max_crashes.set(4);
    assert_eq!(stage.lives(&stage.resume(), Some("mended")), "returned 7");
}

// --- a process that is killed between two attempts ---------------------------------------------------------------------

#[test]
fn a_kill_in_the_back_off_gives_no_attempt_and_takes_none() {
    let stage = Stage::new("back-off");
    let mut role = "start fails_in_the_end".to_owned();
    for attempt in 1..=2 {
        let waiting = stage.kill_when(stage.begin(&role, None), "failing", "AwaitingRetry", attempt);
        assert_eq!(waiting.forgiven, 0);
        assert_eq!(stage.bodies("failing").len(), attempt as usize);
        role = stage.resume();
        // Whoever goes on waits as long as the one that died would have.
        let (due, last) = (waiting.retry_at.unwrap(), *stage.bodies("failing").last().unwrap());
        assert!(
            (last + 1_000_000_000..last + 60_000_000_000).contains(&due),
            "{due} after {last}"
        );
    }
    let told = stage.lives(&role, None);
    assert!(told.starts_with("ended Failed: ") && told.contains("no luck"), "{told}");
    let bodies = stage.bodies("failing");
    assert_eq!(bodies.len(), 3, "two retries, whatever was killed");
    for pair in bodies.windows(2) {
        assert!(pair[1] - pair[0] >= 990_000_000, "the wait was cut short: {bodies:?}");
    }
    let row = stage.row("failing");
    assert_eq!(
        (row.state.as_str(), row.attempt, row.forgiven, row.crashes),
        ("Failed", 3, 0, 0)
    );
}

#[test]
fn the_wait_for_the_next_attempt_does_not_begin_anew() {
    let stage = Stage::new("wake-time");
    let waiting = stage.kill_when(stage.begin("start waits_long", None), "patient", "AwaitingRetry", 1);
    for _ in 0..2 {
        // Whoever goes on waits for the same moment, and so does who comes after.
        let again = stage.kill_when(stage.begin(&stage.resume(), None), "patient", "Pending", 1);
        assert_eq!(again.retry_at, waiting.retry_at);
    }
    assert_eq!(stage.bodies("patient").len(), 1);
    // A day later.
    stage.patch(&format!(
        "UPDATE runs SET retry_at = {} WHERE retry_at IS NOT NULL",
        unix_nanos() - 1
    ));
    assert_eq!(stage.lives(&stage.resume(), None), "returned 2");
    assert_eq!(stage.bodies("patient").len(), 2);
}

// --- a process that is ended by its own code ---------------------------------------------------------------------------

#[test]
fn a_process_that_a_body_has_ended_leaves_crashed_runs_that_go_on() {
    for way in ["double panic", "panic hook", "abort"] {
        let stage = Stage::new(&way.replace(' ', "-"));
        stage.dies("start survives", Some(way));
        assert_eq!(stage.row("ends_the_process").state, "Running");
        assert_eq!(stage.lives("start other", None), "returned 10");
        for (definition, crashes) in [("ends_the_process", 1), ("survives", 0)] {
            let row = stage.row(definition);
            assert_eq!(
                (row.state.as_str(), row.crashes),
                ("Crashed", crashes),
                "{way}: {definition}"
            );
        }
        assert_eq!(stage.lives(&stage.resume(), None), "returned 4");
        assert_eq!(
            (stage.bodies("good 1").len(), stage.bodies("ends the process").len()),
            (1, 2),
            "{way}"
        );
    }
}

#[test]
fn a_name_given_to_the_call_outlives_the_process() {
    let stage = Stage::new("name");
    stage.dies("start named", Some("abort"));
    assert_eq!(stage.row("named").label, "of my own");
    assert_eq!(stage.lives(&stage.resume(), None), "returned 3");
    assert_eq!(stage.row("named").label, "of my own");
}
