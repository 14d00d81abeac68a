//! Which batches of a process are there.

/// The numbers of a process's batches, as ranges from the lowest on.
///
/// The engine's threads write each for itself, so that batches may come out of order; and one that was given up leaves a gap for good.
#[derive(Default)]
pub(super) struct Sequences(Vec<(u64, u64)>);

impl Sequences {
    pub(super) fn has(&self, number: u64) -> bool {
        let following = self.0.partition_point(|(first, _)| *first <= number);
        following > 0 && number <= self.0[following - 1].1
    }

    pub(super) fn add(&mut self, number: u64) {
        // The last range mostly grows by one.
        if let Some((_, last)) = self.0.last_mut()
            && last.checked_add(1) == Some(number)
        {
            *last = number;
            return;
        }
        let following = self.0.partition_point(|(first, _)| *first <= number);
        if following > 0 && number <= self.0[following - 1].1 {
            return;
        }
        let joins_before = following > 0 && self.0[following - 1].1 + 1 == number;
        let joins_after = self.0.get(following).is_some_and(|(first, _)| first - 1 == number);
        match (joins_before, joins_after) {
            (true, true) => {
                self.0[following - 1].1 = self.0[following].1;
                self.0.remove(following);
            }
            (true, false) => self.0[following - 1].1 = number,
            (false, true) => self.0[following].0 = number,
            (false, false) => self.0.insert(following, (number, number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_kept_and_closed() {
        let mut numbers = Sequences::default();
        assert!(!numbers.has(1));
        for number in [1, 2, 5, 4, 9, 7, u64::MAX] {
            numbers.add(number);
            numbers.add(number);
        }
        let had: Vec<u64> = (0..12).filter(|number| numbers.has(*number)).collect();
        assert_eq!(had, [1, 2, 4, 5, 7, 9]);
        assert!(numbers.has(u64::MAX));
        for number in [3, 8, 6] {
            numbers.add(number);
        }
        assert_eq!(numbers.0, [(1, 9), (u64::MAX, u64::MAX)]);
    }
}
