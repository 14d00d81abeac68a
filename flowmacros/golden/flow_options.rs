#[flow(task_runner = ConcurrentTaskRunner::new().max_workers(4), durable, timeout_seconds = 5000000000)]
pub fn nightly(day: Date) {
    import(day);
}
