//! Fleets.

use chrono::{DateTime, Utc};
use sqlx::SqliteExecutor;

use super::{Store, Tx, unreadable};
use crate::domain::{
    agent::Name,
    fleet::Fleet,
    ids::{ChannelId, FleetId},
};

impl Store {
    /// All living fleets, by name.
    pub async fn fleets(&self) -> sqlx::Result<Vec<Fleet>> {
        read(&self.reader).await
    }
}

pub(super) async fn read(db: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<Fleet>> {
    let rows = sqlx::query!(
        r#"SELECT id, name, channel_id, created_at AS "created_at: DateTime<Utc>"
               FROM fleets WHERE removed_at IS NULL ORDER BY name"#
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Fleet {
                id: FleetId(row.id),
                name: Name::parse(&row.name).map_err(|_| unreadable("name", &row.name))?,
                channel: row.channel_id.map(ChannelId::from_db),
                created_at: row.created_at,
            })
        })
        .collect()
}

/// Fails with a unique violation if the name is taken.
pub async fn insert(
    tx: &mut Tx,
    name: &Name,
    channel: Option<ChannelId>,
    now: DateTime<Utc>,
) -> sqlx::Result<FleetId> {
    let (name, channel) = (name.as_str(), channel.map(ChannelId::to_db));
    let id = sqlx::query_scalar!(
        r#"INSERT INTO fleets (name, channel_id, created_at) VALUES (?, ?, ?) RETURNING id AS "id!""#,
        name,
        channel,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(FleetId(id))
}

/// True if the fleet was there and empty; it is gone then.
pub async fn remove_if_empty(
    tx: &mut Tx,
    fleet: FleetId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE fleets SET removed_at = ? WHERE id = ? AND removed_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM agents WHERE fleet_id = fleets.id AND removed_at IS NULL)",
        now,
        fleet.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
