//! Results under a cache key, from one process to the next.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::path::Path;
use std::process::{Command, Stdio};

use flowcore_tests::in_time;

fn lines(file: &Path, arguments: &[&str], expires_millis: Option<u64>) -> (Vec<String>, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_keeps"));
    program
        .args(arguments)
        .env("FLOW_DATABASE_URL", file)
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null());
    if let Some(millis) = expires_millis {
        program.env("EXPIRES_MILLIS", millis.to_string());
    }
    let output = program.output().unwrap();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{out}{err}");
    (
        out.lines()
            .take_while(|line| !line.ends_with("bodies") || line.contains("after"))
            .map(ToOwned::to_owned)
            .collect(),
        err,
    )
}

#[test]
fn a_result_is_cached_for_later_processes_until_it_expires() {
    in_time("cache", || {
        let folder = std::env::temp_dir().join(format!("flowcore-cache-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("flow.db");

        let called = [
            "Completed after 1 bodies",
            "ok: pear: 4 bytes",
            "Cached after 1 bodies",
            "ok: pear: 4 bytes",
        ];
        let cached = [
            "Cached after 0 bodies",
            "ok: pear: 4 bytes",
            "Cached after 0 bodies",
            "ok: pear: 4 bytes",
        ];
        let (out, err) = lines(&file, &["cached", "pear"], None);
        assert_eq!(out, called, "{err}");
        // Another process, and one more: what was cached once is cached still.
        for _ in 0..2 {
            let (out, err) = lines(&file, &["cached", "pear"], None);
            assert_eq!(out, cached, "{err}");
        }
        let (out, _) = lines(&file, &["cached", "fig"], None);
        assert_eq!(out[..2], ["Completed after 1 bodies", "ok: fig: 3 bytes"]);

        // One that expires before the next process asks.
        let (out, _) = lines(&file, &["cached", "plum"], Some(1));
        assert_eq!(out[..2], ["Completed after 1 bodies", "ok: plum: 4 bytes"]);
        let (out, _) = lines(&file, &["cached", "plum"], None);
        assert_eq!(out[..2], ["Completed after 1 bodies", "ok: plum: 4 bytes"]);

        // A build that returns another type can't read it, calls its function, and says so.
        let (out, _) = lines(&file, &["cached", "old"], None);
        assert_eq!(out[..2], ["Completed after 1 bodies", "ok: old: 3 bytes"]);
        let (out, err) = lines(&file, &["otherwise"], None);
        assert_eq!(out, ["Completed after 1 bodies", "ok: 1"]);
        assert!(err.contains("a cached result can't be read"), "{err}");

        // A key function that panics costs the cache only.
        let (out, err) = lines(&file, &["panics"], None);
        assert_eq!(out, ["Completed after 1 bodies", "ok: 7"]);
        assert!(err.contains("the cache key function panicked"), "{err}");
        std::fs::remove_dir_all(&folder).unwrap();
    });
}
