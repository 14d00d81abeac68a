//! Numbers and durations as people read them.

/// `1204` as `1,204`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12ms`, `1.2s`, `2m 05s`, `3h 04m`.
pub(super) fn duration(nanos: i64) -> String {
    let micros = nanos.max(0) / 1000;
    let seconds = micros / 1_000_000;
    match micros {
        0..1_000 => format!("{micros}µs"),
        1_000..1_000_000 => format!("{}ms", micros / 1_000),
        1_000_000..60_000_000 => format!("{seconds}.{}s", micros / 100_000 % 10),
        60_000_000..3_600_000_000 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        let shown = [0, 12, 999, 1_000, 1_204_567, u64::MAX].map(count);
        assert_eq!(
            shown,
            ["0", "12", "999", "1,000", "1,204,567", "18,446,744,073,709,551,615"]
        );
    }

    #[test]
    fn durations_take_the_unit_that_fits() {
        let nanos = [
            -5,
            340_900,
            12_000_000,
            999_999_999,
            1_290_000_000,
            125_000_000_000,
            11_040_000_000_000,
        ];
        assert_eq!(
            nanos.map(duration),
            ["0µs", "340µs", "12ms", "999ms", "1.2s", "2m 05s", "3h 04m"]
        );
    }
}
