//! The outbox: one row for each message that exists or shall exist about a subject in a channel.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Store, Tx, approvals, unreadable};
use crate::domain::{
    ids::{AlertId, ChannelId, MessageId, OutboxId},
    outbox::{Exit, OutboxRow, Subject},
};

/// How many channels are served in one round.
const ROUND: i64 = 32;

impl Store {
    /// The first waiting row of each channel, or of each target, whose first row is due: order within one, none held up
    /// by another.
    pub async fn outbox_due(&self, exit: Exit, now: DateTime<Utc>) -> sqlx::Result<Vec<OutboxRow>> {
        let outside = exit == Exit::Targets;
        let latest = now + exit.latest();
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id, channel_id, target, subject_kind, subject_id, version, message_id, attempts,
                      in_doubt AS "in_doubt: bool", created_at AS "created_at: DateTime<Utc>"
               FROM outbox WHERE state = 'waiting' AND (due_at <= ?1 OR put_off_at > ?1 OR due_at > ?4) AND (target <> '') = ?2
                 AND id = (SELECT min(o.id) FROM outbox o WHERE o.state = 'waiting'
                               AND o.channel_id = outbox.channel_id AND o.target = outbox.target)
               ORDER BY id LIMIT ?3"#,
            now,
            outside,
            ROUND,
            latest
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// New messages for one channel that wait since before `before`, oldest first. What people are to answer, and what
    /// replies to it, is none of them: it needs a message of its own.
    pub async fn outbox_backlog(
        &self,
        channel: ChannelId,
        before: DateTime<Utc>,
    ) -> sqlx::Result<Vec<OutboxRow>> {
        let channel = channel.to_db();
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id, channel_id, target, subject_kind, subject_id, version, message_id, attempts,
                      in_doubt AS "in_doubt: bool", created_at AS "created_at: DateTime<Utc>"
               FROM outbox WHERE state = 'waiting' AND channel_id = ? AND message_id IS NULL AND created_at < ?
                 AND subject_kind IN ('action', 'start', 'anchor')
               ORDER BY id"#,
            channel,
            before
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The message about a subject in a channel, once it was sent.
    pub async fn outbox_message(
        &self,
        subject: Subject,
        channel: ChannelId,
    ) -> sqlx::Result<Option<MessageId>> {
        let (kind, number, channel) = (subject.kind(), subject.number(), channel.to_db());
        let message = sqlx::query_scalar!(
            "SELECT message_id FROM outbox WHERE subject_kind = ? AND subject_id = ? AND channel_id = ?",
            kind,
            number,
            channel
        )
        .fetch_optional(&self.reader)
        .await?;
        Ok(message.flatten().map(MessageId::from_db))
    }

    /// Where the message about a subject stands in Discord, if it was sent anywhere.
    pub async fn outbox_place(
        &self,
        subject: Subject,
    ) -> sqlx::Result<Option<(ChannelId, MessageId)>> {
        let (kind, number) = (subject.kind(), subject.number());
        let row = sqlx::query!(
            r#"SELECT channel_id, message_id AS "message_id!" FROM outbox
               WHERE subject_kind = ? AND subject_id = ? AND target = '' AND message_id IS NOT NULL ORDER BY id LIMIT 1"#,
            kind,
            number
        )
        .fetch_optional(&self.reader)
        .await?;
        let place = |channel, message| (ChannelId::from_db(channel), MessageId::from_db(message));
        Ok(row.map(|row| place(row.channel_id, row.message_id)))
    }

    /// When the next row falls due that waits for no other.
    pub async fn outbox_next(&self, exit: Exit) -> sqlx::Result<Option<DateTime<Utc>>> {
        let outside = exit == Exit::Targets;
        sqlx::query_scalar!(
            r#"SELECT min(due_at) AS "due: DateTime<Utc>" FROM outbox WHERE state = 'waiting' AND (target <> '') = ?
                 AND id = (SELECT min(o.id) FROM outbox o WHERE o.state = 'waiting'
                               AND o.channel_id = outbox.channel_id AND o.target = outbox.target)"#,
            outside
        )
        .fetch_one(&self.reader)
        .await
    }

    /// How many rows wait, and how many nobody will ever get.
    pub async fn outbox_counts(&self) -> sqlx::Result<(i64, i64)> {
        let row = sqlx::query!(
            r#"SELECT coalesce(sum(state = 'waiting'), 0) AS "waiting!: i64",
                      coalesce(sum(state = 'dead'), 0) AS "dead!: i64" FROM outbox WHERE state <> 'sent'"#
        )
        .fetch_one(&self.reader)
        .await?;
        Ok((row.waiting, row.dead))
    }

    /// Says that a send begins: until it is settled or postponed, its end is in doubt.
    pub async fn outbox_begin(&self, id: OutboxId) -> sqlx::Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query!("UPDATE outbox SET in_doubt = 1 WHERE id = ?", id.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }

    /// It was delivered, as `message` if that is its own. If the subject has changed meanwhile the row goes on
    /// waiting.
    pub async fn outbox_settle(
        &self,
        row: &OutboxRow,
        message: Option<MessageId>,
    ) -> sqlx::Result<()> {
        let mut tx = self.begin().await?;
        settle(&mut tx, row, message).await?;
        tx.commit().await
    }

    /// It failed now and is tried again after so long. `in_doubt` says that it may have arrived all the same.
    pub async fn outbox_postpone(
        &self,
        id: OutboxId,
        (now, wait): (DateTime<Utc>, TimeDelta),
        error: &str,
        in_doubt: bool,
    ) -> sqlx::Result<()> {
        let due = now + wait;
        let mut tx = self.begin().await?;
        sqlx::query!(
            "UPDATE outbox SET due_at = ?, put_off_at = ?, attempts = attempts + 1, error = ?, in_doubt = ? WHERE id = ?",
            due,
            now,
            error,
            in_doubt,
            id.0
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// Its message is gone or can no longer be edited: a new one is due at once.
    pub async fn outbox_repost(&self, id: OutboxId) -> sqlx::Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query!(
            "UPDATE outbox SET message_id = NULL, in_doubt = 0 WHERE id = ?",
            id.0
        )
        .execute(&mut *tx)
        .await?;
        // The new message of an alert has no thread yet.
        sqlx::query!(
            "UPDATE outbox SET message_id = NULL, attempts = 0, state = 'waiting', version = outbox.version + 1,
                    due_at = card.due_at
             FROM outbox card
             WHERE card.id = ? AND card.subject_kind = 'alert' AND outbox.subject_kind = 'thread'
               AND outbox.subject_id = card.subject_id AND outbox.channel_id = card.channel_id",
            id.0
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// An alert has no thread in that channel any more, or never gets one.
    pub async fn outbox_without_thread(
        &self,
        (alert, channel): (AlertId, ChannelId),
    ) -> sqlx::Result<()> {
        let channel = channel.to_db();
        let mut tx = self.begin().await?;
        sqlx::query!(
            "UPDATE outbox SET message_id = NULL, state = 'sent'
             WHERE subject_kind = 'thread' AND subject_id = ? AND channel_id = ?",
            alert.0,
            channel
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// Nobody will ever get it there; its subject is told in the channel `instead`, if there is one.
    pub async fn outbox_bury(
        &self,
        row: &OutboxRow,
        error: &str,
        instead: Option<(ChannelId, DateTime<Utc>)>,
    ) -> sqlx::Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query!(
            "UPDATE outbox SET state = 'dead', in_doubt = 0, error = ? WHERE id = ?",
            error,
            row.id.0
        )
        .execute(&mut *tx)
        .await?;
        if let Some((channel, now)) = instead {
            tell(&mut tx, (row.subject, channel), now).await?;
            if let Subject::Approval(id) = row.subject {
                approvals::move_to(&mut tx, id, channel).await?;
            }
            if let Subject::Alert(id) = row.subject
                && threads_of(&mut tx, id).await?.contains(&row.channel)
            {
                tell(&mut tx, (Subject::Thread(id), channel), now).await?;
            }
        }
        tx.commit().await
    }
}

/// The channels where an alert has a thread, or is to get one.
pub async fn threads_of(tx: &mut Tx, alert: AlertId) -> sqlx::Result<Vec<ChannelId>> {
    let channels = sqlx::query_scalar!(
        "SELECT channel_id FROM outbox
         WHERE subject_kind = 'thread' AND subject_id = ? AND (state = 'waiting' OR message_id IS NOT NULL)",
        alert.0
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(channels.into_iter().map(ChannelId::from_db).collect())
}

/// See [`Store::outbox_settle`].
pub(super) async fn settle(
    tx: &mut Tx,
    row: &OutboxRow,
    message: Option<MessageId>,
) -> sqlx::Result<()> {
    let message = message.map(MessageId::to_db);
    sqlx::query!(
        "UPDATE outbox SET message_id = ?, in_doubt = 0, attempts = 0, error = NULL,
                state = CASE WHEN version = ? THEN 'sent' ELSE state END
         WHERE id = ?",
        message,
        row.version,
        row.id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Somebody has shown this version of the subject to people already.
pub async fn shown(tx: &mut Tx, subject: Subject) -> sqlx::Result<()> {
    let (kind, number) = (subject.kind(), subject.number());
    sqlx::query!(
        "UPDATE outbox SET state = 'sent' WHERE subject_kind = ? AND subject_id = ? AND state = 'waiting'",
        kind,
        number
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether anything of what waits was sent is not known: all of it is looked for first.
pub async fn doubt_all(tx: &mut Tx) -> sqlx::Result<()> {
    sqlx::query!("UPDATE outbox SET in_doubt = 1 WHERE state = 'waiting' AND message_id IS NULL")
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The subject has changed: wherever it was told in Discord, the message is edited once `due`. Targets cannot edit what
/// they were told: see [`put_target`].
pub async fn touch(tx: &mut Tx, subject: Subject, due: DateTime<Utc>) -> sqlx::Result<()> {
    let (kind, number) = (subject.kind(), subject.number());
    sqlx::query!(
        "UPDATE outbox SET version = version + 1, state = 'waiting', due_at = ?
         WHERE subject_kind = ? AND subject_id = ? AND target = '' AND state <> 'dead'",
        due,
        kind,
        number
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

struct Row {
    id: i64,
    channel_id: i64,
    target: String,
    subject_kind: String,
    subject_id: i64,
    version: i64,
    message_id: Option<i64>,
    attempts: i64,
    in_doubt: bool,
    created_at: DateTime<Utc>,
}

impl Row {
    fn read(self) -> sqlx::Result<OutboxRow> {
        Ok(OutboxRow {
            id: OutboxId(self.id),
            channel: ChannelId::from_db(self.channel_id),
            target: Some(self.target).filter(|name| !name.is_empty()),
            subject: Subject::parse(&self.subject_kind, self.subject_id)
                .ok_or_else(|| unreadable("subject_kind", &self.subject_kind))?,
            version: self.version,
            message: self.message_id.map(MessageId::from_db),
            attempts: self.attempts,
            in_doubt: self.in_doubt,
            created_at: self.created_at,
        })
    }
}

/// The subject is to be told in that channel, or has changed there: at once, in a message of its own.
pub async fn tell(
    tx: &mut Tx,
    (subject, channel): (Subject, ChannelId),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let notice = Notice {
        subject,
        channel,
        message: None,
        due: now,
    };
    put(tx, &notice, now).await
}

/// Where and when a subject is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    pub subject: Subject,
    pub channel: ChannelId,
    /// The message to edit, if there is one.
    pub message: Option<MessageId>,
    pub due: DateTime<Utc>,
}

/// The subject has changed: its message in that channel is to be written or edited.
pub async fn put(tx: &mut Tx, notice: &Notice, now: DateTime<Utc>) -> sqlx::Result<()> {
    let (kind, number) = (notice.subject.kind(), notice.subject.number());
    let (channel, message) = (notice.channel.to_db(), notice.message.map(MessageId::to_db));
    // The answer to an interaction stands there already, though Discord's word on which message it is may be lost.
    let in_doubt = matches!(notice.subject, Subject::Action(_)) && message.is_none();
    sqlx::query!(
        "INSERT INTO outbox (channel_id, subject_kind, subject_id, state, message_id, due_at, created_at, in_doubt)
         VALUES (?, ?, ?, 'waiting', ?, ?, ?, ?)
         ON CONFLICT (subject_kind, subject_id, channel_id, target) DO UPDATE SET
             version = version + 1, state = 'waiting', due_at = excluded.due_at,
             message_id = coalesce(outbox.message_id, excluded.message_id)",
        channel,
        kind,
        number,
        message,
        notice.due,
        now,
        in_doubt
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A target is to be told of the subject, or told of it once more.
pub async fn put_target(
    tx: &mut Tx,
    (subject, target): (Subject, &str),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (kind, number) = (subject.kind(), subject.number());
    sqlx::query!(
        "INSERT INTO outbox (channel_id, target, subject_kind, subject_id, state, due_at, created_at)
         VALUES (0, ?1, ?2, ?3, 'waiting', ?4, ?4)
         ON CONFLICT (subject_kind, subject_id, channel_id, target) DO UPDATE SET
             version = version + 1, state = 'waiting', due_at = excluded.due_at, attempts = 0",
        target,
        kind,
        number,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets the messages about an alert, which then stay as they are.
pub(super) async fn drop_alert(tx: &mut Tx, alert: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM outbox WHERE subject_kind IN ('alert', 'thread') AND subject_id = ?1
             OR subject_kind = 'nudge' AND subject_id IN (SELECT id FROM nudges WHERE alert_id = ?1)",
        alert
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets the messages about an action, which then stay as they are.
pub(super) async fn drop_action(tx: &mut Tx, action: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM outbox WHERE subject_id = ? AND subject_kind IN
             ('action', 'approval', 'result', 'reminder', 'break-glass', 'report')",
        action
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The targets that were told of an alert, when it was announced or later. What never reached one is over there, too.
pub async fn targets_of(tx: &mut Tx, alert: AlertId) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT DISTINCT target FROM outbox
         WHERE target <> '' AND state <> 'dead' AND (subject_kind = 'alert' AND subject_id = ?1
             OR subject_kind = 'nudge' AND subject_id IN (SELECT id FROM nudges WHERE alert_id = ?1))
         ORDER BY target",
        alert.0
    )
    .fetch_all(&mut **tx)
    .await
}
