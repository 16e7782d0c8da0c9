//! Whether Yardarm itself is alive: what a service outside is told, and when a connection is beyond hope.

use chrono::{DateTime, TimeDelta, Utc};

/// A process that was never let in waits so many times longer than one that was: the start before it did not help
/// either, and restarts must not pile up.
const NEVER_IN: i32 = 6;

/// How the connection to Discord's gateway stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    Up {
        since: DateTime<Utc>,
    },
    Down {
        since: DateTime<Utc>,
        /// It was up since the process began.
        was_up: bool,
    },
}

impl Gateway {
    /// As a process begins.
    pub const fn begin(now: DateTime<Utc>) -> Self {
        Self::Down {
            since: now,
            was_up: false,
        }
    }

    /// What becomes of it once it is seen so.
    #[must_use]
    pub const fn seen(self, up: bool, now: DateTime<Utc>) -> Self {
        match (self, up) {
            (Self::Down { .. }, true) => Self::Up { since: now },
            (Self::Up { .. }, false) => Self::Down {
                since: now,
                was_up: true,
            },
            (same, _) => same,
        }
    }

    /// Whether the process should end for it, after so long without; zero for never.
    pub fn is_dead(self, limit: TimeDelta, now: DateTime<Utc>) -> bool {
        let limit = match self {
            Self::Down { was_up: false, .. } => limit * NEVER_IN,
            _ => limit,
        };
        limit > TimeDelta::zero() && self.is_away(limit, now)
    }

    fn is_away(self, limit: TimeDelta, now: DateTime<Utc>) -> bool {
        matches!(self, Self::Down { since, .. } if now - since >= limit)
    }
}

/// What a service outside is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The process began.
    Start,
    Alive,
    /// It lives, but not well.
    Ill,
}

/// All that the signal goes by, and what else is worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vitals {
    pub gateway: Gateway,
    /// Loops that had to be begun again of late, and why.
    pub loops: Vec<String>,
    /// Why the engine does not answer, if it does not.
    pub engine: Option<String>,
    pub agents: usize,
    /// Messages that wait, and that will never arrive.
    pub waiting: i64,
    pub dead: i64,
}

impl Vitals {
    /// None while the gateway was never up and may still come: neither would be true.
    pub fn signal(&self, limit: TimeDelta, now: DateTime<Utc>) -> Option<Signal> {
        if !self.loops.is_empty() || self.gateway.is_away(limit, now) {
            return Some(Signal::Ill);
        }
        match self.gateway {
            Gateway::Down { was_up: false, .. } => None,
            Gateway::Up { .. } | Gateway::Down { was_up: true, .. } => Some(Signal::Alive),
        }
    }

    /// What a person reads who looks there.
    pub fn report(&self, now: DateTime<Utc>) -> String {
        let (word, since) = match self.gateway {
            Gateway::Up { since } => ("up", since),
            Gateway::Down { since, .. } => ("away", since),
        };
        let seconds = (now - since).num_seconds();
        let engine = match &self.engine {
            None => "answers".to_owned(),
            Some(why) => format!("does not answer: {why}"),
        };
        let loops = match self.loops.as_slice() {
            [] => "all go on".to_owned(),
            ill => ill.join("; "),
        };
        let Self {
            agents,
            waiting,
            dead,
            ..
        } = self;
        format!(
            "gateway: {word} for {seconds} s\nengine: {engine}\nworkers: {loops}\nagents: {agents}\n\
             messages: {waiting} wait, {dead} will never arrive\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: TimeDelta = TimeDelta::seconds(120);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_262_400 + seconds, 0).unwrap()
    }

    fn vitals(gateway: Gateway) -> Vitals {
        Vitals {
            gateway,
            loops: Vec::new(),
            engine: None,
            agents: 3,
            waiting: 1,
            dead: 0,
        }
    }

    #[test]
    fn it_is_alive_while_the_gateway_was_up_a_moment_ago() {
        let begun = Gateway::begin(at(0));
        let signal = |gateway, now| vitals(gateway).signal(LIMIT, at(now));
        assert_eq!(signal(begun, 119), None);
        assert_eq!(signal(begun, 120), Some(Signal::Ill));
        let up = begun.seen(false, at(10)).seen(true, at(20));
        assert_eq!(up, Gateway::Up { since: at(20) });
        assert_eq!(signal(up, 10_000), Some(Signal::Alive));
        let down = up
            .seen(true, at(30))
            .seen(false, at(40))
            .seen(false, at(50));
        assert_eq!(signal(down, 159), Some(Signal::Alive));
        assert_eq!(signal(down, 160), Some(Signal::Ill));
    }

    #[test]
    fn a_loop_that_was_begun_again_is_an_illness_and_the_engine_is_not() {
        let mut vitals = vitals(Gateway::Up { since: at(0) });
        vitals.engine = Some("connection refused".to_owned());
        assert_eq!(vitals.signal(LIMIT, at(90)), Some(Signal::Alive));
        vitals.loops.push("alerts fell over".to_owned());
        assert_eq!(vitals.signal(LIMIT, at(90)), Some(Signal::Ill));
        insta::assert_snapshot!(vitals.report(at(90)), @"
        gateway: up for 90 s
        engine: does not answer: connection refused
        workers: alerts fell over
        agents: 3
        messages: 1 wait, 0 will never arrive
        ");
    }

    #[test]
    fn a_connection_is_dead_after_its_limit_and_later_if_it_never_was() {
        let limit = TimeDelta::seconds(600);
        let begun = Gateway::begin(at(0));
        assert!(!begun.is_dead(limit, at(3599)));
        assert!(begun.is_dead(limit, at(3600)));
        let lost = begun.seen(true, at(0)).seen(false, at(100));
        assert!(!lost.is_dead(limit, at(699)));
        assert!(lost.is_dead(limit, at(700)));
        assert!(!lost.is_dead(TimeDelta::zero(), at(1_000_000)));
        assert!(!begun.seen(true, at(0)).is_dead(limit, at(1_000_000)));
    }
}
