//! Points in time as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::units;
pub(super) use crate::clock::wall_nanos as now;

fn timestamp(unix_nanos: i64) -> Timestamp {
    // i64 nanoseconds are all within jiff's range.
    Timestamp::from_nanosecond(i128::from(unix_nanos)).unwrap_or_default()
}

/// `2026-11-24 17:20:46`, where the program runs.
pub(super) fn local(unix_nanos: i64) -> String {
    at(unix_nanos, "%Y-%m-%d %H:%M:%S")
}

/// `2026-11-24 17:20:46.123`, where the program runs.
pub(super) fn local_millis(unix_nanos: i64) -> String {
    at(unix_nanos, "%Y-%m-%d %H:%M:%S%.3f")
}

fn at(unix_nanos: i64, format: &str) -> String {
    let zoned = timestamp(unix_nanos).to_zoned_datetime(TimeZone::system());
    zoned.strftime(format).to_string()
}

/// RFC 3339 in UTC, to the nanosecond: `2026-11-24T17:20:46.123456789Z`.
pub(super) fn utc(unix_nanos: i64) -> String {
    timestamp(unix_nanos).to_string()
}

/// `12s ago`, `3h ago`, `5d ago`; `now` for what is less than a second old, or to come.
pub(super) fn ago(unix_nanos: i64, now: i64) -> String {
    let seconds = now.saturating_sub(unix_nanos) / 1_000_000_000;
    match seconds {
        ..1 => "now".to_owned(),
        1..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..172_800 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// A duration, or a dash.
pub(super) fn took(nanos: Option<i64>) -> String {
    nanos.map_or_else(|| "-".to_owned(), units::duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_take_the_unit_that_fits() {
        let seconds = |n: i64| ago(0, n * 1_000_000_000);
        let shown = [-5, 0, 12, 61, 7_200, 100_000, 200_000].map(seconds);
        assert_eq!(
            shown,
            ["now", "now", "12s ago", "1m ago", "2h ago", "27h ago", "2d ago"]
        );
    }

    #[test]
    fn the_wire_format_is_utc_and_exact() {
        assert_eq!(utc(1_795_541_400_123_456_789), "2026-11-24T17:30:00.123456789Z");
        assert_eq!(utc(1_795_541_400_000_000_000), "2026-11-24T17:30:00Z");
        assert_eq!(local(1_795_541_400_000_000_000).len(), "2026-11-24 17:30:00".len());
    }
}
