use flowcore::prelude::*;

#[task]
struct Process;

#[flow]
mod flows {}

#[flow]
static NIGHTLY: u8 = 0;

trait Jobs {
    #[task]
    fn run(x: u32) -> u32;
}

fn main() {}
