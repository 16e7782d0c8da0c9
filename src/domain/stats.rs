//! What an agent uses: counters as the engine keeps them, and what two readings of them tell.

use chrono::{DateTime, Utc};

/// What one container has used at one instant, as the engine counts it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub at: DateTime<Utc>,
    /// CPU time since the container started, in nanoseconds.
    pub cpu_ns: u64,
    /// Bytes in use without the page cache.
    pub memory_bytes: u64,
    pub pids: u64,
    /// Since the container started.
    pub io: Io,
}

/// Bytes through networks and block devices: counted, or a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Io {
    pub received: u64,
    pub sent: u64,
    pub read: u64,
    pub written: u64,
}

impl Io {
    /// What was added in the meantime. A counter that went back began anew, and its value is what was added since then.
    fn since(self, earlier: Self) -> Self {
        let added = |now: u64, then: u64| now.checked_sub(then).unwrap_or(now);
        Self {
            received: added(self.received, earlier.received),
            sent: added(self.sent, earlier.sent),
            read: added(self.read, earlier.read),
            written: added(self.written, earlier.written),
        }
    }

    fn each(self, change: impl Fn(u64) -> u64) -> Self {
        Self {
            received: change(self.received),
            sent: change(self.sent),
            read: change(self.read),
            written: change(self.written),
        }
    }
}

/// What two samples tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Of one CPU: 1.5 is one and a half of them.
    pub cpus: f64,
    pub memory_bytes: u64,
    pub pids: u64,
    /// A second.
    pub io: Io,
}

impl Usage {
    /// None if the samples are not in order or the container was started anew between them.
    pub fn between(earlier: &Sample, later: &Sample) -> Option<Self> {
        let elapsed = (later.at - earlier.at)
            .num_nanoseconds()
            .and_then(|ns| u64::try_from(ns).ok())
            .filter(|ns| *ns > 0)?;
        let used = later.cpu_ns.checked_sub(earlier.cpu_ns)?;
        let a_second = |bytes: u64| {
            let exact = u128::from(bytes) * 1_000_000_000 / u128::from(elapsed);
            u64::try_from(exact).unwrap_or(u64::MAX)
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share of a CPU needs no 53 bits"
        )]
        let cpus = used as f64 / elapsed as f64;
        Some(Self {
            cpus,
            memory_bytes: later.memory_bytes,
            pids: later.pids,
            io: later.io.since(earlier.io).each(a_second),
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn sample(seconds: i64, cpu_ns: u64, received: u64) -> Sample {
        Sample {
            at: DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds),
            cpu_ns,
            memory_bytes: 1,
            pids: 1,
            io: Io {
                received,
                ..Io::default()
            },
        }
    }

    #[test]
    fn usage_is_what_was_used_between_two_samples() {
        let usage = Usage::between(&sample(0, 0, 10), &sample(2, 3_000_000_000, 4010)).unwrap();
        assert!((usage.cpus - 1.5).abs() < f64::EPSILON);
        assert_eq!(usage.io.received, 2000);
        assert_eq!(usage.io.sent, 0);
        assert_eq!(Usage::between(&sample(2, 0, 0), &sample(2, 1, 0)), None);
        assert_eq!(Usage::between(&sample(3, 0, 0), &sample(2, 1, 0)), None);
        // It was started anew between them.
        assert_eq!(Usage::between(&sample(0, 5, 0), &sample(2, 4, 0)), None);
    }

    #[test]
    fn a_counter_that_went_back_began_anew() {
        // A network was left and joined again: the CPU's counter goes on, that of the network does not.
        let usage = Usage::between(&sample(0, 1, 5000), &sample(10, 2, 300)).unwrap();
        assert_eq!(usage.io.received, 30);
    }
}
