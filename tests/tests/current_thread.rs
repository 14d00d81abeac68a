//! A current-thread runtime: what blocks its only thread is refused where it could never end, and works where it can.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::future::Future;
use std::time::Duration;

use flowcore::ErrorKind;
use flowcore::prelude::*;
use flowcore_tests::{Gate, in_time};

fn block_on<T: Send + 'static>(what: &str, main: impl Future<Output = T> + Send + 'static) -> T {
    in_time(what, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(main)
    })
}

#[task]
fn double(x: u32) -> u32 {
    x * 2
}

#[task]
async fn double_async(x: u32) -> u32 {
    tokio::task::yield_now().await;
    x * 2
}

#[task]
async fn sleepy(gate: Gate) -> u32 {
    gate.passed().await;
    42
}

#[test]
fn result_of_a_sync_run_works() {
    let x = block_on("sync", async {
        let many = double.map(0..100).result()?;
        Ok::<_, flowcore::Error>(double.submit(21).result()? + many[99])
    });
    assert_eq!(x.unwrap(), 42 + 198);
}

#[test]
fn result_of_an_async_run_that_has_not_begun_works() {
    assert_eq!(
        block_on("async", async { double_async.submit(21).result() }).unwrap(),
        42
    );
    let many = block_on("many async", async { double_async.map(0..100).result() });
    assert_eq!(many.unwrap()[99], 198);
}

#[test]
fn result_of_an_async_run_that_only_this_thread_could_drive_is_an_error_that_says_so() {
    let error = block_on("stuck", async {
        let gate = Gate::new();
        let run = sleepy.submit(gate.clone());
        while run.state().name() != "Running" {
            tokio::task::yield_now().await;
        }
        let blocked = run.result();
        gate.open();
        assert_eq!(run.await.unwrap(), 42);
        blocked
    })
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Runner);
    assert!(
        error.to_string().contains("only this thread could drive 'sleepy'"),
        "{error}"
    );
}

#[test]
fn results_of_many_of_which_one_is_stuck_are_an_error() {
    let error = block_on("some stuck", async {
        let gate = Gate::new();
        let stuck = sleepy.submit(gate.clone());
        while stuck.state().name() != "Running" {
            tokio::task::yield_now().await;
        }
        let all: RunFutures<u32> = [double_async.submit(1), stuck, double_async.submit(2)]
            .into_iter()
            .collect();
        all.result()
    })
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Runner);
}

#[test]
fn as_completed_over_a_run_that_only_this_thread_could_drive_ends() {
    let seen = block_on("as completed", async {
        let gate = Gate::new();
        let stuck = sleepy.submit(gate.clone());
        while stuck.state().name() != "Running" {
            tokio::task::yield_now().await;
        }
        as_completed([stuck, double.submit(4)])
            .map(|run| run.result().ok())
            .collect::<Vec<_>>()
    });
    assert_eq!(seen.first(), Some(&Some(8)));
}

#[test]
fn a_stuck_run_below_a_sync_run_is_an_error_too() {
    #[flow]
    fn waits_for(run: std::sync::Arc<std::sync::Mutex<Option<RunFuture<u32>>>>) -> flowcore::Result<u32> {
        let run = run.lock().unwrap().take().unwrap();
        run.result()
    }
    let error = block_on("stuck below", async {
        let gate = Gate::new();
        let run = sleepy.submit(gate.clone());
        while run.state().name() != "Running" {
            tokio::task::yield_now().await;
        }
        waits_for(std::sync::Arc::new(std::sync::Mutex::new(Some(run))))
    })
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Runner);
}

#[test]
fn a_sync_flow_with_async_children_works_when_called_directly() {
    #[flow]
    fn outer() -> flowcore::Result<u32> {
        let runs = double_async.map(0..50);
        Ok(runs.result()?.into_iter().sum::<u32>() + double.submit(1).result()?)
    }
    assert_eq!(block_on("called", async { outer() }).unwrap(), 2450 + 2);
    assert_eq!(block_on("submitted", async { outer.submit().await }).unwrap(), 2450 + 2);
    assert_eq!(
        block_on("blocked for", async { outer.submit().result() }).unwrap(),
        2450 + 2
    );
}

#[test]
fn an_async_flow_that_blocks_for_its_children_works() {
    #[flow]
    async fn outer() -> flowcore::Result<u32> {
        let first = double_async.submit(1).await?;
        let second = double_async.submit(2).result()?;
        let third = double.submit(3).result()?;
        Ok(first + second + third)
    }
    assert_eq!(block_on("async flow", async { outer().await }).unwrap(), 12);
}

#[test]
fn retries_and_timeouts_fire_while_the_thread_is_blocked() {
    #[task(retries = 2, retry_delay_seconds = 0.01)]
    fn third_time() -> Result<u32, String> {
        let attempt = flowcore::context().unwrap().attempt();
        if attempt == 3 {
            Ok(attempt)
        } else {
            Err("again".to_owned())
        }
    }
    #[task(timeout_seconds = 0.05)]
    async fn forever() {
        std::future::pending::<()>().await;
    }
    assert_eq!(block_on("retries", async { third_time.submit().result() }).unwrap(), 3);
    assert_eq!(block_on("direct retries", async { third_time() }).unwrap(), 3);
    let error = block_on("timeout", async { forever.submit().result() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn an_async_retry_is_refused_or_works_but_never_hangs() {
    #[task(retries = 2, retry_delay_seconds = 0.01)]
    async fn third_time(gate: Gate) -> Result<u32, String> {
        gate.open();
        tokio::task::yield_now().await;
        let attempt = flowcore::context().unwrap().attempt();
        if attempt == 3 {
            Ok(attempt)
        } else {
            Err("again".to_owned())
        }
    }
    let result = block_on("async retry", async {
        let gate = Gate::new();
        let run = third_time.submit(gate.clone());
        gate.passed().await;
        while run.state().name() == "Running" {
            tokio::task::yield_now().await;
        }
        run.result()
    });
    assert!(result.is_ok() || result.unwrap_err().kind() == ErrorKind::Runner);
}

#[test]
fn a_paused_clock_drives_retry_waits() {
    #[task(retries = 1, retry_delay_seconds = 86_400)]
    async fn tomorrow() -> Result<u32, String> {
        let attempt = flowcore::context().unwrap().attempt();
        if attempt == 2 {
            Ok(attempt)
        } else {
            Err("again".to_owned())
        }
    }
    let done = in_time("a day", || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(async { tomorrow().await })
    });
    assert_eq!(done.unwrap(), 2);
}

/// A slot granted to a run that only the blocked thread could drive must not be waited for.
#[test]
fn a_limited_async_task_that_blocks_beside_one_that_awaits_does_not_hang() {
    #[task]
    async fn awaits(begun: Gate) -> flowcore::Result<u32> {
        let child = double_async.submit(1);
        begun.open();
        child.await
    }
    #[task]
    async fn blocks(other: Gate) -> flowcore::Result<u32> {
        other.passed().await;
        // Long enough for the other one to have its child's result, and to ask for its slot again.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        double.submit(2).result()
    }
    #[flow(task_runner = ConcurrentTaskRunner::new().max_workers(1))]
    async fn both() -> flowcore::Result<u32> {
        let begun = Gate::new();
        let first = awaits.submit(begun.clone());
        let second = blocks.submit(begun);
        let second = second.await?;
        Ok(first.await? + second)
    }
    let result = block_on("granted elsewhere", async { both().await });
    match result {
        Ok(sum) => assert_eq!(sum, 6),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Runner, "{error}"),
    }
}

#[test]
fn result_timeout_gives_the_thread_back() {
    let error = block_on("timeout", async {
        let run = sleepy.submit(Gate::new());
        tokio::task::yield_now().await;
        run.result_timeout(Duration::from_millis(10))
    })
    .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Runner),
        "{error}"
    );
}
