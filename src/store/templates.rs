//! Templates saved from chat, as JSON; what it means is `domain::template`'s business.

use chrono::{DateTime, Utc};

use super::{Store, Tx};
use crate::domain::{agent::Name, ids::UserId};

impl Store {
    /// Name and body of each.
    pub async fn templates(&self) -> sqlx::Result<Vec<(String, String)>> {
        let rows = sqlx::query!(r#"SELECT name AS "name!", body FROM templates ORDER BY name"#)
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(|row| (row.name, row.body)).collect())
    }
}

/// Fails with a unique violation if there is one of that name.
pub async fn insert(
    tx: &mut Tx,
    name: &Name,
    body: &str,
    by: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (name, by) = (name.as_str(), by.to_db());
    sqlx::query!(
        "INSERT INTO templates (name, body, created_by, created_at) VALUES (?, ?, ?, ?)",
        name,
        body,
        by,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// True if it was there.
pub async fn delete(tx: &mut Tx, name: &Name) -> sqlx::Result<bool> {
    let name = name.as_str();
    let done = sqlx::query!("DELETE FROM templates WHERE name = ?", name)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}
