#![allow(unused_variables)]
use flowcore::prelude::*;

const TEMPLATE: &str = "node";

#[task(run_name = TEMPLATE)]
fn constant(node: String) {}

#[task(run_name = "node-{}")]
fn empty(node: String) {}

#[task(run_name = "node-{0}")]
fn positional(node: String) {}

#[task(run_name = "node-{node.len()}")]
fn expression(node: String) {}

#[task(run_name = "node-{node")]
fn unclosed(node: String) {}

#[task(run_name = "")]
fn blank(node: String) {}

fn main() {}
