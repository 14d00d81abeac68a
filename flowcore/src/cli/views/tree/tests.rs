use super::super::super::text::width;
use super::super::testing::*;
use super::*;

fn options(width: usize) -> TreeOptions {
    TreeOptions {
        width,
        ..TreeOptions::default()
    }
}

fn plain(store: &dyn Store, run: &RunRow, options: &TreeOptions) -> String {
    render_at(store, run, options, &Style::plain(), millis(95_000)).unwrap()
}

#[test]
fn a_tree_of_everything() {
    let (store, run) = pipeline();
    assert_eq!(plain(&store, &run, &options(80)), PIPELINE);
}

#[test]
fn names_are_cut_and_the_summary_is_broken_where_it_is_narrow() {
    let (store, run) = pipeline();
    assert_eq!(plain(&store, &run, &options(50)), NARROW);
}

#[test]
fn ascii_draws_with_nothing_else() {
    let mut forest = Forest::new();
    let root = forest.run(None, FLOW, "etl", "etl", "Pending 0, Running 0, Failed 1000: no disk");
    for _ in 0..4 {
        forest.run(Some(root), TASK, "load", "load", "Pending 0, Running 0, Completed 900");
    }
    forest.run(
        Some(root),
        TASK,
        "save",
        "save",
        "Pending 0, Running 0, Failed 1000: no disk",
    );
    let (store, run) = forest.record();
    let text = render_at(&store, &run, &options(80), &Style::plain().ascii(), millis(1)).unwrap();
    assert_eq!(
        text,
        "\
x etl         Failed      1.0s
|- + load x4  Completed  900ms  in all
`- x save     Failed      1.0s
     no disk

6 runs: 4 Completed, 2 Failed
"
    );
}

#[test]
fn the_depth_asked_for_hides_what_is_below_and_says_so() {
    let (store, run) = pipeline();
    let text = plain(
        &store,
        &run,
        &TreeOptions {
            depth: Some(1),
            ..options(80)
        },
    );
    assert!(
        text.contains("├─ ✓ fetch 2026-11-24         Completed   30.4s  1,000 runs below"),
        "{text}"
    );
    assert!(!text.contains("download"), "{text}");
    let text = plain(
        &store,
        &run,
        &TreeOptions {
            depth: Some(0),
            ..options(80)
        },
    );
    assert!(
        text.starts_with("● nightly-import crimson-fox  Running  1m 34s  6 runs below\n\n1,014 runs:"),
        "{text}"
    );
}

#[test]
fn all_folds_nothing_as_long_as_there_is_room() {
    let (store, run) = pipeline();
    let all = |lines| {
        plain(
            &store,
            &run,
            &TreeOptions {
                all: true,
                lines,
                ..options(80)
            },
        )
    };
    let text = all(2000);
    assert!(text.contains("download-0 ") && text.contains("download-997 ") && !text.contains('×'));
    // 1,014 runs, 5 messages, and the summary.
    assert_eq!(text.lines().count(), 1014 + 5 + 3);
    let text = all(100);
    assert!((60..=103).contains(&text.lines().count()), "{text}");
    assert!(text.contains("download ×9") && text.contains("more"), "{text}");
    assert!(text.contains("✗ download-998"), "{text}");
}

#[test]
fn a_run_that_is_no_root_is_shown_by_itself() {
    let (store, root) = pipeline();
    let query = crate::store::RunQuery {
        parent: Some(root.number),
        definition: Some("load".into()),
        ..Default::default()
    };
    let load = store.runs(&query).unwrap().items.remove(0);
    assert_eq!(
        plain(&store, &load, &options(80)),
        "\
✗ load brisk-otter                          Failed    11.0s
├─ ✓ connect                                Cached        -
├─ ✗ insert \"rows\" <1..7> & more\\u{1b}[31m  Failed    10.8s
│    duplicate key value violates unique constraint \"pk\" …
└─ ○ index                                  NotReady      -
     an input failed
"
    );
}

#[test]
fn a_hundred_thousand_levels_are_told_in_a_few_lines() {
    let (store, run) = chain(100_000, "Failed : dig failed: bedrock");
    let text = plain(&store, &run, &options(80));
    assert_eq!(
        text,
        "\
✗ dig 0                                    Failed  3m 20s
└─ ✗ dig 1                                 Failed  3m 19s
   └─ ✗ dig 2                              Failed  3m 19s
      └─ ✗ dig 3                           Failed  3m 19s
         └─ ✗ dig 4                        Failed  3m 19s
            └─ ✗ dig 5                     Failed  3m 19s
               └─ ✗ dig 6                  Failed  3m 19s
                  └─ … 99,990 levels …
                     └─ ✗ dig 99997        Failed     6ms
                        └─ ✗ dig 99998     Failed     4ms
                           └─ ✗ dig 99999  Failed     2ms
                                dig failed: bedrock

100,000 runs: 100,000 Failed
"
    );
    assert!(store.calls() < 500);
}

#[test]
fn the_end_of_a_deep_tree_is_shown_if_nothing_failed() {
    let (store, run) = chain(1000, "Completed");
    let text = plain(&store, &run, &options(200));
    assert!(text.contains("└─ … 9") && text.contains("✓ dig 999 "), "{text}");
    assert!(text.lines().count() < 40, "{text}");
    assert!(store.calls() < 200);
}

#[test]
fn a_million_runs_are_folded_within_few_calls_and_the_failure_is_found() {
    let (store, run) = crawl(100);
    let text = plain(
        &store,
        &run,
        &TreeOptions {
            lines: 20,
            ..options(80)
        },
    );
    assert_eq!(text, MILLION);
    let calls = store.calls();
    assert!(calls < 60, "{calls}");
    let text = plain(
        &store,
        &run,
        &TreeOptions {
            lines: 500,
            all: true,
            ..options(80)
        },
    );
    assert!(text.lines().count() <= 503, "{}", text.lines().count());
    let calls = store.calls();
    assert!(calls < 1500, "{calls}");
    super::super::graph::render(&store, &run, super::super::graph::Format::Mermaid, 50).unwrap();
    let calls = store.calls();
    assert!(calls < 200, "{calls}");
}

#[test]
fn no_line_is_wider_than_asked_whatever_the_names() {
    let (store, run) = hostile();
    for columns in [1, 2, 7, 20, 40, 80, 200] {
        for all in [false, true] {
            let options = TreeOptions {
                all,
                ..options(columns)
            };
            for line in plain(&store, &run, &options).lines() {
                assert!(width(line) <= columns, "{columns}: {line}");
                assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
            }
            let colored = render_at(&store, &run, &options, &Style::colored(), millis(95_000)).unwrap();
            assert_eq!(console::strip_ansi_codes(&colored), plain(&store, &run, &options));
        }
    }
}

#[test]
fn few_lines_are_few_lines() {
    let (store, run) = pipeline();
    for lines in 0..40 {
        for all in [false, true] {
            let text = plain(
                &store,
                &run,
                &TreeOptions {
                    lines,
                    all,
                    ..options(200)
                },
            );
            let tree = text.split("\n\n").next().unwrap().lines().count();
            assert!(tree <= lines.max(1), "{lines}: {text}");
        }
    }
}

const PIPELINE: &str = "\
● nightly-import crimson-fox                   Running        1m 34s
├─ ✓ fetch 2026-11-24                          Completed       30.4s
│  ├─ ✗ download-998                           Failed          550ms  3 attempts
│  │    GET https://data.example/pages/998 gave 503 Service Unavailable
│  └─ ✓ download ×999                          Completed       30.3s  in all
├─ ✓ parse 解析 木曜日                         Completed       10.4s
├─ ✗ load brisk-otter                          Failed          11.0s
│  ├─ ✓ connect                                Cached              -
│  ├─ ✗ insert \"rows\" <1..7> & more\\u{1b}[31m  Failed          10.8s
│  │    duplicate key value violates unique constraint \"pk\" …
│  └─ ○ index                                  NotReady            -
│       an input failed
├─ ● train قطار                                Running         53.8s
│  ├─ ✓ epoch 1                                Completed       21.6s
│  ├─ ‼ epoch 2                                Crashed          6.9s
│  │    the process died
│  ├─ ● epoch 3                                Running         24.5s
│  └─ ◌ report                                 AwaitingRetry   50.0s
├─ ⊘ cleanup                                   Cancelled        8.0s
│    cancelled by user
└─ ○ publish                                   Pending             -

1,014 runs: 1,003 Completed, 3 Failed, 1 Crashed, 1 Cancelled, 3 Running,
  2 Pending, 1 Scheduled
";

const NARROW: &str = "\
● nightly-import crimson…  Running        1m 34s
├─ ✓ fetch 2026-11-24      Completed       30.4s
│  ├─ ✗ download-998       Failed          550ms …
│  │    GET https://data.example/pages/998 gave 5…
│  └─ ✓ download ×999      Completed       30.3s …
├─ ✓ parse 解析 木曜日     Completed       10.4s
├─ ✗ load brisk-otter      Failed          11.0s
│  ├─ ✓ connect            Cached              -
│  ├─ ✗ insert \"rows\" <1…  Failed          10.8s
│  │    duplicate key value violates unique const…
│  └─ ○ index              NotReady            -
│       an input failed
├─ ● train قطار            Running         53.8s
│  ├─ ✓ epoch 1            Completed       21.6s
│  ├─ ‼ epoch 2            Crashed          6.9s
│  │    the process died
│  ├─ ● epoch 3            Running         24.5s
│  └─ ◌ report             AwaitingRetry   50.0s
├─ ⊘ cleanup               Cancelled        8.0s
│    cancelled by user
└─ ○ publish               Pending             -

1,014 runs: 1,003 Completed, 3 Failed, 1 Crashed,
  1 Cancelled, 3 Running, 2 Pending, 1 Scheduled
";

const MILLION: &str = "\
✓ crawl                Completed  33m 20s
├─ ✓ site-0            Completed     5.0s
│  └─ ✓ page ×100      Completed     4.0s  in all
├─ ✓ site-1            Completed     5.0s
│  └─ ✓ page ×100      Completed     4.0s  in all
├─ ✓ site-7777         Completed     5.0s
│  ├─ ✓ page ×99       Completed     3.9s  in all
│  └─ ✗ page           Failed        40ms
└─ ✓ site ×9,997 more  Completed  16m 44s  in all

1,010,001 runs: 1,010,000 Completed, 1 Failed
";
