use flowcore::prelude::*;

#[flow]
fn serve() -> ! {
    loop {}
}

fn main() {}
