//! Alerts: messages about incidents, and how often people were notified by them.

use chrono::{DateTime, Utc};

use super::{Store, Tx, incidents, outbox, unreadable};
use crate::domain::{
    ids::{AlertId, IncidentId, NudgeId},
    incident::Severity,
    squelch::{Alert, Nudge},
};

/// All columns of an alert; `$rest` chooses the rows.
macro_rules! alerts {
    ($rest:literal $(, $given:expr)*) => {
        sqlx::query_as!(
            Row,
            r#"SELECT id AS "id!", route, grouped_by, opened_at AS "opened_at: DateTime<Utc>",
                      due_at AS "due_at: DateTime<Utc>", announced_at AS "announced_at: DateTime<Utc>",
                      told_at AS "told_at: DateTime<Utc>", told_severity,
                      unheeded_since AS "unheeded_since: DateTime<Utc>", repeats, escalations, closed_at AS "closed_at: DateTime<Utc>"
               FROM alerts "# + $rest
            $(, $given)*
        )
    };
}

impl Store {
    pub async fn alert(&self, id: AlertId) -> sqlx::Result<Option<Alert>> {
        let row = alerts!("WHERE id = ?", id.0)
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Row::read))
    }

    /// Which alert people were notified of once more, and why.
    pub async fn nudge(&self, id: NudgeId) -> sqlx::Result<Option<(AlertId, Nudge)>> {
        let row = sqlx::query!("SELECT alert_id, kind FROM nudges WHERE id = ?", id.0)
            .fetch_optional(&self.reader)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let nudge = Nudge::parse(&row.kind).ok_or_else(|| unreadable("kind", &row.kind))?;
        Ok(Some((AlertId(row.alert_id), nudge)))
    }
}

const DROPPED_AT_ONCE: i64 = 100;

impl Store {
    /// Deletes what was over before then, with all that was told of it.
    pub async fn drop_alerts(&self, before: DateTime<Utc>) -> sqlx::Result<()> {
        self.in_parts(|tx| Box::pin(drop_some(tx, before))).await
    }
}

/// Deletes some of what was over before then; false once none of it is left.
async fn drop_some(tx: &mut Tx, before: DateTime<Utc>) -> sqlx::Result<bool> {
    // One may be back and not told of yet: its message goes on.
    let over = sqlx::query_scalar!(
        "SELECT id FROM alerts WHERE closed_at < ? AND NOT EXISTS
             (SELECT 1 FROM incidents WHERE alert_id = alerts.id AND resolved_at IS NULL) LIMIT ?",
        before,
        DROPPED_AT_ONCE
    )
    .fetch_all(&mut **tx)
    .await?;
    for id in &over {
        drop_alert(tx, *id).await?;
    }
    let untold = incidents::drop_untold(tx, before, DROPPED_AT_ONCE).await?;
    Ok(!over.is_empty() || untold)
}

async fn drop_alert(tx: &mut Tx, id: i64) -> sqlx::Result<()> {
    outbox::drop_alert(tx, id).await?;
    sqlx::query!("DELETE FROM nudges WHERE alert_id = ?", id)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("DELETE FROM incidents WHERE alert_id = ?", id)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("DELETE FROM alerts WHERE id = ?", id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Those that are open, oldest first.
pub async fn open(tx: &mut Tx) -> sqlx::Result<Vec<Alert>> {
    let rows = alerts!("WHERE closed_at IS NULL ORDER BY id")
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows.into_iter().map(Row::read).collect())
}

/// Opens one about these incidents.
pub async fn insert(
    tx: &mut Tx,
    (route, group, due_at): (&str, &str, DateTime<Utc>),
    about: &[IncidentId],
    now: DateTime<Utc>,
) -> sqlx::Result<AlertId> {
    let id = sqlx::query_scalar!(
        r#"INSERT INTO alerts (route, grouped_by, opened_at, due_at) VALUES (?, ?, ?, ?) RETURNING id AS "id!""#,
        route,
        group,
        now,
        due_at
    )
    .fetch_one(&mut **tx)
    .await?;
    let alert = AlertId(id);
    for incident in about {
        join(tx, (alert, *incident), now).await?;
    }
    Ok(alert)
}

/// One more incident is told there.
pub async fn join(
    tx: &mut Tx,
    (alert, incident): (AlertId, IncidentId),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    incidents::join(tx, (incident, alert), now).await
}

/// What was over is back. If it was never announced, it is due at `due_at`.
pub async fn reopen(tx: &mut Tx, id: AlertId, due_at: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE alerts SET closed_at = NULL, due_at = CASE WHEN announced_at IS NULL THEN ? ELSE due_at END WHERE id = ?",
        due_at,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// From now on it takes that route, by its name and a group of it, from the foot of its ladder.
pub async fn reroute(
    tx: &mut Tx,
    id: AlertId,
    (route, group): (&str, &str),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE alerts SET route = ?, grouped_by = ?, unheeded_since = ?, repeats = 0, escalations = 0 WHERE id = ?",
        route,
        group,
        now,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// People are told of it now.
pub async fn announce(
    tx: &mut Tx,
    (id, severity): (AlertId, Severity),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let severity = severity.as_str();
    sqlx::query!(
        "UPDATE alerts SET announced_at = ?1, told_at = ?1, told_severity = ?2, unheeded_since = ?1
         WHERE id = ?3 AND announced_at IS NULL",
        now,
        severity,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// People are notified of it once more.
pub async fn nudge(
    tx: &mut Tx,
    (id, nudge, severity): (AlertId, Nudge, Severity),
    now: DateTime<Utc>,
) -> sqlx::Result<NudgeId> {
    let severity = severity.as_str();
    let (repeat, escalation) = (nudge == Nudge::Repeat, nudge == Nudge::Escalation);
    sqlx::query!(
        "UPDATE alerts SET told_at = ?, told_severity = ?, repeats = repeats + ?, escalations = escalations + ?
         WHERE id = ?",
        now,
        severity,
        repeat,
        escalation,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    insert_nudge(tx, (id, nudge), now).await
}

/// From now on it waits for somebody, who is reminded from the beginning.
pub async fn unheed(tx: &mut Tx, id: AlertId, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE alerts SET unheeded_since = ?, repeats = 0, escalations = 0 WHERE id = ?",
        now,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// It waits for nobody any more.
pub async fn heed(tx: &mut Tx, id: AlertId) -> sqlx::Result<()> {
    sqlx::query!("UPDATE alerts SET unheeded_since = NULL WHERE id = ?", id.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// All of it is over, and that is said where people talk about it.
pub async fn say_over(tx: &mut Tx, id: AlertId, now: DateTime<Utc>) -> sqlx::Result<NudgeId> {
    insert_nudge(tx, (id, Nudge::Over), now).await
}

async fn insert_nudge(
    tx: &mut Tx,
    (id, nudge): (AlertId, Nudge),
    now: DateTime<Utc>,
) -> sqlx::Result<NudgeId> {
    let kind = nudge.as_str();
    let number = sqlx::query_scalar!(
        r#"INSERT INTO nudges (alert_id, kind, created_at) VALUES (?, ?, ?) RETURNING id AS "id!""#,
        id.0,
        kind,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(NudgeId(number))
}

/// All of it is over.
pub async fn close(tx: &mut Tx, id: AlertId, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE alerts SET closed_at = ?, unheeded_since = NULL WHERE id = ? AND closed_at IS NULL",
        now,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

struct Row {
    id: i64,
    route: String,
    grouped_by: String,
    opened_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    announced_at: Option<DateTime<Utc>>,
    told_at: Option<DateTime<Utc>>,
    told_severity: Option<String>,
    unheeded_since: Option<DateTime<Utc>>,
    repeats: i64,
    escalations: i64,
    closed_at: Option<DateTime<Utc>>,
}

impl Row {
    fn read(self) -> Alert {
        Alert {
            id: AlertId(self.id),
            route: self.route,
            group: self.grouped_by,
            opened_at: self.opened_at,
            due_at: self.due_at,
            announced_at: self.announced_at,
            told_at: self.told_at,
            told_severity: self.told_severity.as_deref().and_then(Severity::parse),
            unheeded_since: self.unheeded_since,
            repeats: u32::try_from(self.repeats).unwrap_or(u32::MAX),
            escalations: u32::try_from(self.escalations).unwrap_or(u32::MAX),
            closed_at: self.closed_at,
        }
    }
}
