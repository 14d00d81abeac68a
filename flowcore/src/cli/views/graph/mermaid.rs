//! A graph in Mermaid's language.

use std::fmt::Write;

use super::{Graph, ON_PAGE, class, colours};
use crate::run::RunKind;
use crate::state::StateType;

pub(super) fn write(graph: &Graph) -> String {
    let mut text = String::from("flowchart LR\n");
    for state in StateType::ALL.map(Some).into_iter().chain([None]) {
        if graph.nodes.iter().any(|node| node.state == state) {
            let colours = colours(state);
            let _ = writeln!(
                text,
                "  classDef {} fill:{},stroke:{},color:{}",
                class(state),
                colours.fill,
                colours.line,
                colours.text
            );
        }
    }
    nodes(graph, &mut text);
    for (from, to) in &graph.edges {
        // A box has no arrow to what is in it.
        if !graph.is_above(*from, *to) && !graph.is_above(*to, *from) {
            let _ = writeln!(text, "  n{from} --> n{to}");
        }
    }
    let _ = writeln!(text, "  linkStyle default stroke:{ON_PAGE}");
    text
}

enum Step {
    Node(usize, usize),
    End(usize),
}

fn nodes(graph: &Graph, text: &mut String) {
    let mut waiting = vec![Step::Node(0, 1)];
    let mut boxes = Vec::new();
    while let Some(step) = waiting.pop() {
        let (index, level) = match step {
            Step::Node(index, level) => (index, level),
            Step::End(level) => {
                let _ = writeln!(text, "{}end", "  ".repeat(level));
                continue;
            }
        };
        let node = &graph.nodes[index];
        let indent = "  ".repeat(level);
        let label = node
            .label
            .iter()
            .map(|line| escaped(line))
            .collect::<Vec<_>>()
            .join("<br/>");
        if node.children.is_empty() {
            // Tasks are rounded; what stands for several is a box with double sides.
            let (open, close) = match (node.is_many, node.kind) {
                (true, Some(_)) => ("[[", "]]"),
                (_, Some(RunKind::Task)) => ("(", ")"),
                _ => ("[", "]"),
            };
            let _ = writeln!(text, "{indent}n{index}{open}\"{label}\"{close}:::{}", class(node.state));
            continue;
        }
        let _ = writeln!(text, "{indent}subgraph n{index}[\"{label}\"]");
        boxes.push(index);
        waiting.push(Step::End(level));
        waiting.extend(node.children.iter().rev().map(|child| Step::Node(*child, level + 1)));
    }
    for index in boxes {
        // The label of a box stands on the page, in the page's own colour.
        let line = colours(graph.nodes[index].state).line;
        let _ = writeln!(text, "  style n{index} fill:none,stroke:{line}");
    }
}

/// Everything that could mean something to Mermaid, or to the HTML that it makes, by its number.
fn escaped(label: &str) -> String {
    let mut text = String::with_capacity(label.len());
    for character in label.chars() {
        if character.is_alphanumeric() || !character.is_ascii() || " -_.,:/".contains(character) {
            text.push(character);
        } else {
            let _ = write!(text, "#{};", u32::from(character));
        }
    }
    text
}
