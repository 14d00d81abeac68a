//! A run's states as its row keeps them: `[[state, nanoseconds since it was made], [state, nanoseconds, "message"]]`.
//!
//! A table of states alone took three times the space and twice the time of this. So that a run with thousands of retries doesn't copy
//! its history each time, only its first [`KEPT_IN_ROW`] states stand there; the rest stands in the table `states`.

use std::fmt::Write as _;

use serde::Deserialize;

use super::codes::{state_code, state_name};
use crate::state::State;

/// How many states a run's row keeps.
pub(super) const KEPT_IN_ROW: u32 = 64;

#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Plain(i64, i64),
    Told(i64, i64, String),
}

/// Adds a state to `history`, which is empty, or was made by this.
pub(super) fn push(history: &mut String, created_at: i64, state: &State) {
    if history.is_empty() {
        history.push('[');
    } else {
        history.pop();
        history.push(',');
    }
    let (code, after) = (state_code(state.name), state.at.wrapping_sub(created_at));
    // Writing to a String can't fail.
    let _ = write!(history, "[{code},{after}");
    if let Some(message) = &state.message {
        let text = serde_json::Value::from(&**message);
        let _ = write!(history, ",{text}");
    }
    history.push_str("]]");
}

/// The states in `history`; `None` if it isn't one.
pub(super) fn parse(history: &str, created_at: i64) -> Option<Vec<State>> {
    let kept: Vec<Kept> = serde_json::from_str(history).ok()?;
    kept.into_iter()
        .map(|kept| match kept {
            Kept::Plain(code, after) => state(code, created_at.wrapping_add(after), None),
            Kept::Told(code, after, message) => state(code, created_at.wrapping_add(after), Some(&message)),
        })
        .collect()
}

/// A state by its code.
pub(super) fn state(code: i64, at: i64, message: Option<&str>) -> Option<State> {
    Some(State {
        name: state_name(code)?,
        message: message.map(Into::into),
        at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_back_as_they_were() {
        let states = [
            State::restored("Pending", 1_000, None).unwrap(),
            State::restored("Running", 1_500, None).unwrap(),
            State::restored("Failed", 900, Some("a \"quote\"\n\0 and \u{1f980}")).unwrap(),
        ];
        let mut history = String::new();
        states.iter().for_each(|state| push(&mut history, 1_000, state));
        assert!(history.starts_with("[[1,0],[2,500],[4,-100,\"a "), "{history}");
        assert_eq!(parse(&history, 1_000).unwrap(), states);
        assert!(parse("[[99,0]]", 0).is_none());
        assert!(parse("[[1,0", 0).is_none());
    }
}
