//! The threads of alerts: started once, told in while they are there, done without where they cannot be.
//!
//! A thread has the id of the message it was started from, so starting it again is known to have been done. Somebody may
//! sleep: whatever is wrong with a thread, what was to be told in it is told in the channel.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::{
    Ops,
    deliver::{Deliver, Undelivered, look_for},
};
use crate::{
    domain::{
        ids::{AlertId, ChannelId, MessageId},
        outbox::{OutboxRow, Subject},
        squelch::Nudge,
    },
    error::Result,
};

/// After so many tries what waits behind a thread is told without it.
const ATTEMPTS: i64 = 3;

/// Where threads cannot be had: the log says it once for each channel.
#[derive(Debug, Default)]
pub(super) struct Threadless(Mutex<BTreeSet<u64>>);

impl Threadless {
    /// Whether that is new.
    fn note(&self, channel: ChannelId) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(channel.0)
    }

    fn forget(&self, channel: ChannelId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&channel.0);
    }
}

/// The thread that a row is told in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aside {
    pub(super) thread: ChannelId,
    alert: AlertId,
    nudge: Nudge,
}

impl Ops {
    pub(super) async fn deliver_thread(
        &self,
        (row, alert): (&OutboxRow, AlertId),
        by: &dyn Deliver,
    ) -> Result<()> {
        let card = self
            .store
            .outbox_message(Subject::Alert(alert), row.channel);
        let is_over = self
            .store
            .alert(alert)
            .await?
            .is_none_or(|one| one.closed_at.is_some());
        // Its message never came there, or there is nothing left to talk about.
        let Some(card) = card.await?.filter(|_| !is_over) else {
            return Ok(self.store.outbox_settle(row, None).await?);
        };
        match by.open_thread(alert, (row.channel, card)).await {
            Ok(()) => {
                self.threadless.forget(row.channel);
                Ok(self.store.outbox_settle(row, Some(card)).await?)
            }
            Err(error) if gives_up(row, &error, by).await => {
                self.do_without((alert, row.channel), &error).await
            }
            Err(error) => self.undelivered(row, &error).await,
        }
    }

    /// The thread of what a nudge is about, if it has one in that channel.
    pub(super) async fn aside_of(&self, row: &OutboxRow) -> Result<Option<Aside>> {
        let Subject::Nudge(id) = row.subject else {
            return Ok(None);
        };
        let Some((alert, nudge)) = self.store.nudge(id).await? else {
            return Ok(None);
        };
        let thread = self
            .store
            .outbox_message(Subject::Thread(alert), row.channel);
        Ok(thread.await?.map(|MessageId(id)| Aside {
            thread: ChannelId(id),
            alert,
            nudge,
        }))
    }

    /// Tells it in its thread. A thread that is gone, locked or forbidden is not asked again: the channel hears it then,
    /// except that all is over, which the card says.
    pub(super) async fn deliver_aside(
        &self,
        (row, aside): (&OutboxRow, Aside),
        by: &dyn Deliver,
    ) -> Result<std::result::Result<Option<MessageId>, Undelivered>> {
        let inside = OutboxRow {
            channel: aside.thread,
            ..row.clone()
        };
        match by.deliver(&inside).await {
            Err(error @ Undelivered::Never(_)) => {
                self.do_without((aside.alert, row.channel), &error).await?;
                if aside.nudge == Nudge::Over {
                    return Ok(Ok(None));
                }
                Ok(by.deliver(row).await.map(Some))
            }
            other => Ok(other.map(Some)),
        }
    }

    async fn do_without(
        &self,
        (alert, channel): (AlertId, ChannelId),
        why: &Undelivered,
    ) -> Result<()> {
        if self.threadless.note(channel) {
            tracing::warn!(
                alert.id = alert.0,
                channel.id = channel.0,
                error = %why,
                "no thread for an alert: what follows is told in the channel; `yardarm doctor` tells what is missing"
            );
        }
        Ok(self.store.outbox_without_thread((alert, channel)).await?)
    }
}

/// What Discord refuses is given up at once; what fails, after some tries, if Discord answers something else then.
async fn gives_up(row: &OutboxRow, error: &Undelivered, by: &dyn Deliver) -> bool {
    match error {
        Undelivered::Never(_) | Undelivered::MessageGone(_) => true,
        _ if row.attempts + 1 < ATTEMPTS => false,
        _ => look_for(row.channel, &[row.subject], by).await.is_ok(),
    }
}
