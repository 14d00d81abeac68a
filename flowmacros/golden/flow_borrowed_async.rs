#[flow]
pub(crate) async fn borrowed(text: &str, path: &std::path::Path) {
    tokio::fs::write(path, text).await;
}
