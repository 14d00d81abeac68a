//! A shutdown leaves a parent its time whose child has just ended.
#![allow(clippy::unwrap_used, reason = "a test may panic anywhere")]
use flowcore::prelude::*;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const ROLE: &str = "FLOWCORE_TEST_ROLE";

#[task]
fn until_told(running: mpsc::Sender<()>) {
    running.send(()).unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

#[flow]
fn graceful(running: mpsc::Sender<()>) -> flowcore::Result<()> {
    until_told.submit(running).result()
}

#[test]
fn child_process() {
    if std::env::var(ROLE).is_err() {
        return;
    }
    let (running, is_running) = mpsc::channel();
    let run = graceful.submit(running);
    is_running.recv().unwrap();
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let report = rt.block_on(async {
        let down = tokio::spawn(flowcore::shutdown(Duration::from_secs(50)));
        tokio::task::yield_now().await;
        println!("\ngo");
        down.await.unwrap()
    });
    assert_eq!((report.crashed, run.wait().name()), (0, "Completed"));
}

#[test]
fn a_flow_whose_task_ends_during_the_shutdown_completes() {
    for n in 0..500 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_process", "--nocapture"])
            .env(ROLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.find(|line| line.as_ref().unwrap() == "go").unwrap().unwrap();
        // The engine looks every 20 ms.
        std::thread::sleep(Duration::from_micros(19_000 + (n % 100) * 20));
        writeln!(child.stdin.as_mut().unwrap(), "end").unwrap();
        lines.for_each(drop);
        assert!(child.wait().unwrap().success(), "round {n}");
    }
}
