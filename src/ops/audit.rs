//! What is told to the audit besides changes: refusals, containers that end by themselves; and what keeps it honest and small.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, TimeDelta, Utc};
use serde_json::json;

use super::{Ops, roster::Seen};
use crate::{
    domain::{
        agent::Observation,
        audit::{Entry, Origin, What, chain::Anchor},
        event::Event,
        ids::{AgentId, UserId},
        outbox::Subject,
        throttle::Throttle,
    },
    error::Result,
    store::{anchors, audit, outbox},
};

/// Rows in [`SPAN`] about one person's refusals, and about one agent's ends. A container that we start again comes near
/// it; one that its engine starts again, or somebody who tries and tries, is counted from then on.
const MOST: u32 = 20;
const SPAN: TimeDelta = TimeDelta::hours(1);

/// Actions stay for so many days at least: they tell how often an agent was healed, and what a card in a channel is about.
const ACTIONS_KEPT: u32 = 90;

/// What keeps the audit from being flooded.
#[derive(Debug)]
pub(super) struct Dams {
    people: Mutex<Throttle<UserId>>,
    agents: Mutex<Throttle<AgentId>>,
}

impl Default for Dams {
    fn default() -> Self {
        Self {
            people: Mutex::new(Throttle::new(MOST, SPAN)),
            agents: Mutex::new(Throttle::new(MOST, SPAN)),
        }
    }
}

impl Ops {
    /// Somebody may not. Counted always, told within bounds; `why` is what they read.
    pub async fn note_refusal(&self, user: UserId, why: &str) -> Result<()> {
        self.tell_refusal(user, why).await?;
        self.roster.note_refusal();
        self.publish(Event::Refused);
        Ok(())
    }

    async fn tell_refusal(&self, user: UserId, why: &str) -> Result<()> {
        let now = self.now();
        let passed = self
            .dams
            .people
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pass(user, now);
        let Some(held_back) = passed else {
            return Ok(());
        };
        let entry = Entry {
            actor: Some(user),
            text: why.lines().next().map(str::to_owned),
            details: json!({ "held_back": held_back }),
            ..Entry::new(What::Refused, Origin::CHAT)
        };
        let mut tx = self.store.begin().await?;
        audit::append(&mut tx, &entry, now).await?;
        Ok(tx.commit().await?)
    }

    /// Tells that a container ended or came up with no action of ours at work on it.
    pub(super) async fn note_passage(&self, seen: &Seen) -> Result<()> {
        let now = self.now();
        let Some(what) = passage(seen) else {
            return Ok(());
        };
        let finished = seen.after.as_ref().and_then(|after| after.finished_at);
        let known = self.store.ledger().last_end(seen.agent).await?;
        if what == What::Exited && known.is_some() && known == finished.map(|at| at.to_rfc3339()) {
            return Ok(());
        }
        let passed = self
            .dams
            .agents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pass(seen.agent, now);
        let Some(held_back) = passed else {
            return Ok(());
        };
        let entry = Entry {
            text: Some(in_words(what, seen.after.as_ref())),
            details: json!({
                "container": seen.container.short(),
                "finished_at": finished.map(|at| at.to_rfc3339()),
                "held_back": held_back,
            }),
            ..Entry::new(what, Origin::Yardarm)
        };
        let mut tx = self.store.begin().await?;
        audit::append_about(&mut tx, seen.agent, entry, now).await?;
        Ok(tx.commit().await?)
    }

    /// Posts the last row's number and hash, once a day.
    pub async fn drop_anchor(&self) -> Result<()> {
        let now = self.now();
        if !self.store.anchor_is_due(now).await? {
            return Ok(());
        }
        let settings = self.settings();
        let channel = settings.audit.anchor_channel;
        let mut tx = self.store.begin().await?;
        let Some(id) = anchors::drop_anchor(&mut tx, now).await? else {
            return Ok(());
        };
        if let Some(channel) = channel.or(settings.discord.ops_channel) {
            outbox::tell(&mut tx, (Subject::Anchor(id), channel), now).await?;
        }
        tx.commit().await?;
        self.publish(Event::Outbox);
        self.log_head().await
    }

    /// Writes the last row's number and hash to the log, which is another place than the database.
    pub async fn log_head(&self) -> Result<()> {
        if let Some(head) = self.store.ledger().head().await? {
            tracing::info!(audit.anchor = %head, "the audit stands at");
        }
        Ok(())
    }

    /// An anchor that was dropped, and when.
    pub async fn anchor(&self, id: i64) -> Result<(chrono::NaiveDate, Anchor)> {
        let missing = || anyhow::anyhow!("there is no anchor {id}");
        Ok(self.store.anchor(id).await?.ok_or_else(missing)?)
    }

    /// Purges what is older than the settings keep, and the actions that it told of.
    pub async fn purge_old(&self) -> Result<()> {
        let days = self.settings().audit.keep_days;
        if days == 0 {
            return Ok(());
        }
        let (now, before) = (self.now(), self.lived_ago(days).await?.map(midnight));
        if let Some(before) = before
            && self.store.ledger().is_older(before).await?
        {
            let mut tx = self.store.begin().await?;
            audit::purge(&mut tx, before, Origin::Yardarm, now).await?;
            tx.commit().await?;
        }
        self.store.delete_purged().await?;
        let quarter = self.lived_ago(ACTIONS_KEPT).await?;
        if let (Some(before), Some(quarter)) = (before, quarter) {
            self.store.drop_actions(before.min(quarter)).await?;
        }
        Ok(())
    }

    /// So many days ago, if Yardarm was there on as many since: a clock that is years ahead makes nothing old.
    pub(super) async fn lived_ago(&self, days: u32) -> Result<Option<DateTime<Utc>>> {
        let anchored = self.store.anchored_since(days.into()).await?;
        let ago = self.now() - Duration::days(days.into());
        Ok(anchored.map(|since| since.min(ago)))
    }
}

fn midnight(now: DateTime<Utc>) -> DateTime<Utc> {
    now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc()
}

/// Whether it ended or came up. Of one that we see for the first time we only know that it should run and does not.
fn passage(seen: &Seen) -> Option<What> {
    if seen.busy {
        return None;
    }
    let is_up = |observed: &Observation| observed.phase.is_up();
    match (&seen.before, &seen.after) {
        (None, Some(after)) => {
            let ended = seen.wanted && !is_up(after) && after.finished_at.is_some();
            ended.then_some(What::Exited)
        }
        (Some(_), None) => Some(What::Exited),
        (None, None) => None,
        (Some(before), Some(after)) if is_up(after) => {
            let again = !is_up(before) || before.started_at != after.started_at;
            again.then_some(What::CameUp)
        }
        (Some(before), Some(after)) => {
            (is_up(before) || before.finished_at != after.finished_at).then_some(What::Exited)
        }
    }
}

fn in_words(what: What, after: Option<&Observation>) -> String {
    match (what, after) {
        (What::CameUp, _) => "started by somebody else than Yardarm".to_owned(),
        (_, None) => "its container is gone".to_owned(),
        (_, Some(after)) if after.oom_killed => "out of memory".to_owned(),
        (_, Some(after)) => match (after.exit_code, &after.error) {
            (_, Some(error)) => error.lines().next().unwrap_or_default().to_owned(),
            (Some(code), None) => format!("exit code {code}"),
            (None, None) => "ended".to_owned(),
        },
    }
}
