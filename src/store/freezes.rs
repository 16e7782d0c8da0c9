//! Freezes, and what they hold.

use chrono::{DateTime, Utc};

use super::{Store, Tx, unreadable};
use crate::domain::{
    agent::Name,
    freeze::{Freeze, Held, Mode},
    ids::{ActionId, AgentId, ContainerId, FleetId, FreezeId, UserId},
};

impl Store {
    /// Those that hold something or are being thawed, oldest first.
    pub async fn freezes(&self) -> sqlx::Result<Vec<Freeze>> {
        let rows = sqlx::query!(
            r#"SELECT freezes.id AS "id!", fleet_id, fleets.name AS "fleet?", mode, action_id, actions.actor, actions.reason,
                      freezes.state, freezes.created_at AS "since: DateTime<Utc>"
               FROM freezes JOIN actions ON actions.id = action_id LEFT JOIN fleets ON fleets.id = fleet_id
               WHERE freezes.state <> 'over' ORDER BY freezes.id"#
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                let name = |name: String| Name::parse(&name).map_err(|_| unreadable("name", &name));
                let fleet = row.fleet.map(name).transpose()?;
                Ok(Freeze {
                    id: FreezeId(row.id),
                    fleet: row.fleet_id.map(FleetId).zip(fleet),
                    mode: Mode::parse(&row.mode).ok_or_else(|| unreadable("mode", &row.mode))?,
                    action: ActionId(row.action_id),
                    actor: row.actor.map(UserId::from_db),
                    reason: row.reason,
                    since: row.since,
                    thawing: row.state == "thawing",
                })
            })
            .collect()
    }

    /// What a freeze holds.
    pub async fn held_by(&self, freeze: FreezeId) -> sqlx::Result<Vec<Held>> {
        let rows = sqlx::query!(
            r#"SELECT agent_id AS "agent!", container_id, paused AS "paused: bool", cut AS "cut: bool"
               FROM frozen_agents WHERE freeze_id = ? ORDER BY agent_id"#,
            freeze.0
        )
        .fetch_all(&self.reader)
        .await?;
        let held = rows.into_iter().map(|row| Held {
            agent: AgentId(row.agent),
            container: row.container_id.map(ContainerId),
            paused: row.paused,
            cut: row.cut,
        });
        Ok(held.collect())
    }
}

/// Freezes a fleet, or everything, which takes over what was frozen before. Fails with a unique violation if it is
/// frozen already.
pub async fn insert(
    tx: &mut Tx,
    (fleet, mode): (Option<FleetId>, Mode),
    action: ActionId,
    now: DateTime<Utc>,
) -> sqlx::Result<FreezeId> {
    let (fleet, mode) = (fleet.map(|fleet| fleet.0), mode.as_str());
    let id = sqlx::query_scalar!(
        r#"INSERT INTO freezes (fleet_id, mode, action_id, created_at, state) VALUES (?, ?, ?, ?, 'frozen')
           RETURNING id AS "id!""#,
        fleet,
        mode,
        action.0,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE frozen_agents SET freeze_id = ?1
         WHERE ?2 IS NULL OR agent_id IN (SELECT id FROM agents WHERE fleet_id = ?2)",
        id,
        fleet
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE freezes SET state = 'over' WHERE id <> ?1 AND state <> 'over' AND (?2 IS NULL OR fleet_id = ?2)",
        id,
        fleet
    )
    .execute(&mut **tx)
    .await?;
    Ok(FreezeId(id))
}

/// An agent is held by that freeze, besides how it was held before.
pub async fn hold(tx: &mut Tx, freeze: FreezeId, held: &Held) -> sqlx::Result<()> {
    let container = held.container.as_ref().map(ContainerId::as_str);
    sqlx::query!(
        "INSERT INTO frozen_agents (agent_id, freeze_id, container_id, paused, cut) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (agent_id) DO UPDATE SET freeze_id = excluded.freeze_id, container_id = excluded.container_id,
                                              paused = max(paused, excluded.paused), cut = max(cut, excluded.cut)",
        held.agent.0,
        freeze.0,
        container,
        held.paused,
        held.cut
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// It holds nothing from now on; false if it did not.
pub async fn thaw(tx: &mut Tx, freeze: FreezeId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE freezes SET state = 'thawing' WHERE id = ? AND state = 'frozen'",
        freeze.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// An agent is what it was, unless another freeze has taken it over meanwhile.
pub async fn release(tx: &mut Tx, freeze: FreezeId, agent: AgentId) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM frozen_agents WHERE agent_id = ? AND freeze_id = ?",
        agent.0,
        freeze.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends what is thawed and holds nobody any more.
pub async fn end(tx: &mut Tx, freeze: FreezeId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE freezes SET state = 'over' WHERE id = ? AND state = 'thawing'
         AND NOT EXISTS (SELECT 1 FROM frozen_agents WHERE freeze_id = freezes.id)",
        freeze.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
