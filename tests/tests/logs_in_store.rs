//! What runs log is in the store, with its run, level and place. In a process of its own, for its logging.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use flowcore::prelude::*;
use flowcore::store::{LogQuery, LogRow, RunNumber};
use flowcore::{RunId, resume};
use flowcore_tests::record::{children, failed, row, store};
use flowcore_tests::{Bodies, in_time};
use tracing::Level;

fn lines(run: RunNumber, below: bool, level: Level) -> Vec<LogRow> {
    let query = LogQuery {
        run,
        below,
        level,
        after: None,
        last: false,
        limit: 1000,
    };
    store().logs(&query).unwrap().items
}

fn number(run: RunId) -> RunNumber {
    row(run).number
}

#[task]
fn leaf(n: u32) -> u32 {
    tracing::info!(n, "in the leaf");
    tracing::debug!("looked at closely");
    n
}

#[flow]
async fn logs() -> flowcore::Result<u32> {
    tracing::warn!("one\ntwo");
    let first = leaf.submit(1).await?;
    std::thread::spawn(|| tracing::info!("of no run")).join().unwrap();
    flowcore::spawn(async { tracing::error!("from a spawned task") })
        .await
        .unwrap();
    Ok(first + leaf(2)?)
}

static LIVES: Bodies = Bodies::new();

#[flow(durable, retries = 1)]
fn replays() -> flowcore::Result<u32> {
    let life = LIVES.called();
    let mut sum = 0;
    for n in 0..5 {
        // The last life goes another way: five results are left over.
        sum += leaf(if life == 2 { n + 100 } else { n })?;
    }
    if life < 2 {
        Err(flowcore::Error::msg("once"))
    } else {
        Ok(sum)
    }
}

#[test]
fn a_log_is_kept_with_its_run() {
    flowcore::logging::init().unwrap();
    in_time("logs", || {
        let run = logs.submit();
        assert_eq!(run.result().unwrap(), 3);
        let root = number(run.run_id());
        let own: Vec<_> = lines(root, false, Level::TRACE)
            .into_iter()
            .filter(|line| line.target == "logs_in_store")
            .collect();
        let told: Vec<_> = own.iter().map(|line| (line.level, line.message.as_str())).collect();
        assert_eq!(told, [(Level::WARN, "one\ntwo"), (Level::ERROR, "from a spawned task")]);
        let all: Vec<_> = lines(root, true, Level::INFO)
            .into_iter()
            .filter(|line| line.target == "logs_in_store")
            .collect();
        assert_eq!(all.len(), 4, "{all:?}");
        assert!(
            all.windows(2)
                .all(|pair| pair[0].number < pair[1].number && pair[0].at <= pair[1].at)
        );
        let leaves = children(run.run_id());
        let of_leaf: Vec<_> = all.iter().filter(|line| line.run == leaves[1].number).collect();
        assert_eq!(of_leaf.len(), 1);
        assert_eq!(
            (of_leaf[0].message.as_str(), of_leaf[0].run_name.as_str()),
            ("in the leaf n=2", leaves[1].name.as_str())
        );
        assert!(
            lines(root, true, Level::ERROR)
                .iter()
                .all(|line| line.level == Level::ERROR)
        );

        // What a resume didn't ask for stands in the log of its run.
        let run = failed(replays());
        assert_eq!(resume(run).unwrap().result_json().unwrap(), 510);
        let warned = lines(number(run), false, Level::WARN);
        let orphans: Vec<_> = warned
            .iter()
            .filter(|line| line.message.contains("recorded calls were not made again"))
            .collect();
        assert_eq!(orphans.len(), 1, "{warned:?}");
        let names = row(run).replay.unwrap().orphan_names;
        assert!(
            orphans[0].message.starts_with("5 recorded calls"),
            "{}",
            orphans[0].message
        );
        assert!(
            names.len() == 5 && names.iter().any(|name| orphans[0].message.contains(name)),
            "{names:?}"
        );
    });
}
