//! Durable flows that fail and are resumed: what is answered from the record, what is run again, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use flowcore::prelude::*;
use flowcore::{ErrorKind, RunId, resume};
use flowcore_tests::record::{children, failed, row, told, tree};
use flowcore_tests::{Bodies, Gate, in_time, names};
use serde_json::json;

#[test]
fn a_resumed_run_is_answered_what_has_completed_and_runs_the_rest_once_more() {
    static FETCHED: Bodies = Bodies::new();
    static CHILD: Bodies = Bodies::new();
    static SENT: Bodies = Bodies::new();
    #[task]
    fn fetch(page: u32) -> u32 {
        FETCHED.called();
        page * 10
    }
    #[flow]
    async fn summed(pages: u32) -> flowcore::Result<u32> {
        CHILD.called();
        Ok(fetch.map(0..pages).await?.into_iter().sum())
    }
    #[task(retries = 1)]
    fn send(sum: u32) -> Result<u32, String> {
        // Both attempts of the first life fail, and the first of the second.
        if SENT.called() < 3 {
            Err("no line".to_owned())
        } else {
            Ok(sum + 1)
        }
    }
    #[flow(durable)]
    async fn report(pages: u32) -> flowcore::Result<u32> {
        let sum = summed(pages).await?;
        send.submit(sum).await
    }
    in_time("resume", || {
        let run = failed(report(4).run());
        let first = tree(run);
        assert_eq!((FETCHED.count(), CHILD.count(), SENT.count()), (4, 1, 2));
        assert_eq!((row(run).state.name(), row(run).attempt), ("Failed", 1));

        let resumed = resume(run).unwrap();
        assert_eq!(resumed.run_id(), run);
        assert_eq!(resumed.result_json().unwrap(), json!(61));
        // Neither the completed child nor what it called; and the task had both of its attempts again.
        assert_eq!((FETCHED.count(), CHILD.count(), SENT.count()), (4, 1, 4));

        let second = tree(run);
        let ids = |rows: &[flowcore::store::RunRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(&first), ids(&second), "one row per call");
        let root = row(run);
        assert_eq!(
            (root.state.name(), root.attempt, root.parameters.as_deref()),
            ("Completed", 2, Some(r#"{"pages":4}"#))
        );
        let sent = second.iter().find(|row| row.definition == "send").unwrap();
        assert_eq!((sent.state.name(), sent.attempt), ("Completed", 4));
        let states = flowcore_tests::record::store().states(sent.number).unwrap();
        let expected = [
            "Pending",
            "Running",
            "Retrying",
            "Failed",
            "Pending",
            "Running",
            "Retrying",
            "Completed",
        ];
        assert_eq!(names(&states), expected);
        assert!(
            states.windows(2).all(|pair| pair[0].timestamp() < pair[1].timestamp()),
            "{states:?}"
        );
        let replay = root.replay.unwrap();
        assert_eq!(
            (replay.answered, replay.again, replay.new, replay.orphans),
            (1, 1, 0, 0)
        );
    });
}

#[test]
fn every_way_to_make_a_call_is_answered() {
    static BODIES: Bodies = Bodies::new();
    static FAILS: AtomicBool = AtomicBool::new(true);
    #[task]
    fn one(x: u32) -> u32 {
        BODIES.called();
        x + 1
    }
    #[task]
    async fn two(x: u32) -> u32 {
        BODIES.called();
        x + 2
    }
    #[flow]
    fn three(x: u32) -> u32 {
        BODIES.called();
        x + 3
    }
    #[flow]
    async fn four(x: u32) -> u32 {
        BODIES.called();
        x + 4
    }
    #[task]
    fn sum(xs: Vec<u32>) -> u32 {
        BODIES.called();
        xs.iter().sum()
    }
    #[task]
    fn last() -> Result<(), String> {
        if FAILS.load(SeqCst) {
            Err("not yet".to_owned())
        } else {
            Ok(())
        }
    }
    #[flow(durable)]
    fn in_a_sync_flow() -> flowcore::Result<Vec<u32>> {
        let mut got = vec![one(10)?, two(10).run()?, three(10)?, four(10).run()?];
        got.extend([one.submit(20).result()?, two.submit(20).result()?]);
        got.extend([three.submit(20).result()?, four.submit(20).result()?]);
        got.extend(one.map([30, 31]).result()?);
        got.push(two.bind(40).name("bound").run()?);
        got.push(sum.submit(one.map([50, 51])).result()?);
        got.push(one.submit(two.submit(60)).result()?);
        let mut completed: Vec<u32> = as_completed(two.map([70, 71, 72]))
            .map(|run| run.result())
            .collect::<flowcore::Result<_>>()?;
        completed.sort_unstable();
        got.extend(completed);
        got.push(one.bind(80).wait_for(&two.submit(81)).submit().result()?);
        last()?;
        Ok(got)
    }
    #[flow(durable)]
    async fn in_an_async_flow() -> flowcore::Result<Vec<u32>> {
        use futures_util::StreamExt;
        let mut got = vec![one(10)?, two(10).await?, three(10)?, four(10).await?];
        got.extend([one.submit(20).await?, two.submit(20).await?]);
        got.extend([three.submit(20).await?, four.submit(20).await?]);
        got.extend(one.map([30, 31]).await?);
        got.push(two.bind(40).name("bound").await?);
        got.push(sum.submit(one.map([50, 51])).await?);
        got.push(one.submit(two.submit(60)).await?);
        let mut completed = Vec::new();
        let mut stream = as_completed(two.map([70, 71, 72]));
        while let Some(run) = StreamExt::next(&mut stream).await {
            completed.push(run.await?);
        }
        completed.sort_unstable();
        got.extend(completed);
        got.push(one.bind(80).wait_for(&two.submit(81)).submit().await?);
        last()?;
        Ok(got)
    }
    let expected = json!([11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 42, 103, 63, 72, 73, 74, 81]);
    let bodies = 4 + 4 + 2 + 1 + 3 + 2 + 3 + 2;
    in_time("every way", move || {
        for flow in [|| in_a_sync_flow().map(drop), || in_an_async_flow().run().map(drop)] {
            FAILS.store(true, SeqCst);
            let before = BODIES.count();
            let run = failed(flow());
            assert_eq!(BODIES.count() - before, bodies);
            let rows = tree(run).len();
            FAILS.store(false, SeqCst);
            assert_eq!(resume(run).unwrap().result_json().unwrap(), expected);
            assert_eq!(BODIES.count() - before, bodies, "nothing was called again");
            assert_eq!(tree(run).len(), rows, "one row per call");
            let replay = row(run).replay.unwrap();
            assert_eq!((replay.answered, replay.again, replay.new), (u64::from(bodies), 1, 0));
        }
    });
}

#[test]
fn retries_of_a_durable_flow_answer_what_has_completed() {
    static FLOWS: Bodies = Bodies::new();
    static DONE: Bodies = Bodies::new();
    static CHILDREN: Bodies = Bodies::new();
    static FLAKY: Bodies = Bodies::new();
    #[task]
    fn done() -> u32 {
        DONE.called();
        7
    }
    #[flow(retries = 1)]
    fn child() -> Result<u32, String> {
        if CHILDREN.called() == 0 {
            Err("once".to_owned())
        } else {
            Ok(1)
        }
    }
    #[task(retries = 2)]
    fn flaky() -> Result<u32, String> {
        if FLAKY.called() < 5 {
            Err("flaky".to_owned())
        } else {
            Ok(2)
        }
    }
    #[flow(durable, retries = 1)]
    fn nightly() -> flowcore::Result<u32> {
        FLOWS.called();
        Ok(done()? + child()? + flaky()?)
    }
    in_time("flow retries", || {
        let run = nightly.submit();
        assert_eq!(run.result().unwrap(), 10);
        // The child's own retry did not count against its parent; the failed task had all of its attempts again.
        assert_eq!(
            (FLOWS.count(), DONE.count(), CHILDREN.count(), FLAKY.count()),
            (2, 1, 2, 6)
        );
        let states: Vec<_> = children(run.run_id());
        let expected = [("done", "Completed"), ("child", "Completed"), ("flaky", "Completed")];
        assert_eq!(told(&states), expected);
        assert_eq!(row(run.run_id()).replay, None, "nothing was resumed");
    });
}

#[test]
fn budgets_of_parent_and_child_multiply() {
    static BODIES: Bodies = Bodies::new();
    #[task(retries = 2)]
    async fn never() -> Result<(), String> {
        BODIES.called();
        Err("never".to_owned())
    }
    #[flow(durable, retries = 1)]
    async fn outer() -> flowcore::Result<()> {
        never.submit().await
    }
    in_time("budgets", || {
        let run = failed(outer().run());
        assert_eq!(BODIES.count(), 2 * 3);
        assert_eq!(tree(run).len(), 2);
        resume(run).unwrap().result_json().unwrap_err();
        assert_eq!(BODIES.count(), 2 * (2 * 3));
        assert_eq!((tree(run).len(), row(run).attempt), (2, 4));
    });
}

#[test]
fn what_cannot_be_resumed_says_so() {
    #[flow]
    fn plain() -> Result<(), String> {
        Err("plain".to_owned())
    }
    #[flow(durable)]
    fn completes() -> u32 {
        1
    }
    #[flow(durable)]
    fn holds(token: u32) -> flowcore::Result<()> {
        Err(flowcore::Error::msg(format!("token {token}")))
    }
    in_time("refused", || {
        let refused = |run: RunId| {
            let error = resume(run).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store, "{error}");
            error.to_string()
        };
        let told = refused(failed(plain()));
        assert!(
            told.contains("'plain' is not durable") && told.contains("#[flow(durable)]"),
            "{told}"
        );

        let done = completes.submit();
        done.wait();
        let told = refused(done.run_id());
        assert!(told.contains("completed"), "{told}");

        let unknown: RunId = "018f0000-0000-7000-8000-000000000000".parse().unwrap();
        let told = refused(unknown);
        assert!(
            told.contains(&unknown.to_string()) && told.contains("memory:"),
            "{told}"
        );

        let run = failed(holds(5));
        assert!(
            resume(run)
                .unwrap()
                .result_json()
                .unwrap_err()
                .to_string()
                .contains("token 5")
        );
    });
}

#[test]
fn of_two_flows_with_one_key_none_is_resumed_by_mistake() {
    fn one() -> RunId {
        #[flow(durable)]
        fn twin() -> Result<(), String> {
            Err("one".to_owned())
        }
        failed(twin())
    }
    fn other() -> RunId {
        #[flow(durable)]
        fn twin() -> Result<(), String> {
            Err("other".to_owned())
        }
        failed(twin())
    }
    for run in [one(), other()] {
        let error = resume(run).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameters);
        let told = error.to_string();
        assert!(
            told.contains("two flows have the key 'durable_resume::twin'") && told.contains("rename one"),
            "{told}"
        );
        assert_eq!(row(run).state.name(), "Failed", "it isn't claimed");
    }
}

#[test]
fn a_run_that_is_not_over_is_not_resumed() {
    static BEGUN: std::sync::LazyLock<Gate> = std::sync::LazyLock::new(Gate::new);
    static GATE: std::sync::LazyLock<Gate> = std::sync::LazyLock::new(Gate::new);
    #[flow(durable)]
    async fn long() -> Result<(), String> {
        BEGUN.open();
        GATE.passed().await;
        Err("at last".to_owned())
    }
    in_time("running", || {
        let run = long.submit();
        BEGUN.pass();
        let error = resume(run.run_id()).unwrap_err();
        assert!(error.to_string().contains("Running"), "{error}");
        GATE.open();
        assert_eq!(run.wait().name(), "Failed");
        resume(run.run_id()).unwrap().result_json().unwrap_err();
        assert_eq!(row(run.run_id()).attempt, 2);
    });
}

#[test]
fn of_many_that_resume_a_run_one_gets_it() {
    static BODIES: Bodies = Bodies::new();
    #[flow(durable)]
    fn contested() -> Result<(), String> {
        if BODIES.called() == 0 {
            Err("once".to_owned())
        } else {
            Ok(())
        }
    }
    in_time("contest", || {
        let run = failed(contested());
        let resumed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(move || resume(run).is_ok_and(|run| run.wait().is_completed())))
                .collect();
            threads
                .into_iter()
                .map(|thread| usize::from(thread.join().unwrap()))
                .sum()
        });
        assert_eq!((resumed, BODIES.count(), row(run).attempt), (1, 2, 2));
    });
}

#[test]
fn a_run_below_is_resumed_from_its_root() {
    static BODIES: Bodies = Bodies::new();
    #[task]
    fn leaf() -> Result<u32, String> {
        if BODIES.called() == 0 {
            Err("once".to_owned())
        } else {
            Ok(3)
        }
    }
    #[flow(durable)]
    fn middle() -> flowcore::Result<u32> {
        leaf()
    }
    #[flow(durable)]
    fn root() -> flowcore::Result<u32> {
        Ok(middle()? * 2)
    }
    #[flow]
    fn around() -> flowcore::Result<u32> {
        root()
    }
    in_time("from below", || {
        let run = failed(root());
        let rows = tree(run);
        assert_eq!(rows.iter().map(|row| row.depth).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(rows.iter().all(|row| row.durable && row.call_key.is_some()));
        let resumed = resume(rows[2].id).unwrap();
        assert_eq!((resumed.run_id(), resumed.result_json().unwrap()), (run, json!(6)));

        // What is around the durable flow is not: then there is nothing that could be resumed.
        BODIES.take();
        let run = failed(around());
        let below = tree(run)[1].id;
        let error = resume(below).unwrap_err();
        assert!(error.to_string().contains("'around' is not durable"), "{error}");
    });
}

#[test]
fn a_resumed_run_keeps_its_name_and_tags() {
    static BODIES: Bodies = Bodies::new();
    #[flow(durable, tags = ["nightly"], run_name = "for-{customer}")]
    fn bill(customer: String) -> Result<Vec<String>, String> {
        assert!(!customer.is_empty());
        let run = flowcore::context().unwrap();
        if BODIES.called().is_multiple_of(2) {
            Err("once".to_owned())
        } else {
            Ok([run.run_name()].into_iter().chain(run.tags()).collect())
        }
    }
    in_time("name and tags", || {
        let run = failed(bill.bind("ann").run());
        let got = resume(run).unwrap().result_json().unwrap();
        assert_eq!(got, json!(["for-ann", "nightly"]));

        let run = failed(bill.bind("bob").name("by hand").tags(["urgent"]).run());
        let got = resume(run).unwrap().result_json().unwrap();
        assert_eq!(got, json!(["by hand", "nightly", "urgent"]));
        assert_eq!(
            (row(run).name, row(run).tags),
            ("by hand".to_owned(), vec!["nightly".to_owned(), "urgent".to_owned()])
        );
    });
}

#[test]
fn a_cancelled_run_is_resumed() {
    static ONE: Bodies = Bodies::new();
    static BEGUN: std::sync::LazyLock<Gate> = std::sync::LazyLock::new(Gate::new);
    static GATE: std::sync::LazyLock<Gate> = std::sync::LazyLock::new(Gate::new);
    #[task]
    async fn one() -> u32 {
        ONE.called();
        1
    }
    #[task]
    async fn stuck() -> u32 {
        BEGUN.open();
        GATE.passed().await;
        2
    }
    #[flow(durable)]
    async fn stopped() -> flowcore::Result<u32> {
        Ok(one.submit().await? + stuck.submit().await?)
    }
    in_time("cancelled", || {
        let run = stopped.submit();
        BEGUN.pass();
        run.cancel();
        assert_eq!(run.wait().name(), "Cancelled");
        let rows = tree(run.run_id());
        assert_eq!(
            told(&rows),
            [("stopped", "Cancelled"), ("one", "Completed"), ("stuck", "Cancelled")]
        );
        GATE.open();
        assert_eq!(resume(run.run_id()).unwrap().result_json().unwrap(), json!(3));
        assert_eq!((ONE.count(), tree(run.run_id()).len()), (1, 3));
    });
}

#[test]
fn a_run_that_timed_out_is_resumed() {
    static ONE: Bodies = Bodies::new();
    static SLOW: Bodies = Bodies::new();
    #[task]
    async fn one() -> u32 {
        ONE.called();
        1
    }
    #[task(timeout_seconds = 0.05, retries = 1)]
    async fn slow() -> u32 {
        if SLOW.called() < 2 {
            std::future::pending().await
        } else {
            2
        }
    }
    #[flow(durable)]
    async fn late() -> flowcore::Result<u32> {
        Ok(one.submit().await? + slow.submit().await?)
    }
    in_time("timed out", || {
        let run = failed(late().run());
        assert_eq!(
            told(&tree(run)),
            [("late", "Failed"), ("one", "Completed"), ("slow", "TimedOut")]
        );
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(3));
        assert_eq!((ONE.count(), SLOW.count()), (1, 3));
    });
}

#[test]
fn a_crash_with_its_runtime_costs_no_retry() {
    static STEPS: Bodies = Bodies::new();
    static TRIES: Bodies = Bodies::new();
    static BEGUN: std::sync::LazyLock<Gate> = std::sync::LazyLock::new(Gate::new);
    #[task]
    async fn step() -> u32 {
        STEPS.called();
        1
    }
    #[task(retries = 1)]
    async fn try_on() -> Result<u32, String> {
        match TRIES.called() {
            0 => {
                BEGUN.open();
                std::future::pending().await
            }
            1 => Err("the first that fails".to_owned()),
            _ => Ok(2),
        }
    }
    #[flow(durable)]
    async fn crashes() -> flowcore::Result<u32> {
        Ok(step.submit().await? + try_on.submit().await?)
    }
    in_time("crashed", || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let entered = runtime.enter();
        let run = crashes.submit();
        drop(entered);
        runtime.block_on(BEGUN.passed());
        drop(runtime);
        assert_eq!(run.wait().name(), "Crashed");
        assert_eq!(
            told(&tree(run.run_id())),
            [("crashes", "Crashed"), ("step", "Completed"), ("try_on", "Crashed")]
        );
        assert_eq!(resume(run.run_id()).unwrap().result_json().unwrap(), json!(3));
        assert_eq!(
            (STEPS.count(), TRIES.count()),
            (1, 3),
            "the attempt that crashed is forgiven"
        );
    });
}

#[test]
fn the_idempotency_key_is_the_same_in_every_life() {
    static FAILS: AtomicBool = AtomicBool::new(true);
    static KEYS: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
    fn note() -> Result<(), String> {
        KEYS.lock()
            .unwrap()
            .push(flowcore::context().unwrap().idempotency_key());
        if FAILS.load(SeqCst) {
            Err("not yet".to_owned())
        } else {
            Ok(())
        }
    }
    #[task(retries = 1)]
    fn charge(amount: u32) -> Result<(), String> {
        assert!(amount > 0);
        note()
    }
    #[flow]
    fn inner() -> flowcore::Result<()> {
        let all = [
            charge.submit(5),
            charge.submit(5),
            charge.bind(6).key("invoice").submit(),
        ];
        all.iter().for_each(|run| drop(run.wait()));
        all[0].result()
    }
    #[flow(durable)]
    fn pay() -> flowcore::Result<()> {
        inner()
    }
    in_time("keys", || {
        let run = failed(pay());
        let mut first = std::mem::take(&mut *KEYS.lock().unwrap());
        FAILS.store(false, SeqCst);
        resume(run).unwrap().result_json().unwrap();
        let mut second = KEYS.lock().unwrap().clone();
        first.sort();
        first.dedup();
        second.sort();
        assert_eq!(first.len(), 3, "each call has its own");
        assert_eq!(first, second);
    });
}

#[test]
fn a_resumed_run_that_fails_is_resumed_again() {
    static STEPS: Bodies = Bodies::new();
    static LIVES: Bodies = Bodies::new();
    #[task]
    fn step(n: u32) -> u32 {
        STEPS.called();
        n
    }
    #[flow(durable)]
    fn long_way() -> flowcore::Result<u32> {
        let end = 4 * (LIVES.called() + 1);
        let mut sum = 0;
        for n in 0..12 {
            if n == end {
                return Err(flowcore::Error::msg(format!("no further than {n}")));
            }
            sum += step(n)?;
        }
        Ok(sum)
    }
    in_time("again and again", || {
        let run = failed(long_way());
        let error = resume(run).unwrap().result_json().unwrap_err();
        assert!(error.to_string().contains("no further than 8"), "{error}");
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(66));
        assert_eq!((STEPS.count(), LIVES.count(), tree(run).len()), (12, 3, 13));
        let replay = row(run).replay.unwrap();
        assert_eq!(
            (replay.answered, replay.again, replay.new),
            (8, 0, 4),
            "of the last life"
        );
    });
}
