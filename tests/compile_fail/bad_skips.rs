#![allow(unused_variables)]
use flowcore::prelude::*;

#[task(skip(pasword))]
fn unknown(password: String) {}

#[task(skip)]
fn nothing(password: String) {}

#[task(skip())]
fn empty(password: String) {}

#[task(skip = password)]
fn equals(password: String) {}

#[task(skip(password, password))]
fn twice(password: String) {}

#[task(skip_result = "yes")]
fn flag(password: String) {}

#[flow(durable(yes))]
fn list(password: String) {}

fn main() {}
