use flowcore::prelude::*;

#[task]
fn double(x: u32) -> u32 {
    x * 2
}

#[task]
fn name(x: u32) -> String {
    x.to_string()
}

struct Opaque;

#[task]
fn open() -> Opaque {
    Opaque
}

#[task]
fn close(opaque: Opaque) {
    let _ = opaque;
}

fn main() {
    let _ = double.submit("21");
    let _ = double.bind(name.submit(1));
    let _ = double.submit(Some(1));
    let _ = double.map(["1", "2"]);
    let _ = close.submit(&open.submit());
    let _ = double("21");
}
