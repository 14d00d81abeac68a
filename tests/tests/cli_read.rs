//! The command line: what the store has is looked at, exported, deleted.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Read;
use std::process::Stdio;

use flowcore_tests::{Done, Tool, finish};
use serde_json::{Value, json};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A store with a run of `greet`, and a tree that failed: 5 runs.
fn tool(name: &str) -> Tool {
    let tool = Tool::new(
        env!("CARGO_BIN_EXE_tool"),
        env!("CARGO_TARGET_TMPDIR"),
        &format!("cli-read-{name}"),
    );
    let _ = tool
        .run(&[
            "run", "greet", "-q", "-p", "name=Ada", "--name", "greeting", "--tag", "polite",
        ])
        .ok();
    let node = r#"node={"value":"root","children":[{"value":"A"},{"value":"bad"}]}"#;
    let _ = tool
        .run(&["run", "process-tree", "-q", "--name", "oak", "-p", node])
        .failed(1);
    tool
}

fn list(tool: &Tool, filters: &[&str]) -> Vec<Value> {
    let done = tool.run(&[&["runs", "--json"], filters].concat());
    parsed(&done.ok()).as_array().unwrap().clone()
}

fn names(tool: &Tool, filters: &[&str]) -> Vec<String> {
    let runs = list(tool, filters);
    runs.iter()
        .map(|run| run["name"].as_str().unwrap().to_owned())
        .collect()
}

fn id_of(tool: &Tool, name: &str) -> String {
    let runs = list(tool, &["--all", "--limit", "1000"]);
    let run = runs.iter().find(|run| run["name"] == name).unwrap();
    run["id"].as_str().unwrap().to_owned()
}

#[test]
fn runs_are_filtered_and_ordered() {
    let tool = tool("runs");
    assert_eq!(names(&tool, &[]), ["oak", "greeting"]);
    assert_eq!(names(&tool, &["--oldest-first"]), ["greeting", "oak"]);
    assert_eq!(names(&tool, &["--limit", "1"]), ["oak"]);
    assert_eq!(names(&tool, &["--limit", "0"]), [] as [&str; 0]);
    assert_eq!(names(&tool, &["--state", "completed"]), ["greeting"]);
    assert_eq!(names(&tool, &["--state", "Completed", "--state", "Failed"]).len(), 2);
    assert_eq!(names(&tool, &["--flow", "greet"]), ["greeting"]);
    assert_eq!(names(&tool, &["--tag", "polite"]), ["greeting"]);
    assert_eq!(names(&tool, &["--tag", "polite", "--tag", "tree"]), [] as [&str; 0]);
    assert_eq!(names(&tool, &["--since", "1h"]).len(), 2);
    assert_eq!(names(&tool, &["--until", "1h"]), [] as [&str; 0]);
    assert_eq!(
        names(&tool, &["--since", "2000-01-01", "--until", "2000-01-02"]),
        [] as [&str; 0]
    );
    assert_eq!(names(&tool, &["--all"]).len(), 6);
    let mut tasks = names(&tool, &["--task", "process_node"]);
    tasks.sort();
    assert_eq!(tasks, ["node A", "node bad"]);
    assert_eq!(names(&tool, &["--below", &id_of(&tool, "oak")]).len(), 5);
    assert!(
        tool.run(&["runs", "--below", &id_of(&tool, "node A")])
            .failed(5)
            .contains("not a root")
    );
    for (bad, said) in [
        (["--state", "nope"], "there are: Scheduled, Pending"),
        (["--since", "soon"], "'soon' is no time"),
    ] {
        assert!(tool.run(&[&["runs"], &bad[..]].concat()).failed(2).contains(said));
    }
    assert!(
        tool.run(&["runs", "--flow", "nope"])
            .ok()
            .starts_with("no such runs in sqlite:")
    );
}

#[test]
fn the_shape_of_a_run_is_as_documented() {
    let tool = tool("shape");
    let run = list(&tool, &["--flow", "greet"]).remove(0);
    let mut members: Vec<_> = run.as_object().unwrap().keys().cloned().collect();
    members.sort();
    let expected = [
        "attempt",
        "crashes",
        "created_at",
        "definition",
        "depth",
        "durable",
        "duration_seconds",
        "ended_at",
        "error",
        "id",
        "kind",
        "name",
        "parameters",
        "parent_id",
        "process",
        "replay",
        "root_id",
        "started_at",
        "state",
        "tags",
        "version",
    ];
    assert_eq!(members, expected);
    assert_eq!(run["kind"], "flow");
    assert_eq!(run["definition"], "greet");
    assert_eq!(run["parameters"], json!({"name": "Ada", "times": null}));
    assert_eq!(
        (&run["parent_id"], &run["root_id"], &run["depth"]),
        (&Value::Null, &run["id"], &json!(0))
    );
    assert_eq!(
        (&run["state"]["type"], &run["state"]["name"]),
        (&json!("Completed"), &json!("Completed"))
    );
    assert!(run["created_at"].as_str().unwrap().ends_with('Z'));
    assert!(run["duration_seconds"].as_f64().unwrap() >= 0.0);
    let child = &list(&tool, &["--task", "process_node"])[0];
    assert_eq!(child["root_id"].as_str().unwrap(), id_of(&tool, "oak"));
    assert_eq!(child["depth"], 2);
}

#[test]
fn a_table_fits_its_terminal_and_is_whole_elsewhere() {
    let tool = tool("table");
    for (columns, more) in [("80", false), ("200", true)] {
        let output = tool
            .command(&["runs", "--all"])
            .env("COLUMNS", columns)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= columns.parse().unwrap(), "{text}");
        assert_eq!(text.contains("ATTEMPTS"), more, "{text}");
        assert_eq!(text.lines().count(), 7, "{text}");
    }
    let text = tool.run(&["runs"]).ok();
    assert!(
        text.contains("a bad \\u{1b}[31mnode") && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn colours_are_for_terminals_and_for_who_asks() {
    let tool = tool("colours");
    assert!(!tool.run(&["runs"]).ok().contains('\u{1b}'));
    assert!(tool.run(&["runs", "--color", "always"]).ok().contains("\u{1b}[31m"));
    assert!(
        !tool
            .run(&["runs", "--color", "always", "--json"])
            .ok()
            .contains("\u{1b}[")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_has_colours_unless_no_color_is_set() {
    let tool = tool("terminal");
    // `script` gives the program a terminal.
    let on_terminal = |no_color: &str| {
        let command = format!("{} runs", env!("CARGO_BIN_EXE_tool"));
        let mut script = tool.command(&[] as &[&str]);
        let url = script
            .get_envs()
            .find(|(name, _)| *name == "FLOW_DATABASE_URL")
            .unwrap()
            .1
            .unwrap()
            .to_owned();
        script = std::process::Command::new("script");
        script
            .args(["-qec", &command, "/dev/null"])
            .env("FLOW_DATABASE_URL", url)
            .env("TERM", "xterm-256color");
        script
            .env("NO_COLOR", no_color)
            .env_remove("COLUMNS")
            .stdin(Stdio::null());
        String::from_utf8(script.output().unwrap().stdout).unwrap()
    };
    let (coloured, plain) = (on_terminal(""), on_terminal("1"));
    assert!(coloured.contains("\u{1b}[31mFailed"), "{coloured}");
    assert!(plain.contains("Failed") && !plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn a_run_is_shown_with_what_is_below_it() {
    let tool = tool("show");
    let id = id_of(&tool, "oak");
    let text = tool.run(&["show", &id, "--states", "--result"]).ok();
    for part in [
        "flow run 'oak' of process-tree  Failed",
        &id,
        "\"value\":\"root\"",
        "no result was kept",
        "process_node node bad",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        text.contains("\nSTATE    AT ") && text.contains("\nRunning  "),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
    let output = tool
        .command(&["show", &id, "--states"])
        .env("COLUMNS", "80")
        .output()
        .unwrap();
    let narrow = String::from_utf8(output.stdout).unwrap();
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    let child = tool.run(&["show", &id_of(&tool, "node A"), "--result"]).ok();
    assert!(
        child.contains("made by") && child.contains("\"Processed node: A\""),
        "{child}"
    );

    let run = parsed(&tool.run(&["show", &id, "--json", "--states", "--result"]).ok());
    let states: Vec<_> = run["states"]
        .as_array()
        .unwrap()
        .iter()
        .map(|state| state["name"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["Pending", "Running", "Failed"]);
    assert_eq!(run["result"], Value::Null);
    let runs: u64 = run["counts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|count| count["count"].as_u64().unwrap())
        .sum();
    assert_eq!(runs, 5);
    let child = parsed(&tool.run(&["show", &id_of(&tool, "node A"), "--json", "--result"]).ok());
    assert_eq!(child["result"], json!({"value": "Processed node: A"}));
}

#[test]
fn ids_are_known_by_what_is_unique_of_them() {
    let tool = tool("prefix");
    let id = id_of(&tool, "oak");
    let shown = |name: &str| {
        parsed(&tool.run(&["show", name, "--json"]).ok())["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(shown(&id.to_uppercase()), id);
    assert_eq!(shown(&id.replace('-', "")), id);
    // As the table shows it.
    let table = tool.run(&["runs", "--all"]).ok();
    let short = table
        .lines()
        .find(|line| line.contains("  oak  "))
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    assert!(short.len() < 36 && id.starts_with(short));
    assert_eq!(shown(short), id);

    let error = tool.run(&["show", &id[..1]]).failed(3);
    assert!(
        error.starts_with("error: ambiguous: several runs") && error.contains(" 'greeting')"),
        "{error}"
    );
    assert!(error.contains("and others; give more of it"), "{error}");
    assert!(
        tool.run(&["show", "ffffffff"])
            .failed(3)
            .contains("no run has an id that begins with 'ffffffff'")
    );
    assert!(
        tool.run(&["show", "greeting"])
            .failed(3)
            .contains("ids are hexadecimal digits")
    );
    let error = tool.run(&["show", "ffffffff", "--json"]).failed(3);
    assert_eq!(parsed(&error)["error"]["code"], 3);

    assert_eq!(
        parsed(&tool.run_with(&["show", "-", "--json"], &format!("{id}\n")).ok())["id"],
        json!(id)
    );
    assert!(
        tool.run_with(&["show", "-"], "")
            .failed(2)
            .contains("standard input names no run")
    );
    let two = format!("{id} {}", id_of(&tool, "greeting"));
    assert!(tool.run_with(&["show", "-"], &two).failed(2).contains("takes one"));
}

#[test]
fn logs_are_filtered_and_cut() {
    let tool = tool("logs");
    let id = id_of(&tool, "oak");
    let log = |arguments: &[&str]| tool.run(&[&["logs", &id], arguments].concat()).ok();
    assert_eq!(log(&["--own"]).lines().count(), 2);
    let all = log(&[]);
    assert!(all.contains(" | INFO    | node A - processing A\n"), "{all}");
    assert!(
        all.contains(" | WARNING | node bad - ") && !all.contains('\u{1b}'),
        "{all}"
    );
    assert_eq!(
        log(&["--tail", "2"]),
        all.lines()
            .rev()
            .take(2)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .fold(String::new(), |text, line| text + line + "\n")
    );
    assert_eq!(log(&["--tail", "0"]), "");
    assert!(
        log(&["--level", "warn"])
            .lines()
            .all(|line| line.contains("WARNING") || line.contains("ERROR"))
    );
    // Of a run that is over, following ends.
    assert_eq!(log(&["--follow"]), all);
    let lines = log(&["--json"]);
    assert_eq!(lines.lines().count(), all.lines().count());
    let line = lines
        .lines()
        .map(parsed)
        .find(|line| line["message"] == "processing A")
        .unwrap();
    assert_eq!(
        (&line["level"], &line["run_name"], &line["run_id"]),
        (&json!("INFO"), &json!("node A"), &json!(id_of(&tool, "node A")))
    );
}

#[test]
fn a_graph_is_printed_or_saved() {
    let tool = tool("graph");
    let id = id_of(&tool, "oak");
    assert!(tool.run(&["graph", &id]).ok().starts_with("flowchart"));
    assert!(tool.run(&["graph", &id, "--format", "dot"]).ok().starts_with("digraph"));
    let _ = tool.run(&["graph", &id, "--output", "g.svg"]).ok();
    assert!(std::fs::read_to_string(tool.path("g.svg")).unwrap().contains("<svg"));
    assert!(
        tool.run(&["graph", &id, "--output", "no/such/g.svg"])
            .failed(1)
            .contains("can't be written")
    );
    assert!(tool.run(&["graph", &id, "--format", "png"]).failed(2).contains("png"));
    assert_eq!(parsed(&tool.run(&["graph", &id, "--json"]).ok())["format"], "mermaid");
}

#[test]
fn a_timeline_is_printed_or_saved() {
    let tool = tool("timeline");
    let id = id_of(&tool, "oak");
    let output = tool.command(&["timeline", &id]).env("COLUMNS", "80").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("oak") && text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    // No terminal is that wide.
    let output = tool
        .command(&["timeline", &id])
        .env("COLUMNS", "99999999999")
        .output()
        .unwrap();
    assert!(output.status.success() && output.stdout.len() < 10_000_000);
    let _ = tool.run(&["timeline", &id, "--svg", "t.svg"]).ok();
    assert!(std::fs::read_to_string(tool.path("t.svg")).unwrap().contains("<svg"));
}

#[test]
fn everything_is_exported_a_line_a_run() {
    let tool = tool("export");
    let lines: Vec<Value> = tool.run(&["export", "--json"]).ok().lines().map(parsed).collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0]["name"], "greeting");
    assert_eq!(lines[0]["result"], json!({"value": "Hello, Ada!"}));
    assert_eq!(lines[0]["states"].as_array().unwrap().len(), 3);
    let node = lines.iter().find(|line| line["name"] == "node bad").unwrap();
    assert!(
        node["logs"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["message"] == "processing bad")
    );
    assert_eq!(tool.run(&["export", &id_of(&tool, "oak")]).ok().lines().count(), 5);
    // Below a run that is no root.
    let inner = list(&tool, &["--all", "--flow", "process-tree", "--state", "completed"]);
    let inner = inner[0]["id"].as_str().unwrap().to_owned();
    let names: Vec<_> = tool
        .run(&["export", &inner])
        .ok()
        .lines()
        .map(|line| parsed(line)["name"].clone())
        .collect();
    assert_eq!((names.len(), &names[1]), (2, &json!("node A")));
}

#[test]
fn runs_are_deleted_and_pruned() {
    let tool = tool("delete");
    let id = id_of(&tool, "oak");
    assert!(tool.run(&["delete", &id]).failed(2).contains("add --yes"));
    assert!(
        tool.run(&["delete", &id_of(&tool, "node A"), "--yes"])
            .failed(5)
            .contains("refused")
    );
    assert!(tool.run_with(&["delete", "-", "--yes"], &id).ok().contains("("));
    assert_eq!(names(&tool, &["--all"]), ["greeting"]);
    let told =
        |arguments: &[&str]| parsed(&tool.run(&[&["prune", "--json"], arguments].concat()).ok())["deleted"].clone();
    assert_eq!(told(&["--older-than", "1h"]), 0);
    assert_eq!(told(&["--older-than", "0s", "--dry-run"]), 1);
    assert_eq!(names(&tool, &[]), ["greeting"]);
    assert_eq!(told(&["--older-than", "0s"]), 1);
    assert_eq!(names(&tool, &["--all"]), [] as [&str; 0]);
    assert!(tool.run(&["prune"]).failed(2).contains("--older-than"));
}

#[test]
fn the_doctor_tells_what_is_wrong_and_what_is_not() {
    let tool = tool("doctor");
    let text = tool.run(&["doctor", "--deep"]).ok();
    for part in [
        "everything is in order",
        "nothing listens",
        "flow.db",
        "max_depth          250000",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let report = parsed(&tool.run(&["doctor", "--json"]).ok());
    assert_eq!((&report["healthy"], &report["listens"]), (&json!(true), &json!([])));
    std::fs::write(
        tool.path("broken.db"),
        "this is no database, whatever its name is".repeat(100),
    )
    .unwrap();
    let url = format!("sqlite:{}", tool.path("broken.db").display());
    let error = tool.run(&["doctor", "--database", &url]).failed(4);
    assert!(error.contains("broken.db"), "{error}");
    assert!(
        tool.run(&["runs", "--database", "mysql://user:secret@host/db"])
            .failed(4)
            .contains("'mysql:'")
    );
    assert!(
        tool.run(&["runs", "--database", "none:"])
            .failed(4)
            .contains("kept nowhere")
    );
}

#[test]
fn a_reader_that_leaves_early_makes_no_noise() {
    let tool = tool("pipe");
    let commands = [
        &["export"][..],
        &["runs", "--all"],
        &["completions", "bash"],
        &["--help"],
        &["flows"],
    ];
    for (command, reads) in commands
        .into_iter()
        .flat_map(|command| [(command, true), (command, false)])
    {
        let mut child = tool.spawn(command);
        // Closed before anything is written, or after the first byte.
        let mut out = child.stdout.take().unwrap();
        if reads {
            let _ = out.read(&mut [0; 1]);
        }
        drop(out);
        let Done { code, err, .. } = finish(child);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{command:?}");
    }
}

#[test]
fn watching_tells_changes_where_there_is_no_terminal() {
    use std::io::{BufRead, BufReader};
    let tool = tool("watch");
    let mut watching = tool.spawn(&["runs", "--watch", "--json"]);
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || {
        parsed(&lines.next().unwrap().unwrap())["name"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!((next(), next()), ("greeting".to_owned(), "oak".to_owned()));
    let _ = tool
        .run(&["run", "greet", "-q", "-p", "name=Eve", "--name", "new"])
        .ok();
    assert_eq!(next(), "new");
    watching.kill().unwrap();
    let _ = watching.wait();
}

#[test]
fn every_command_explains_itself() {
    let tool = tool("help");
    let help = tool.run(&["--help"]).ok();
    assert!(help.contains("Exit codes:") && help.contains("Usage: tool "), "{help}");
    for command in [
        "flows",
        "tasks",
        "run",
        "runs",
        "show",
        "logs",
        "graph",
        "timeline",
        "cancel",
        "resume",
        "retry",
        "delete",
        "prune",
        "export",
        "doctor",
        "completions",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        assert!(
            tool.run(&[command, "--help"])
                .ok()
                .contains(&format!("Usage: tool {command}")),
            "{command}"
        );
    }
    assert!(tool.run(&["--version"]).ok().starts_with("tool (flowcore "));
    assert!(tool.run(&[] as &[&str]).failed(2).contains("Usage:"));
    assert!(tool.run(&["nonsense"]).failed(2).contains("nonsense"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(tool.run(&["completions", shell]).ok().contains("tool"));
    }
}

#[cfg(unix)]
#[test]
fn a_store_that_can_not_be_written_can_be_looked_at() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let tool = tool("read-only");
    let id = id_of(&tool, "oak");
    let permit = |file: u32, directory: u32| {
        set_permissions(tool.path("flow.db"), Permissions::from_mode(file)).unwrap();
        set_permissions(tool.path(""), Permissions::from_mode(directory)).unwrap();
    };
    permit(0o444, 0o555);
    let run = |arguments: &[&str]| {
        let mut command = tool.command(arguments);
        // Nothing is forbidden to root: somebody else looks.
        if is_root() {
            command.uid(65534);
        }
        command.output().unwrap()
    };
    let (seen, refused) = (run(&["runs", "--json"]), run(&["delete", &id, "--yes"]));
    permit(0o644, 0o755);
    let err = String::from_utf8_lossy(&seen.stderr);
    assert_eq!(seen.status.code(), Some(0), "{err}");
    assert_eq!(
        parsed(&String::from_utf8_lossy(&seen.stdout)).as_array().unwrap().len(),
        2
    );
    let err = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(4), "{err}");
    assert!(err.contains("can't be written"), "{err}");
}

/// Whether everything is permitted to this process.
#[cfg(unix)]
fn is_root() -> bool {
    let id = std::process::Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}
