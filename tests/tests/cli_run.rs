//! The command line: flows are run, cancelled, resumed and started again.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use flowcore_tests::{Tool, finish};
use serde_json::{Value, json};

fn tool(name: &str) -> Tool {
    Tool::new(
        env!("CARGO_BIN_EXE_tool"),
        env!("CARGO_TARGET_TMPDIR"),
        &format!("cli-run-{name}"),
    )
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The id of the latest run of that flow.
fn latest(tool: &Tool, flow: &str) -> String {
    let runs = parsed(&tool.run(&["runs", "--json", "--flow", flow, "-n", "1"]).ok());
    runs[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn flows_and_tasks_are_listed_with_what_they_take() {
    let tool = tool("flows");
    let text = tool.run(&["flows"]).ok();
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(
        line("greet").contains("name: String, times: Option<u32>  Greets somebody."),
        "{text}"
    );
    assert!(line("process-tree (2)").contains("node: Node"), "{text}");

    let flows = parsed(&tool.run(&["flows", "--json"]).ok());
    let tree = flows
        .as_array()
        .unwrap()
        .iter()
        .find(|flow| flow["name"] == "process-tree")
        .unwrap();
    assert_eq!(tree["version"], "2");
    assert_eq!(tree["tags"], json!(["tree"]));
    assert_eq!(tree["parameters"], json!([{"name": "node", "type": "Node"}]));
    assert_eq!(
        tree["description"],
        "Processes a tree, bottom up.\n\nThe children first."
    );

    let one = tool.run(&["flows", "careful"]).ok();
    assert!(
        one.contains("tool::careful") && one.contains("file: String") && one.contains("durable"),
        "{one}"
    );
    let tasks = tool.run(&["tasks"]).ok();
    assert!(
        tasks.contains("process_node") && !tasks.contains("process-tree"),
        "{tasks}"
    );
    assert!(
        tool.run(&["flows", "nope"])
            .failed(3)
            .contains("there is no flow named 'nope'; there are: careful")
    );
}

#[test]
fn a_result_is_json_on_standard_output_and_logs_are_not() {
    let tool = tool("result");
    let done = tool.run(&["run", "greet", "--param", "name=Ada", "-p", "times=2"]);
    assert!(done.err.contains("| INFO    | Flow run '"), "{}", done.err);
    assert_eq!(done.ok(), "\"Hello, Ada! Hello, Ada!\"\n");
    let done = tool.run(&["run", "greet", "-p", "name=Ada", "--quiet"]);
    assert_eq!(done.err, "");
    assert_eq!(done.ok(), "\"Hello, Ada!\"\n");
    let done = tool.run(&["run", "greet", "-p", "name=Ada", "--watch"]);
    assert!(
        done.err.contains(": 1 completed (") && done.err.contains("greet "),
        "{}",
        done.err
    );
    assert!(!done.err.contains("INFO"), "{}", done.err);
    // Without a store of its own.
    assert_eq!(
        tool.run(&["run", "greet", "-p", "name=Ada", "-q", "--database", "none:"])
            .ok(),
        "\"Hello, Ada!\"\n"
    );
    let mut within_a_runtime = tool.command(&["run", "greet", "-p", "name=Ada", "-q"]);
    let output = within_a_runtime.env("TOOL_ASYNC", "1").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "\"Hello, Ada!\"\n");
}

#[test]
fn parameters_come_from_arguments_files_and_standard_input() {
    let tool = tool("parameters");
    // What is a text by its type stays one.
    assert_eq!(
        tool.run(&["run", "greet", "-q", "-p", "name=42"]).ok(),
        "\"Hello, 42!\"\n"
    );
    std::fs::write(tool.path("p.json"), r#"{"name": "Ada", "times": 3}"#).unwrap();
    let from_file = ["run", "greet", "-q", "--params-file", "p.json", "-p", "times=null"];
    assert_eq!(tool.run(&from_file).ok(), "\"Hello, Ada!\"\n");
    let from_input = ["run", "greet", "-q", "--params-file", "-"];
    assert_eq!(
        tool.run_with(&from_input, r#"{"name": "Eve"}"#).ok(),
        "\"Hello, Eve!\"\n"
    );

    for (input, said) in [
        ("[1]", "must be a JSON object, not an array"),
        ("{", "are no JSON"),
        ("", "are no JSON"),
    ] {
        let error = tool.run_with(&from_input, input).failed(2);
        assert!(error.contains(said), "{input}: {error}");
    }
    assert!(
        tool.run(&["run", "greet", "--params-file", "none.json"])
            .failed(2)
            .contains("'none.json' can't be read")
    );
    let error = tool
        .run(&["run", "greet", "-p", "name", "-p", "times=1", "-p", "times=2"])
        .failed(2);
    assert!(error.contains("'name' is no parameter: write NAME=VALUE") && error.contains("'times' is given twice"));
}

#[test]
fn all_that_is_wrong_with_parameters_is_told_in_one_answer() {
    let tool = tool("invalid");
    let error = tool.run(&["run", "greet", "-p", "nam=x", "-p", "times=no"]).failed(2);
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines[0], "error: these parameters don't fit flow 'greet':");
    for problem in ["'nam' is no parameter", "'name' is missing", "'times'"] {
        assert!(
            lines[1..].iter().any(|line| line.trim_start().starts_with(problem)),
            "{problem}: {error}"
        );
    }
    assert_eq!(lines.len(), 4, "{error}");

    // By their schemas, each with its place; where a type has none, what it says itself.
    let node = r#"node={"value":1,"children":[{"value":"A"},{"children":[{"value":"B","children":5}]}]}"#;
    let error = tool.run(&["run", "process-tree", "-p", node]).failed(2);
    let expected = [
        "error: these parameters don't fit flow 'process-tree':",
        "  'node.children[1].value': is missing",
        "  'node.value': must be a string, not 1",
        "  'node.children[1].children[0].children': must be an array, not 5",
    ];
    let mut lines: Vec<_> = error.lines().collect();
    lines[1..].sort_unstable_by_key(|line| line.len());
    assert_eq!(lines, expected);
    let error = tool
        .run(&["run", "plain", "-p", r#"of={"size":300}"#, "-p", "percent=300"])
        .failed(2);
    assert!(
        error.contains("'of': invalid value: integer `300`, expected u8"),
        "{error}"
    );
    assert!(error.contains("'percent': must be at most 255, not 300"), "{error}");
    // Nothing was started.
    assert_eq!(parsed(&tool.run(&["runs", "--json"]).ok()), json!([]));
    assert!(
        tool.run(&["run", "grete"])
            .failed(3)
            .contains("there is no flow named 'grete'")
    );
}

#[test]
fn the_exit_code_tells_what_came_of_the_run() {
    let tool = tool("outcome");
    let node = r#"node={"value":"root","children":[{"value":"bad"}]}"#;
    let done = tool.run(&[
        "run",
        "process-tree",
        "-q",
        "-p",
        node,
        "--name",
        "mine",
        "--tag",
        "a",
        "--tag",
        "b",
    ]);
    assert_eq!(done.out, "");
    let error = done.failed(1);
    assert!(
        error.starts_with("error: process-tree › process-tree › process_node failed: a bad \\u{1b}[31mnode\n"),
        "{error}"
    );
    assert!(!error.contains('\u{1b}'));
    let run = &parsed(&tool.run(&["runs", "--json"]).ok())[0];
    assert_eq!(
        (&run["name"], &run["tags"]),
        (&json!("mine"), &json!(["tree", "a", "b"]))
    );

    let done = tool.run(&["run", "process-tree", "-q", "--json", "-p", node]);
    assert_eq!(done.code, Some(1));
    let told = parsed(&done.out);
    assert_eq!((&told["state"], &told["result"]), (&json!("Failed"), &Value::Null));
    assert!(told["error"][0].as_str().unwrap().contains("a bad"));
    let told = parsed(&tool.run(&["run", "greet", "-q", "--json", "-p", "name=Ada"]).ok());
    assert_eq!(
        (&told["state"], &told["result"], &told["error"]),
        (&json!("Completed"), &json!("Hello, Ada!"), &json!([]))
    );
    // It went well, though there is nothing to print.
    let done = tool.run(&["run", "opaque", "-q"]);
    assert!(done.err.contains("derive Serialize for tool::Opaque"), "{}", done.err);
    assert_eq!(done.ok(), "");
}

#[test]
fn a_run_is_cancelled_from_another_process() {
    let tool = tool("cancel");
    let running = tool.spawn(&["run", "forever", "-q"]);
    let id = tool.until("the run", |tool| {
        let runs = parsed(&tool.run(&["runs", "--json", "--state", "running"]).ok());
        runs[0]["id"].as_str().map(str::to_owned)
    });
    let followed = tool.spawn(&["logs", &id, "--follow"]);
    assert!(tool.run(&["delete", &id, "--yes"]).failed(5).contains("refused"));
    let told = tool.run(&["cancel", &id, "--wait"]).ok();
    assert!(told.contains("is Cancelled"), "{told}");
    let error = finish(running).failed(1);
    assert!(error.contains("is Cancelled"), "{error}");
    // The follower ends with the run, and has all of it.
    let log = finish(followed).ok();
    assert!(
        log.contains("here") && log.lines().last().unwrap().contains("Finished in state Cancelled"),
        "{log}"
    );
    let again = tool.run(&["cancel", &id, "--json"]);
    assert_eq!(
        parsed(&again.out),
        json!([{"id": id, "requested": false, "state": "Cancelled"}])
    );
    assert_eq!(again.code, Some(5));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_the_signals_code() {
    let tool = tool("ctrl-c");
    let mut command = tool.command(&["run", "forever", "-q"]);
    command.env("FLOW_SHUTDOWN_SECONDS", "0");
    let running = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let is_running = |tool: &Tool| {
        tool.run(&["runs", "--state", "running"])
            .ok()
            .contains("forever")
            .then_some(())
    };
    tool.until("the run", is_running);
    let pid = running.id().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    assert!(killed.success());
    let done = finish(running);
    assert_eq!(done.code, Some(130), "{}", done.err);
    let id = latest(&tool, "forever");
    let run = parsed(&tool.run(&["show", &id, "--json"]).ok());
    assert_eq!(run["state"]["name"], "Crashed");
}

#[test]
fn a_durable_run_goes_on_and_others_are_started_anew() {
    let tool = tool("resume");
    std::fs::write(tool.path("block"), "").unwrap();
    let error = tool.run(&["run", "careful", "-q", "-p", "file=block"]).failed(1);
    assert!(error.contains("block is in the way"), "{error}");
    let id = latest(&tool, "careful");
    assert!(
        tool.run(&["resume", &id, "-q"])
            .failed(1)
            .contains("block is in the way")
    );
    std::fs::remove_file(tool.path("block")).unwrap();
    assert_eq!(tool.run(&["resume", &id, "-q"]).ok(), "42\n");
    let run = parsed(&tool.run(&["show", &id, "--json"]).ok());
    assert_eq!(run["state"]["name"], "Completed");
    assert_eq!(
        (&run["replay"]["answered"], &run["replay"]["again"]),
        (&json!(1), &json!(1))
    );
    assert!(tool.run(&["show", &id]).ok().contains("answered from the record"));
    // What has completed is not resumed.
    assert!(tool.run(&["resume", &id, "-q"]).failed(5).contains("refused"));

    let anew = parsed(&tool.run(&["retry", &id, "-q", "--json", "--name", "again"]).ok());
    assert_eq!((&anew["result"], &anew["name"]), (&json!(42), &json!("again")));
    assert_ne!(anew["id"], json!(id));

    let _ = tool.run(&["run", "greet", "-q", "-p", "name=Ada"]).ok();
    assert!(
        tool.run(&["resume", &latest(&tool, "greet")])
            .failed(5)
            .contains("not durable")
    );
    let _ = tool.run(&["run", "log_in", "-q", "-p", "password=x"]).ok();
    let error = tool.run(&["retry", &latest(&tool, "log_in")]).failed(5);
    assert!(error.contains("not all of these was kept: password"), "{error}");
}

#[test]
fn another_program_says_which_one_has_the_flow() {
    let tool = tool("other");
    let _ = tool.run(&["run", "greet", "-q", "-p", "name=Ada"]).ok();
    let id = latest(&tool, "greet");
    let url = format!("sqlite:{}", tool.path("flow.db").display());
    let flow = Tool::new(
        env!("CARGO_BIN_EXE_flow_only"),
        env!("CARGO_TARGET_TMPDIR"),
        "cli-run-other-flow",
    );
    let error = flow.run(&["retry", &id, "--database", &url]).failed(3);
    assert!(
        error.contains("has no flow 'greet'") && error.contains(env!("CARGO_BIN_EXE_tool")),
        "{error}"
    );
    assert!(flow.run(&["runs", "--database", &url]).ok().contains("greet"));
    assert!(flow.run(&["flows"]).ok().contains("has no flows"));
}
