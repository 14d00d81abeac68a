//! A graph in Graphviz's language.

use std::fmt::Write;

use super::{Graph, ON_PAGE, Step, colours};
use crate::run::RunKind;

pub(super) fn write(graph: &Graph) -> String {
    let mut text = format!(
        "digraph {{\n  graph [rankdir=LR, compound=true, bgcolor=transparent, fontname=\"sans-serif\", fontcolor=\"{ON_PAGE}\"];\n  \
         node [shape=box, style=\"filled\", fontname=\"sans-serif\", fontsize=11];\n  edge [color=\"{ON_PAGE}\"];\n"
    );
    nodes(graph, &mut text);
    for (from, to) in graph.arrows() {
        // Arrows go between nodes only, and are cut at the box that is meant.
        let mut ends = Vec::new();
        for (end, name) in [(from, "ltail"), (to, "lhead")] {
            if !graph.nodes[end].children.is_empty() {
                ends.push(format!("{name}=cluster_{end}"));
            }
        }
        let ends = if ends.is_empty() {
            String::new()
        } else {
            format!(" [{}]", ends.join(", "))
        };
        let _ = writeln!(text, "  n{} -> n{}{ends};", leaf(graph, from), leaf(graph, to));
    }
    text.push_str("}\n");
    text
}

/// A node without nodes in it: the first in the box.
fn leaf(graph: &Graph, node: usize) -> usize {
    let mut node = node;
    while let Some(child) = graph.nodes[node].children.first() {
        node = *child;
    }
    node
}

fn nodes(graph: &Graph, text: &mut String) {
    for (step, level) in graph.walk() {
        let indent = "  ".repeat(level);
        let (Step::Node(index) | Step::Box(index)) = step else {
            let _ = writeln!(text, "{indent}}}");
            continue;
        };
        let node = &graph.nodes[index];
        let label = node.label(escaped, "\\n");
        let colours = colours(node.state);
        if let Step::Box(_) = step {
            let _ = writeln!(text, "{indent}subgraph cluster_{index} {{");
            let _ = writeln!(
                text,
                "{indent}  graph [label=\"{label}\", labeljust=l, color=\"{}\"];",
                colours.line
            );
            continue;
        }
        // Tasks are rounded; what stands for several has a second border.
        let rounded = if node.kind == Some(RunKind::Task) {
            ", style=\"filled,rounded\""
        } else {
            ""
        };
        let double = if node.is_many && node.kind.is_some() {
            ", peripheries=2"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "{indent}n{index} [label=\"{label}\", fillcolor=\"{}\", color=\"{}\", fontcolor=\"{}\"{rounded}{double}];",
            colours.fill, colours.line, colours.text
        );
    }
}

/// Quoted text knows escapes by a backslash, and the entities of HTML.
fn escaped(label: &str) -> String {
    label.replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"")
}
