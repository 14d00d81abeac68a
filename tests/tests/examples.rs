//! Every example runs, and prints what it says.

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
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let stdout = String::from_utf8(output.stdout).unwrap();
    let program = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let program = message["executable"].as_str()?;
        let is_example = message["target"]["kind"][0] == "example";
        is_example.then(|| {
            (
                message["target"]["name"].as_str().unwrap().to_owned(),
                program.into(),
            )
        })
    };
    stdout.lines().filter_map(program).collect()
});

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn run(name: &str, arguments: &[&str]) -> Output {
    let mut program = Command::new(&PROGRAMS[name]);
    // What is asked of the engine and its logs from outside would change what is printed.
    for (variable, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("FLOW_") || name == "RUST_LOG")
    {
        program.env_remove(variable);
    }
    let output = program
        .args(arguments)
        .current_dir(workspace())
        .output()
        .unwrap();
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
    nodes
        .iter()
        .map(|node| format!("Processed node: {node}\n"))
        .collect()
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
    assert_eq!(
        stdout("ten_tasks"),
        "[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]\n"
    );
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
    let expected =
        "step 1 begins\nstep 1 ends\nstep 2 begins\nstep 2 ends\nstep 3 begins\nstep 3 ends\n";
    assert_eq!(stdout("sequential"), expected);
}

#[test]
fn parallel_flows() {
    assert_eq!(
        stdout("parallel_flows"),
        "Hello, Ada!\nHello, Grace!\nHello, Edsger!\n"
    );
}

#[test]
fn flow_from_task() {
    assert_eq!(stdout("flow_from_task"), "(21, 41)\n");
}

#[test]
fn task_submits_flows() {
    assert_eq!(
        stdout("task_submits_flows"),
        "The sum of five squares is 55\n"
    );
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
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "00:00:00.000", "{line}");
    let mut parts = rest.splitn(3, '\'');
    let (before, name, after) = (
        parts.next().unwrap(),
        parts.next().unwrap(),
        parts.next().unwrap(),
    );
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
