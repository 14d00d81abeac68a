use super::super::super::text::width;
use super::super::testing::*;
use super::*;

fn plain(store: &dyn Store, run: &RunRow, columns: usize) -> String {
    bars::terminal_at(store, run, columns, &Style::plain(), millis(10_000)).unwrap()
}

/// A task that was retried, one that waits, ten that were folded.
fn small() -> (impl Store, RunRow) {
    let mut forest = Forest::new();
    let root = forest.run(None, FLOW, "etl", "etl", "Pending 0, Running 0");
    let load = "Pending 0, Running 1000, AwaitingRetry 3000, Retrying 7000, Completed 9000";
    forest.run(Some(root), TASK, "load", "load", load);
    for _ in 0..10 {
        forest.run(
            Some(root),
            TASK,
            "page",
            "page",
            "Pending 0, Running 2000, Completed 6000",
        );
    }
    forest.run(Some(root), TASK, "save", "save", "Pending 0");
    forest.record()
}

#[test]
fn bars_stand_where_runs_were() {
    let (store, run) = small();
    assert_eq!(
        plain(&store, &run, 60),
        "\
from 2026-09-21 14:13:20 UTC
              ╷0                 ╷5s
● etl         ███████████████████████████████████████  10.0s
  ✓ load      ╌╌╌▐███████▋░░░░░░░░░░░░░░░████████   ┊   8.0s
  ✓ page ×10  ┊      ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄              ┊   4.0s
  ○ save      ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌      -

█ running  ░ awaits retry  ╌ not begun  ▄ several runs
"
    );
    let ascii = bars::terminal_at(&store, &run, 40, &Style::plain().ascii(), millis(10_000)).unwrap();
    assert_eq!(
        ascii,
        "\
from 2026-09-21 14:13:20 UTC
              |0
* etl         ###################  10.0s
  + load      -#####.......#### :   8.0s
  + page x10  :  =========      :   4.0s
  o save      -------------------      -

# running  . awaits retry  - not begu...
"
    );
}

#[test]
fn states_become_waits_and_work() {
    let state = |name: &str, at| State::restored(name, at, None).unwrap();
    let segments = |states: &[(&str, i64)]| {
        let states: Vec<State> = states.iter().map(|(name, at)| state(name, *at)).collect();
        let segments = of_states(&states, 100);
        segments
            .into_iter()
            .map(|Segment { from, to, phase }| (from, to, phase))
            .collect::<Vec<_>>()
    };
    use Phase::{Active, AwaitingRetry, Waiting};
    assert_eq!(
        segments(&[
            ("Pending", 1),
            ("Running", 3),
            ("AwaitingRetry", 5),
            ("Retrying", 8),
            ("Failed", 9)
        ]),
        [(1, 3, Waiting), (3, 5, Active), (5, 8, AwaitingRetry), (8, 9, Active)]
    );
    assert_eq!(
        segments(&[("Scheduled", 1), ("Late", 2), ("Pending", 3)]),
        [(1, 100, Waiting)]
    );
    assert_eq!(
        segments(&[("Pending", 1), ("Cached", 3)]),
        [(1, 3, Waiting), (3, 3, Active)]
    );
    assert_eq!(segments(&[("Pending", 1), ("NotReady", 3)]), [(1, 3, Waiting)]);
    assert_eq!(
        segments(&[("Running", 1), ("Cancelling", 50), ("Cancelled", 60)]),
        [(1, 60, Active)]
    );
    assert_eq!(segments(&[("Running", 200)]), [(200, 200, Active)]);
}

#[test]
fn no_line_is_wider_than_asked_whatever_the_names() {
    for (store, run) in [hostile(), pipeline(), chain(1000, "Completed")] {
        for columns in [0, 1, 7, 20, 40, 80, 200] {
            for style in [Style::plain(), Style::plain().ascii()] {
                let text = bars::terminal_at(&store, &run, columns, &style, millis(10_000)).unwrap();
                for line in text.lines() {
                    assert!(width(line) <= columns, "{columns}: {line}");
                    assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
                }
            }
        }
    }
}

#[test]
fn pictures_are_well_formed_whatever_the_names() {
    for (store, run) in [hostile(), pipeline(), chain(1000, "Failed : no")] {
        assert_well_formed(&picture::svg_at(&store, &run, millis(95_000)).unwrap());
    }
}

#[test]
fn times_out_of_the_ordinary_make_no_panic() {
    // A clock that went back, a run that took no time, one of centuries.
    for life in [
        "Pending 0",
        "Running 5000, Completed 5000",
        "Running -1700000000000, Completed 7000000000000",
    ] {
        let mut forest = Forest::new();
        forest.run(None, TASK, "odd", "odd", life);
        let (store, run) = forest.record();
        for now in [i64::MIN, 0, millis(0), i64::MAX] {
            for columns in [1, 80] {
                assert!(
                    bars::terminal_at(&store, &run, columns, &Style::plain(), now)
                        .unwrap()
                        .lines()
                        .count()
                        > 3
                );
            }
            assert_well_formed(&picture::svg_at(&store, &run, now).unwrap());
        }
    }
}

#[test]
fn many_runs_take_few_lines_and_calls() {
    let (store, run) = crawl(2);
    let text = plain(&store, &run, 80);
    assert!(text.contains("site ×9,997 more") && text.lines().count() < 20, "{text}");
    assert_well_formed(&picture::svg_at(&store, &run, millis(0)).unwrap());
    assert!(store.calls() < 60);
}
