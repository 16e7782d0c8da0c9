//! "Approve and allow for an hour": what somebody may do again without others being asked.

use chrono::{DateTime, Utc};

use super::{Store, Tx, audit, unreadable};
use crate::domain::{
    action::Kind,
    approval::Allowance,
    audit::What,
    ids::{ActionId, AllowanceId, FleetId, UserId},
};

/// An allowance about to be given.
#[derive(Clone, Copy, Debug)]
pub struct NewAllowance {
    /// The action whose approval gives it.
    pub action: ActionId,
    pub user: UserId,
    pub kind: Kind,
    pub fleet: FleetId,
    pub given_by: UserId,
    pub ends_at: DateTime<Utc>,
}

impl Store {
    /// Those that have neither ended nor been revoked, in the order of their end.
    pub async fn allowances(&self, now: DateTime<Utc>) -> sqlx::Result<Vec<Allowance>> {
        let rows = sqlx::query!(
            r#"SELECT id, action_id, user_id, kind, fleet_id, given_by, ends_at AS "ends_at: DateTime<Utc>"
               FROM allowances WHERE revoked_at IS NULL AND ends_at > ? ORDER BY ends_at, id"#,
            now
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Allowance {
                    id: AllowanceId(row.id),
                    action: ActionId(row.action_id),
                    user: UserId::from_db(row.user_id),
                    kind: Kind::parse(&row.kind).ok_or_else(|| unreadable("kind", &row.kind))?,
                    fleet: FleetId(row.fleet_id),
                    given_by: UserId::from_db(row.given_by),
                    ends_at: row.ends_at,
                })
            })
            .collect()
    }
}

pub async fn insert(tx: &mut Tx, new: &NewAllowance, now: DateTime<Utc>) -> sqlx::Result<()> {
    let (user, given_by) = (new.user.to_db(), new.given_by.to_db());
    let kind = new.kind.as_str();
    sqlx::query!(
        "INSERT INTO allowances (action_id, user_id, kind, fleet_id, given_by, created_at, ends_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        new.action.0,
        user,
        kind,
        new.fleet.0,
        given_by,
        now,
        new.ends_at
    )
    .execute(&mut **tx)
    .await?;
    let mut entry = audit::about(tx, new.action, What::Granted).await?;
    entry.actor = Some(new.given_by);
    entry.text = Some(format!("the same again until {}", new.ends_at));
    audit::append(tx, &entry, now).await?;
    Ok(())
}

/// Ends one early; false if it had ended before.
pub async fn revoke(
    tx: &mut Tx,
    id: AllowanceId,
    by: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let by = by.to_db();
    let revoked = sqlx::query!(
        "UPDATE allowances SET revoked_by = ?, revoked_at = ? WHERE id = ? AND revoked_at IS NULL AND ends_at > ?",
        by,
        now,
        id.0,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(revoked.rows_affected() == 1)
}
