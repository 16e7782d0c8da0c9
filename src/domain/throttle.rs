//! So much of one kind in so much time, and how much was held back.

use std::{collections::HashMap, hash::Hash};

use chrono::{DateTime, TimeDelta, Utc};

/// Keys that are kept at most, besides those that still count.
const KEPT: usize = 1024;

#[derive(Debug)]
pub struct Throttle<K> {
    most: u32,
    within: TimeDelta,
    spans: HashMap<K, Span>,
}

#[derive(Debug)]
struct Span {
    began: DateTime<Utc>,
    passed: u32,
    held_back: u64,
}

impl<K: Eq + Hash> Throttle<K> {
    pub fn new(most: u32, within: TimeDelta) -> Self {
        Self {
            most,
            within,
            spans: HashMap::new(),
        }
    }

    /// None if there were too many already; else how many were held back since the last that passed.
    pub fn pass(&mut self, key: K, now: DateTime<Utc>) -> Option<u64> {
        let within = self.within;
        if self.spans.len() > KEPT {
            self.spans.retain(|_, span| now - span.began < within);
        }
        let span = self.spans.entry(key).or_insert(Span {
            began: now,
            passed: 0,
            held_back: 0,
        });
        // One that begins later: the clock was set back meanwhile.
        if now - span.began >= within || now < span.began {
            (span.began, span.passed) = (now, 0);
        }
        if span.passed >= self.most {
            span.held_back += 1;
            return None;
        }
        span.passed += 1;
        Some(std::mem::take(&mut span.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_counted_and_told_with_the_next() {
        let mut throttle = Throttle::new(2, TimeDelta::hours(1));
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let passed = [0, 1, 2, 59].map(|minutes| throttle.pass("scout", at(minutes)));
        assert_eq!(passed, [Some(0), Some(0), None, None]);
        assert_eq!(throttle.pass("lookout", at(59)), Some(0));
        assert_eq!(throttle.pass("scout", at(60)), Some(2));
        assert_eq!(throttle.pass("scout", at(61)), Some(0));
    }

    #[test]
    fn a_moment_counts_whole_and_a_clock_that_was_set_back_begins_anew() {
        let mut throttle = Throttle::new(2, TimeDelta::hours(1));
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let passed = [60, 60, 60, 59, 59, 59].map(|minutes| throttle.pass("scout", at(minutes)));
        assert_eq!(passed, [Some(0), Some(0), None, Some(1), Some(0), None]);
    }

    #[test]
    fn those_that_count_no_more_are_forgotten() {
        let mut throttle = Throttle::new(1, TimeDelta::hours(1));
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        for key in 1..KEPT {
            throttle.pass(key, at(0));
        }
        throttle.pass(0, at(30));
        // Not looked for before there are too many.
        throttle.pass(1, at(60));
        assert_eq!(throttle.spans.len(), KEPT);
        throttle.pass(KEPT, at(60));
        throttle.pass(2, at(60));
        let mut left: Vec<_> = throttle.spans.into_keys().collect();
        left.sort_unstable();
        assert_eq!(left, [0, 1, 2, KEPT]);
    }
}
