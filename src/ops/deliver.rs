//! One outbox row → one message. Who can send implements [`Deliver`]; this file decides what becomes of the row.

use async_trait::async_trait;
use chrono::{Duration, TimeDelta};

use super::Ops;
use crate::{
    domain::{
        ids::{ChannelId, MessageId},
        outbox::{OutboxRow, Subject, backoff},
        view::Backlog,
    },
    error::Result,
};

#[async_trait]
pub trait Deliver: Send + Sync {
    /// Renders the row's subject as it is now, and sends it or edits its message.
    async fn deliver(&self, row: &OutboxRow) -> std::result::Result<MessageId, Undelivered>;
    /// Tells of several subjects in one new message.
    async fn digest(
        &self,
        channel: ChannelId,
        subjects: &[Subject],
    ) -> std::result::Result<MessageId, Undelivered>;
    /// A message of ours in the channel's recent history that carries the subject's mark.
    async fn find(
        &self,
        channel: ChannelId,
        subject: Subject,
    ) -> std::result::Result<Option<MessageId>, Undelivered>;
}

/// Why a message did not arrive, and what that asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// Discord was not reached, or refused for now; nothing was sent.
    #[error("{0}")]
    Later(String),
    /// The answer was lost: it may have arrived.
    #[error("{0}")]
    InDoubt(String),
    /// The message to edit is gone, or too old to be edited: a new one is needed.
    #[error("{0}")]
    MessageGone(String),
    /// It will never arrive: no such channel, no permission, a message Discord will not take.
    #[error("{0}")]
    Never(String),
}

impl Ops {
    /// Delivers what is due, one row per channel. Returns whether there may be more at once.
    pub async fn deliver(&self, by: &dyn Deliver) -> Result<bool> {
        let due = self.store.outbox_due(self.now()).await?;
        let rows = due.iter().map(|row| self.deliver_row(row, by));
        for done in futures::future::join_all(rows).await {
            done?;
        }
        let (waiting, dead) = self.store.outbox_counts().await?;
        self.roster.set_backlog(Backlog { waiting, dead });
        Ok(!due.is_empty())
    }

    async fn deliver_row(&self, row: &OutboxRow, by: &dyn Deliver) -> Result<()> {
        let waits_since = self.now()
            - TimeDelta::from_std(self.settings().outbox.digest_after).unwrap_or(Duration::MAX);
        let backlog = self.store.outbox_backlog(row.channel, waits_since).await?;
        if row.message.is_none() && backlog.len() > 1 {
            return self.deliver_digest(row.channel, &backlog, by).await;
        }
        if row.in_doubt && row.message.is_none() {
            match by.find(row.channel, row.subject).await {
                Ok(Some(message)) => {
                    let found = OutboxRow {
                        message: Some(message),
                        ..row.clone()
                    };
                    return self.attempt(&found, by).await;
                }
                Ok(None) => {}
                Err(error) => return self.undelivered(row, &error).await,
            }
        }
        self.attempt(row, by).await
    }

    async fn attempt(&self, row: &OutboxRow, by: &dyn Deliver) -> Result<()> {
        self.store.outbox_begin(row.id).await?;
        match by.deliver(row).await {
            Ok(message) => Ok(self.store.outbox_settle(row, message).await?),
            Err(error) => self.undelivered(row, &error).await,
        }
    }

    /// After hours of silence: one message for all that waited, not one each.
    async fn deliver_digest(
        &self,
        channel: ChannelId,
        rows: &[OutboxRow],
        by: &dyn Deliver,
    ) -> Result<()> {
        let subjects: Vec<Subject> = rows.iter().map(|row| row.subject).collect();
        match by.digest(channel, &subjects).await {
            Ok(message) => {
                for row in rows {
                    self.store.outbox_settle(row, message).await?;
                }
            }
            Err(error) => {
                for row in rows {
                    self.undelivered(row, &error).await?;
                }
            }
        }
        Ok(())
    }

    async fn undelivered(&self, row: &OutboxRow, error: &Undelivered) -> Result<()> {
        let why = error.to_string();
        let spent = row.attempts + 1 >= i64::from(self.settings().outbox.max_attempts);
        match error {
            Undelivered::MessageGone(_) if row.message.is_some() => {
                self.store.outbox_repost(row.id).await?
            }
            Undelivered::Never(_) | Undelivered::MessageGone(_) => self.bury(row, &why).await?,
            Undelivered::InDoubt(_) if spent => self.bury(row, &why).await?,
            Undelivered::Later(_) | Undelivered::InDoubt(_) => {
                let due = self.now() + backoff(row.attempts);
                let in_doubt = matches!(error, Undelivered::InDoubt(_));
                self.store
                    .outbox_postpone(row.id, due, &why, in_doubt)
                    .await?;
            }
        }
        Ok(())
    }

    async fn bury(&self, row: &OutboxRow, why: &str) -> Result<()> {
        tracing::warn!(
            outbox.id = row.id.0,
            channel.id = row.channel.0,
            error = why,
            "a message will never be delivered"
        );
        Ok(self.store.outbox_bury(row.id, why).await?)
    }
}
