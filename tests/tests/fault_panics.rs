//! Panics anywhere: of tasks, flows, hooks, drops; and what they must not take along.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::panic::panic_any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use flowcore::ErrorKind;
use flowcore::prelude::*;
use flowcore_tests::{Gate, Recorder, each_runtime, in_time};

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in Drop");
    }
}

#[derive(Clone, Copy, Debug)]
enum Payload {
    Str,
    String,
    Custom,
    Bomb,
}

fn blow(payload: Payload) {
    match payload {
        Payload::Str => panic!("plain"),
        Payload::String => panic!("n = {}", 1),
        Payload::Custom => panic_any(7_u8),
        Payload::Bomb => panic_any(Bomb),
    }
}

const PAYLOADS: [(Payload, &str); 4] = [
    (Payload::Str, "plain"),
    (Payload::String, "n = 1"),
    (Payload::Custom, "no text"),
    (Payload::Bomb, "no text"),
];

#[task]
fn third_panics(n: u32, payload: Payload) -> u32 {
    if n == 3 {
        blow(payload);
    }
    n
}

#[task]
async fn third_panics_async(n: u32, payload: Payload) -> u32 {
    tokio::task::yield_now().await;
    if n == 3 {
        blow(payload);
    }
    n
}

fn five(payload: Payload) -> [(u32, Payload); 5] {
    [1, 2, 3, 4, 5].map(|n| (n, payload))
}

#[test]
fn one_task_of_five_that_panics_fails_alone_with_its_message_and_place() {
    #[flow]
    fn sync_flow(payload: Payload) -> Vec<flowcore::Result<u32>> {
        third_panics.map(five(payload)).settle_blocking()
    }
    #[flow]
    async fn async_flow(payload: Payload) -> Vec<flowcore::Result<u32>> {
        third_panics_async.map(five(payload)).settle().await
    }
    each_runtime(|_| {
        for (payload, message) in PAYLOADS {
            for results in [sync_flow(payload).unwrap(), async_flow(payload).run().unwrap()] {
                let oks: Vec<_> = results.iter().map(Result::is_ok).collect();
                assert_eq!(oks, [true, true, false, true, true], "{payload:?}");
                let error = results[2].as_ref().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Panicked);
                let text = error.to_string();
                assert!(text.contains("fault_panics.rs:") && text.contains(message), "{text}");
                assert!(text.contains("third_panics"), "{text}");
            }
        }
    });
}

#[test]
fn a_direct_call_that_panics_is_an_error() {
    for (payload, message) in PAYLOADS {
        let error = third_panics(3, payload).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panicked);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_flow_that_panics_fails_cancels_what_it_started_and_frees_the_slots() {
    #[task]
    async fn child(begun: Gate) {
        begun.open();
        std::future::pending::<()>().await;
    }
    #[flow(task_runner = SequentialTaskRunner::new())]
    fn sync_flow(begun: Gate) {
        drop(child.submit(begun.clone()));
        drop(child.submit(begun.clone()));
        begun.pass();
        panic!("flow body");
    }
    #[flow(task_runner = SequentialTaskRunner::new())]
    async fn async_flow(begun: Gate) {
        drop(child.submit(begun.clone()));
        drop(child.submit(begun.clone()));
        begun.passed().await;
        panic!("flow body");
    }
    let recorder = Recorder::start();
    for submit in [(|| sync_flow.submit(Gate::new())) as fn() -> RunFuture<()>, || {
        async_flow.submit(Gate::new())
    }] {
        let run = submit();
        let id = run.run_id();
        let run = in_time("a panicking flow", move || {
            run.wait();
            run
        });
        let error = run.result().unwrap_err();
        assert_eq!((error.kind(), run.state().name()), (ErrorKind::Panicked, "Failed"));
        assert!(error.to_string().contains("flow body"));
        let children: Vec<_> = recorder
            .tree(id)
            .into_iter()
            .filter(|(run, _)| run.depth() == 1)
            .collect();
        assert!(
            children.iter().all(|(run, _)| run.state().name() == "Cancelled"),
            "{children:#?}"
        );
    }
}

#[test]
fn panics_of_values_while_they_are_dropped_leave_the_run_as_it_is() {
    #[task]
    fn takes(_bomb: Bomb) {}
    #[task]
    fn gives() -> Bomb {
        Bomb
    }
    #[task]
    async fn holds(_bomb: Bomb, begun: Gate) {
        begun.open();
        std::future::pending::<()>().await;
    }
    in_time("bombs", || {
        // Dropped at the end of the body: its own panic.
        assert_eq!(takes.submit(Bomb).result().unwrap_err().kind(), ErrorKind::Panicked);
        // Dropped by the engine: the body was never called, or was dropped at its await, or nobody took the result.
        let begun = Gate::new();
        let run = holds.submit(Bomb, begun.clone());
        begun.pass();
        run.cancel();
        assert_eq!(run.wait().name(), "Cancelled");
        let run = gives.submit();
        assert!(run.wait().is_completed());
        std::mem::forget(run.result());
    });
}

#[test]
fn a_mutex_of_the_users_is_poisoned_and_the_next_run_goes_on() {
    #[task]
    fn locks(shared: Arc<Mutex<u32>>, panics: bool) -> bool {
        let poisoned = shared.is_poisoned();
        let _guard = shared.lock();
        assert!(!panics, "with the lock held");
        poisoned
    }
    let shared = Arc::new(Mutex::new(0));
    locks.submit(shared.clone(), true).result().unwrap_err();
    assert!(locks.submit(shared.clone(), false).result().unwrap());
}

#[test]
fn a_thousand_panics_take_no_thread_and_no_slot_along() {
    #[task]
    fn panics() {
        panic!("one of many");
    }
    #[task]
    fn works() -> u32 {
        1
    }
    #[flow(task_runner = ConcurrentTaskRunner::new().max_workers(2))]
    fn many() -> flowcore::Result<u32> {
        let ended = panics.map(std::iter::repeat_n((), 1000)).settle_blocking();
        assert!(
            ended
                .iter()
                .all(|result| result.as_ref().unwrap_err().kind() == ErrorKind::Panicked)
        );
        works
            .map(std::iter::repeat_n((), 100))
            .result()
            .map(|ones| ones.iter().sum())
    }
    assert_eq!(in_time("panics", *many).unwrap(), 100);
}

#[test]
fn an_observer_that_panics_changes_nothing() {
    struct Panics(AtomicU32);
    impl flowcore::observe::Observer for Panics {
        fn on_state(&self, run: &RunContext, _: &State) {
            if run.definition().name() == "observed_badly" {
                self.0.fetch_add(1, Ordering::SeqCst);
                panic!("observer");
            }
        }
    }
    #[task]
    fn observed_badly() -> u32 {
        5
    }
    let observer = Arc::new(Panics(AtomicU32::new(0)));
    let watch = flowcore::observe::observe(observer.clone());
    assert_eq!(observed_badly().unwrap(), 5);
    assert_eq!(observed_badly.submit().result().unwrap(), 5);
    drop(watch);
    assert_eq!(observer.0.load(Ordering::SeqCst), 6);
}
