//! Boards: the one live status message of a channel.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::SqliteExecutor;

use super::{Store, Tx, audit, outbox, unreadable};
use crate::domain::{
    agent::Name,
    audit::{Entry, Origin, What},
    board::{Board, Shown},
    ids::{ActionId, BoardId, ChannelId, FleetId, MessageId, OutboxId, UserId},
    outbox::OutboxRow,
};

/// How the message of a board stands in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// It is about to be written or edited.
    Waiting,
    /// In this version.
    Sent(i64),
    /// It can never be, and why.
    Dead(String),
}

/// The channels of those that have not ended.
pub(super) async fn read_channels(db: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<ChannelId>> {
    let ids = sqlx::query_scalar!("SELECT channel_id FROM boards WHERE ended_at IS NULL")
        .fetch_all(db)
        .await?;
    Ok(ids.into_iter().map(ChannelId::from_db).collect())
}

impl Store {
    pub async fn board(&self, id: BoardId) -> sqlx::Result<Option<Board>> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT boards.id, boards.channel_id, fleet_id, fleets.name AS "fleet?", repost_after, created_by,
                      shown, shown_at AS "shown_at: DateTime<Utc>", changed_at AS "changed_at: DateTime<Utc>",
                      old_message_id, ended_at AS "ended_at: DateTime<Utc>", ended_because
               FROM boards LEFT JOIN fleets ON fleets.id = fleet_id WHERE boards.id = ?"#,
            id.0
        )
        .fetch_optional(&self.reader)
        .await?;
        row.map(Row::read).transpose()
    }

    /// The one that stands in a channel.
    pub async fn board_in(&self, channel: ChannelId) -> sqlx::Result<Option<Board>> {
        let all = self.boards().await?;
        let found = all.into_iter().find(|(board, _)| board.channel == channel);
        Ok(found.map(|(board, _)| board))
    }

    /// Those that have not ended, with their messages.
    pub async fn boards(&self) -> sqlx::Result<Vec<(Board, Message)>> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT boards.id, boards.channel_id, fleet_id, fleets.name AS "fleet?", repost_after, created_by,
                      shown, shown_at AS "shown_at: DateTime<Utc>", changed_at AS "changed_at: DateTime<Utc>",
                      old_message_id, ended_at AS "ended_at: DateTime<Utc>", ended_because
               FROM boards LEFT JOIN fleets ON fleets.id = fleet_id WHERE ended_at IS NULL ORDER BY boards.id"#
        )
        .fetch_all(&self.reader)
        .await?;
        let mut boards = Vec::new();
        for row in rows {
            let message = self.board_message(BoardId(row.id)).await?;
            boards.push((row.read()?, message));
        }
        Ok(boards)
    }

    async fn board_message(&self, id: BoardId) -> sqlx::Result<Message> {
        let row = sqlx::query!(
            "SELECT state, version, error FROM outbox WHERE subject_kind = 'board' AND subject_id = ?",
            id.0
        )
        .fetch_one(&self.reader)
        .await?;
        match row.state.as_str() {
            "waiting" => Ok(Message::Waiting),
            "sent" => Ok(Message::Sent(row.version)),
            "dead" => Ok(Message::Dead(row.error.unwrap_or_default())),
            other => Err(unreadable("state", other)),
        }
    }

    /// It was delivered: this picture stands in that message since `now`.
    pub async fn board_shown(
        &self,
        (id, row): (BoardId, &OutboxRow),
        (picture, message): (&str, MessageId),
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let mut tx = self.begin().await?;
        outbox::settle(&mut tx, row, Some(message)).await?;
        sqlx::query!(
            "UPDATE boards SET shown = ?1, shown_at = ?2,
                    changed_at = CASE WHEN shown = ?1 AND changed_at <= ?2 THEN changed_at ELSE ?2 END
             WHERE id = ?3",
            picture,
            now,
            id.0
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// It is to be posted anew; its message so far is to be deleted.
    pub async fn board_repost(
        &self,
        (id, row): (BoardId, OutboxId),
        old: MessageId,
    ) -> sqlx::Result<()> {
        let old = old.to_db();
        let mut tx = self.begin().await?;
        sqlx::query!(
            "UPDATE boards SET old_message_id = ? WHERE id = ?",
            old,
            id.0
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "UPDATE outbox SET message_id = NULL, in_doubt = 0 WHERE id = ?",
            row.0
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// The message before the present one is gone.
    pub async fn board_is_alone(&self, id: BoardId) -> sqlx::Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query!("UPDATE boards SET old_message_id = NULL WHERE id = ?", id.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }
}

/// A board about to be.
#[derive(Clone, Copy, Debug)]
pub struct NewBoard {
    pub channel: ChannelId,
    pub fleet: Option<FleetId>,
    pub repost_after: Option<u8>,
    pub created_by: UserId,
}

/// None if the action has made its board already.
pub async fn insert(
    tx: &mut Tx,
    action: ActionId,
    new: &NewBoard,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<BoardId>> {
    let (channel, by) = (new.channel.to_db(), new.created_by.to_db());
    let fleet = new.fleet.map(|fleet| fleet.0);
    let id = sqlx::query_scalar!(
        r#"INSERT INTO boards (channel_id, fleet_id, repost_after, created_by, action_id, created_at)
           VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (action_id) DO NOTHING RETURNING id AS "id!""#,
        channel,
        fleet,
        new.repost_after,
        by,
        action.0,
        now
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(id.map(BoardId))
}

/// Its message is to be edited at `now`, unless that was said since it was looked at.
pub async fn touch(
    tx: &mut Tx,
    (id, version): (BoardId, i64),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE outbox SET version = version + 1, state = 'waiting', due_at = ?
         WHERE subject_kind = 'board' AND subject_id = ? AND state = 'sent' AND version = ?",
        now,
        id.0,
        version
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends the one that stands in a channel, and tells which it was. That somebody wanted it, the action tells.
pub async fn end_in(
    tx: &mut Tx,
    channel: ChannelId,
    why: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<BoardId>> {
    let channel = channel.to_db();
    let id = sqlx::query_scalar!(
        r#"UPDATE boards SET ended_at = ?, ended_because = ? WHERE channel_id = ? AND ended_at IS NULL
           RETURNING id AS "id!""#,
        now,
        why,
        channel
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(id.map(BoardId))
}

/// It ended by itself, which is told; false if it had ended before.
pub async fn end(tx: &mut Tx, board: &Board, why: &str, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE boards SET ended_at = ?, ended_because = ? WHERE id = ? AND ended_at IS NULL",
        now,
        why,
        board.id.0
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let entry = Entry {
        fleet: board.fleet.clone(),
        text: Some(why.to_owned()),
        details: json!({ "board": board.id.0, "channel": board.channel.to_string() }),
        ..Entry::new(What::BoardEnded, Origin::Yardarm)
    };
    audit::append(tx, &entry, now).await?;
    Ok(true)
}

struct Row {
    id: i64,
    channel_id: i64,
    fleet_id: Option<i64>,
    fleet: Option<String>,
    repost_after: Option<i64>,
    created_by: i64,
    shown: Option<String>,
    shown_at: Option<DateTime<Utc>>,
    changed_at: Option<DateTime<Utc>>,
    old_message_id: Option<i64>,
    ended_at: Option<DateTime<Utc>>,
    ended_because: Option<String>,
}

impl Row {
    fn read(self) -> sqlx::Result<Board> {
        let name = |name: String| Name::parse(&name).map_err(|_| unreadable("name", &name));
        let fleet = self.fleet.map(name).transpose()?;
        let shown = self.shown.zip(self.shown_at).zip(self.changed_at);
        Ok(Board {
            id: BoardId(self.id),
            channel: ChannelId::from_db(self.channel_id),
            fleet: self.fleet_id.map(FleetId).zip(fleet),
            // The database keeps it between 1 and 100.
            repost_after: self.repost_after.and_then(|count| u8::try_from(count).ok()),
            created_by: UserId::from_db(self.created_by),
            shown: shown.map(|((picture, at), changed_at)| Shown {
                picture,
                at,
                changed_at,
            }),
            old_message: self.old_message_id.map(MessageId::from_db),
            ended: self.ended_at.zip(self.ended_because),
        })
    }
}
