//! Stores that break their promises, to see whether the harness notices.

/// Installs the store that `KILL_BROKEN` names, if it names one.
pub(super) fn install() -> flowcore::Result<()> {
    Ok(())
}
