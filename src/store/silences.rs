//! Silences: what somebody does not want to hear of, until when.

use chrono::{DateTime, Utc};

use super::{Store, Tx, json, to_json};
use crate::domain::{
    ids::{ActionId, SilenceId, UserId},
    squelch::{Matcher, Silence},
};

impl Store {
    /// Those that count at `now`, the first to end first.
    pub async fn silences(&self, now: DateTime<Utc>) -> sqlx::Result<Vec<Silence>> {
        let rows = sqlx::query!(
            r#"SELECT id, matcher, reason, author, since AS "since: DateTime<Utc>", until AS "until: DateTime<Utc>"
               FROM silences WHERE ended_at IS NULL AND until > ? ORDER BY until, id"#,
            now
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Silence {
                    id: SilenceId(row.id),
                    matcher: json("matcher", &row.matcher)?,
                    reason: row.reason,
                    author: UserId::from_db(row.author),
                    since: row.since,
                    until: row.until,
                })
            })
            .collect()
    }
}

/// Nobody is told of these until then, by an action.
pub async fn insert(tx: &mut Tx, action: ActionId, silence: &NewSilence<'_>) -> sqlx::Result<()> {
    let (matcher, author) = (to_json(silence.matcher)?, silence.author.to_db());
    sqlx::query!(
        "INSERT INTO silences (matcher, reason, author, since, until, action_id) VALUES (?, ?, ?, ?, ?, ?)",
        matcher,
        silence.reason,
        author,
        silence.since,
        silence.until,
        action.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends one before its time; false if it is over already.
pub async fn end(tx: &mut Tx, id: SilenceId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE silences SET ended_at = ?1 WHERE id = ?2 AND ended_at IS NULL AND until > ?1",
        now,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A silence about to begin.
#[derive(Clone, Copy, Debug)]
pub struct NewSilence<'a> {
    pub matcher: &'a Matcher,
    pub reason: &'a str,
    pub author: UserId,
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
}
