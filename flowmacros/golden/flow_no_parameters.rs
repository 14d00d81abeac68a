#[flow]
fn nothing() {}
