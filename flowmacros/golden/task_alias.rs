#[task]
fn parse(text: String) -> crate::Fallible<i32> {
    text.parse()
}
