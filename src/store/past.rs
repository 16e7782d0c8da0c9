//! Actions that are long over: forgotten with their targets, answers and messages, unless something still stands on them.

use chrono::{DateTime, Utc};

use super::{Store, Tx, outbox};

const FORGOTTEN_AT_ONCE: i64 = 100;

impl Store {
    /// Deletes what was over before then. An action stays while a board, freeze, silence, allowance or run names it.
    pub async fn drop_actions(&self, before: DateTime<Utc>) -> sqlx::Result<()> {
        self.in_parts(|tx| Box::pin(drop_some(tx, before))).await
    }
}

/// Deletes some of what was over before then; false once none of it is left.
async fn drop_some(tx: &mut Tx, before: DateTime<Utc>) -> sqlx::Result<bool> {
    let over = sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM actions WHERE finished_at < ?
           AND id NOT IN (SELECT action_id FROM boards UNION SELECT action_id FROM freezes UNION SELECT action_id FROM silences
               UNION SELECT action_id FROM allowances UNION SELECT action_id FROM runs WHERE action_id IS NOT NULL)
           LIMIT ?"#,
        before,
        FORGOTTEN_AT_ONCE
    )
    .fetch_all(&mut **tx)
    .await?;
    for id in &over {
        drop_action(tx, *id).await?;
    }
    Ok(!over.is_empty())
}

async fn drop_action(tx: &mut Tx, id: i64) -> sqlx::Result<()> {
    outbox::drop_action(tx, id).await?;
    sqlx::query!("DELETE FROM votes WHERE action_id = ?", id)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("DELETE FROM approvals WHERE action_id = ?", id)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("DELETE FROM action_targets WHERE action_id = ?", id)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("DELETE FROM actions WHERE id = ?", id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
