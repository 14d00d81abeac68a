#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(4), durable, replay = "strict", timeout_seconds = 3000000000)]
pub fn nightly(day: Date) {
    import(day);
}
