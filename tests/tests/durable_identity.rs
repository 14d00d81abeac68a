//! Which recorded call a call of a resumed run is: told by what it is a call of, never by its place in the order.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use flowcore::prelude::*;
use flowcore::{ErrorKind, resume};
use flowcore_tests::record::{children, failed, row, store, told, tree};
use flowcore_tests::{Bodies, in_time};
use serde_json::json;

/// What is different from one life of a flow to the next.
static LIFE: AtomicU32 = AtomicU32::new(0);
/// One test after the other, as they share it.
static ONE_BY_ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn life() -> u32 {
    LIFE.load(SeqCst)
}

/// Fails in the first life.
#[task]
fn last() -> Result<(), String> {
    if life() == 0 {
        Err("the first life".to_owned())
    } else {
        Ok(())
    }
}

#[task]
fn negotiate(vendor: &str) -> String {
    NEGOTIATED.called();
    format!("offer of {vendor}")
}
static NEGOTIATED: Bodies = Bodies::new();

fn two_lives<T>(code: impl FnOnce() -> T + Send + 'static) -> T
where
    T: Send + 'static,
{
    let _alone = ONE_BY_ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    LIFE.store(0, SeqCst);
    NEGOTIATED.take();
    in_time("two lives", code)
}

#[test]
fn calls_made_in_another_order_get_their_own_results() {
    #[flow(durable)]
    fn tender() -> flowcore::Result<Vec<String>> {
        let mut vendors = ["ann", "bob", "cid", "dan"];
        if life() == 1 {
            vendors.reverse();
        }
        let mut offers = negotiate.map(vendors).result()?;
        offers.push(if life() == 1 {
            negotiate("bob")?
        } else {
            "none".to_owned()
        });
        last()?;
        Ok(offers)
    }
    two_lives(|| {
        let run = failed(tender());
        LIFE.store(1, SeqCst);
        let got = resume(run).unwrap().result_json().unwrap();
        assert_eq!(
            got,
            json!([
                "offer of dan",
                "offer of cid",
                "offer of bob",
                "offer of ann",
                "offer of bob"
            ])
        );
        // The second call with bob is one that the record doesn't know.
        assert_eq!(NEGOTIATED.count(), 5);
        assert_eq!(row(run).replay.unwrap().new, 1);
    });
}

#[test]
fn a_branch_that_differs_never_takes_a_stale_result() {
    #[task]
    fn left(x: u32) -> u32 {
        x + 1
    }
    #[task]
    fn right(x: u32) -> u32 {
        x + 2
    }
    #[flow(durable, retries = 1)]
    fn branches() -> flowcore::Result<u32> {
        let attempt = flowcore::context().unwrap().attempt();
        let value = if attempt == 1 {
            left(10)?
        } else {
            right(10)? + left(20)?
        };
        if attempt == 1 {
            Err(flowcore::Error::msg("the first attempt"))
        } else {
            Ok(value)
        }
    }
    two_lives(|| {
        let run = branches.submit();
        assert_eq!(run.result().unwrap(), 12 + 21);
        assert_eq!(children(run.run_id()).len(), 3);
    });
}

#[test]
fn concurrent_children_never_take_each_others_results() {
    static CHILDREN: Bodies = Bodies::new();
    static SECOND: AtomicBool = AtomicBool::new(false);
    #[flow]
    async fn child(n: u32) -> u32 {
        CHILDREN.called();
        n * 100
    }
    #[task]
    async fn calls_child(n: u32, turn: u32) -> flowcore::Result<u32> {
        // In the second life in the opposite order.
        let turn = if SECOND.load(SeqCst) { 20 - turn } else { turn };
        for _ in 0..turn * 3 {
            tokio::task::yield_now().await;
        }
        let value = child.submit(n).await?;
        if n == 13 && !SECOND.load(SeqCst) {
            Err(flowcore::Error::msg("unlucky"))
        } else {
            Ok(value)
        }
    }
    #[flow(durable)]
    async fn parent() -> flowcore::Result<Vec<u32>> {
        let runs = calls_child.map((0..20).map(|n| (n, n)));
        let all = runs.settle().await;
        all.into_iter().collect()
    }
    two_lives(|| {
        let run = failed(parent().run());
        assert_eq!(CHILDREN.count(), 20);
        SECOND.store(true, SeqCst);
        let got = resume(run).unwrap().result_json().unwrap();
        assert_eq!(got, json!((0..20).map(|n| n * 100).collect::<Vec<_>>()));
        // Not even that of the task that failed.
        assert_eq!((CHILDREN.count(), tree(run).len()), (20, 41));
    });
}

#[test]
fn what_is_inserted_is_called_and_what_is_gone_is_told() {
    #[flow(durable)]
    fn edited() -> flowcore::Result<Vec<String>> {
        let vendors: &[&str] = match life() {
            0 => &["ann", "bob", "cid"],
            _ => &["new", "ann", "cid", "newer"],
        };
        let offers = vendors.iter().map(|vendor| negotiate(vendor)).collect();
        last()?;
        offers
    }
    two_lives(|| {
        let run = failed(edited());
        assert_eq!(NEGOTIATED.take(), 3);
        LIFE.store(1, SeqCst);
        let got = resume(run).unwrap().result_json().unwrap();
        assert_eq!(
            got,
            json!(["offer of new", "offer of ann", "offer of cid", "offer of newer"])
        );
        assert_eq!(NEGOTIATED.count(), 2);
        let row = row(run);
        let replay = row.replay.unwrap();
        assert_eq!(
            (replay.answered, replay.again, replay.new, replay.orphans),
            (2, 1, 2, 1)
        );
        let orphan = children(run)
            .into_iter()
            .find(|row| row.parameters.as_deref() == Some(r#"{"vendor":"bob"}"#))
            .unwrap();
        assert_eq!(replay.orphan_names, [orphan.name]);
        assert_eq!(orphan.state.name(), "Completed", "it is still in the record");
        let log = store().logs(&flowcore::store::LogQuery {
            run: row.number,
            below: false,
            level: tracing::Level::WARN,
            after: None,
            last: false,
            limit: 10,
        });
        // Nobody has installed flowcore's logging here: what it would say is asked elsewhere.
        assert!(log.unwrap().items.is_empty());
    });
}

#[test]
fn an_explicit_key_stands_for_the_parameters() {
    static SENT: Bodies = Bodies::new();
    #[task]
    fn send(at: u32) -> u32 {
        SENT.called();
        at
    }
    #[flow(durable)]
    fn notify() -> flowcore::Result<Vec<u32>> {
        // As a timestamp would be: another in every life.
        let sent = vec![
            send.bind(life()).key("mail").run()?,
            send.bind(life() + 10).key("fax").run()?,
            send(life() + 20)?,
        ];
        last()?;
        Ok(sent)
    }
    two_lives(|| {
        let run = failed(notify());
        LIFE.store(5, SeqCst);
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!([0, 10, 25]));
        assert_eq!(SENT.count(), 4);
    });
}

#[test]
fn an_explicit_key_is_given_once() {
    #[task]
    fn send(to: &str) -> String {
        to.to_owned()
    }
    #[flow(durable)]
    fn notify_twice() -> flowcore::Result<String> {
        send.bind("ann").key("mail").run()?;
        send.bind("bob").key("mail").run()
    }
    #[flow(durable)]
    fn notify_each() -> flowcore::Result<String> {
        #[flow]
        fn inner() -> flowcore::Result<String> {
            send.bind("ann").key("mail").run()
        }
        // Another parent, another function: other keys.
        negotiate.bind("x").key("mail").run()?;
        inner()?;
        send.bind("bob").key("mail").run()
    }
    two_lives(|| {
        let error = notify_twice().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameters);
        assert!(
            error.to_string().contains("'mail'") && error.to_string().contains("'send'"),
            "{error}"
        );
        assert_eq!(notify_each().unwrap(), "bob");
    });
}

#[test]
fn equal_calls_are_told_apart_by_their_number() {
    static ROLLS: Bodies = Bodies::new();
    #[task]
    fn roll() -> u32 {
        ROLLS.called()
    }
    #[flow(durable)]
    fn rolls() -> flowcore::Result<Vec<u32>> {
        let mut rolled = roll.map([(); 3]).result()?;
        rolled.extend((0..life()).map(|_| roll().unwrap()));
        last()?;
        rolled.sort_unstable();
        Ok(rolled)
    }
    two_lives(|| {
        let run = failed(rolls());
        LIFE.store(2, SeqCst);
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!([0, 1, 2, 3, 4]));
        assert_eq!(tree(run).len(), 1 + 5 + 1);
    });
}

#[test]
fn a_future_counts_as_the_call_that_gives_it() {
    static READ: Bodies = Bodies::new();
    static USED: Bodies = Bodies::new();
    #[task(retries = 1)]
    fn read(name: &str) -> Result<u32, String> {
        // What it gives is another thing in every call: its result must not matter for who uses it.
        let n = READ.called();
        if name == "flaky" && life() == 0 {
            Err("flaky".to_owned())
        } else {
            Ok(n)
        }
    }
    #[task]
    fn use_one(input: u32) -> u32 {
        USED.called();
        input
    }
    #[task]
    fn use_all(inputs: Vec<u32>) -> usize {
        USED.called();
        inputs.len()
    }
    #[flow(durable)]
    fn pipeline() -> flowcore::Result<(u32, usize)> {
        let one = use_one.submit(read.submit("a"));
        let all = use_all.submit(read.map(["b", "c"]));
        let flaky = use_one.submit(read.submit("flaky"));
        let got = (one.result()?, all.result()?);
        flaky.result()?;
        Ok(got)
    }
    two_lives(|| {
        let run = failed(pipeline());
        assert_eq!((READ.count(), USED.count()), (3 + 2, 2));
        let rows = tree(run);
        let not_ready = rows.iter().filter(|row| row.state.name() == "NotReady").count();
        assert_eq!((rows.len(), not_ready), (8, 1), "{:?}", told(&rows));
        LIFE.store(1, SeqCst);
        resume(run).unwrap().result_json().unwrap();
        assert_eq!((READ.count(), USED.count(), tree(run).len()), (6, 3, 8));
        let edges = store().edges(row(run).number, 100).unwrap();
        assert_eq!(edges.len(), 4);
    });
}

#[test]
fn what_has_no_identity_of_its_own_is_told_apart_by_order() {
    static OPENED: Bodies = Bodies::new();
    static SHOWN: Bodies = Bodies::new();
    #[derive(Clone)]
    struct Connection(u32);
    /// Its result can't be recorded.
    #[task]
    fn open(host: &str) -> Connection {
        OPENED.called();
        Connection(host.len() as u32)
    }
    /// Its parameter can't.
    #[task]
    fn query(connection: Connection, text: &str) -> String {
        SHOWN.called();
        format!("{text} on {}", connection.0)
    }
    #[task(skip(password))]
    fn login(user: &str, password: String) -> usize {
        SHOWN.called();
        user.len() + password.len()
    }
    #[task(skip_result)]
    fn secret() -> String {
        OPENED.called();
        "hidden".to_owned()
    }
    #[flow(durable)]
    fn session() -> flowcore::Result<Vec<String>> {
        let connection = open("host")?;
        let mut got = vec![query(connection.clone(), "one")?, query(connection, "two")?];
        // What is skipped doesn't tell calls apart: another password finds the same call.
        got.push(login("ann", format!("password {}", life()))?.to_string());
        got.push(secret()?);
        last()?;
        Ok(got)
    }
    two_lives(|| {
        let run = failed(session());
        assert_eq!((OPENED.take(), SHOWN.take()), (2, 3));
        let record = format!("{:?}", tree(run));
        assert!(
            !record.contains("password 0") && record.contains("$skipped"),
            "{record}"
        );
        let results: Vec<_> = tree(run)
            .iter()
            .map(|row| store().result(row.number).unwrap())
            .collect();
        assert!(!format!("{results:?}").contains("hidden"));
        LIFE.store(1, SeqCst);
        assert_eq!(
            resume(run).unwrap().result_json().unwrap(),
            json!(["one on 4", "two on 4", "13", "hidden"])
        );
        // What has no recorded result is called again, what has one is not.
        assert_eq!((OPENED.count(), SHOWN.count()), (2, 0));
        assert_eq!(tree(run).len(), 7);
    });
}

static PRICED: Bodies = Bodies::new();

#[test]
fn another_version_is_another_call() {
    mod old {
        use super::*;
        #[task(key = "shop::price", version = "1")]
        pub(super) fn price(item: &str) -> usize {
            PRICED.called();
            item.len()
        }
    }
    mod new {
        use super::*;
        #[task(key = "shop::price", version = "2")]
        pub(super) fn price(item: &str) -> usize {
            PRICED.called();
            item.len() * 2
        }
    }
    mod moved {
        use super::*;
        #[task(key = "shop::price", version = "1", name = "price of old")]
        pub(super) fn renamed(item: &str) -> usize {
            PRICED.called();
            item.len() * 3
        }
    }
    #[flow(durable)]
    fn basket() -> flowcore::Result<usize> {
        let price = match life() {
            0 => old::price("pear")?,
            1 => moved::renamed("pear")?,
            _ => new::price("pear")?,
        };
        last()?;
        if life() == 1 {
            Err(flowcore::Error::msg(format!("price {price}")))
        } else {
            Ok(price)
        }
    }
    two_lives(|| {
        let run = failed(basket());
        // Under another name, the result is the recorded one.
        LIFE.store(1, SeqCst);
        let error = resume(run).unwrap().result_json().unwrap_err();
        assert!(error.to_string().contains("price 4"), "{error}");
        assert_eq!(PRICED.count(), 1);
        LIFE.store(2, SeqCst);
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(8));
        assert_eq!(row(run).replay.unwrap().orphans, 1);
    });
}

#[test]
fn a_thousand_calls_at_once_pair_with_their_own() {
    static BODIES: Bodies = Bodies::new();
    #[task]
    async fn square(n: u64) -> Result<u64, String> {
        BODIES.called();
        if life() == 0 && n % 7 == 3 {
            Err(format!("{n}"))
        } else {
            Ok(n * n)
        }
    }
    #[flow(durable)]
    async fn squares() -> flowcore::Result<u64> {
        let numbers: Vec<u64> = if life() == 0 {
            (0..1000).collect()
        } else {
            (0..1000).rev().collect()
        };
        let mut sum = 0;
        let runs: futures_util::stream::FuturesUnordered<_> = numbers
            .into_iter()
            .map(|n| async move { (n, square.submit(n).await) })
            .collect();
        let all: Vec<_> = futures_util::StreamExt::collect(runs).await;
        let mut failed = None;
        for (n, value) in all {
            match value {
                Ok(value) => {
                    assert_eq!(value, n * n);
                    sum += value;
                }
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(sum), Err)
    }
    two_lives(|| {
        let run = failed(squares().run());
        let again = (0..1000).filter(|n| n % 7 == 3).count() as u32;
        LIFE.store(1, SeqCst);
        let sum: u64 = (0..1000).map(|n| n * n).sum();
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(sum));
        assert_eq!((BODIES.count(), tree(run).len()), (1000 + again, 1001));
    });
}
