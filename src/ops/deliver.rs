//! One outbox row → one message. Who can send implements [`Deliver`] or [`Notify`]; this file decides what becomes of
//! the row.

use std::{slice, time};

use async_trait::async_trait;
use chrono::{Duration, TimeDelta};
use tokio::time::timeout;

use super::{Ops, threads::Aside};
use crate::{
    domain::{
        board,
        event::Event,
        ids::{AlertId, ChannelId, MessageId},
        incident::Incident,
        outbox::{Exit, OutboxRow, Sent, Subject, backoff},
        squelch::Nudge,
        view::Backlog,
        vitals::Signal,
    },
    error::Result,
};

/// A row may take so long, with all that Discord's rate limits ask for: the others wait for it.
const PATIENCE: time::Duration = time::Duration::from_mins(1);
/// More than this are told in another digest: their marks must fit into it.
const DIGEST_MAX: usize = 40;

#[async_trait]
pub trait Deliver: Send + Sync {
    /// Renders the row's subject as it is now, and sends it or edits its message.
    async fn deliver(&self, row: &OutboxRow) -> std::result::Result<MessageId, Undelivered>;
    /// Starts the thread of an alert from its card. It may be started already: that is as good.
    async fn open_thread(
        &self,
        alert: AlertId,
        card: (ChannelId, MessageId),
    ) -> std::result::Result<(), Undelivered>;
    /// Tells of several subjects in one new message.
    async fn digest(
        &self,
        channel: ChannelId,
        subjects: &[Subject],
    ) -> std::result::Result<(), Undelivered>;
    /// Deletes a message of ours.
    async fn retract(
        &self,
        channel: ChannelId,
        message: MessageId,
    ) -> std::result::Result<(), Undelivered>;
    /// How many messages stand below one, up to `most`.
    async fn count_below(
        &self,
        place: (ChannelId, MessageId),
        most: u8,
    ) -> std::result::Result<usize, Undelivered>;
    /// Which of the subjects stand in the channel's recent history, told by their marks.
    async fn find(
        &self,
        channel: ChannelId,
        subjects: &[Subject],
    ) -> std::result::Result<Vec<(Subject, Sent)>, Undelivered>;
}

/// The ways out of Discord.
#[async_trait]
pub trait Notify: Send + Sync {
    /// Tells the target of the row's subject as it is now. What may be told twice carries the row and its version, by
    /// which the other side knows it again.
    async fn notify(&self, row: &OutboxRow, target: &str) -> std::result::Result<(), Undelivered>;
    /// Tells the service that watches over us how we are.
    async fn ping(&self, signal: Signal, report: String) -> std::result::Result<(), Undelivered>;
}

/// Why a message did not arrive, and what that asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The other side was not reached, or refused for now; nothing was sent.
    #[error("{0}")]
    Later(String),
    /// The same, and it said how long to wait.
    #[error("{0}")]
    LaterBy(String, TimeDelta),
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

impl Undelivered {
    /// In a word.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Later(_) | Self::LaterBy(..) => "later",
            Self::InDoubt(_) => "in_doubt",
            Self::MessageGone(_) => "gone",
            Self::Never(_) => "never",
        }
    }
}

impl Ops {
    /// Delivers what is due, one row per channel. Returns whether there may be more at once.
    pub async fn deliver(&self, by: &dyn Deliver) -> Result<bool> {
        let due = self.store.outbox_due(Exit::Channels, self.now()).await?;
        let rows = due
            .iter()
            .map(|row| self.in_time(row, self.deliver_row(row, by)));
        for done in futures::future::join_all(rows).await {
            done?;
        }
        self.note_backlog(!due.is_empty()).await
    }

    /// Tells targets what is due, one row each. Returns whether there may be more at once.
    pub async fn notify(&self, by: &dyn Notify) -> Result<bool> {
        let due = self.store.outbox_due(Exit::Targets, self.now()).await?;
        let rows = due
            .iter()
            .map(|row| self.in_time(row, self.notify_row(row, by)));
        for done in futures::future::join_all(rows).await {
            done?;
        }
        self.note_backlog(!due.is_empty()).await
    }

    /// What takes too long is tried again later, and may have arrived.
    async fn in_time(&self, row: &OutboxRow, work: impl Future<Output = Result<()>>) -> Result<()> {
        if let Ok(done) = timeout(PATIENCE, work).await {
            return done;
        }
        let why = format!("no answer within {} s", PATIENCE.as_secs());
        self.undelivered(row, &Undelivered::InDoubt(why)).await
    }

    async fn note_backlog(&self, changed: bool) -> Result<bool> {
        let (waiting, dead) = self.store.outbox_counts().await?;
        self.roster.set_backlog(Backlog { waiting, dead });
        if changed {
            self.publish(Event::Backlog);
        }
        Ok(changed)
    }

    async fn notify_row(&self, row: &OutboxRow, by: &dyn Notify) -> Result<()> {
        let target = row.target.as_deref().unwrap_or_default();
        if self.is_moot(row).await? {
            return Ok(self.store.outbox_settle(row, None).await?);
        }
        match by.notify(row, target).await {
            Ok(()) => {
                self.meters.delivery("target", "sent");
                Ok(self.store.outbox_settle(row, None).await?)
            }
            Err(error) => self.undelivered(row, &error).await,
        }
    }

    async fn deliver_row(&self, row: &OutboxRow, by: &dyn Deliver) -> Result<()> {
        if row.message.is_some() {
            return self.attempt(row, by).await;
        }
        if self.is_moot(row).await? {
            return Ok(self.store.outbox_settle(row, None).await?);
        }
        let waits_since = self.now()
            - TimeDelta::from_std(self.settings().outbox.digest_after).unwrap_or(Duration::MAX);
        let mut rows = self.store.outbox_backlog(row.channel, waits_since).await?;
        if rows.len() < 2 || rows.iter().all(|other| other.id != row.id) {
            rows = vec![row.clone()];
        }
        rows.truncate(DIGEST_MAX);
        let aside = self.aside_of(row).await?.filter(|_| row.in_doubt);
        let sent = match find_doubtful((&rows, aside), by).await {
            Ok(sent) => sent,
            Err(error) => return self.undelivered(row, &error).await,
        };
        for (subject, sent) in &sent {
            if let Some(row) = rows.iter().find(|row| row.subject == *subject) {
                self.take_as_sent(row, *sent, by).await?;
            }
        }
        rows.retain(|row| sent.iter().all(|(subject, _)| *subject != row.subject));
        match rows.as_slice() {
            [] => Ok(()),
            [only] => self.attempt(only, by).await,
            several => self.deliver_digest(row.channel, several, by).await,
        }
    }

    /// Nobody is notified once more, late, of what is over or looked after by then: its card says so.
    async fn is_moot(&self, row: &OutboxRow) -> Result<bool> {
        let Subject::Nudge(id) = row.subject else {
            return Ok(false);
        };
        let Some((alert, nudge)) = self.store.nudge(id).await?.filter(|_| !row.in_doubt) else {
            return Ok(false);
        };
        if nudge == Nudge::Over {
            let is_over = self
                .store
                .alert(alert)
                .await?
                .is_some_and(|one| one.closed_at.is_some());
            return Ok(!is_over || self.aside_of(row).await?.is_none());
        }
        let incidents = self.store.incidents_of(alert).await?;
        let unheeded = |one: &Incident| one.is_open() && one.acknowledged.is_none();
        Ok(!incidents.iter().any(unheeded))
    }

    /// It had arrived, although nobody told us: what it says may be old by now.
    async fn take_as_sent(&self, row: &OutboxRow, sent: Sent, by: &dyn Deliver) -> Result<()> {
        match sent {
            // It is said once, and may stand in a thread.
            Sent::Own(message) if matches!(row.subject, Subject::Nudge(_)) => {
                Ok(self.store.outbox_settle(row, Some(message)).await?)
            }
            Sent::Own(message) => {
                let found = OutboxRow {
                    message: Some(message),
                    ..row.clone()
                };
                self.attempt(&found, by).await
            }
            Sent::Digest => Ok(self.store.outbox_settle(row, None).await?),
        }
    }

    async fn attempt(&self, row: &OutboxRow, by: &dyn Deliver) -> Result<()> {
        if let Subject::Board(id) = row.subject {
            return self.deliver_board((row, id), by).await;
        }
        if let Subject::Thread(id) = row.subject {
            return self.deliver_thread((row, id), by).await;
        }
        if let Err(error) = self.ask_first(slice::from_ref(row), by).await {
            return self.undelivered(row, &error).await;
        }
        self.store.outbox_begin(row.id).await?;
        let delivered = match self.aside_of(row).await? {
            Some(aside) => self.deliver_aside((row, aside), by).await?,
            None => by.deliver(row).await.map(Some),
        };
        match delivered {
            Ok(message) => {
                self.meters.delivery("discord", "sent");
                Ok(self.store.outbox_settle(row, message).await?)
            }
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
        if let Err(error) = self.ask_first(rows, by).await {
            return self.all_undelivered(rows, &error).await;
        }
        let subjects: Vec<Subject> = rows.iter().map(|row| row.subject).collect();
        for row in rows {
            self.store.outbox_begin(row.id).await?;
        }
        match by.digest(channel, &subjects).await {
            Ok(()) => {
                self.meters.delivery("discord", "sent");
                for row in rows {
                    self.store.outbox_settle(row, None).await?;
                }
            }
            Err(error) => self.all_undelivered(rows, &error).await?,
        }
        Ok(())
    }

    async fn all_undelivered(&self, rows: &[OutboxRow], error: &Undelivered) -> Result<()> {
        for row in rows {
            self.undelivered(row, error).await?;
        }
        Ok(())
    }

    fn is_spent(&self, row: &OutboxRow) -> bool {
        row.attempts + 1 >= i64::from(self.settings().outbox.max_attempts)
    }

    /// Before a message is tried for the last time Discord is asked something else: while it does not answer that, no message
    /// is given up.
    async fn ask_first(
        &self,
        rows: &[OutboxRow],
        by: &dyn Deliver,
    ) -> std::result::Result<(), Undelivered> {
        if let Some(row) = rows.iter().find(|row| self.is_spent(row)) {
            look_for(row.channel, &[row.subject], by).await?;
        }
        Ok(())
    }

    pub(super) async fn undelivered(&self, row: &OutboxRow, error: &Undelivered) -> Result<()> {
        let why = error.to_string();
        let to = row.target.as_ref().map_or("discord", |_| "target");
        self.meters.delivery(to, error.as_str());
        let is_board = matches!(row.subject, Subject::Board(_));
        // A board is looked for before it is posted again, and an edit may be made twice: it waits for as long as it takes.
        let gives_up = !is_board && self.is_spent(row);
        match error {
            Undelivered::MessageGone(_) if row.message.is_some() => {
                self.store.outbox_repost(row.id).await?;
            }
            Undelivered::Never(_) | Undelivered::MessageGone(_) => self.bury(row, &why).await?,
            Undelivered::InDoubt(_) if gives_up => self.bury(row, &why).await?,
            Undelivered::Later(_) | Undelivered::LaterBy(..) | Undelivered::InDoubt(_) => {
                let mut wait = if is_board {
                    board::patience(row.attempts)
                } else {
                    backoff(row.attempts)
                };
                if let Undelivered::LaterBy(_, asked) = error {
                    wait = wait.max(*asked);
                }
                // A doubt outlives a question that was not answered.
                let in_doubt = row.in_doubt || matches!(error, Undelivered::InDoubt(_));
                self.store
                    .outbox_postpone(row.id, (self.now(), wait), &why, in_doubt)
                    .await?;
            }
        }
        Ok(())
    }

    async fn bury(&self, row: &OutboxRow, why: &str) -> Result<()> {
        tracing::warn!(
            outbox.id = row.id.0,
            channel.id = row.channel.0,
            target = row.target,
            error = why,
            "a message will never be delivered"
        );
        let instead = self.instead_of(row).map(|channel| (channel, self.now()));
        self.store.outbox_bury(row, why, instead).await?;
        if instead.is_some() {
            self.publish(Event::Outbox);
        }
        Ok(())
    }

    /// Where people are told of what is wrong, or asked, if its own channel is gone: where they look for everything else.
    fn instead_of(&self, row: &OutboxRow) -> Option<ChannelId> {
        let needs_people = matches!(
            row.subject,
            Subject::Alert(_)
                | Subject::Nudge(_)
                | Subject::Approval(_)
                | Subject::Reminder(_)
                | Subject::Result(_)
        );
        let ops = self.settings().discord.ops_channel;
        ops.filter(|channel| needs_people && *channel != row.channel)
    }
}

/// What of these may have been sent, and was.
async fn find_doubtful(
    (rows, aside): (&[OutboxRow], Option<Aside>),
    by: &dyn Deliver,
) -> std::result::Result<Vec<(Subject, Sent)>, Undelivered> {
    let doubtful: Vec<&OutboxRow> = rows.iter().filter(|row| row.in_doubt).collect();
    let Some(first) = doubtful.first() else {
        return Ok(Vec::new());
    };
    let subjects: Vec<Subject> = doubtful.iter().map(|row| row.subject).collect();
    if let Some(aside) = aside {
        match look_for(aside.thread, &subjects, by).await {
            Ok(found) if found.is_empty() => {}
            // The thread is gone, with what stood in it.
            Err(Undelivered::Never(_)) => {}
            settled => return settled,
        }
    }
    look_for(first.channel, &subjects, by).await
}

/// Which of the subjects stand in the channel. A lost answer to this leaves no doubt about a message: none was sent.
pub(super) async fn look_for(
    channel: ChannelId,
    subjects: &[Subject],
    by: &dyn Deliver,
) -> std::result::Result<Vec<(Subject, Sent)>, Undelivered> {
    let found = by.find(channel, subjects).await;
    found.map_err(|error| match error {
        Undelivered::InDoubt(why) => Undelivered::Later(why),
        other => other,
    })
}
