//! Room on the stack, made where it runs short, so that recursion costs heap.

/// Less than this left, and a new piece of stack is made.
pub(crate) const RED_ZONE: usize = 256 * 1024;
pub(crate) const PIECE: usize = 2 * 1024 * 1024;

/// Runs `code` with room on the stack.
#[inline]
pub(crate) fn ensure<T>(code: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE, PIECE, code)
}
