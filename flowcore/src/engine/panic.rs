//! Panics of user code, caught and told.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Where the latest panic of this thread began.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A caught panic.
#[derive(Debug, Clone)]
pub(crate) struct Panic {
    message: String,
    place: Option<String>,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "panicked at {place}: {}", self.message),
            None => write!(f, "panicked: {}", self.message),
        }
    }
}

/// Calls user code; a panic becomes an error with its message and place.
pub(crate) fn guarded<T>(code: impl FnOnce() -> T) -> Result<T, Panic> {
    note_places();
    // What the code leaves half-done is its own: nothing of the engine's is lent to it.
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| Panic {
        message: message(payload),
        place: PLACE.try_with(|place| place.borrow_mut().take()).ok().flatten(),
    })
}

/// Drops user's values, whose `Drop` may panic.
pub(crate) fn drop_guarded<T>(value: T) {
    if let Err(panic) = guarded(|| drop(value)) {
        tracing::warn!("a value's Drop {panic}");
    }
}

fn message(payload: Box<dyn Any + Send>) -> String {
    let text = if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a value that is no text".to_owned()
    };
    // A payload's own Drop may panic, and the payload of that again: that one is left alone.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    text
}

/// Only a panic hook learns where a panic began. Ours notes it and calls the one before.
fn note_places() {
    static ONCE: Once = Once::new();
    if std::thread::panicking() {
        // Hooks can't be changed now; the next call does it.
        return;
    }
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let _ = PLACE.try_with(|place| {
                if let Ok(mut place) = place.try_borrow_mut() {
                    *place = info.location().map(ToString::to_string);
                }
            });
            before(info);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sort_of_payload_is_told() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in Drop");
            }
        }
        let told = |code: fn()| guarded(code).unwrap_err().to_string();
        let text = told(|| panic!("plain"));
        assert!(
            text.starts_with("panicked at ") && text.contains("panic.rs:") && text.ends_with(": plain"),
            "{text}"
        );
        assert!(told(|| panic!("n = {}", 1)).ends_with("n = 1"));
        assert!(told(|| panic::panic_any(7_u8)).ends_with("a value that is no text"));
        assert!(told(|| panic::panic_any(Bomb)).ends_with("a value that is no text"));
    }
}
