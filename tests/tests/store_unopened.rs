//! A store that can't be opened at all, under both policies: told once and clearly, and nothing hangs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flowcore_tests::in_time;

fn output(url: &str, policy: &str, command: &str) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_keeps"))
        .arg(command)
        .env("FLOW_DATABASE_URL", url)
        .env("FLOW_STORE_TROUBLE", policy)
        .env("RUST_LOG", "error")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{out}{err}");
    (out, err)
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("flowcore-unopened-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn cases(folder: &Path) -> Vec<(String, &'static str)> {
    let garbage = folder.join("garbage.db");
    std::fs::write(&garbage, "no database, but a letter to somebody ".repeat(200)).unwrap();
    let file = folder.join("file");
    std::fs::write(&file, "").unwrap();
    vec![
        // Not a folder, a folder in place of a file, no database, and no store of that sort.
        (file.join("flow.db").display().to_string(), "file"),
        (folder.display().to_string(), "unopened"),
        (garbage.display().to_string(), "garbage.db"),
        ("mysql://somewhere/flow".to_owned(), "mysql:"),
        ("/proc/flowcore/flow.db".to_owned(), "/proc"),
    ]
}

#[test]
fn a_store_that_cannot_be_opened_is_told() {
    in_time("unopened", || {
        let folder = folder();
        for (url, name) in cases(&folder) {
            for command in ["plain", "durable"] {
                let (out, _) = output(&url, "fail", command);
                let mut lines = out.lines();
                let told = lines.next().unwrap();
                assert!(told.starts_with("Store: ") && told.contains(name), "{url}: {out}");
                assert_eq!(lines.next(), Some("0 bodies"), "{url}: {out}");
            }
            let (out, err) = output(&url, "continue", "plain");
            assert_eq!(out, "ok: 10\n5 bodies\ncrashed 0, unrecorded 1\n", "{url}");
            assert!(
                err.contains(name) && err.contains("goes on without a record"),
                "{url}: {err}"
            );
            let (out, _) = output(&url, "continue", "durable");
            assert!(
                out.starts_with("Store: ") && out.contains(name) && out.contains("\n0 bodies\n"),
                "{url}: {out}"
            );
        }
        let garbage = std::fs::read_to_string(folder.join("garbage.db")).unwrap();
        assert!(garbage.starts_with("no database"), "what is there is left alone");
        std::fs::remove_dir_all(&folder).unwrap();
    });
}
