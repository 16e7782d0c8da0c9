//! Rate limits as Discord's buckets count them: by route and major parameter, in fixed windows.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderValue, Method};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{ids::Id, route::Route};

/// Whether rate limits are shown and kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RateLimits {
    /// No headers, no limits.
    #[default]
    Off,
    /// The headers of real buckets; nobody is refused.
    Headers,
    /// The headers, and 429 for who exceeds them.
    Enforced,
}

/// Calls and the window they share. The numbers are those that bots have seen; Discord publishes none but 50 a second.
#[derive(Clone, Copy, Debug)]
struct Quota {
    calls: u32,
    window: TimeDelta,
}

const GLOBAL: Quota = Quota {
    calls: 50,
    window: TimeDelta::seconds(1),
};
/// Buckets are dropped when there are more, those that are over first.
const REMEMBERED: usize = 4096;

#[derive(Debug)]
struct Bucket {
    used: u32,
    ends: DateTime<Utc>,
}

#[derive(Debug)]
pub(crate) struct Limits {
    mode: RateLimits,
    buckets: Mutex<HashMap<String, Bucket>>,
}

/// What one call found in its bucket.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    limit: u32,
    remaining: u32,
    ends: DateTime<Utc>,
    after: TimeDelta,
    bucket: String,
    /// `Some(global)` if the call is refused.
    pub(crate) refused: Option<bool>,
}

impl Limits {
    pub(crate) fn new(mode: RateLimits) -> Self {
        Self {
            mode,
            buckets: Mutex::default(),
        }
    }

    pub(crate) fn take(&self, route: &Route, now: DateTime<Utc>) -> Option<Reading> {
        if self.mode == RateLimits::Off {
            return None;
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > REMEMBERED {
            buckets.retain(|_, bucket| bucket.ends > now);
        }
        let quota = quota(route);
        let name = format!("{} {}", route.method, route.template);
        let own = count(
            &mut buckets,
            format!("{name} {}", route.major()),
            quota,
            now,
        );
        // Discord does not count callbacks and follow-ups of interactions into the global limit.
        let counted = !matches!(route.segment(0), "interactions" | "webhooks");
        let all = counted.then(|| count(&mut buckets, "global".to_owned(), GLOBAL, now));
        let global = all.as_ref().is_some_and(|(used, _)| *used > GLOBAL.calls);
        let (used, ends) = if let (true, Some(all)) = (global, all) {
            all
        } else {
            own
        };
        let over = global || used > quota.calls;
        Some(Reading {
            limit: quota.calls,
            remaining: quota.calls.saturating_sub(used),
            ends,
            after: ends - now,
            bucket: hash(&name),
            refused: (over && self.mode == RateLimits::Enforced).then_some(global),
        })
    }
}

/// Edits of messages older than an hour have a limit of their own. Discord does not publish it.
const OLD_EDITS: Quota = Quota {
    calls: 30,
    window: TimeDelta::hours(1),
};
const OLD: TimeDelta = TimeDelta::hours(1);

impl Limits {
    /// Counts an edit of a message sent at `sent`; the wait if it is one too many.
    pub(crate) fn edit(
        &self,
        channel: Id,
        sent: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<TimeDelta> {
        if self.mode != RateLimits::Enforced || now - sent < OLD {
            return None;
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("old edits {channel}");
        let (used, ends) = count(&mut buckets, key, OLD_EDITS, now);
        (used > OLD_EDITS.calls).then(|| ends - now)
    }
}

fn count(
    buckets: &mut HashMap<String, Bucket>,
    key: String,
    quota: Quota,
    now: DateTime<Utc>,
) -> (u32, DateTime<Utc>) {
    let bucket = buckets.entry(key).or_insert_with(|| Bucket {
        used: 0,
        ends: now + quota.window,
    });
    if bucket.ends <= now {
        *bucket = Bucket {
            used: 0,
            ends: now + quota.window,
        };
    }
    bucket.used += 1;
    (bucket.used, bucket.ends)
}

fn quota(route: &Route) -> Quota {
    let (calls, seconds) = match (&route.method, route.segment(0), route.segment(2)) {
        (&Method::POST | &Method::PATCH, "channels", "messages") => (5, 5),
        (&Method::DELETE, "channels", "messages") => (5, 1),
        (&Method::POST | &Method::PATCH | &Method::DELETE, "webhooks", _) => (5, 2),
        (&Method::PUT, "applications", _) => (2, 5),
        _ => (50, 1),
    };
    Quota {
        calls,
        window: TimeDelta::seconds(seconds),
    }
}

/// Discord names a bucket by a hash.
fn hash(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let number = digest
        .iter()
        .take(16)
        .fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    format!("{number:032x}")
}

impl Reading {
    pub(crate) fn retry_after(&self) -> f64 {
        seconds(self.after)
    }

    /// As the inspector shows it.
    pub(crate) fn to_json(&self) -> Value {
        let refused = self
            .refused
            .map(|global| if global { "global" } else { "user" });
        json!({
            "bucket": self.bucket,
            "limit": self.limit,
            "remaining": self.remaining,
            "resets_at": self.ends.timestamp_millis(),
            "refused": refused,
        })
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let reset = TimeDelta::milliseconds(self.ends.timestamp_millis());
        let after = format!("{:.3}", seconds(self.after));
        put(headers, "x-ratelimit-limit", &self.limit.to_string());
        put(
            headers,
            "x-ratelimit-remaining",
            &self.remaining.to_string(),
        );
        put(
            headers,
            "x-ratelimit-reset",
            &format!("{:.3}", seconds(reset)),
        );
        put(headers, "x-ratelimit-reset-after", &after);
        put(headers, "x-ratelimit-bucket", &self.bucket);
        if let Some(global) = self.refused {
            write_refusal(headers, self.retry_after(), global);
        }
    }
}

/// What stands over a 429, its wait in seconds.
pub(crate) fn write_refusal(headers: &mut HeaderMap, retry_after: f64, global: bool) {
    put(headers, "retry-after", &format!("{retry_after:.3}"));
    put(
        headers,
        "x-ratelimit-scope",
        if global { "global" } else { "user" },
    );
    if global {
        put(headers, "x-ratelimit-global", "true");
    }
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

fn seconds(span: TimeDelta) -> f64 {
    span.to_std().unwrap_or_default().as_secs_f64()
}
