//! A graph as a picture.

use std::fmt::Write;

use super::super::svg::{Xml, head};
use super::layout::{INSET, Place, baseline, places};
use super::{Graph, Node, ON_PAGE, colours};
use crate::run::RunKind;

const MARGIN: i64 = 12;

pub(super) fn write(graph: &Graph) -> String {
    let places = places(graph);
    let whole = places.first().copied().unwrap_or_default();
    let title = graph
        .nodes
        .first()
        .and_then(|node| node.label.first())
        .map_or("", String::as_str);
    let mut text = head(whole.width + 2 * MARGIN, whole.height + 2 * MARGIN, title);
    let _ = writeln!(
        text,
        "<defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\" fill=\"{ON_PAGE}\"/></marker></defs>\n<g transform=\"translate({MARGIN} {MARGIN})\">"
    );
    for (node, place) in graph.nodes.iter().zip(&places) {
        draw(node, *place, &mut text);
    }
    for (from, to) in graph.arrows() {
        arrow(places[from], places[to], &mut text);
    }
    text.push_str("</g>\n</svg>\n");
    text
}

fn draw(node: &Node, place: Place, text: &mut String) {
    let Place { x, y, width, height } = place;
    let colours = colours(node.state);
    let is_box = !node.children.is_empty();
    let radius = if node.kind == Some(RunKind::Task) && !is_box {
        9
    } else {
        3
    };
    let (fill, letters) = if is_box {
        ("none", ON_PAGE)
    } else {
        (colours.fill, colours.text)
    };
    let mut rect = |shift: i64| {
        let _ = writeln!(
            text,
            "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\" fill=\"{fill}\" stroke=\"{}\"/>",
            x + shift,
            y + shift,
            colours.line
        );
    };
    // What stands for several looks like a pile.
    if node.is_many && node.kind.is_some() {
        rect(4);
    }
    rect(0);
    for (index, line) in node.label.iter().enumerate() {
        let weight = if index == 0 { " font-weight=\"600\"" } else { "" };
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{}\" fill=\"{letters}\"{weight}>{}</text>",
            x + INSET,
            y + baseline(index),
            Xml(line)
        );
    }
}

/// From the right side of one to the left side of the other.
fn arrow(from: Place, to: Place, text: &mut String) {
    let (x1, y1) = (from.x + from.width, from.y + from.height / 2);
    let (x2, y2) = (to.x, to.y + to.height / 2);
    let bend = ((x2 - x1).abs() / 2).clamp(20, 120);
    let _ = writeln!(
        text,
        "<path d=\"M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}\" fill=\"none\" stroke=\"{ON_PAGE}\" stroke-width=\"1.5\" marker-end=\"url(#end)\"/>",
        x1 + bend,
        x2 - bend
    );
}
