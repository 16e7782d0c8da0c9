//! Incidents: what is wrong, since when, and who looks after it.

use chrono::{DateTime, Utc};

use super::{Store, Tx, audit, json, to_json, unreadable};
use crate::domain::{
    agent::Name,
    audit::{Entry, Origin, What},
    ids::{AgentId, AlertId, FleetId, IncidentId, UserId},
    incident::{About, Incident, Kind, Problem, Severity, Untold},
};

/// All columns of an incident, with the names of what it is about; `$rest` chooses the rows.
macro_rules! incidents {
    ($rest:literal $(, $given:expr)*) => {
        sqlx::query_as!(
            Row,
            r#"SELECT incidents.id AS "id!", about, agent_id, agents.name AS "agent?", incidents.fleet_id,
                      fleets.name AS "fleet?", kind, severity, cause, evidence, opened_at AS "opened_at: DateTime<Utc>",
                      changed_at AS "changed_at: DateTime<Utc>", gone_since AS "gone_since: DateTime<Utc>",
                      resolved_at AS "resolved_at: DateTime<Utc>", acknowledged_by,
                      acknowledged_at AS "acknowledged_at: DateTime<Utc>", returns, flapping AS "flapping: bool", alert_id,
                      joined_at AS "joined_at: DateTime<Utc>", untold,
                      told_at AS "told_at: DateTime<Utc>", told_severity
               FROM incidents LEFT JOIN agents ON agents.id = agent_id
                              LEFT JOIN fleets ON fleets.id = incidents.fleet_id "# + $rest
            $(, $given)*
        )
    };
}

impl Store {
    pub async fn incident(&self, id: IncidentId) -> sqlx::Result<Option<Incident>> {
        let row = incidents!("WHERE incidents.id = ?", id.0)
            .fetch_optional(&self.reader)
            .await?;
        row.map(Row::read).transpose()
    }

    /// What one message is about, oldest first.
    pub async fn incidents_of(&self, alert: AlertId) -> sqlx::Result<Vec<Incident>> {
        let rows = incidents!("WHERE alert_id = ? ORDER BY incidents.id", alert.0)
            .fetch_all(&self.reader)
            .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// Everything that is open, oldest first.
    pub async fn open_incidents(&self) -> sqlx::Result<Vec<Incident>> {
        let rows = incidents!("WHERE resolved_at IS NULL ORDER BY incidents.id")
            .fetch_all(&self.reader)
            .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// What is open, and what was resolved since `since`: the open ones first, then the latest.
    pub async fn incidents_since(&self, since: DateTime<Utc>) -> sqlx::Result<Vec<Incident>> {
        let rows = incidents!(
            "WHERE resolved_at IS NULL OR resolved_at >= ?
             ORDER BY resolved_at IS NOT NULL, incidents.id DESC LIMIT 1000",
            since
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The open incident of an agent, if there is one of this kind.
    pub async fn open_incident(&self, about: &About, kind: Kind) -> sqlx::Result<Option<Incident>> {
        let (about, kind) = (about.to_string(), kind.as_str());
        let row = incidents!(
            "WHERE about = ? AND kind = ? AND resolved_at IS NULL",
            about,
            kind
        )
        .fetch_optional(&self.reader)
        .await?;
        row.map(Row::read).transpose()
    }
}

/// All that are open, and those of open alerts.
pub async fn picture(tx: &mut Tx) -> sqlx::Result<Vec<Incident>> {
    let rows = incidents!(
        "WHERE resolved_at IS NULL
            OR alert_id IN (SELECT id FROM alerts WHERE closed_at IS NULL)
         ORDER BY incidents.id"
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// One as it is within the transaction.
pub async fn get(tx: &mut Tx, id: IncidentId) -> sqlx::Result<Option<Incident>> {
    let row = incidents!("WHERE incidents.id = ?", id.0)
        .fetch_optional(&mut **tx)
        .await?;
    row.map(Row::read).transpose()
}

/// The open incident of a subject and kind, or the last one if it was resolved after `since`.
pub async fn latest(
    tx: &mut Tx,
    (about, kind): (&About, Kind),
    since: DateTime<Utc>,
) -> sqlx::Result<Option<Incident>> {
    let (about, kind) = (about.to_string(), kind.as_str());
    let row = incidents!(
        "WHERE about = ? AND kind = ? AND (resolved_at IS NULL OR resolved_at > ?)
         ORDER BY incidents.id DESC LIMIT 1",
        about,
        kind,
        since
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(Row::read).transpose()
}

/// Deletes some of those that were over before then and never told; false once there are none.
pub(super) async fn drop_untold(
    tx: &mut Tx,
    before: DateTime<Utc>,
    most: i64,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM incidents WHERE id IN
             (SELECT id FROM incidents WHERE resolved_at < ? AND alert_id IS NULL LIMIT ?)",
        before,
        most
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Opens one. Fails with a unique violation if one is open for that subject and kind.
pub async fn insert(
    tx: &mut Tx,
    problem: &Problem,
    now: DateTime<Utc>,
) -> sqlx::Result<IncidentId> {
    let (about, agent) = (problem.about.to_string(), problem.about.agent());
    let agent = agent.map(|id| id.0);
    let (kind, severity) = (problem.kind.as_str(), problem.severity.as_str());
    let evidence = to_json(&problem.evidence)?;
    let id = sqlx::query_scalar!(
        r#"INSERT INTO incidents (about, agent_id, fleet_id, kind, severity, cause, evidence, opened_at, changed_at,
                                  returns, flapping)
           VALUES (?1, ?2, (SELECT fleet_id FROM agents WHERE id = ?2), ?3, ?4, ?5, ?6, ?7, ?7, '[]', 0)
           RETURNING id AS "id!""#,
        about,
        agent,
        kind,
        severity,
        problem.cause,
        evidence,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(IncidentId(id))
}

/// Writes what may change of it but who looks after it.
pub async fn update(tx: &mut Tx, incident: &Incident) -> sqlx::Result<()> {
    let (severity, evidence) = (incident.severity.as_str(), to_json(&incident.evidence)?);
    let returns = to_json(&incident.returns)?;
    let untold = incident.untold.map(Untold::as_str);
    let (by, at) = incident
        .acknowledged
        .map_or((None, None), |(by, at)| (Some(by), Some(at)));
    let by = by.map(UserId::to_db);
    sqlx::query!(
        "UPDATE incidents SET severity = ?, cause = ?, evidence = ?, changed_at = ?, gone_since = ?, resolved_at = ?,
                returns = ?, flapping = ?, untold = ?, acknowledged_by = ?, acknowledged_at = ?
         WHERE id = ?",
        severity,
        incident.cause,
        evidence,
        incident.changed_at,
        incident.gone_since,
        incident.resolved_at,
        returns,
        incident.flapping,
        untold,
        by,
        at,
        incident.id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Somebody looks after it from now on; false if somebody does already, or if it is over.
pub async fn acknowledge(
    tx: &mut Tx,
    incident: &Incident,
    by: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let user = by.to_db();
    let done = sqlx::query!(
        "UPDATE incidents SET acknowledged_by = ?1, acknowledged_at = ?2
         WHERE id = ?3 AND acknowledged_by IS NULL AND resolved_at IS NULL",
        user,
        now,
        incident.id.0
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let entry = Entry {
        actor: Some(by),
        agent: incident.about.agent().zip(incident.agent.clone()),
        fleet: incident.fleet.clone(),
        text: Some(format!("{} {}", incident.subject(), incident.cause)),
        ..Entry::new(What::Acknowledged, Origin::CHAT)
    };
    audit::append(tx, &entry, now).await?;
    Ok(true)
}

/// What is told in a message, from now on.
pub(super) async fn join(
    tx: &mut Tx,
    (incident, alert): (IncidentId, AlertId),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE incidents SET alert_id = ?, joined_at = ?, untold = 'new' WHERE id = ?",
        alert.0,
        now,
        incident.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// People have been notified of these, as they are.
pub async fn note_told(tx: &mut Tx, told: &[IncidentId], now: DateTime<Utc>) -> sqlx::Result<()> {
    let told = to_json(&told.iter().map(|id| id.0).collect::<Vec<_>>())?;
    sqlx::query!(
        "UPDATE incidents SET untold = NULL, told_at = ?, told_severity = severity
         WHERE id IN (SELECT value FROM json_each(?))",
        now,
        told
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

struct Row {
    id: i64,
    about: String,
    agent_id: Option<i64>,
    agent: Option<String>,
    fleet_id: Option<i64>,
    fleet: Option<String>,
    kind: String,
    severity: String,
    cause: String,
    evidence: String,
    opened_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    gone_since: Option<DateTime<Utc>>,
    resolved_at: Option<DateTime<Utc>>,
    acknowledged_by: Option<i64>,
    acknowledged_at: Option<DateTime<Utc>>,
    returns: String,
    flapping: bool,
    alert_id: Option<i64>,
    joined_at: Option<DateTime<Utc>>,
    untold: Option<String>,
    told_at: Option<DateTime<Utc>>,
    told_severity: Option<String>,
}

impl Row {
    fn read(self) -> sqlx::Result<Incident> {
        let name = |name: String| Name::parse(&name).map_err(|_| unreadable("name", &name));
        let fleet = self.fleet.map(name).transpose()?;
        let about = About::parse(&self.about).ok_or_else(|| unreadable("about", &self.about))?;
        debug_assert_eq!(about.agent(), self.agent_id.map(AgentId));
        Ok(Incident {
            id: IncidentId(self.id),
            about,
            agent: self.agent.map(name).transpose()?,
            fleet: self.fleet_id.map(FleetId).zip(fleet),
            kind: Kind::parse(&self.kind).ok_or_else(|| unreadable("kind", &self.kind))?,
            severity: Severity::parse(&self.severity)
                .ok_or_else(|| unreadable("severity", &self.severity))?,
            cause: self.cause,
            evidence: json("evidence", &self.evidence)?,
            opened_at: self.opened_at,
            changed_at: self.changed_at,
            gone_since: self.gone_since,
            resolved_at: self.resolved_at,
            acknowledged: self
                .acknowledged_by
                .map(UserId::from_db)
                .zip(self.acknowledged_at),
            returns: json("returns", &self.returns)?,
            flapping: self.flapping,
            alert: self.alert_id.map(AlertId),
            joined_at: self.joined_at,
            untold: self.untold.as_deref().and_then(Untold::parse),
            told_at: self.told_at,
            told_severity: self.told_severity.as_deref().and_then(Severity::parse),
        })
    }
}
