//! What of the audit is noted down outside: once a day its last row.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::{Store, Tx};
use crate::domain::audit::{chain::Anchor, stamp};

impl Store {
    /// Whether this day has no anchor yet, and there were rows before it. (One of a later day says that the clock was ahead.)
    pub async fn anchor_is_due(&self, now: DateTime<Utc>) -> sqlx::Result<bool> {
        let day = now.date_naive();
        let midnight = stamp(day.and_time(NaiveTime::MIN).and_utc());
        sqlx::query_scalar!(
            r#"SELECT NOT EXISTS (SELECT 1 FROM anchors WHERE day = ?)
                      AND coalesce((SELECT at < ? FROM audit ORDER BY id LIMIT 1), 0) AS "due!: bool""#,
            day,
            midnight
        )
        .fetch_one(&self.reader)
        .await
    }

    /// When the last so many anchors began, of which each stands for a day on which we were there; None if there are not so many.
    pub async fn anchored_since(&self, days: i64) -> sqlx::Result<Option<DateTime<Utc>>> {
        let before = days - 1;
        sqlx::query_scalar!(
            r#"SELECT created_at AS "at: DateTime<Utc>" FROM anchors ORDER BY id DESC LIMIT 1 OFFSET ?"#,
            before
        )
        .fetch_optional(&self.reader)
        .await
    }

    /// An anchor and its day.
    pub async fn anchor(&self, id: i64) -> sqlx::Result<Option<(NaiveDate, Anchor)>> {
        let row = sqlx::query!(
            r#"SELECT day AS "day: NaiveDate", number, hash FROM anchors WHERE id = ?"#,
            id
        )
        .fetch_optional(&self.reader)
        .await?;
        Ok(row.map(|row| {
            let anchor = Anchor {
                number: row.number,
                hash: row.hash,
            };
            (row.day, anchor)
        }))
    }
}

/// Drops the anchor of this day at the last row; None if this day has one.
pub async fn drop_anchor(tx: &mut Tx, now: DateTime<Utc>) -> sqlx::Result<Option<i64>> {
    let day = now.date_naive();
    sqlx::query_scalar!(
        r#"INSERT INTO anchors (day, number, hash, created_at)
           SELECT ?, id, hash, ? FROM audit WHERE id = (SELECT max(id) FROM audit)
           ON CONFLICT (day) DO NOTHING RETURNING id AS "id!""#,
        day,
        now
    )
    .fetch_optional(&mut **tx)
    .await
}
