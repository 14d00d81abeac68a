#[task(retires = 3, retries = -1, name = "", tags = "nightly", skip(pasword), run_name = "{usr}")]
fn log_in(user: &str, password: String) {}
