//! "Approve and allow for an hour": what somebody may do again without others being asked.

use chrono::{DateTime, Utc};

use super::{Store, Tx, audit, unreadable};
use crate::domain::{
    action::Kind,
    agent::Name,
    approval::Allowance,
    audit::{Origin, What},
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
    /// Whether one ended by itself and was not told to the audit yet.
    pub async fn has_untold_ends(&self, now: DateTime<Utc>) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM allowances
                              WHERE end_told = 0 AND revoked_at IS NULL AND ends_at <= ?) AS "untold!: bool""#,
            now
        )
        .fetch_one(&self.reader)
        .await
    }

    /// Those that have neither ended nor been revoked, in the order of their end.
    pub async fn allowances(&self, now: DateTime<Utc>) -> sqlx::Result<Vec<Allowance>> {
        let rows = sqlx::query!(
            r#"SELECT allowances.id AS "id!", action_id, user_id, kind, fleet_id, fleets.name AS fleet_name, given_by,
                      ends_at AS "ends_at: DateTime<Utc>"
               FROM allowances JOIN fleets ON fleets.id = fleet_id
               WHERE revoked_at IS NULL AND ends_at > ? ORDER BY ends_at, allowances.id"#,
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
                    fleet_name: Name::parse(&row.fleet_name)
                        .map_err(|_| unreadable("name", &row.fleet_name))?,
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
    let id = sqlx::query_scalar!(
        r#"INSERT INTO allowances (action_id, user_id, kind, fleet_id, given_by, created_at, ends_at)
           VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id AS "id!""#,
        new.action.0,
        user,
        kind,
        new.fleet.0,
        given_by,
        now,
        new.ends_at
    )
    .fetch_one(&mut **tx)
    .await?;
    let mut entry = audit::about(tx, new.action, What::Granted).await?;
    entry.actor = Some(new.given_by);
    entry.text = Some(format!("the same again until {}", new.ends_at));
    entry.details["allowance"] = id.into();
    audit::append(tx, &entry, now).await?;
    Ok(())
}

/// Whether one counts at this instant, while nobody else writes.
pub async fn is_live(tx: &mut Tx, id: AllowanceId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let live = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM allowances WHERE id = ? AND revoked_at IS NULL AND ends_at > ?) AS "live!: bool""#,
        id.0,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(live)
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

/// Tells the ends of those that nobody took back, each once.
pub async fn tell_ends(tx: &mut Tx, now: DateTime<Utc>) -> sqlx::Result<()> {
    let ended = sqlx::query!(
        r#"UPDATE allowances SET end_told = 1 WHERE end_told = 0 AND revoked_at IS NULL AND ends_at <= ?
           RETURNING id AS "id!", action_id, ends_at AS "ends_at: DateTime<Utc>""#,
        now
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in ended {
        let mut entry = audit::about(tx, ActionId(row.action_id), What::GrantEnded).await?;
        (entry.actor, entry.origin) = (None, Origin::Yardarm);
        entry.text = Some(format!("the same again until {}", row.ends_at));
        entry.details["allowance"] = row.id.into();
        audit::append(tx, &entry, now).await?;
    }
    Ok(())
}
