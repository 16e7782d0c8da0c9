//! The audit: rows are added in the transaction of what they tell, and never changed.

use chrono::{DateTime, Utc};

use serde_json::json;

use super::{Store, Tx, json, unreadable};
use crate::domain::{
    action::{Details, Kind, Origin},
    agent::Name,
    audit::{self, Entry, GENESIS, Record, What, chain::Anchor, stamp},
    ids::{ActionId, AgentId, FleetId, UserId},
    secret::Scope,
};

/// Adds an entry to the chain, in the transaction of what it tells. Returns the number of its row.
pub async fn append(tx: &mut Tx, entry: &Entry, now: DateTime<Utc>) -> sqlx::Result<i64> {
    // The highest number ever given, even if somebody has taken its row away: that gap must stay.
    // (An expression, because sqlx crashes on that table's columns, which have no type.)
    let head = sqlx::query!(
        r#"SELECT coalesce(max(seq), 0) AS "last!: i64",
                  (SELECT hash FROM audit ORDER BY id DESC LIMIT 1) AS "hash: Vec<u8>"
           FROM sqlite_sequence WHERE name = 'audit'"#
    )
    .fetch_one(&mut **tx)
    .await?;
    let previous = head.hash.unwrap_or_else(|| GENESIS.to_vec());
    let record = Record::chain(&previous, head.last + 1, entry, now);
    insert(tx, &record).await?;
    Ok(record.number)
}

async fn insert(tx: &mut Tx, record: &Record) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO audit (id, at, what, actor, origin, agent_id, agent_name, fleet_id, fleet_name, action_id, kind,
                            plan, text, details, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        record.number,
        record.at,
        record.what,
        record.actor,
        record.origin,
        record.agent_id,
        record.agent_name,
        record.fleet_id,
        record.fleet_name,
        record.action_id,
        record.kind,
        record.plan,
        record.text,
        record.details,
        record.hash
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

const PURGED_AT_ONCE: i64 = 1000;

/// As [`append`], for an entry about an agent and the fleet it is in.
pub async fn append_about(
    tx: &mut Tx,
    agent: AgentId,
    entry: Entry,
    now: DateTime<Utc>,
) -> sqlx::Result<i64> {
    let entry = about_agent(tx, agent, entry).await?;
    append(tx, &entry, now).await
}

/// Says that the rows before `before` go: from then on the chain begins with the hash of the last of them. None if
/// there are none. [`Store::delete_purged`] deletes them.
pub async fn purge(
    tx: &mut Tx,
    before: DateTime<Utc>,
    origin: audit::Origin,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Anchor>> {
    let (at, gone) = (stamp(before), purged_through(tx).await?);
    let last = sqlx::query!(
        r#"SELECT id AS "number!", hash FROM audit WHERE at < ? AND id > ? ORDER BY id DESC LIMIT 1"#,
        at,
        gone
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(last) = last else { return Ok(None) };
    let entry = Entry {
        text: Some(format!("everything before {at}")),
        details: json!({ "through": last.number, "hash": hex::encode(&last.hash) }),
        ..Entry::new(What::Purged, origin)
    };
    append(tx, &entry, now).await?;
    Ok(Some(Anchor {
        number: last.number,
        hash: last.hash,
    }))
}

/// The last row that a purge has said goes; 0 before the first purge.
async fn purged_through(tx: &mut Tx) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(max(json_extract(details, '$.through')), 0) AS "through!: i64"
           FROM audit WHERE what = 'purged'"#
    )
    .fetch_one(&mut **tx)
    .await
}

impl Store {
    /// Deletes what a purge has said goes, in small transactions.
    pub async fn delete_purged(&self) -> sqlx::Result<()> {
        self.in_parts(|tx| Box::pin(delete_some(tx))).await
    }
}

/// Deletes some of what a purge has said goes; false once nothing of it is left.
async fn delete_some(tx: &mut Tx) -> sqlx::Result<bool> {
    let through = purged_through(tx).await?;
    let done = sqlx::query!(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id <= ? ORDER BY id LIMIT ?)",
        through,
        PURGED_AT_ONCE
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// An entry about an action: about its agent if it has but one, about their fleet if they have but one. What else it is
/// about, its details tell.
pub(super) async fn about(tx: &mut Tx, action: ActionId, what: What) -> sqlx::Result<Entry> {
    let row = sqlx::query!(
        r#"SELECT kind AS "kind!", actor, origin AS "origin!", details AS "details!", plan_digest,
                  count(agents.id) AS "targets!: i64", min(agents.id) AS "agent?: i64", min(agents.name) AS "agent_name?: String",
                  min(fleets.id) AS "fleet?: i64", min(fleets.name) AS "fleet_name?: String",
                  count(DISTINCT fleets.id) AS "fleets!: i64"
           FROM actions
           LEFT JOIN action_targets ON action_id = actions.id
           LEFT JOIN agents ON agents.id = agent_id
           LEFT JOIN fleets ON fleets.id = agents.fleet_id
           WHERE actions.id = ? GROUP BY actions.id"#,
        action.0
    )
    .fetch_one(&mut **tx)
    .await?;
    let origin = Origin::parse(&row.origin).ok_or_else(|| unreadable("origin", &row.origin))?;
    let kind = Kind::parse(&row.kind).ok_or_else(|| unreadable("kind", &row.kind))?;
    let (agent, fleet) = (
        named(row.agent, row.agent_name)?,
        named(row.fleet, row.fleet_name)?,
    );
    let details: Details = json("details", &row.details)?;
    let mut entry = Entry {
        actor: row.actor.map(UserId::from_db),
        agent: agent
            .filter(|_| row.targets == 1)
            .map(|(id, name)| (AgentId(id), name)),
        fleet: fleet
            .filter(|_| row.fleets == 1)
            .map(|(id, name)| (FleetId(id), name)),
        action: Some(action),
        kind: Some(kind),
        plan: row.plan_digest,
        ..Entry::new(what, audit::Origin::Request(origin))
    };
    if let Some(subject) = details.subject(kind) {
        entry.details["about"] = subject.into();
    }
    if row.targets > 0 {
        return Ok(entry);
    }
    match details.scope() {
        Scope::Agent(agent) => about_agent(tx, agent, entry).await,
        Scope::Fleet(fleet) => about_fleet(tx, fleet, entry).await,
        Scope::All => Ok(entry),
    }
}

async fn about_fleet(tx: &mut Tx, fleet: FleetId, entry: Entry) -> sqlx::Result<Entry> {
    let name = sqlx::query_scalar!("SELECT name FROM fleets WHERE id = ?", fleet.0)
        .fetch_one(&mut **tx)
        .await?;
    Ok(Entry {
        fleet: named(Some(fleet.0), Some(name))?.map(|(id, name)| (FleetId(id), name)),
        ..entry
    })
}

/// The names of an action's agents.
pub(super) async fn names(tx: &mut Tx, action: ActionId) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT name FROM agents JOIN action_targets ON agent_id = id WHERE action_id = ? ORDER BY name",
        action.0
    )
    .fetch_all(&mut **tx)
    .await
}

/// An entry about an agent, with the fleet it is in.
pub(super) async fn about_agent(tx: &mut Tx, agent: AgentId, entry: Entry) -> sqlx::Result<Entry> {
    let row = sqlx::query!(
        "SELECT agents.name, fleets.id AS fleet, fleets.name AS fleet_name
         FROM agents JOIN fleets ON fleets.id = fleet_id WHERE agents.id = ?",
        agent.0
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Entry {
        agent: named(Some(agent.0), Some(row.name))?.map(|(id, name)| (AgentId(id), name)),
        fleet: named(Some(row.fleet), Some(row.fleet_name))?.map(|(id, name)| (FleetId(id), name)),
        ..entry
    })
}

fn named(id: Option<i64>, name: Option<String>) -> sqlx::Result<Option<(i64, Name)>> {
    id.zip(name)
        .map(|(id, name)| {
            let read = Name::parse(&name).map_err(|_| unreadable("name", &name))?;
            Ok((id, read))
        })
        .transpose()
}
