#[task(run_name = "{user}: {place} ({type:>4})")]
fn visit(user: String, place: &str, r#type: u8, day: Date) {}
