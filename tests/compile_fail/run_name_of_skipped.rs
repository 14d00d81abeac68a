#![allow(unused_variables)]
use flowcore::prelude::*;

#[task(run_name = "login-{password}", skip(password))]
fn log_in(password: String) {}

fn main() {}
