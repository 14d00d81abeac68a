//! The small numbers under which a file keeps names. They are part of the schema: none may ever change its meaning.

use tracing::Level;

use crate::run::RunKind;
use crate::state::{StateName, StateType};

/// All states with their codes.
pub(super) const STATES: [(i64, StateName); 15] = [
    (1, StateName::Pending),
    (2, StateName::Running),
    (3, StateName::Completed),
    (4, StateName::Failed),
    (5, StateName::Cancelled),
    (6, StateName::Crashed),
    (7, StateName::Cached),
    (8, StateName::TimedOut),
    (9, StateName::NotReady),
    (10, StateName::Retrying),
    (11, StateName::AwaitingRetry),
    (12, StateName::Cancelling),
    (13, StateName::Scheduled),
    (14, StateName::Late),
    (15, StateName::Paused),
];

/// That a run hasn't completed, as the partial indexes have it: a query uses them only if it says the same in the same words.
pub(super) const UNCOMPLETED: &str = "state NOT IN (3, 7)";

pub(super) const fn state_code(name: StateName) -> i64 {
    match name {
        StateName::Pending => 1,
        StateName::Running => 2,
        StateName::Completed => 3,
        StateName::Failed => 4,
        StateName::Cancelled => 5,
        StateName::Crashed => 6,
        StateName::Cached => 7,
        StateName::TimedOut => 8,
        StateName::NotReady => 9,
        StateName::Retrying => 10,
        StateName::AwaitingRetry => 11,
        StateName::Cancelling => 12,
        StateName::Scheduled => 13,
        StateName::Late => 14,
        StateName::Paused => 15,
    }
}

pub(super) fn state_name(code: i64) -> Option<StateName> {
    STATES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// The codes of the states in which a run is not over.
pub(super) fn open_states() -> impl Iterator<Item = i64> {
    STATES
        .iter()
        .filter(|(_, name)| !name.kind().is_terminal() && *name != StateName::NotReady)
        .map(|(code, _)| *code)
}

/// The codes of the states of these types.
pub(super) fn states_of(types: &[StateType]) -> Vec<i64> {
    let of = STATES.iter().filter(|(_, name)| types.contains(&name.kind()));
    of.map(|(code, _)| *code).collect()
}

pub(super) const fn kind_code(kind: RunKind) -> i64 {
    match kind {
        RunKind::Flow => 1,
        RunKind::Task => 2,
    }
}

pub(super) const fn kind_of(code: i64) -> Option<RunKind> {
    match code {
        1 => Some(RunKind::Flow),
        2 => Some(RunKind::Task),
        _ => None,
    }
}

pub(super) fn level_code(level: Level) -> i64 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

pub(super) const fn level_of(code: i64) -> Option<Level> {
    match code {
        40 => Some(Level::ERROR),
        30 => Some(Level::WARN),
        20 => Some(Level::INFO),
        10 => Some(Level::DEBUG),
        5 => Some(Level::TRACE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_one_code_for_ever() {
        for name in StateName::ALL {
            assert_eq!(state_name(state_code(name)), Some(name));
        }
        let codes: Vec<i64> = STATES.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, (1..=15).collect::<Vec<_>>());
        assert_eq!(states_of(&[StateType::Completed]), [3, 7], "as UNCOMPLETED has it");
        assert_eq!(open_states().collect::<Vec<_>>(), [1, 2, 10, 11, 12, 13, 14, 15]);
    }

    #[test]
    fn levels_come_back() {
        for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
            assert_eq!(level_of(level_code(level)), Some(level));
        }
    }
}
