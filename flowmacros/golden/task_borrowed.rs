#[task]
fn borrowed(text: &str, numbers: &[u8], path: &Path, node: &Node, fixed: &'static str) -> usize {
    text.len()
}
