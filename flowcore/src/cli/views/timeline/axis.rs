//! The marks of a time axis.

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Steps that people count time in, past seconds.
const LONG_STEPS: [i64; 19] = [
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
];

/// Marks from 0 to `span`, no more than `most` and the one at 0, in nanoseconds.
pub(super) fn ticks(span: i64, most: usize) -> Vec<i64> {
    let most = i64::try_from(most).unwrap_or(i64::MAX).max(1);
    let step = step(span, most);
    (0..=span / step).map(|index| index * step).collect()
}

fn step(span: i64, most: i64) -> i64 {
    let fits = |step: &i64| span / step <= most;
    let short = (3..10).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power)));
    let longer = (1..).map_while(|times: i64| (100 * DAY).checked_mul(times));
    short.chain(LONG_STEPS).chain(longer).find(fits).unwrap_or(i64::MAX)
}

/// `0`, `50µs`, `2.5s`, `1m 30s`, `1h`, `2d 12h`: short, and exact for the marks of [`ticks`].
pub(super) fn label(nanos: i64) -> String {
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit} {small}{small_unit}"),
    };
    let decimal = |unit: i64, name: &str| {
        let digits = format!("{}.{:03}", nanos / unit, nanos % unit * 1000 / unit);
        format!("{}{name}", digits.trim_end_matches('0').trim_end_matches('.'))
    };
    match nanos {
        0 => "0".to_owned(),
        ..1_000_000 => decimal(1_000, "µs"),
        1_000_000..SECOND => decimal(1_000_000, "ms"),
        SECOND..MINUTE => decimal(SECOND, "s"),
        MINUTE..HOUR => two(nanos / MINUTE, "m", nanos % MINUTE / SECOND, "s"),
        HOUR..DAY => two(nanos / HOUR, "h", nanos % HOUR / MINUTE, "m"),
        _ => two(nanos / DAY, "d", nanos % DAY / HOUR, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        let labels = |span, most| ticks(span, most).into_iter().map(label).collect::<Vec<_>>();
        assert_eq!(labels(95 * SECOND, 5), ["0", "30s", "1m", "1m 30s"]);
        assert_eq!(labels(1_290_000_000, 4), ["0", "500ms", "1s"]);
        assert_eq!(labels(5 * HOUR + 1, 6), ["0", "1h", "2h", "3h", "4h", "5h"]);
        assert_eq!(labels(340_000, 4), ["0", "100µs", "200µs", "300µs"]);
        assert_eq!(labels(60 * HOUR, 5), ["0", "12h", "1d", "1d 12h", "2d", "2d 12h"]);
        assert_eq!(labels(1, 4), ["0"]);
        for most in [0, 1, 3, 10, 1000] {
            for span in [1, 999, 12_345_678, 59 * SECOND, 90 * DAY, 3650 * DAY, i64::MAX] {
                assert!(ticks(span, most).len() <= most.max(1) + 1, "{span} {most}");
            }
        }
    }
}
