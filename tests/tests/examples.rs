//! Every example runs, and prints what it says.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// The examples' programs by name, built once, the way this test was.
static PROGRAMS: LazyLock<HashMap<String, PathBuf>> = LazyLock::new(|| {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--quiet",
        "--package",
        "flowcore-examples",
        "--examples",
        "--message-format",
        "json",
    ]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo.current_dir(workspace()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let program = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let program = message["executable"].as_str()?;
        let is_example = message["target"]["kind"][0] == "example";
        is_example.then(|| (message["target"]["name"].as_str().unwrap().to_owned(), program.into()))
    };
    stdout.lines().filter_map(program).collect()
});

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn program(name: &str, arguments: &[&str]) -> Command {
    let mut program = Command::new(&PROGRAMS[name]);
    // What is asked of the engine and its logs from outside would change what is printed.
    for (variable, _) in std::env::vars().filter(|(name, _)| name.starts_with("FLOW_") || name == "RUST_LOG") {
        program.env_remove(variable);
    }
    program.env("FLOW_DATABASE_URL", "memory:");
    program.args(arguments).current_dir(workspace());
    program
}

fn run(name: &str, arguments: &[&str]) -> Output {
    let output = program(name, arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn stdout(name: &str) -> String {
    String::from_utf8(run(name, &[]).stdout).unwrap()
}

fn processed(nodes: &[&str]) -> String {
    nodes.iter().map(|node| format!("Processed node: {node}\n")).collect()
}

#[test]
fn top_down_tree() {
    assert_eq!(
        stdout("top_down_tree"),
        processed(&["root", "A", "A1", "A2", "B", "B1", "B2"])
    );
}

#[test]
fn bottom_up_tree() {
    assert_eq!(
        stdout("bottom_up_tree"),
        processed(&["A1", "A2", "A", "B1", "B2", "B", "root"])
    );
}

#[test]
fn process_tree() {
    assert_eq!(
        stdout("process_tree"),
        processed(&["A1", "A2", "A", "B1", "B2", "B", "root"])
    );
}

#[test]
fn parallel_siblings() {
    assert_eq!(
        stdout("parallel_siblings"),
        "A met its siblings\nB met its siblings\nC met its siblings\n"
    );
}

#[test]
fn ten_tasks() {
    assert_eq!(stdout("ten_tasks"), "[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]\n");
}

#[test]
fn max_workers() {
    let text = stdout("max_workers");
    let most = text
        .strip_prefix("20 runs, at most ")
        .and_then(|rest| rest.strip_suffix(" at once\n"));
    let most: usize = most.unwrap().parse().unwrap();
    assert!((1..=4).contains(&most), "{text}");
}

#[test]
fn sequential() {
    let expected = "step 1 begins\nstep 1 ends\nstep 2 begins\nstep 2 ends\nstep 3 begins\nstep 3 ends\n";
    assert_eq!(stdout("sequential"), expected);
}

#[test]
fn parallel_flows() {
    assert_eq!(stdout("parallel_flows"), "Hello, Ada!\nHello, Grace!\nHello, Edsger!\n");
}

#[test]
fn flow_from_task() {
    assert_eq!(stdout("flow_from_task"), "(21, 41)\n");
}

#[test]
fn task_submits_flows() {
    assert_eq!(stdout("task_submits_flows"), "The sum of five squares is 55\n");
}

#[test]
fn child_failure() {
    let expected = "\
day 6: 600 rows
week › report failed: no report for day 7: week › report › load failed: the office is closed
day 7 is left out
";
    assert_eq!(stdout("child_failure"), expected);
}

#[test]
fn retry_subflow() {
    let expected = "\
import, attempt 1
import, attempt 2
import, attempt 3
import, attempt 4
imported 42 rows
";
    assert_eq!(stdout("retry_subflow"), expected);
}

#[test]
fn batch_creator() {
    let expected = "created 10 of 35\ncreated 20 of 35\ncreated 30 of 35\ncreated 35 of 35\n";
    assert_eq!(stdout("batch_creator"), expected);
}

/// Times as `TIME`, a run's made-up name as `NAME`.
fn normalised(line: &str) -> String {
    let (time, rest) = line.split_at(12);
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "00:00:00.000", "{line}");
    let mut parts = rest.splitn(3, '\'');
    let (before, name, after) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let name = match name.strip_prefix("clean-") {
        Some(_) => "clean-NAME",
        None => {
            assert_eq!(name.split('-').count(), 2, "{line}");
            "NAME"
        }
    };
    format!("TIME{before}'{name}'{after}")
}

#[test]
fn logging() {
    let output = run("logging", &[]);
    assert!(output.stdout.is_empty());
    let lines: Vec<String> = String::from_utf8(output.stderr)
        .unwrap()
        .lines()
        .map(normalised)
        .collect();
    let expected = [
        "TIME | INFO    | Flow run 'NAME' - Beginning flow run of 'pipeline'",
        "TIME | INFO    | Flow run 'NAME' - fetching",
        "TIME | INFO    | Task run 'clean-NAME' - cleaning 120 rows",
        "TIME | WARNING | Task run 'clean-NAME' - more than expected rows=120",
        "TIME | INFO    | Flow run 'NAME' - 60 rows left",
        "TIME | INFO    | Flow run 'NAME' - Finished in state Completed()",
    ];
    assert_eq!(lines, expected);
}

/// A directory of this test's own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        // As the program will name it.
        Self(dir.canonicalize().unwrap())
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn pipeline(&self, options: &[&str]) -> (String, String) {
        let dir = self.0.to_str().unwrap();
        let output = run("tree_pipeline", &[&[dir], options].concat());
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        // What a terminal would act upon is never printed.
        assert!(
            !stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'),
            "{stdout}{stderr}"
        );
        (stdout, stderr)
    }

    fn hash(&self, options: &[&str]) -> String {
        let (stdout, _) = self.pipeline(options);
        let is_hash = |word: &&str| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit());
        stdout
            .lines()
            .filter_map(|line| line.split("  ").next().filter(is_hash))
            .next_back()
            .unwrap()
            .to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn sources(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    for n in 0..30 {
        scratch.file(&format!("src/part/f{n}.rs"), "fn f() {}\nfn g() {}\n");
    }
    scratch.file("README.md", "# Title\n\nno newline at the end");
    scratch.file("target/left.rs", "out\n").file("empty", "");
    scratch
}

#[test]
fn tree_pipeline_shows_the_runs_and_the_totals() {
    let scratch = sources("pipeline-totals");
    let (stdout, stderr) = scratch.pipeline(&[]);
    let row = |name: &str| {
        let line = stdout
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {stdout}"));
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("Rust"), ["30", "60", "600"]);
    assert_eq!(row("Markdown"), ["1", "3", "30"]);
    assert_eq!(row("Other"), ["1", "0", "0"]);
    assert_eq!(row("Total"), ["32", "63", "630"]);
    let line = stdout.lines().find(|line| line.contains("hash_file ×30")).unwrap();
    assert!(
        line.starts_with("      └─ hash_file ×30") && line.contains("Completed"),
        "{stdout}"
    );
    assert!(stdout.contains("'target' and '.git' are left out"), "{stdout}");
    assert!(stderr.contains(": 35 completed ("), "{stderr}");
    assert_eq!(scratch.pipeline(&["--no-progress"]).1, "");
}

#[test]
fn tree_pipeline_hashes_what_the_tree_holds_and_nothing_else() {
    let (one, other) = (sources("pipeline-one"), sources("pipeline-other"));
    let hash = one.hash(&[]);
    assert_eq!(other.hash(&["--max-workers", "1"]), hash);
    assert_ne!(one.hash(&["--all"]), hash);
    // Each change alone gives another hash.
    let mut hashes = vec![hash.clone()];
    other.file("src/part/f7.rs", "fn f() {}\nfn h() {}\n");
    hashes.push(other.hash(&[]));
    other.file("src/part/f7.rs", "fn f() {}\nfn g() {}\n");
    assert_eq!(other.hash(&[]), hash);
    let path = |name: &str| other.0.join(name);
    std::fs::rename(path("empty"), path("empty2")).unwrap();
    hashes.push(other.hash(&[]));
    std::fs::rename(path("empty2"), path("empty")).unwrap();
    std::fs::create_dir(path("new")).unwrap();
    hashes.push(other.hash(&[]));
    std::fs::remove_dir(path("new")).unwrap();
    other.file("new", "");
    hashes.push(other.hash(&[]));
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 5);
}

#[cfg(unix)]
#[test]
fn tree_pipeline_reports_what_it_can_not_read_and_goes_on() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    let scratch = Scratch::new("pipeline-odd");
    scratch.file("fine.rs", "fn f() {}\n").file("esc\u{1b}[31m.md", "x\n");
    let path = |name: &str| scratch.0.join(name);
    std::fs::write(scratch.0.join(OsStr::from_bytes(b"bad\xff.rs")), "x\n").unwrap();
    symlink("loop2", path("loop1")).unwrap();
    symlink("loop1", path("loop2")).unwrap();
    symlink("nowhere", path("dangling")).unwrap();
    std::fs::create_dir(path("dir")).unwrap();
    symlink("..", path("dir/up")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    assert!(Command::new("mkfifo").arg(path("fifo")).status().unwrap().success());
    // A path longer than the system takes is unreadable for root too.
    let deep = "cd \"$0\"; n=$(printf '%0200d' 0); for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do mkdir $n; cd -P $n || exit 1; done; echo x > f.rs";
    assert!(
        Command::new("sh")
            .args(["-c", deep])
            .arg(&scratch.0)
            .status()
            .unwrap()
            .success()
    );

    let (stdout, _) = scratch.pipeline(&[]);
    for problem in [
        "/bad\u{fffd}.rs: its name is not UTF-8: hashed by the bytes",
        "/loop1: a symbolic link in a loop, to 'loop2': not followed",
        "/loop2: a symbolic link in a loop, to 'loop1': not followed",
        "/dir/up: a symbolic link in a loop, to '..': not followed",
        "/socket: a socket: not opened",
        "/fifo: a FIFO: not opened",
        "can't be read: File name too long",
        "The hash is without what could not be read.",
    ] {
        assert!(stdout.contains(problem), "{problem}: {stdout}");
    }
    assert!(!stdout.contains("dangling"), "{stdout}");
    let rust = stdout.lines().find(|line| line.starts_with("Rust")).unwrap();
    assert_eq!(rust.split_whitespace().collect::<Vec<_>>(), ["Rust", "2", "2", "12"]);
}

#[cfg(target_os = "linux")]
#[test]
fn tree_pipeline_tells_what_was_done_when_it_is_interrupted() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;

    let scratch = Scratch::new("pipeline-interrupted");
    scratch.file("a.rs", "fn f() {}\nfn g() {}\n").file("huge", "");
    let huge = scratch.0.join("huge");
    // A hole, which takes no room, and longer to read than anybody waits.
    let hole = std::fs::OpenOptions::new().write(true).open(&huge).unwrap();
    hole.set_len(1 << 40).unwrap();
    drop(hole);
    let mut child = program("tree_pipeline", &[scratch.0.to_str().unwrap(), "--max-workers", "1"])
        .env("FLOW_SHUTDOWN_SECONDS", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let files = format!("/proc/{}/fd", child.id());
    let reads_huge = || {
        let files = std::fs::read_dir(&files).unwrap();
        files
            .flatten()
            .any(|file| std::fs::read_link(file.path()).is_ok_and(|path| path == huge))
    };
    let start = std::time::Instant::now();
    while !reads_huge() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended too early");
        assert!(start.elapsed() < flowcore_tests::LIMIT, "it doesn't read the file");
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(
        (output.status.code(), output.status.signal()),
        (Some(130), None),
        "{stdout}{stderr}"
    );
    let row = |words: [&str; 2]| stdout.lines().any(|line| words.iter().all(|word| line.contains(word)));
    for words in [["hash_dir", "Crashed"], ["a.rs", "Completed"], ["huge", "Crashed"]] {
        assert!(row(words), "{words:?}: {stdout}");
    }
    let done = "\nInterrupted. Done until then: files 1, lines 2, bytes 20. Runs cut off: 2.\n";
    assert!(stdout.ends_with(done), "{stdout}");
    assert!(
        stderr.contains("flowcore: stopping") && stderr.contains("1 completed"),
        "{stderr}"
    );
}

#[test]
fn resume_after_crash() {
    let text = stdout("resume_after_crash");
    let called_first = "charge 1\nsend 1\ncharge 2\nsend 2\ncharge 3\nsend 3\ncharge 4\nsend 4\n";
    let called_then = "send 4\ncharge 5\nsend 5\ncharge 6\nsend 6\n";
    assert!(
        text.contains(&format!("It had called:\n{called_first}Another process")),
        "{text}"
    );
    assert!(text.contains(&format!("It called:\n{called_then}All calls")), "{text}");
    assert_eq!(text.matches("sent for").count(), 6, "{text}");
}

#[test]
fn nightly_report() {
    let folder = std::env::temp_dir().join(format!("nightly_report-{}", std::process::id()));
    let orders = folder.join("orders");
    std::fs::create_dir_all(&orders).unwrap();
    std::fs::write(orders.join("oslo.csv"), "apples,3\npears,4\n").unwrap();
    let ask = |arguments: &[&str]| {
        let mut program = program("nightly_report", arguments);
        program
            .env("FLOW_DATABASE_URL", folder.join("flow.db"))
            .output()
            .unwrap()
    };
    let parameter = format!("folder={}", orders.display());
    let shops = r#"shops=["oslo","bergen"]"#;
    let run = ask(&["run", "nightly-report", "--param", &parameter, "--param", shops]);
    assert_eq!(run.status.code(), Some(1));
    let told = String::from_utf8(run.stderr).unwrap();
    assert!(told.contains("bergen.csv"), "{told}");
    let id = told.split_whitespace().rev().nth(2).unwrap();

    std::fs::write(orders.join("bergen.csv"), "plums,1\n").unwrap();
    let resumed = ask(&["resume", &id[..18]]);
    assert_eq!(
        String::from_utf8(resumed.stdout).unwrap().trim(),
        r#"{"bergen":1,"oslo":7}"#
    );
    let shown = String::from_utf8(ask(&["show", id]).stdout).unwrap();
    assert!(
        shown.contains("answered from the record") && shown.contains("4 attempts"),
        "{shown}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
