//! What a number of samples comes to.

use std::time::Duration;

use serde::Serialize;

/// A distribution, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    pub(crate) n: usize,
}

impl Spread {
    /// None if nothing was measured.
    pub(crate) fn of(samples: &[Duration]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        let at = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100) - 1);
        Some(Self {
            max: milliseconds(*sorted.last()?),
            p50: milliseconds(*at(50)?),
            p99: milliseconds(*at(99)?),
            n: sorted.len(),
        })
    }
}

/// To the microsecond: what is finer is noise.
pub(crate) fn milliseconds(span: Duration) -> f64 {
    rounded(span.as_secs_f64() * 1000.0)
}

pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_takes_the_nearest_rank() {
        let samples: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        let spread = Spread::of(&samples);
        let expected = Spread {
            p50: 100.0,
            p99: 198.0,
            max: 200.0,
            n: 200,
        };
        assert_eq!(spread, Some(expected));
        assert_eq!(Spread::of(&[]), None);
    }
}
