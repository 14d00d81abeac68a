use flowcore::prelude::*;

#[task]
const fn constant() -> u32 {
    1
}

#[task]
unsafe fn unchecked() {}

#[task]
extern "C" fn foreign() {}

fn main() {}
