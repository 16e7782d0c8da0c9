//! Reading the audit: all of it to verify it, some of it to show it.

use std::path::Path;

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use sqlx::{Sqlite, SqlitePool, Transaction};

use super::{OpenError, Store, beside, json, to_json};
use crate::domain::{
    audit::{
        Record,
        chain::{Anchor, Broken, Chain, How},
        search::{Search, Sight},
        stamp,
    },
    ids::{AgentId, UserId},
};

/// How far ahead is looked for the row that stands in another's place.
const LOOK_AHEAD: i64 = 1000;

/// Reads the audit; whoever has one cannot write.
#[derive(Clone, Debug)]
pub struct Ledger(SqlitePool);

/// What following the chain has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What the chain begins after: nothing, or what a purge has left.
    pub start: Anchor,
    /// The last row that is what it was.
    pub head: Anchor,
    pub broken: Option<Broken>,
    /// Anchors of rows that were purged.
    pub unknown: Vec<Anchor>,
}

/// What the last purge said.
#[derive(serde::Deserialize)]
struct Purge {
    through: i64,
    hash: String,
}

impl Store {
    pub fn ledger(&self) -> Ledger {
        Ledger(self.reader.clone())
    }
}

impl Ledger {
    /// For reading beside whoever writes: it takes no lock and changes nothing.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self(beside(path).await?))
    }

    /// Up to `limit` rows from number `first` on.
    pub async fn rows(&self, first: i64, limit: i64) -> sqlx::Result<Vec<Record>> {
        rows(&mut self.0.begin().await?, first, limit).await
    }

    /// The numbers of the rows that were searched for and may be seen, the newest first.
    pub async fn search(
        &self,
        search: &Search,
        sight: &Sight,
        (offset, limit): (i64, i64),
    ) -> sqlx::Result<Vec<i64>> {
        let actor = search.actor.map(UserId::to_db);
        let (since, until) = (search.since.map(stamp), search.until.map(stamp));
        let text = search.text.as_ref().map(|text| text.to_lowercase());
        let fleets = among(sight)?;
        sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM audit
               WHERE (?1 IS NULL OR id <= ?1)
                 AND (?2 IS NULL OR agent_name = ?2
                      OR (agent_id IS NULL AND action_id IN (SELECT action_id FROM action_targets
                          JOIN agents ON agents.id = action_targets.agent_id WHERE agents.name = ?2)))
                 AND (?3 IS NULL OR actor = ?3)
                 AND (?4 IS NULL OR kind = ?4)
                 AND (?5 IS NULL OR what = ?5)
                 AND (?6 IS NULL OR at >= ?6)
                 AND (?7 IS NULL OR at < ?7)
                 AND (?8 IS NULL OR instr(lower(coalesce(text, '')), ?8) OR instr(lower(details), ?8))
                 AND (?9 IS NULL OR fleet_id IN (SELECT value FROM json_each(?9)))
               ORDER BY id DESC LIMIT ?10 OFFSET ?11"#,
            search.through,
            search.agent,
            actor,
            search.kind,
            search.what,
            since,
            until,
            text,
            fleets,
            limit,
            offset
        )
        .fetch_all(&self.0)
        .await
    }

    /// Rows by their numbers, the oldest first.
    pub async fn numbered(&self, numbers: &[i64]) -> sqlx::Result<Vec<Record>> {
        let numbers = to_json(&numbers)?;
        sqlx::query_as!(
            Record,
            r#"SELECT id AS "number!", at, what, actor, origin, agent_id, agent_name, fleet_id, fleet_name, action_id,
                      kind, plan, text, details, hash
               FROM audit WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"#,
            numbers
        )
        .fetch_all(&self.0)
        .await
    }

    /// The last row, if there is one.
    pub async fn head(&self) -> sqlx::Result<Option<Anchor>> {
        let row =
            sqlx::query!(r#"SELECT id AS "number!", hash FROM audit ORDER BY id DESC LIMIT 1"#)
                .fetch_optional(&self.0)
                .await?;
        Ok(row.map(|row| Anchor {
            number: row.number,
            hash: row.hash,
        }))
    }

    /// The newest rows about an agent and about actions on it, those that may be seen; the oldest first.
    pub async fn of_agent(
        &self,
        agent: AgentId,
        sight: &Sight,
        limit: i64,
    ) -> sqlx::Result<Vec<Record>> {
        let fleets = among(sight)?;
        let mut records = sqlx::query_as!(
            Record,
            r#"SELECT id AS "number!", at, what, actor, origin, agent_id, agent_name, fleet_id, fleet_name, action_id,
                      kind, plan, text, details, hash
               FROM audit
               WHERE (agent_id = ?1 OR (agent_id IS NULL AND action_id IN
                         (SELECT action_id FROM action_targets WHERE action_targets.agent_id = ?1)))
                 AND (?2 IS NULL OR fleet_id IN (SELECT value FROM json_each(?2)))
               ORDER BY id DESC LIMIT ?3"#,
            agent.0,
            fleets,
            limit
        )
        .fetch_all(&self.0)
        .await?;
        records.reverse();
        Ok(records)
    }

    /// When an agent's container ended, of the last end that was told.
    pub async fn last_end(&self, agent: AgentId) -> sqlx::Result<Option<String>> {
        let told = sqlx::query_scalar!(
            r#"SELECT json_extract(details, '$.finished_at') AS "at: String"
               FROM audit WHERE agent_id = ? AND what = 'exited' ORDER BY id DESC LIMIT 1"#,
            agent.0
        )
        .fetch_optional(&self.0)
        .await?;
        Ok(told.flatten())
    }

    /// Whether there is anything from before that time.
    pub async fn is_older(&self, than: DateTime<Utc>) -> sqlx::Result<bool> {
        let than = stamp(than);
        sqlx::query_scalar!(
            r#"SELECT coalesce((SELECT at < ? FROM audit ORDER BY id LIMIT 1), 0) AS "older!: bool""#,
            than
        )
        .fetch_one(&self.0)
        .await
    }

    /// Follows the chain to its end or to the first row that is not what it was, as it stands at this moment.
    pub async fn verify(&self, anchors: &[Anchor]) -> sqlx::Result<Verdict> {
        let mut tx = self.0.begin().await?;
        let (start, forged) = start(&mut tx).await?;
        let mut chain = Chain::after(start.clone());
        let (known, unknown) = anchors
            .iter()
            .cloned()
            .partition::<Vec<_>, _>(|anchor| anchor.number >= start.number);
        let broken = match forged {
            Some(broken) => Some(broken),
            None => follow(&mut tx, &mut chain, &known).await?,
        };
        Ok(Verdict {
            start,
            head: chain.head(),
            broken,
            unknown,
        })
    }
}

/// The fleets whose rows may be seen, as JSON; None for all rows.
fn among(sight: &Sight) -> sqlx::Result<Option<String>> {
    match sight {
        Sight::Everything => Ok(None),
        Sight::Fleets(fleets) => to_json(fleets).map(Some),
    }
}

/// Where the chain begins; and the row that says so, if it was changed.
async fn start(tx: &mut Transaction<'_, Sqlite>) -> sqlx::Result<(Anchor, Option<Broken>)> {
    let last =
        sqlx::query_scalar!(r#"SELECT max(id) AS "number: i64" FROM audit WHERE what = 'purged'"#)
            .fetch_one(&mut **tx)
            .await?;
    let Some(number) = last else {
        return Ok((Anchor::genesis(), None));
    };
    let around = rows(tx, number - 1, 2).await?;
    let find = |number: i64| around.iter().find(|row| row.number == number);
    let Some(row) = find(number) else {
        return Ok((Anchor::genesis(), None));
    };
    let changed = Broken {
        number,
        how: How::Changed,
    };
    let purge = json::<Purge>("details", &row.details).ok();
    let start = purge.and_then(|purge| Anchor::parse(&format!("{}:{}", purge.through, purge.hash)));
    let Some(start) = start else {
        return Ok((Anchor::genesis(), Some(changed)));
    };
    let previous = find(number - 1).map_or(&start.hash, |before| &before.hash);
    let whole = row.hash == row.hash_after(previous);
    Ok((start, (!whole).then_some(changed)))
}

async fn follow(
    tx: &mut Transaction<'_, Sqlite>,
    chain: &mut Chain,
    anchors: &[Anchor],
) -> sqlx::Result<Option<Broken>> {
    if let Some(broken) = differs(chain, anchors) {
        return Ok(Some(broken));
    }
    let misfit = first_misfit(tx, chain, anchors).await?;
    if let Some(Misfit::Row(record)) = misfit {
        let later = rows(tx, record.number + 1, LOOK_AHEAD).await?;
        return Ok(Some(chain.judge(&record, &later)));
    }
    if let Some(Misfit::Anchor(broken)) = misfit {
        return Ok(Some(broken));
    }
    // (An expression, because sqlx crashes on that table's columns, which have no type.)
    let given = sqlx::query_scalar!(
        r#"SELECT coalesce(max(seq), 0) AS "last!: i64" FROM sqlite_sequence WHERE name = 'audit'"#
    )
    .fetch_one(&mut **tx)
    .await?;
    let last = chain.head().number;
    let anchored = anchors.iter().map(|anchor| anchor.number).max();
    Ok((given.max(anchored.unwrap_or(0)) > last).then_some(Broken {
        number: last + 1,
        how: How::CutOff,
    }))
}

enum Misfit {
    Row(Box<Record>),
    Anchor(Broken),
}

async fn first_misfit(
    tx: &mut Transaction<'_, Sqlite>,
    chain: &mut Chain,
    anchors: &[Anchor],
) -> sqlx::Result<Option<Misfit>> {
    let start = chain.head().number;
    // Below what was purged there may be rows that wait to be deleted; below the first row there is nothing.
    let after = if start == 0 { i64::MIN } else { start };
    let mut stream = sqlx::query_as!(
        Record,
        r#"SELECT id AS "number!", at, what, actor, origin, agent_id, agent_name, fleet_id, fleet_name, action_id, kind,
                  plan, text, details, hash
           FROM audit WHERE id > ? ORDER BY id"#,
        after
    )
    .fetch(&mut **tx);
    while let Some(record) = stream.try_next().await? {
        if !chain.take(&record) {
            return Ok(Some(Misfit::Row(Box::new(record))));
        }
        if let Some(broken) = differs(chain, anchors) {
            return Ok(Some(Misfit::Anchor(broken)));
        }
    }
    Ok(None)
}

/// Whether the row at hand is another than the one that was noted down.
fn differs(chain: &Chain, anchors: &[Anchor]) -> Option<Broken> {
    if anchors.is_empty() {
        return None;
    }
    let head = chain.head();
    let anchor = anchors.iter().find(|anchor| anchor.number == head.number)?;
    (*anchor != head).then_some(Broken {
        number: head.number,
        how: How::Rewritten,
    })
}

async fn rows(
    tx: &mut Transaction<'_, Sqlite>,
    first: i64,
    limit: i64,
) -> sqlx::Result<Vec<Record>> {
    sqlx::query_as!(
        Record,
        r#"SELECT id AS "number!", at, what, actor, origin, agent_id, agent_name, fleet_id, fleet_name, action_id, kind,
                  plan, text, details, hash
           FROM audit WHERE id >= ? ORDER BY id LIMIT ?"#,
        first,
        limit
    )
    .fetch_all(&mut **tx)
    .await
}
