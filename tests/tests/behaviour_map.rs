//! `map`: one run per item.
//!
//! Left out, as types settle it at compile time: what is mapped and what is passed whole (an item is the run's parameters, a tuple
//! where there are several), lists of unequal lengths, and a call without any list.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use flowcore::prelude::*;
use flowcore_tests::{Gate, each_runtime, in_time};

#[task]
fn square(x: u64) -> u64 {
    x * x
}

#[task]
async fn square_async(x: u64) -> u64 {
    tokio::task::yield_now().await;
    x * x
}

#[task]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[task]
fn sum(numbers: Vec<u64>) -> u64 {
    numbers.iter().sum()
}

#[flow]
fn square_flow(x: u64) -> flowcore::Result<u64> {
    square.submit(x).result()
}

#[flow]
async fn square_flow_async(x: u64) -> flowcore::Result<u64> {
    square_async.submit(x).await
}

#[test]
fn map_gives_one_run_per_item_in_the_order_of_the_items() {
    let expected: Vec<u64> = (0..200).map(|x| x * x).collect();
    type Map = fn() -> RunFutures<u64>;
    let maps: [(&str, Map); 4] = [
        ("sync tasks", || square.map(0..200)),
        ("async tasks", || square_async.map(0..200)),
        ("sync flows", || square_flow.map(0..200)),
        ("async flows", || square_flow_async.map(0..200)),
    ];
    for (what, map) in maps {
        let expected = expected.clone();
        in_time(what, move || {
            assert_eq!(map().result().unwrap(), expected, "{what}");
            assert_eq!(map().into_result().unwrap(), expected, "{what}");
            let settled = map().settle_blocking();
            assert!(settled.into_iter().map(Result::unwrap).eq(expected), "{what}");
        });
    }
}

#[test]
fn map_is_awaited_on_every_runtime() {
    #[flow]
    async fn both() -> flowcore::Result<(Vec<u64>, Vec<u64>)> {
        Ok((square.map(0..50).await?, square_async.map(0..50).await?))
    }
    let expected: Vec<u64> = (0..50).map(|x| x * x).collect();
    each_runtime(move |_| {
        let (sync, asynchronous) = both().run().unwrap();
        assert!(sync.iter().copied().eq((0..50).map(|x| x * x)));
        assert_eq!(sync, asynchronous);
    });
    drop(expected);
}

#[test]
fn results_come_though_the_others_end_long_after_the_first() {
    #[task]
    fn behind(gate: Gate, x: u64) -> u64 {
        gate.pass();
        x
    }
    #[task]
    async fn behind_async(gate: Gate, x: u64) -> u64 {
        gate.passed().await;
        x
    }
    type Map = fn(&[Gate]) -> RunFutures<u64>;
    let maps: [Map; 2] = [
        |gates| behind.map(gates.iter().cloned().zip(0..)),
        |gates| behind_async.map(gates.iter().cloned().zip(0..)),
    ];
    for map in maps {
        let values = in_time("one after the other", move || {
            let gates: Vec<Gate> = (0..3).map(|_| Gate::new()).collect();
            let runs = map(&gates);
            let watched: Vec<_> = runs.iter().cloned().collect();
            std::thread::spawn(move || {
                for (gate, run) in gates.iter().zip(watched) {
                    gate.open();
                    run.wait();
                }
            });
            runs.result().unwrap()
        });
        assert_eq!(values, [0, 1, 2]);
    }
}

#[test]
fn several_parameters_are_a_tuple_of_values_or_futures() {
    assert_eq!(add.map([(1, 2), (3, 4)]).result().unwrap(), [3, 7]);
    let shared = square.submit(10);
    let mixed = add.map((0..3).map(|x| (square.submit(x), &shared)));
    assert_eq!(mixed.result().unwrap(), [100, 101, 104]);
}

#[test]
fn mapping_over_futures_chains_them_one_by_one() {
    let chained = square.map(square_async.map(square.map([1, 2, 3])));
    assert_eq!(chained.result().unwrap(), [1, 256, 6561]);
}

#[test]
fn all_of_a_map_can_be_one_input_and_keeps_its_edges() {
    #[task]
    fn edges(numbers: Vec<u64>) -> (u64, Vec<flowcore::RunId>) {
        (
            numbers.iter().sum(),
            flowcore::context().unwrap().dependencies().to_vec(),
        )
    }
    let gate = Gate::new();
    #[task]
    fn behind(gate: Gate, x: u64) -> u64 {
        gate.pass();
        x
    }
    let squares = square.map([1, 2, 3]);
    assert_eq!(sum.submit(squares).result().unwrap(), 14);
    let held = behind.map((0..3).map(|x| (gate.clone(), x)));
    let ids: Vec<_> = held.iter().map(RunFuture::run_id).collect();
    let run = edges.submit(held);
    gate.open();
    assert_eq!(run.result().unwrap(), (3, ids));
}

#[test]
fn one_failure_among_many_inputs_leaves_the_sum_not_ready() {
    #[task]
    fn odd_fails(x: u64) -> Result<u64, String> {
        if x % 2 == 1 { Err(format!("{x} is odd")) } else { Ok(x) }
    }
    let run = sum.submit(odd_fails.map([2, 3, 4]));
    assert_eq!(run.wait().name(), "NotReady");
    assert!(run.result().unwrap_err().to_string().contains("3 is odd"));
}

#[test]
fn mapping_over_nothing_gives_nothing() {
    let none = square.map(Vec::<u64>::new());
    assert!(none.is_empty());
    assert_eq!(none.result().unwrap(), Vec::<u64>::new());
    assert_eq!(sum.submit(square.map(Vec::<u64>::new())).result().unwrap(), 0);
}

#[tokio::test]
async fn settle_gives_what_became_of_each() {
    #[task]
    async fn odd_fails(x: u64) -> Result<u64, String> {
        if x % 2 == 1 { Err(format!("{x} is odd")) } else { Ok(x) }
    }
    let settled = odd_fails.map(0..4).settle().await;
    let oks: Vec<_> = settled.iter().map(Result::is_ok).collect();
    assert_eq!(oks, [true, false, true, false]);
}
