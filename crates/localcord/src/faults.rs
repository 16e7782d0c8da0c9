//! Faults on request: what goes wrong on the way to Discord, and inside it.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::route::Route;

/// Something that goes wrong with REST calls until it is released, used up or over.
#[derive(Clone, Debug)]
pub struct Fault {
    effect: Effect,
    calls: Option<u32>,
    lasts: Option<Duration>,
    method: Option<String>,
    path: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Effect {
    /// The connection is cut before the request is looked at.
    Refuse,
    /// Discord answers this status and code, and does nothing.
    Status(u16, u32),
    /// 429 with this `retry-after`.
    RateLimit { retry_after: Duration, global: bool },
    /// The request is done, the answer late.
    Slow(Duration),
    /// The request is done, the connection cut before the answer.
    LoseAnswer,
    /// The request is looked at once the fault has ended.
    Hang,
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse => write!(formatter, "refuse connections"),
            Self::Status(status, 0) => write!(formatter, "answer {status}"),
            Self::Status(status, code) => write!(formatter, "answer {status} with code {code}"),
            Self::RateLimit {
                retry_after,
                global,
            } => {
                let scope = if *global { "global" } else { "route" };
                write!(
                    formatter,
                    "rate limit ({scope}), retry after {} s",
                    retry_after.as_secs_f64()
                )
            }
            Self::Slow(by) => write!(formatter, "answer {} s late", by.as_secs_f64()),
            Self::LoseAnswer => write!(formatter, "lose the answer"),
            Self::Hang => write!(formatter, "hang"),
        }
    }
}

impl Fault {
    /// The connection is cut before the request is read: nothing is done.
    pub fn refuse() -> Self {
        Self::of(Effect::Refuse)
    }

    /// Discord answers `status` (500, 502, 503 …) and does nothing.
    pub fn status(status: u16) -> Self {
        Self::of(Effect::Status(status, 0))
    }

    /// Discord refuses with `status` and one of its own codes, such as 429 and 30046, and does nothing.
    pub fn refusal(status: u16, code: u32) -> Self {
        Self::of(Effect::Status(status, code))
    }

    /// Discord answers 429 with this `retry-after` and does nothing.
    pub fn rate_limit(retry_after: Duration) -> Self {
        Self::of(Effect::RateLimit {
            retry_after,
            global: false,
        })
    }

    /// As [`Fault::rate_limit`], for all routes together.
    pub fn global_rate_limit(retry_after: Duration) -> Self {
        Self::of(Effect::RateLimit {
            retry_after,
            global: true,
        })
    }

    /// The request is done at once, and its answer held back for so long.
    pub fn slow(by: Duration) -> Self {
        Self::of(Effect::Slow(by))
    }

    /// The request is done, and the connection cut before the answer.
    pub fn lose_answer() -> Self {
        Self::of(Effect::LoseAnswer)
    }

    /// Discord says nothing until the fault has ended, and does the request then.
    pub fn hang() -> Self {
        Self::of(Effect::Hang)
    }

    fn of(effect: Effect) -> Self {
        Self {
            effect,
            calls: None,
            lasts: None,
            method: None,
            path: None,
        }
    }

    /// Ends after so many calls. Without it, the fault stays until it is released.
    #[must_use]
    pub fn times(mut self, calls: u32) -> Self {
        self.calls = Some(calls);
        self
    }

    /// Ends after so long on localcord's clock.
    #[must_use]
    pub fn lasting(mut self, lasts: Duration) -> Self {
        self.lasts = Some(lasts);
        self
    }

    /// Only for this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_uppercase());
        self
    }

    /// Only for paths such as `/channels/*/messages`: `*` stands for one segment, `**` at the end for any rest.
    #[must_use]
    pub fn path(mut self, pattern: &str) -> Self {
        self.path = Some(pattern.to_owned());
        self
    }

    /// Only for this method and path, see [`Fault::path`].
    #[must_use]
    pub fn on(self, method: &str, pattern: &str) -> Self {
        self.method(method).path(pattern)
    }

    fn hits(&self, route: &Route) -> bool {
        let method = self
            .method
            .as_ref()
            .is_none_or(|method| method == route.method.as_str());
        let left = self.calls != Some(0);
        left && method
            && self
                .path
                .as_ref()
                .is_none_or(|pattern| matches(pattern, &route.path))
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.trim_matches('/').split('/');
    for expected in pattern.trim_matches('/').split('/') {
        match (expected, segments.next()) {
            ("**", _) => return true,
            ("*", Some(_)) => {}
            (expected, Some(segment)) if expected == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

#[derive(Debug)]
struct Active {
    number: u64,
    fault: Fault,
    until: Option<DateTime<Utc>>,
    /// Whether it has hit a call.
    met: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    last: u64,
    active: Vec<Active>,
}

impl Book {
    fn end_overdue(&mut self, now: DateTime<Utc>) {
        self.active
            .retain(|active| active.until.is_none_or(|until| now < until));
    }
}

impl Faults {
    pub(crate) fn inject(&self, fault: Fault, now: DateTime<Utc>) -> u64 {
        let mut book = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        book.last += 1;
        let number = book.last;
        let until = fault
            .lasts
            .and_then(|lasts| TimeDelta::from_std(lasts).ok())
            .and_then(|lasts| now.checked_add_signed(lasts));
        book.active.push(Active {
            number,
            fault,
            until,
            met: false,
        });
        number
    }

    pub(crate) fn release(&self, number: u64) -> bool {
        let mut book = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        let before = book.active.len();
        book.active.retain(|active| active.number != number);
        book.active.len() < before
    }

    pub(crate) fn release_all(&self) {
        self.active
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .active
            .clear();
    }

    /// What is wrong now.
    pub(crate) fn list(&self, now: DateTime<Utc>) -> Vec<Value> {
        let mut book = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        book.end_overdue(now);
        let shown = book.active.iter().map(|active| {
            json!({
                "number": active.number,
                "effect": active.fault.effect.to_string(),
                "method": active.fault.method,
                "path": active.fault.path,
                "times": active.fault.calls,
                "until": active.until.map(|until| until.timestamp_millis()),
            })
        });
        shown.collect()
    }

    /// Whether a fault has hit a call; one that is over counts as such.
    pub(crate) fn was_met(&self, number: u64) -> bool {
        let book = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        let found = book.active.iter().find(|active| active.number == number);
        found.is_none_or(|active| active.met)
    }

    /// Whether a fault has neither been released nor ended by itself.
    pub(crate) fn lasts(&self, number: u64, now: DateTime<Utc>) -> bool {
        let mut book = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        book.end_overdue(now);
        book.active.iter().any(|active| active.number == number)
    }

    /// The fault that hits this call with its number, counted.
    pub(crate) fn take(&self, route: &Route, now: DateTime<Utc>) -> Option<(u64, Effect)> {
        let mut book = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        book.end_overdue(now);
        let index = book
            .active
            .iter()
            .position(|active| active.fault.hits(route))?;
        let active = &mut book.active[index];
        let (number, effect) = (active.number, active.fault.effect);
        active.met = true;
        if let Some(calls) = &mut active.fault.calls {
            *calls -= 1;
            // What holds a call must last as long as the call is held.
            if *calls == 0 && effect != Effect::Hang {
                book.active.remove(index);
            }
        }
        Some((number, effect))
    }

    /// Whether even a connection is refused: only by a fault that spares no route. It has been met then.
    pub(crate) fn refuse_connection(&self, now: DateTime<Utc>) -> bool {
        let mut book = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        book.end_overdue(now);
        let refuses = |active: &&mut Active| {
            let fault = &active.fault;
            let everything =
                fault.calls.is_none() && fault.method.is_none() && fault.path.is_none();
            everything && fault.effect == Effect::Refuse
        };
        let met = book.active.iter_mut().find(refuses);
        met.map(|active| active.met = true).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_matches_segment_by_segment() {
        assert!(matches("/channels/*/messages", "/channels/12/messages"));
        assert!(!matches("/channels/*/messages", "/channels/12/messages/13"));
        assert!(matches(
            "/webhooks/**",
            "/webhooks/1/token/messages/@original"
        ));
        assert!(!matches("/channels/*", "/channels"));
    }
}
