#![allow(unused_variables)]
use flowcore::prelude::*;

#[task(retires = 3, name = "", tags = "a", timeout_seconds = -1)]
unsafe fn all_at_once<T>(items: &mut Vec<T>, name: Option<&str>) {}

fn main() {}
