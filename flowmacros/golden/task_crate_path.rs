#[task(crate = crate::reexports::flowcore, on_failure = |run, state| alert(run))]
fn elsewhere(x: i32) -> i32 {
    x
}
