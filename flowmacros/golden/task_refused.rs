#[task]
unsafe fn refused<T>(&self, x: impl Into<T>, y: &mut T) -> &str {
    anything; that is #only tokens
}
