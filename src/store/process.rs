//! Whose database this is, and each start of the process.

use chrono::{DateTime, Utc};

use super::{Store, Tx};
use crate::domain::ids::InstanceId;

impl Store {
    /// The instance's id; `fresh` becomes it in a new database.
    pub async fn instance(
        &self,
        fresh: &InstanceId,
        now: DateTime<Utc>,
    ) -> sqlx::Result<InstanceId> {
        let mut tx = self.begin().await?;
        sqlx::query!(
            "INSERT INTO instance (only_row, id, created_at) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
            fresh.0,
            now
        )
        .execute(&mut *tx)
        .await?;
        let id = sqlx::query_scalar!("SELECT id FROM instance")
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(InstanceId(id))
    }
}

/// Notes that the process starts; the number names it in messages.
pub async fn note_start(tx: &mut Tx, now: DateTime<Utc>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"INSERT INTO starts (started_at) VALUES (?) RETURNING id AS "id!""#,
        now
    )
    .fetch_one(&mut **tx)
    .await
}
