//! Grants and teams made in chat or on the host, and the code for the first owner.

use std::{collections::BTreeSet, path::Path};

use chrono::{DateTime, Utc};
use sqlx::SqliteExecutor;

use super::{
    OpenError, Store, Tx, beside, boards, explain, fleets, json, secrets, to_json, unreadable,
};
use crate::domain::{
    agent::Name,
    fleet::Fleet,
    grant::{Grant, Holder, Level, Source, Team},
    ids::{ChannelId, GrantId, RoleId, UserId},
    pattern::Pattern,
};

impl Store {
    /// All that no file says, oldest first.
    pub async fn access(&self) -> sqlx::Result<(Vec<Grant>, Vec<Team>)> {
        let mut tx = self.reader.begin().await?;
        let grants = read_grants(&mut *tx).await?;
        let teams = read_teams(&mut *tx).await?;
        Ok((grants, teams))
    }
}

/// What the database says of rights, for whoever looks at it without serving it.
#[derive(Debug, Default)]
pub struct Kept {
    pub grants: Vec<Grant>,
    pub teams: Vec<Team>,
    pub fleets: Vec<Fleet>,
    /// The names of those for all agents.
    pub secrets: BTreeSet<String>,
    /// Where boards are.
    pub boards: Vec<ChannelId>,
}

impl Kept {
    /// Takes no lock and changes nothing, not even a database that an older Yardarm wrote.
    pub async fn read(path: &Path) -> Result<Self, OpenError> {
        let told = |error| explain(path, error);
        let pool = beside(path).await?;
        let mut db = pool.acquire().await.map_err(told)?;
        Ok(Self {
            grants: read_grants(&mut *db).await.map_err(told)?,
            teams: read_teams(&mut *db).await.map_err(told)?,
            fleets: fleets::read(&mut *db).await.map_err(told)?,
            secrets: secrets::read_names(&mut *db).await.map_err(told)?,
            boards: boards::read_channels(&mut *db).await.map_err(told)?,
        })
    }
}

/// As [`Store::access`], within a change of it.
pub async fn access(tx: &mut Tx) -> sqlx::Result<(Vec<Grant>, Vec<Team>)> {
    Ok((read_grants(&mut **tx).await?, read_teams(&mut **tx).await?))
}

async fn read_grants(db: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<Grant>> {
    let rows = sqlx::query!(
        r#"SELECT id, holder_kind, holder, level, fleets, until AS "until: DateTime<Utc>", source, granted_by,
                  created_at AS "created_at: DateTime<Utc>"
           FROM grants ORDER BY id"#
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Grant {
                id: Some(GrantId(row.id)),
                holder: holder(&row.holder_kind, &row.holder)?,
                level: Level::parse(&row.level).ok_or_else(|| unreadable("level", &row.level))?,
                fleets: Pattern::parse(&row.fleets)
                    .map_err(|_| unreadable("fleets", &row.fleets))?,
                until: row.until,
                source: Source::parse(&row.source)
                    .ok_or_else(|| unreadable("source", &row.source))?,
                granted_by: row.granted_by.map(UserId::from_db),
                created_at: Some(row.created_at),
            })
        })
        .collect()
}

async fn read_teams(db: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<Team>> {
    let rows = sqlx::query!("SELECT body FROM teams ORDER BY name")
        .fetch_all(db)
        .await?;
    rows.into_iter()
        .map(|row| json("body", &row.body))
        .collect()
}

fn holder(kind: &str, text: &str) -> sqlx::Result<Holder> {
    let number = || text.parse::<u64>().map_err(|_| unreadable("holder", text));
    match kind {
        "user" => Ok(Holder::User(UserId(number()?))),
        "role" => Ok(Holder::Role(RoleId(number()?))),
        _ => Name::parse(text)
            .map(Holder::Team)
            .map_err(|_| unreadable("holder", text)),
    }
}

fn columns(holder: &Holder) -> (&'static str, String) {
    match holder {
        Holder::User(id) => ("user", id.to_string()),
        Holder::Role(id) => ("role", id.to_string()),
        Holder::Team(name) => ("team", name.to_string()),
    }
}

/// Adds a grant; its own `id` and `created_at` do not matter.
pub async fn insert(tx: &mut Tx, grant: &Grant, now: DateTime<Utc>) -> sqlx::Result<GrantId> {
    let (kind, holder) = columns(&grant.holder);
    let (level, fleets) = (grant.level.as_str(), grant.fleets.as_str());
    let source = grant.source.as_str();
    let granted_by = grant.granted_by.map(UserId::to_db);
    let id = sqlx::query_scalar!(
        r#"INSERT INTO grants (holder_kind, holder, level, fleets, until, source, granted_by, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id AS "id!""#,
        kind,
        holder,
        level,
        fleets,
        grant.until,
        source,
        granted_by,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(GrantId(id))
}

/// True if it was there.
pub async fn delete(tx: &mut Tx, id: GrantId) -> sqlx::Result<bool> {
    let done = sqlx::query!("DELETE FROM grants WHERE id = ?", id.0)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes or changes a team. What an earlier team of that name was granted is not its: a new one begins with nothing.
pub async fn put_team(tx: &mut Tx, team: &Team, now: DateTime<Utc>) -> sqlx::Result<()> {
    let (name, body) = (team.name.as_str(), to_json(team)?);
    let known = sqlx::query!("UPDATE teams SET body = ? WHERE name = ?", body, name)
        .execute(&mut **tx)
        .await?;
    if known.rows_affected() == 1 {
        return Ok(());
    }
    drop_grants_of(tx, &team.name).await?;
    sqlx::query!(
        "INSERT INTO teams (name, body, created_at) VALUES (?, ?, ?)",
        name,
        body,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The team and what it was granted. True if it was there.
pub async fn delete_team(tx: &mut Tx, name: &Name) -> sqlx::Result<bool> {
    drop_grants_of(tx, name).await?;
    let name = name.as_str();
    let done = sqlx::query!("DELETE FROM teams WHERE name = ?", name)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

async fn drop_grants_of(tx: &mut Tx, team: &Name) -> sqlx::Result<()> {
    let name = team.as_str();
    sqlx::query!(
        "DELETE FROM grants WHERE holder_kind = 'team' AND holder = ?",
        name
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A fresh code, which replaces an earlier one and forgives what was tried with it.
pub async fn put_code(tx: &mut Tx, digest: &[u8], expires: DateTime<Utc>) -> sqlx::Result<()> {
    void_code(tx).await?;
    sqlx::query!(
        "INSERT INTO claim_code (only_row, digest, expires_at) VALUES (1, ?, ?)",
        digest,
        expires
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The digest of the code and when it ends.
pub async fn code(tx: &mut Tx) -> sqlx::Result<Option<(Vec<u8>, DateTime<Utc>)>> {
    let row =
        sqlx::query!(r#"SELECT digest, expires_at AS "expires_at: DateTime<Utc>" FROM claim_code"#)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(row.map(|row| (row.digest, row.expires_at)))
}

/// No code is good any more.
pub async fn void_code(tx: &mut Tx) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM claim_code")
        .execute(&mut **tx)
        .await?;
    sqlx::query!("DELETE FROM claim_failures")
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many wrong codes came from one user, and from all.
pub async fn failures(tx: &mut Tx, user: UserId) -> sqlx::Result<(i64, i64)> {
    let user = user.to_db();
    let row = sqlx::query!(
        r#"SELECT coalesce(sum(count) FILTER (WHERE user_id = ?), 0) AS "own!: i64",
                  coalesce(sum(count), 0) AS "all!: i64"
           FROM claim_failures"#,
        user
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok((row.own, row.all))
}

pub async fn note_failure(tx: &mut Tx, user: UserId) -> sqlx::Result<()> {
    let user = user.to_db();
    sqlx::query!(
        "INSERT INTO claim_failures (user_id, count) VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
        user
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
