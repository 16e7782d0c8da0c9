//! An agent that does nothing for long is stopped, or people are asked whether it shall be.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::history::minute;

/// When an agent is idle, and what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Idle {
    /// Percent of one CPU; it is idle as long as no minute's average is above it.
    #[schemars(range(min = 0.1, max = 100))]
    pub cpu_percent: f64,
    /// For how long; minutes are kept for a day.
    #[schemars(range(min = 5, max = 1380))]
    pub minutes: u32,
    /// `propose` asks people whether to stop it, `stop` does so.
    pub then: Then,
}

/// What is done about an idle agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Then {
    Propose,
    Stop,
}

/// What is known of an agent since the time that is asked about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quiet {
    /// Minutes since 1970.
    pub first: i64,
    pub last: i64,
    /// The longest time of which nothing is known, in minutes.
    pub gap: i64,
    /// The most of one CPU that it used on average of a minute.
    pub cpus: f64,
}

/// Minutes that may be missing at the edges and in between: with very many agents each is sampled every few minutes only. What
/// happened in a longer gap nobody knows, and so it proves nothing.
const MISSING: i64 = 10;

impl Idle {
    /// The time that is looked at.
    pub fn since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - TimeDelta::minutes(self.minutes.into())
    }

    /// Whether it did nothing all that time.
    pub fn is_met(&self, quiet: &Quiet, started_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let since = self.since(now);
        started_at <= since
            && quiet.first <= minute(since) + MISSING
            && quiet.last >= minute(now) - MISSING
            && quiet.gap <= MISSING
            && quiet.cpus * 100.0 <= self.cpu_percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_quiet_is_idle() {
        let idle = Idle {
            cpu_percent: 2.0,
            minutes: 60,
            then: Then::Stop,
        };
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(100);
        let quiet = Quiet {
            first: minute(now) - 60,
            last: minute(now) - 1,
            gap: 1,
            cpus: 0.02,
        };
        let long_ago = now - TimeDelta::hours(5);
        assert!(idle.is_met(&quiet, long_ago, now));
        assert!(!idle.is_met(&quiet, now - TimeDelta::minutes(59), now));
        for other in [
            Quiet {
                cpus: 0.03,
                ..quiet
            },
            Quiet {
                first: quiet.first + 11,
                ..quiet
            },
            Quiet {
                last: quiet.last - 10,
                ..quiet
            },
            Quiet { gap: 11, ..quiet },
        ] {
            assert!(!idle.is_met(&other, long_ago, now), "{other:?}");
        }
    }
}
