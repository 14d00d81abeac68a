//! A graph in Mermaid's language.

use std::fmt::Write;

use super::{Graph, ON_PAGE, Step, class, colours};
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
    for (from, to) in graph.arrows() {
        let _ = writeln!(text, "  n{from} --> n{to}");
    }
    let _ = writeln!(text, "  linkStyle default stroke:{ON_PAGE}");
    text
}

fn nodes(graph: &Graph, text: &mut String) {
    let mut boxes = Vec::new();
    for (step, level) in graph.walk() {
        let indent = "  ".repeat(level);
        let (Step::Node(index) | Step::Box(index)) = step else {
            let _ = writeln!(text, "{indent}end");
            continue;
        };
        let node = &graph.nodes[index];
        let label = node.label(escaped, "<br/>");
        if let Step::Box(_) = step {
            let _ = writeln!(text, "{indent}subgraph n{index}[\"{label}\"]");
            boxes.push(index);
            continue;
        }
        // Tasks are rounded; what stands for several is a box with double sides.
        let (open, close) = match (node.is_many, node.kind) {
            (true, Some(_)) => ("[[", "]]"),
            (_, Some(RunKind::Task)) => ("(", ")"),
            _ => ("[", "]"),
        };
        let _ = writeln!(text, "{indent}n{index}{open}\"{label}\"{close}:::{}", class(node.state));
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
