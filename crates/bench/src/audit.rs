//! What the audit costs: a row in a transaction of its own beside a plain insert, and following a long chain beside
//! hashing the same bytes.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use sqlx::{
    Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use yardarm::{
    clock::{Clock as _, SystemClock},
    domain::{
        action::Kind,
        agent::Name,
        audit::{Entry, Origin, What},
        ids::{ActionId, AgentId, FleetId, UserId},
    },
    store::{Store, audit, ledger::Ledger},
};

use crate::{Counts, figures::Figures};

/// Rows in one transaction while the long chain is made.
const AT_ONCE: usize = 10_000;
/// Rows read at a time for the floor.
const PAGE: i64 = 10_000;

pub(crate) async fn measure(figures: &mut Figures, counts: &Counts) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("yardarm.db");
    let store = Store::open(&path).await?;
    let mut floor = Floor::open(&folder.path().join("floor.db")).await?;
    let (mut own, mut least) = (Duration::ZERO, Duration::ZERO);
    for number in 0..counts.audit_commits {
        let began = Instant::now();
        append(&store, number, 1).await?;
        own += began.elapsed();
        let began = Instant::now();
        floor.insert().await?;
        least += began.elapsed();
    }
    figures.rate("audit_rows_per_s", counts.audit_commits, own);
    figures.rate("audit_rows_floor_per_s", counts.audit_commits, least);
    let mut rows = counts.audit_commits;
    while rows < counts.audit_rows {
        let more = AT_ONCE.min(counts.audit_rows - rows);
        append(&store, rows, more).await?;
        rows += more;
    }
    store.close().await;
    verify(figures, &path, rows).await
}

/// Such rows as an action leaves.
async fn append(store: &Store, first: usize, count: usize) -> Result<()> {
    let name = |text: &str| Name::parse(text).map_err(anyhow::Error::new);
    let mut tx = store.begin().await?;
    for number in first..first + count {
        let action = i64::try_from(number)?;
        let entry = Entry {
            actor: Some(UserId(1_234_567_890_123_456_789)),
            agent: Some((
                AgentId(action % 100),
                name(&format!("agent-{}", number % 100))?,
            )),
            fleet: Some((FleetId(1), name("main")?)),
            action: Some(ActionId(action)),
            kind: Some(Kind::Restart),
            text: Some("it did not answer any more".to_owned()),
            ..Entry::new(What::Succeeded, Origin::CHAT)
        };
        audit::append(&mut tx, &entry, SystemClock.now()).await?;
    }
    Ok(tx.commit().await?)
}

async fn verify(figures: &mut Figures, path: &Path, rows: usize) -> Result<()> {
    let ledger = Ledger::open(path).await?;
    let began = Instant::now();
    let verdict = ledger.verify(&[]).await?;
    let took = began.elapsed();
    ensure!(verdict.broken.is_none(), "the chain is broken");
    ensure!(
        usize::try_from(verdict.head.number)? == rows,
        "rows are missing"
    );
    let (mut hashing, mut hash, mut first) = (Duration::ZERO, verdict.start.hash, 1);
    loop {
        let page = ledger.rows(first, PAGE).await?;
        let Some(last) = page.last() else { break };
        first = last.number + 1;
        let began = Instant::now();
        for record in &page {
            hash = record.hash_after(&hash).to_vec();
        }
        hashing += began.elapsed();
    }
    ensure!(hash == verdict.head.hash, "the floor hashed something else");
    figures.number("audit_verify_s", took.as_secs_f64());
    figures.number("audit_verify_floor_s", hashing.as_secs_f64());
    Ok(())
}

/// The same columns in a table without a chain, an index or a trigger.
struct Floor(SqliteConnection);

impl Floor {
    async fn open(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let table = "CREATE TABLE plain (id INTEGER PRIMARY KEY, at TEXT, what TEXT, actor INTEGER, agent_id INTEGER,
                     agent_name TEXT, action_id INTEGER, kind TEXT, text TEXT, details TEXT, hash BLOB) STRICT";
        sqlx::raw_sql(table).execute(&mut connection).await?;
        Ok(Self(connection))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a table of the bench has no checked queries"
    )]
    async fn insert(&mut self) -> Result<()> {
        let mut tx = self.0.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO plain (at, what, actor, agent_id, agent_name, action_id, kind, text, details, hash)
             VALUES (?, 'succeeded', 1234567890123456789, 7, 'agent-7', 7, 'restart', 'it did not answer any more',
                     '{}', zeroblob(32))",
        )
        .bind(SystemClock.now())
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}
