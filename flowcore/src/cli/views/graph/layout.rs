//! Where the boxes of a graph stand: boxes in boxes, and within each from left to right in the order of dependency.

use std::collections::{HashMap, HashSet};

use super::super::super::text::width;
use super::Graph;

const CHAR_WIDTH: i64 = 7;
const BOLD_WIDTH: i64 = 8;
const LINE_HEIGHT: i64 = 15;
const PADDING: i64 = 10;
/// Between columns there is room for arrows.
const COLUMN_GAP: i64 = 48;
const ROW_GAP: i64 = 12;
/// Boxes that don't depend on each other stand in columns of so many.
const MOST_ROWS: usize = 8;

/// A rectangle, in pixels.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
}

/// The place of each node.
pub(super) fn places(graph: &Graph) -> Vec<Place> {
    let between = lifted(graph);
    let mut places = vec![Place::default(); graph.nodes.len()];
    // Children come after their parents: from the end, a box is measured when all in it are. Their places are within the box.
    for index in (0..graph.nodes.len()).rev() {
        let node = &graph.nodes[index];
        let line_width = |(index, line): (usize, &String)| {
            let letter = if index == 0 { BOLD_WIDTH } else { CHAR_WIDTH };
            width(line) as i64 * letter
        };
        let label_width = node.label.iter().enumerate().map(line_width).max().unwrap_or(0);
        let label_height = node.label.len() as i64 * LINE_HEIGHT;
        let mut place = Place {
            width: label_width + 2 * PADDING,
            height: label_height + 2 * PADDING,
            ..Place::default()
        };
        if !node.children.is_empty() {
            let top = label_height + 2 * PADDING;
            let (right, bottom) = arrange(&node.children, between.get(&index), &mut places, top);
            place.width = place.width.max(right + PADDING);
            place.height = bottom + PADDING;
        }
        places[index] = place;
    }
    for index in 0..graph.nodes.len() {
        if let Some(parent) = graph.nodes[index].parent {
            let (x, y) = (places[parent].x, places[parent].y);
            places[index].x += x;
            places[index].y += y;
        }
    }
    places
}

/// The first line of a label, within its box.
pub(super) fn baseline(line: usize) -> i64 {
    PADDING + LINE_HEIGHT * line as i64 + 11
}

/// What stands left of the text.
pub(super) const INSET: i64 = PADDING;

/// Puts siblings into columns; gives the right and the bottom of them all.
fn arrange(children: &[usize], edges: Option<&HashSet<(usize, usize)>>, places: &mut [Place], top: i64) -> (i64, i64) {
    let (mut x, mut right, mut bottom) = (PADDING, 0, top);
    for layer in layers(children, edges) {
        for column in layer.chunks(rows(layer.len())) {
            let mut y = top;
            let mut widest = 0;
            for child in column {
                (places[*child].x, places[*child].y) = (x, y);
                y += places[*child].height + ROW_GAP;
                widest = widest.max(places[*child].width);
            }
            bottom = bottom.max(y - ROW_GAP);
            right = x + widest;
            x = right + ROW_GAP;
        }
        x = right + COLUMN_GAP;
    }
    (right, bottom)
}

/// How many stand in a column: a wide field rather than a long one.
fn rows(count: usize) -> usize {
    if count <= MOST_ROWS {
        MOST_ROWS
    } else {
        MOST_ROWS.max(count.isqrt())
    }
}

/// Siblings by the longest way of dependencies that leads to them.
fn layers(children: &[usize], edges: Option<&HashSet<(usize, usize)>>) -> Vec<Vec<usize>> {
    let mut layer: HashMap<usize, usize> = children.iter().map(|child| (*child, 0)).collect();
    if let Some(edges) = edges {
        let mut open: HashMap<usize, usize> = HashMap::new();
        let mut after: HashMap<usize, Vec<usize>> = HashMap::new();
        for (from, to) in edges {
            *open.entry(*to).or_default() += 1;
            after.entry(*from).or_default().push(*to);
        }
        let mut ready: Vec<usize> = children
            .iter()
            .copied()
            .filter(|child| !open.contains_key(child))
            .collect();
        // Folding can make circles, and those in one are never ready: they stay where they are.
        while let Some(from) = ready.pop() {
            for to in after.remove(&from).unwrap_or_default() {
                let next = layer[&from] + 1;
                layer.entry(to).and_modify(|layer| *layer = next.max(*layer));
                if let Some(left) = open.get_mut(&to) {
                    *left -= 1;
                    if *left == 0 {
                        ready.push(to);
                    }
                }
            }
        }
    }
    let most = layer.values().max().map_or(0, |most| most + 1);
    let mut layers = vec![Vec::new(); most];
    for child in children {
        layers[layer[child]].push(*child);
    }
    layers
}

/// The dependencies between siblings, by their parent: an arrow from within one to within another orders the two.
fn lifted(graph: &Graph) -> HashMap<usize, HashSet<(usize, usize)>> {
    let mut lifted: HashMap<usize, HashSet<(usize, usize)>> = HashMap::new();
    let way = |node: usize| {
        let mut way: Vec<_> = std::iter::successors(Some(node), |node| graph.nodes[*node].parent).collect();
        way.reverse();
        way
    };
    for (from, to) in &graph.edges {
        let (from, to) = (way(*from), way(*to));
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        if let (Some(from), Some(to), true) = (from.get(shared), to.get(shared), shared > 0) {
            lifted
                .entry(graph.nodes[*from].parent.unwrap_or(0))
                .or_default()
                .insert((*from, *to));
        }
    }
    lifted
}
