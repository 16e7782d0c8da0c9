//! Forms that are being filled in.

use chrono::{DateTime, Utc};

use super::Store;
use crate::domain::ids::InteractionId;

impl Store {
    /// Writes or replaces the form that began with this interaction.
    pub async fn put_draft(
        &self,
        id: InteractionId,
        body: &str,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let id = id.to_db();
        let mut tx = self.begin().await?;
        sqlx::query!(
            "INSERT INTO drafts (interaction_id, body, created_at) VALUES (?, ?, ?)
             ON CONFLICT (interaction_id) DO UPDATE SET body = excluded.body",
            id,
            body,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// The form as it stands, if it is still there.
    pub async fn draft(&self, id: InteractionId) -> sqlx::Result<Option<String>> {
        let id = id.to_db();
        sqlx::query_scalar!("SELECT body FROM drafts WHERE interaction_id = ?", id)
            .fetch_optional(&self.reader)
            .await
    }

    /// Forgets forms begun before `before`.
    pub async fn drop_drafts(&self, before: DateTime<Utc>) -> sqlx::Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query!("DELETE FROM drafts WHERE created_at < ?", before)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }
}
