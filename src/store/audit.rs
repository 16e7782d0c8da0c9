//! The audit: rows are added in the transaction of what they tell, and never changed.

use chrono::{DateTime, Utc};

use super::Tx;
use crate::domain::audit::{Entry, GENESIS, Record};

/// Adds an entry to the chain, in the transaction of what it tells. Returns the number of its row.
pub async fn append(tx: &mut Tx, entry: &Entry, now: DateTime<Utc>) -> sqlx::Result<i64> {
    // The highest number ever given, even if somebody has taken its row away: that gap must stay.
    // (An expression, because sqlx crashes on that table's columns, which have no type.)
    let head = sqlx::query!(
        r#"SELECT coalesce(max(seq), 0) AS "last!: i64",
                  (SELECT hash FROM audit ORDER BY id DESC LIMIT 1) AS "hash: Vec<u8>"
           FROM sqlite_sequence WHERE name = 'audit'"#
    )
    .fetch_one(&mut **tx)
    .await?;
    let previous = head.hash.unwrap_or_else(|| GENESIS.to_vec());
    let record = Record::chain(&previous, head.last + 1, entry, now);
    insert(tx, &record).await?;
    Ok(record.number)
}

async fn insert(tx: &mut Tx, record: &Record) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO audit (id, at, what, actor, origin, agent_id, agent_name, fleet_id, fleet_name, action_id, kind,
                            plan, text, details, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        record.number,
        record.at,
        record.what,
        record.actor,
        record.origin,
        record.agent_id,
        record.agent_name,
        record.fleet_id,
        record.fleet_name,
        record.action_id,
        record.kind,
        record.plan,
        record.text,
        record.details,
        record.hash
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
