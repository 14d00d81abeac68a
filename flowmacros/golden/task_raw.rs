#[task]
fn r#match(r#type: Kind) -> r#struct {
    r#struct(r#type)
}
