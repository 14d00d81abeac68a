use super::super::testing::*;
use super::*;

fn write(store: &dyn Store, run: &RunRow, format: Format) -> String {
    render_at(store, run, format, 100, millis(95_000)).unwrap()
}

/// A flow with two tasks, the second of which takes the first's result, and one that was folded.
fn small() -> (impl Store, RunRow) {
    let mut forest = Forest::new();
    let root = forest.run(None, FLOW, "etl", "etl", "Pending 0, Running 0, Failed 900");
    let load = forest.run(
        Some(root),
        TASK,
        "load",
        "load \"a\"",
        "Pending 0, Running 0, Completed 400",
    );
    let save = forest.run(
        Some(root),
        TASK,
        "save",
        "save\n",
        "Pending 0, Running 400, Retrying 500, Failed 900: no",
    );
    forest.depends(save, load);
    for _ in 0..5 {
        let log = forest.run(Some(root), TASK, "log", "log", "Pending 0, Running 0, Completed 100");
        forest.depends(log, load);
    }
    forest.record()
}

#[test]
fn mermaid_of_a_small_graph() {
    let (store, run) = small();
    let expected = "\
flowchart LR
  classDef completed fill:#d7f2dc,stroke:#2e9e4f,color:#123d1f
  classDef failed fill:#ffdcd9,stroke:#d93a30,color:#5c0f0a
  subgraph n0[\"✗ etl<br/>Failed 900ms\"]
    n2(\"✓ load #34;a#34;<br/>Completed 400ms\"):::completed
    n1(\"✗ save#92;n<br/>Failed 500ms, 2 attempts\"):::failed
    n3[[\"✓ log ×5<br/>Completed 100ms\"]]:::completed
  end
  style n0 fill:none,stroke:#d93a30
  n2 --> n1
  n2 --> n3
  linkStyle default stroke:#7f868c
";
    assert_eq!(write(&store, &run, Format::Mermaid), expected);
}

#[test]
fn dot_of_a_small_graph() {
    let (store, run) = small();
    let text = write(&store, &run, Format::Dot);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for line in [
        "subgraph cluster_0 {",
        "graph [label=\"✗ etl\\nFailed 900ms\", labeljust=l, color=\"#d93a30\"];",
        "n2 [label=\"✓ load \\\"a\\\"\\nCompleted 400ms\", fillcolor=\"#d7f2dc\", color=\"#2e9e4f\", fontcolor=\"#123d1f\", \
         style=\"filled,rounded\"];",
        "n2 -> n1;",
        "n2 -> n3;",
    ] {
        assert!(lines.contains(&line), "{line}\n{text}");
    }
    assert!(
        text.contains("\"✗ save\\\\n\\n") && text.contains("peripheries=2"),
        "{text}"
    );
}

#[test]
fn folded_runs_and_boxes_have_arrows_too() {
    let (store, run) = pipeline();
    let text = write(&store, &run, Format::Mermaid);
    let node = |label: &str| {
        let line = text.lines().find(|line| line.contains(label)).unwrap().trim();
        line.trim_start_matches("subgraph ")
            .split(['(', '['])
            .next()
            .unwrap()
            .to_owned()
    };
    let (pages, parse, load, train) = (node("download ×999"), node("parse"), node("load brisk"), node("train"));
    for arrow in [
        format!("{pages} --> {parse}"),
        format!("{parse} --> {load}"),
        format!("{parse} --> {train}"),
        format!("{train} --> {}", node("publish")),
        format!("{} --> {}", node("download-998"), node("publish")),
    ] {
        assert!(text.contains(&arrow), "{arrow}\n{text}");
    }
}

#[test]
fn what_a_name_holds_stays_a_name() {
    let (store, run) = hostile();
    let mermaid = write(&store, &run, Format::Mermaid);
    for line in mermaid.lines() {
        // Two quotes around a label, and nothing in it that Mermaid or a browser acts upon.
        let quotes = line.matches('"').count();
        assert!(quotes == 0 || quotes == 2, "{line}");
        let label = line.split('"').nth(1).unwrap_or_default().replace("<br/>", "");
        assert!(
            !label.contains(['<', '>', '&', '`', '\\', '%', '[', '{', '(']),
            "{line}"
        );
    }
    let dot = write(&store, &run, Format::Dot);
    assert!(dot.contains("\\\\N\\\\n\\\\\\\\\\\"; x [label=\\\"y\\\"]; }"), "{dot}");
    for text in [&mermaid, &dot, &write(&store, &run, Format::Svg)] {
        assert!(
            !text.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'),
            "{text}"
        );
    }
}

#[test]
fn pictures_are_well_formed_whatever_the_names() {
    for (store, run) in [hostile(), pipeline(), chain(1000, "Failed : no")] {
        assert_well_formed(&write(&store, &run, Format::Svg));
    }
}

#[test]
fn boxes_hold_their_boxes_and_siblings_do_not_overlap() {
    let (store, run) = pipeline();
    let limits = Limits {
        lines: 100,
        levels: MOST_LEVELS,
        depth: None,
        all: false,
        messages: false,
    };
    let outline = outline::read(&store, &run, limits).unwrap();
    let edges = edges::read(&store, &outline, 100).unwrap();
    let graph = Graph::new(outline, edges, millis(95_000));
    let places = layout::places(&graph);
    let right = |node: usize| places[node].x + places[node].width;
    let bottom = |node: usize| places[node].y + places[node].height;
    for (index, node) in graph.nodes.iter().enumerate() {
        for (at, child) in node.children.iter().enumerate() {
            assert!(places[*child].x > places[index].x && right(*child) < right(index));
            assert!(places[*child].y > places[index].y && bottom(*child) < bottom(index));
            for other in &node.children[at + 1..] {
                let beside = right(*child) <= places[*other].x || right(*other) <= places[*child].x;
                let above = bottom(*child) <= places[*other].y || bottom(*other) <= places[*child].y;
                assert!(beside || above, "{:?} {:?}", places[*child], places[*other]);
            }
        }
    }
    for (from, to) in &graph.edges {
        assert!(right(*from) < places[*to].x, "an arrow goes to the right");
    }
}

#[test]
fn more_than_asked_for_is_not_drawn() {
    let (store, run) = crawl(2);
    for format in Format::ALL {
        let text = render_at(&store, &run, format, 8, millis(0)).unwrap();
        assert!(text.contains("site ×9,99"), "{text}");
        assert!(text.lines().count() < 60, "{text}");
    }
    assert!(store.calls() < 3 * 300);
}
