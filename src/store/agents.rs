//! Agents and the versions of their specs.

use chrono::{DateTime, Utc};

use super::{Store, Tx, json, to_json, unreadable};
use crate::domain::{
    action::Arguments,
    agent::{Agent, Desired, Name},
    ids::{AgentId, ContainerId, FleetId, ImageId},
    spec::{Spec, Version},
};

impl Store {
    /// All living agents, by name; without those that somebody is still asked about whether they are to be.
    pub async fn agents(&self) -> sqlx::Result<Vec<Agent>> {
        let rows = sqlx::query_as!(
            AgentRow,
            r#"SELECT id, name, fleet_id, desired, container_id, version, adopted AS "adopted: bool",
                      created_at AS "created_at: DateTime<Utc>"
               FROM agents WHERE removed_at IS NULL AND id NOT IN (
                   SELECT target.agent_id FROM action_targets target JOIN actions action ON action.id = target.action_id
                   WHERE action.state = 'asked' AND action.kind IN ('deploy', 'adopt'))
               ORDER BY name"#
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter().map(AgentRow::read).collect()
    }

    /// None if it was removed.
    pub async fn agent(&self, id: AgentId) -> sqlx::Result<Option<Agent>> {
        let row = sqlx::query_as!(
            AgentRow,
            r#"SELECT id, name, fleet_id, desired, container_id, version, adopted AS "adopted: bool",
                      created_at AS "created_at: DateTime<Utc>"
               FROM agents WHERE id = ? AND removed_at IS NULL"#,
            id.0
        )
        .fetch_optional(&self.reader)
        .await?;
        row.map(AgentRow::read).transpose()
    }

    pub async fn version(&self, agent: AgentId, number: i64) -> sqlx::Result<Option<Version>> {
        let row = sqlx::query!(
            r#"SELECT version, body, image_id, arguments, created_at AS "created_at: DateTime<Utc>"
               FROM specs WHERE agent_id = ? AND version = ?"#,
            agent.0,
            number
        )
        .fetch_optional(&self.reader)
        .await?;
        row.map(|row| {
            Ok(Version {
                number: row.version,
                spec: json("body", &row.body)?,
                image: ImageId(row.image_id),
                arguments: json("arguments", &row.arguments)?,
                created_at: row.created_at,
            })
        })
        .transpose()
    }
}

struct AgentRow {
    id: i64,
    name: String,
    fleet_id: i64,
    desired: String,
    container_id: Option<String>,
    version: i64,
    adopted: bool,
    created_at: DateTime<Utc>,
}

impl AgentRow {
    fn read(self) -> sqlx::Result<Agent> {
        Ok(Agent {
            id: AgentId(self.id),
            name: Name::parse(&self.name).map_err(|_| unreadable("name", &self.name))?,
            fleet: FleetId(self.fleet_id),
            desired: Desired::parse(&self.desired)
                .ok_or_else(|| unreadable("desired", &self.desired))?,
            container: self.container_id.map(ContainerId),
            version: self.version,
            // Its first container was somebody else's; whatever has taken its place we made.
            adopted: self.adopted && self.version <= 1,
            created_at: self.created_at,
        })
    }
}

/// Fails with a unique violation if the name is taken.
pub async fn insert(
    tx: &mut Tx,
    name: &Name,
    fleet: FleetId,
    adopted: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<AgentId> {
    let name = name.as_str();
    // Stopped until its first container runs: converge must not start what was never finished.
    let id = sqlx::query_scalar!(
        r#"INSERT INTO agents (name, fleet_id, desired, adopted, created_at)
           VALUES (?, ?, 'stopped', ?, ?) RETURNING id AS "id!""#,
        name,
        fleet.0,
        adopted,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(AgentId(id))
}

pub async fn set_desired(tx: &mut Tx, agent: AgentId, desired: Desired) -> sqlx::Result<()> {
    let desired = desired.as_str();
    sqlx::query!(
        "UPDATE agents SET desired = ? WHERE id = ?",
        desired,
        agent.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// False if that fleet is gone.
pub async fn set_fleet(tx: &mut Tx, agent: AgentId, fleet: FleetId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE agents SET fleet_id = ?1 WHERE id = ?2
         AND EXISTS (SELECT 1 FROM fleets WHERE id = ?1 AND removed_at IS NULL)",
        fleet.0,
        agent.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The agent is that container from now on, made from a new version of its spec.
pub async fn swap(
    tx: &mut Tx,
    agent: AgentId,
    container: &ContainerId,
    (spec, image, arguments): (&Spec, &ImageId, &Arguments),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (digest, body, arguments) = (spec.digest().0, to_json(spec)?, to_json(arguments)?);
    let version = sqlx::query_scalar!(
        r#"INSERT INTO specs (agent_id, version, digest, image_id, body, arguments, created_at)
           SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM specs WHERE agent_id = ?1
           RETURNING version"#,
        agent.0,
        digest,
        image.0,
        body,
        arguments,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE agents SET container_id = ?, version = ? WHERE id = ?",
        container.0,
        version,
        agent.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// It is no agent any more; its name is free, its id stays taken.
pub async fn remove(tx: &mut Tx, agent: AgentId, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE agents SET removed_at = ?, container_id = NULL, desired = 'stopped' WHERE id = ?",
        now,
        agent.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
