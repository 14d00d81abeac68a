//! A point in time, as people give it.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// A point in time, or how long ago it was. As text: `2h`, `30d`, `2026-11-24`, `2026-11-24 17:30` (local time) or a full
/// `2026-11-24T17:30:00Z`.
///
/// ```
/// use std::time::Duration;
/// use flowcore::client::When;
///
/// assert_eq!("2h".parse::<When>().unwrap(), When::Ago(Duration::from_secs(7200)));
/// assert!("2026-11-24T17:30:00Z".parse::<When>().is_ok());
/// assert!("soon".parse::<When>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// At that time.
    At(Timestamp),
    /// So long before now.
    Ago(Duration),
}

impl When {
    /// The time in nanoseconds since the Unix epoch; as near to it as 64 bits come.
    #[must_use]
    pub fn unix_nanos(self) -> i64 {
        let nanos = match self {
            Self::At(at) => at.as_nanosecond(),
            Self::Ago(ago) => {
                Timestamp::now().as_nanosecond() - i128::try_from(ago.as_nanos()).unwrap_or(i128::MAX / 2)
            }
        };
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }
}

impl From<Timestamp> for When {
    fn from(at: Timestamp) -> Self {
        Self::At(at)
    }
}

impl From<Duration> for When {
    fn from(ago: Duration) -> Self {
        Self::Ago(ago)
    }
}

impl From<SystemTime> for When {
    fn from(at: SystemTime) -> Self {
        // A time that jiff can't hold is thousands of years away.
        let far = if at < SystemTime::UNIX_EPOCH {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        Self::At(Timestamp::try_from(at).unwrap_or(far))
    }
}

/// A text that is no time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseWhenError(String);

impl fmt::Display for ParseWhenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is no time: write 30m, 2h, 30d, 2026-11-24, '2026-11-24 17:30' or 2026-11-24T17:30:00Z",
            self.0
        )
    }
}

impl std::error::Error for ParseWhenError {}

impl FromStr for When {
    type Err = ParseWhenError;

    fn from_str(text: &str) -> Result<Self, ParseWhenError> {
        let text = text.trim();
        let no_time = || ParseWhenError(text.to_owned());
        if let Some(ago) = duration(text) {
            return Ok(Self::Ago(ago));
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::At(at));
        }
        // A date is the beginning of its day where the program runs.
        let civil: DateTime = text.parse().map_err(|_| no_time())?;
        let at = civil.to_zoned_datetime(TimeZone::system()).map_err(|_| no_time())?;
        Ok(Self::At(at.timestamp()))
    }
}

/// `90s`, `2h 30m`, `30d`, `2 weeks`. A day has 24 hours; months and years differ, and are no durations.
fn duration(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let duration: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_dates_are_read() {
        let seconds = |text: &str| match text.parse() {
            Ok(When::Ago(ago)) => ago.as_secs(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(seconds("90s"), 90);
        assert_eq!(seconds("2h"), 7200);
        assert_eq!(seconds("1h 30m"), 5400);
        assert_eq!(seconds(" 30d "), 30 * 86_400);
        assert_eq!(seconds("2 weeks"), 14 * 86_400);
        let at: When = "2026-11-24T17:30:00Z".parse().unwrap();
        assert_eq!(at.unix_nanos(), 1_795_541_400_000_000_000);
        let day = "2026-11-24".parse::<When>().unwrap().unix_nanos();
        assert_eq!(
            "2026-11-24 01:00".parse::<When>().unwrap().unix_nanos() - day,
            3_600_000_000_000
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "soon",
            "-2h",
            "2",
            "1 month",
            "2026-13-01",
            "2026-11-24T25:00:00Z",
            "9999999999999d",
        ] {
            assert!(bad.parse::<When>().is_err(), "{bad}");
        }
    }

    #[test]
    fn no_time_overflows() {
        assert_eq!(When::Ago(Duration::MAX).unix_nanos(), i64::MIN);
        assert_eq!(When::At(Timestamp::MAX).unix_nanos(), i64::MAX);
        assert!(When::from(SystemTime::now()).unix_nanos() > 1_600_000_000_000_000_000);
    }
}
