//! Secrets, sealed. Nothing here can open them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::SqliteExecutor;

use super::{Store, Tx, json, to_json, unreadable};
use crate::domain::{
    ids::{ActionId, AgentId, FleetId, UserId},
    secret::{KeyId, Origin, Scope, Sealed, Secret, SecretId},
};

/// A sealed value and the version it was sealed for.
#[derive(Debug)]
pub struct Kept {
    pub version: i64,
    pub sealed: Sealed,
}

/// A secret that is to be: the version its value must be sealed for.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    pub secret: SecretId,
    pub version: i64,
}

/// What a secret was given to.
#[derive(Debug, PartialEq, Eq)]
pub struct UsedBy {
    /// `sha256:…`: its digest, or its id if it is in no registry.
    pub image: String,
    pub command: Vec<String>,
    /// The commands that are run beside it: they can read what it can.
    pub checks: Vec<Vec<String>>,
}

impl Store {
    /// All that are in force, by name.
    pub async fn secrets(&self) -> sqlx::Result<Vec<Secret>> {
        let rows = sqlx::query!(
            r#"SELECT s.id, s.name, s.agent_id, s.fleet_id, s.origin, v.version, v.set_by,
                      v.created_at AS "created_at: DateTime<Utc>"
               FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.state = 'current'
               WHERE s.removed_at IS NULL ORDER BY s.name, s.id"#
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Secret {
                    id: SecretId(row.id),
                    name: row.name,
                    scope: scope(row.agent_id, row.fleet_id),
                    origin: Origin::parse(&row.origin)
                        .ok_or_else(|| unreadable("origin", &row.origin))?,
                    version: row.version,
                    set_by: row.set_by.map(UserId::from_db),
                    set_at: row.created_at,
                })
            })
            .collect()
    }

    /// The value in force; None if there is none any more.
    pub async fn sealed(&self, secret: SecretId) -> sqlx::Result<Option<Kept>> {
        let row = sqlx::query!(
            "SELECT version, key_id, sealed FROM secret_versions WHERE secret_id = ? AND state = 'current'",
            secret.0
        )
        .fetch_optional(&self.reader)
        .await?;
        Ok(row.map(|row| Kept {
            version: row.version,
            sealed: Sealed {
                key: KeyId(row.key_id),
                bytes: row.sealed,
            },
        }))
    }

    /// All values there are, in force or not.
    pub async fn all_sealed(&self) -> sqlx::Result<Vec<(SecretId, Kept)>> {
        read_sealed(&self.reader).await
    }

    /// The keys that something is sealed with.
    pub async fn sealing_keys(&self) -> sqlx::Result<Vec<KeyId>> {
        let ids =
            sqlx::query_scalar!("SELECT DISTINCT key_id FROM secret_versions ORDER BY key_id")
                .fetch_all(&self.reader)
                .await?;
        Ok(ids.into_iter().map(KeyId).collect())
    }

    /// What a secret was given to so far. Those of the environment have no id, but a name.
    pub async fn secret_uses(
        &self,
        secret: Option<SecretId>,
        name: &str,
    ) -> sqlx::Result<Vec<UsedBy>> {
        let id = id_or_none(secret);
        let rows = sqlx::query!(
            "SELECT image, command, checks FROM secret_uses WHERE secret_id = ? AND name = ?",
            id,
            name
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(UsedBy {
                    image: row.image,
                    command: json("command", &row.command)?,
                    checks: json("checks", &row.checks)?,
                })
            })
            .collect()
    }
}

/// The names of those in force for all agents.
pub(super) async fn read_names(db: impl SqliteExecutor<'_>) -> sqlx::Result<BTreeSet<String>> {
    let names = sqlx::query_scalar!(
        "SELECT s.name FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.state = 'current'
         WHERE s.removed_at IS NULL AND s.agent_id IS NULL AND s.fleet_id IS NULL"
    )
    .fetch_all(db)
    .await?;
    Ok(names.into_iter().collect())
}

/// All values there are, in force or not.
pub async fn all_sealed(tx: &mut Tx) -> sqlx::Result<Vec<(SecretId, Kept)>> {
    read_sealed(&mut **tx).await
}

async fn read_sealed(db: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<(SecretId, Kept)>> {
    let rows = sqlx::query!(
        "SELECT secret_id, version, key_id, sealed FROM secret_versions ORDER BY secret_id, version"
    )
    .fetch_all(db)
    .await?;
    let kept = rows.into_iter().map(|row| {
        let sealed = Sealed {
            key: KeyId(row.key_id),
            bytes: row.sealed,
        };
        let version = row.version;
        (SecretId(row.secret_id), Kept { version, sealed })
    });
    Ok(kept.collect())
}

/// The same value, sealed with another key.
pub async fn reseal(tx: &mut Tx, slot: Slot, sealed: &Sealed) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE secret_versions SET key_id = ?, sealed = ? WHERE secret_id = ? AND version = ?",
        sealed.key.0,
        sealed.bytes,
        slot.secret.0,
        slot.version
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Makes room for a new value. A secret of that name and scope is taken, or made.
pub async fn slot(tx: &mut Tx, name: &str, to: Scope, origin: Origin) -> sqlx::Result<Slot> {
    let (agent, fleet) = columns(to);
    let origin = origin.as_str();
    let row = sqlx::query!(
        r#"INSERT INTO secrets (name, agent_id, fleet_id, origin, versions) VALUES (?, ?, ?, ?, 1)
           ON CONFLICT (name, coalesce(agent_id, 0), coalesce(fleet_id, 0)) WHERE removed_at IS NULL
           DO UPDATE SET versions = versions + 1, origin = excluded.origin
           RETURNING id AS "id!", versions"#,
        name,
        agent,
        fleet,
        origin
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Slot {
        secret: SecretId(row.id),
        version: row.versions,
    })
}

/// Keeps a value that waits until its action is carried out.
pub async fn propose(
    tx: &mut Tx,
    slot: Slot,
    sealed: &Sealed,
    (action, by): (ActionId, Option<UserId>),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (key, by) = (&sealed.key.0, by.map(UserId::to_db));
    sqlx::query!(
        "INSERT INTO secret_versions (secret_id, version, state, action_id, set_by, created_at, key_id, sealed)
         VALUES (?, ?, 'pending', ?, ?, ?, ?, ?)",
        slot.secret.0,
        slot.version,
        action.0,
        by,
        now,
        key,
        sealed.bytes
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps a value that counts at once: it was its agent's before the agent was ours.
pub async fn keep(
    tx: &mut Tx,
    slot: Slot,
    sealed: &Sealed,
    (action, by): (ActionId, Option<UserId>),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (key, by) = (&sealed.key.0, by.map(UserId::to_db));
    sqlx::query!(
        "INSERT INTO secret_versions (secret_id, version, state, action_id, set_by, created_at, key_id, sealed)
         VALUES (?, ?, 'current', ?, ?, ?, ?, ?)",
        slot.secret.0,
        slot.version,
        action.0,
        by,
        now,
        key,
        sealed.bytes
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What became of the value that an action brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    Now,
    /// It is in force since an earlier try.
    Before,
    /// There is none of it.
    Nothing,
}

/// The value that an action brought is the one in force from here on.
pub async fn put_in_force(tx: &mut Tx, action: ActionId) -> sqlx::Result<Put> {
    sqlx::query!(
        "DELETE FROM secret_versions WHERE state = 'current' AND secret_id IN
             (SELECT secret_id FROM secret_versions WHERE action_id = ? AND state = 'pending')",
        action.0
    )
    .execute(&mut **tx)
    .await?;
    let put = sqlx::query!(
        "UPDATE secret_versions SET state = 'current' WHERE action_id = ? AND state = 'pending'",
        action.0
    )
    .execute(&mut **tx)
    .await?;
    if put.rows_affected() > 0 {
        return Ok(Put::Now);
    }
    let before = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM secret_versions WHERE action_id = ? AND state = 'current'"#,
        action.0
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(if before > 0 {
        Put::Before
    } else {
        Put::Nothing
    })
}

/// Its value is gone, its name is free, its id stays taken.
pub async fn remove(tx: &mut Tx, secret: SecretId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    sqlx::query!("DELETE FROM secret_versions WHERE secret_id = ?", secret.0)
        .execute(&mut **tx)
        .await?;
    let removed = sqlx::query!(
        "UPDATE secrets SET removed_at = ? WHERE id = ? AND removed_at IS NULL",
        now,
        secret.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(removed.rows_affected() > 0)
}

/// It was given the secret.
pub async fn note_use(
    tx: &mut Tx,
    (secret, name): (Option<SecretId>, &str),
    used_by: &UsedBy,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let id = id_or_none(secret);
    let (command, checks) = (to_json(&used_by.command)?, to_json(&used_by.checks)?);
    sqlx::query!(
        "INSERT INTO secret_uses (secret_id, name, image, command, checks, first_used_at)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        id,
        name,
        used_by.image,
        command,
        checks,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

const fn id_or_none(secret: Option<SecretId>) -> i64 {
    match secret {
        Some(secret) => secret.0,
        None => 0,
    }
}

fn scope(agent: Option<i64>, fleet: Option<i64>) -> Scope {
    match (agent, fleet) {
        (Some(agent), _) => Scope::Agent(AgentId(agent)),
        (None, Some(fleet)) => Scope::Fleet(FleetId(fleet)),
        (None, None) => Scope::All,
    }
}

const fn columns(scope: Scope) -> (Option<i64>, Option<i64>) {
    match scope {
        Scope::Agent(agent) => (Some(agent.0), None),
        Scope::Fleet(fleet) => (None, Some(fleet.0)),
        Scope::All => (None, None),
    }
}
