use flowcore::prelude::*;
use std::rc::Rc;

#[task]
fn plain() -> Rc<u32> {
    Rc::new(1)
}

#[flow]
async fn fallible() -> flowcore::Result<Rc<u32>> {
    Ok(Rc::new(1))
}

fn main() {}
