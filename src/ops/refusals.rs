//! Who was refused what: counted, and told to the audit without flooding it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::sync::Notify;

use super::Ops;
use crate::{
    domain::{
        audit::{self, Entry, What},
        grant::{Caller, Forbidden},
        ids::UserId,
    },
    error::Result,
    store,
};

/// The same refusal of the same person within this time is one row and a count.
const WINDOW: TimeDelta = TimeDelta::minutes(10);
/// Different refusals remembered; what is more is only counted in the log.
const MOST: usize = 512;

#[derive(Debug, Default)]
pub struct Refusals {
    noted: Mutex<BTreeMap<(UserId, String), Tally>>,
    /// Rung at a refusal that no row tells of.
    pub bell: Notify,
}

#[derive(Debug)]
struct Tally {
    since: DateTime<Utc>,
    /// Not told yet.
    count: u32,
    told: bool,
}

impl Refusals {
    pub(super) fn note(&self, caller: &Caller, forbidden: &Forbidden, now: DateTime<Utc>) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (caller.user, forbidden.to_string());
        if noted.len() >= MOST && !noted.contains_key(&key) {
            tracing::warn!(
                user.id = caller.user.0,
                "refused; too many to tell the audit"
            );
            return;
        }
        let tally = noted.entry(key).or_insert(Tally {
            since: now,
            count: 0,
            told: false,
        });
        tally.count += 1;
        if !tally.told {
            self.bell.notify_one();
        }
    }

    /// What is to be told now: the first of each at once, repetitions when their time is over.
    fn due(&self, now: DateTime<Utc>) -> Vec<(UserId, String, u32)> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        noted.retain(|(user, text), tally| {
            let over = now - tally.since >= WINDOW;
            if tally.count > 0 && (over || !tally.told) {
                due.push((*user, text.clone(), tally.count));
                tally.count = 0;
                tally.told = true;
            }
            !over
        });
        due
    }
}

impl Ops {
    pub async fn tell_refusals(&self) -> Result<()> {
        let now = self.now();
        let due = self.refusals.due(now);
        if due.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        for (user, text, count) in due {
            let entry = Entry {
                actor: Some(user),
                text: Some(text),
                details: json!({ "count": count }),
                ..Entry::new(What::Refused, audit::Origin::CHAT)
            };
            store::audit::append(&mut tx, &entry, now).await?;
        }
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::GuildId;

    #[test]
    fn a_repeated_refusal_is_one_row_and_then_a_count() {
        let refusals = Refusals::default();
        let now = DateTime::UNIX_EPOCH;
        let caller = Caller {
            user: UserId(7),
            bot: false,
            guild: Some(GuildId(1)),
            roles: Vec::new(),
        };
        let counts = |now| -> Vec<u32> {
            let due = refusals.due(now);
            due.into_iter().map(|(_, _, count)| count).collect()
        };
        let refuse = || refusals.note(&caller, &Forbidden::Unclaimed, now);
        refuse();
        assert_eq!(counts(now), [1]);
        refuse();
        refuse();
        assert_eq!(counts(now + WINDOW - TimeDelta::seconds(1)), [0; 0]);
        assert_eq!(counts(now + WINDOW), [2]);
        assert_eq!(counts(now + WINDOW), [0; 0]);
        for user in 0..2 * MOST as u64 {
            let caller = Caller {
                user: UserId(user),
                ..caller.clone()
            };
            refusals.note(&caller, &Forbidden::Unclaimed, now);
        }
        assert_eq!(refusals.due(now).len(), MOST);
    }
}
