//! Whose database this is, and each start of the process.

use chrono::{DateTime, Utc};

use serde_json::{Value, json};

use super::{Store, Tx, audit};
use crate::domain::{
    audit::{Entry, Origin, What},
    ids::InstanceId,
};

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

    /// The instance's id; None before the first start.
    pub async fn known_instance(&self) -> sqlx::Result<Option<InstanceId>> {
        let id = sqlx::query_scalar!("SELECT id FROM instance")
            .fetch_optional(&self.reader)
            .await?;
        Ok(id.map(InstanceId))
    }
}

/// Notes that the process starts, with what it was started from; the number names it in messages.
pub async fn note_start(tx: &mut Tx, made_of: Value, now: DateTime<Utc>) -> sqlx::Result<i64> {
    let number = sqlx::query_scalar!(
        r#"INSERT INTO starts (started_at) VALUES (?) RETURNING id AS "id!""#,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    let entry = Entry {
        details: json!({
            "start": number,
            "version": env!("CARGO_PKG_VERSION"),
            "files": made_of,
        }),
        ..Entry::new(What::Started, Origin::Yardarm)
    };
    audit::append(tx, &entry, now).await?;
    Ok(number)
}

/// Notes that the process ends in good order, and whether actions are left for the next start.
pub async fn note_stop(tx: &mut Tx, drained: bool, now: DateTime<Utc>) -> sqlx::Result<()> {
    let entry = Entry {
        text: (!drained).then(|| "actions were still under way".to_owned()),
        ..Entry::new(What::Stopped, Origin::Yardarm)
    };
    audit::append(tx, &entry, now).await?;
    Ok(())
}

/// What the files said when they were last read; None before the first time.
pub async fn said_by_files(tx: &mut Tx) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("SELECT body FROM said_by_files")
        .fetch_optional(&mut **tx)
        .await
}

/// Keeps what they say now, in the transaction that tells what has changed.
pub async fn keep_said(tx: &mut Tx, body: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO said_by_files (only, body) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET body = excluded.body",
        body
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
