//! The pool's threads outlive whatever is dropped on them: a process of its own, as settings are read once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::panic::resume_unwind;
use std::sync::mpsc::{self, Sender};

use flowcore::prelude::*;
use flowcore_tests::{Gate, LIMIT};

struct Bomb(Sender<()>);

impl Drop for Bomb {
    fn drop(&mut self) {
        let _ = self.0.send(());
        resume_unwind(Box::new("a panic without a message on the terminal"));
    }
}

#[task]
fn bomb(gate: Gate, dropped: Sender<()>) -> Bomb {
    gate.pass();
    Bomb(dropped)
}

#[task]
fn one() -> u32 {
    1
}

#[test]
fn outputs_whose_drop_panics_cost_no_thread() {
    let mut settings = flowcore::Settings::from_env();
    settings.max_threads = 4;
    settings.install().unwrap();
    let (dropped, is_dropped) = mpsc::channel();
    for _ in 0..20 {
        let gate = Gate::new();
        // Nobody wants the output any more when it comes, so it is the pool's thread that drops it.
        drop(bomb.submit(gate.clone(), dropped.clone()));
        gate.open();
        is_dropped.recv_timeout(LIMIT).unwrap();
    }
    assert_eq!(one.submit().result_timeout(LIMIT).unwrap(), 1);
}
