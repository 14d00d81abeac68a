#[task(
    name = "fetch page",
    description = "Fetches a page",
    version = env!("CARGO_PKG_VERSION"),
    tags = ["web", TAG],
    retries = 3,
    retry_delay_seconds = [1, 2.5, 10],
    retry_jitter_factor = 1,
    retry_condition_fn = |error| error.is::<std::io::Error>(),
    timeout_seconds = 30,
    on_running = notify,
    on_completion = [notify, |run, state| println!("{run:?} {state:?}")],
    on_failure = notify,
    on_cancellation = notify,
    on_crashed = notify,
    cache_key_fn = by_url,
    cache_expiration = Duration::from_secs(3600),
    key = "fetch-page"
)]
async fn fetch(url: String) -> Result<Page, reqwest::Error> {
    reqwest::get(url).await
}
