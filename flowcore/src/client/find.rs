//! One run, by what people write of its id.

use serde_json::Value;

use crate::error::Result;
use crate::run::RunId;
use crate::store::{RunRow, Store, StoreError, StoreErrorKind};

/// How many candidates are named.
const NAMED: usize = 5;
const DIGITS: usize = 32;

/// The digits of an id's beginning as stores know them, if it is one.
fn digits(prefix: &str) -> Option<String> {
    let digits: String = prefix
        .trim()
        .chars()
        .filter(|c| *c != '-')
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let fits = (1..=DIGITS).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit());
    fits.then_some(digits)
}

pub(super) fn by_prefix(store: &dyn Store, prefix: &str) -> Result<RunRow> {
    let Some(digits) = digits(prefix) else {
        // It may be anything, and long.
        let prefix: String = prefix.chars().take(60).collect();
        let message = format!("'{prefix}' is no beginning of a run's id");
        return Err(StoreError::new(StoreErrorKind::NotFound, message)
            .advise("ids are hexadecimal digits")
            .into());
    };
    let ids = store.ids(&digits, NAMED + 1)?;
    match ids[..] {
        [] => {
            let message = format!("no run has an id that begins with '{prefix}' in {}", store.location());
            Err(StoreError::new(StoreErrorKind::NotFound, message).into())
        }
        [id] => by_id(store, id),
        _ => Err(ambiguous(store, prefix, &ids)?.into()),
    }
}

fn ambiguous(store: &dyn Store, prefix: &str, ids: &[RunId]) -> Result<StoreError> {
    let mut named = Vec::new();
    for id in ids.iter().take(NAMED) {
        named.push(match store.run(*id)? {
            Some(run) => format!("{id} ({} {} '{}')", run.kind, run.definition, run.name),
            None => id.to_string(),
        });
    }
    if ids.len() > NAMED {
        named.push("and others".to_owned());
    }
    let message = format!("several runs have ids that begin with '{prefix}': {}", named.join(", "));
    Ok(StoreError::new(StoreErrorKind::Ambiguous, message).advise("give more of it"))
}

pub(super) fn by_id(store: &dyn Store, id: RunId) -> Result<RunRow> {
    let missing = || {
        StoreError::new(
            StoreErrorKind::NotFound,
            format!("there is no run {id} in {}", store.location()),
        )
    };
    Ok(store.run(id)?.ok_or_else(missing)?)
}

pub(super) fn result(store: &dyn Store, run: &RunRow) -> Result<Option<Value>> {
    let Some((json, whole)) = store.result(run.number)? else {
        return Ok(None);
    };
    if !whole {
        let message = format!("only the head of the result of run {} was kept", run.id);
        return Err(StoreError::new(StoreErrorKind::Refused, message)
            .advise("read it from the store as text")
            .into());
    }
    let broken = |error| {
        let message = format!("the result of run {} can't be read: {error}", run.id);
        StoreError::new(StoreErrorKind::Corrupt, message)
    };
    Ok(Some(serde_json::from_slice(&json).map_err(broken)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read() {
        assert_eq!(digits("0192F-"), Some("0192f".to_owned()));
        assert_eq!(digits(&RunId::nil().to_string()), Some("0".repeat(32)));
        for bad in ["", "-", "xyz", "0192 f", &"0".repeat(33), "ä"] {
            assert_eq!(digits(bad), None, "{bad}");
        }
    }
}
