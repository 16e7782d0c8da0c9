//! A database of every older version, with rows of each table it had, is brought up to date and keeps them.
//!
//! `migrations/<version>.sql` beside this file holds what a Yardarm of that version may have written that one before could
//! not. A database of a version has the rows of all files up to it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use yardarm::{
    domain::ids::{AgentId, BoardId},
    store::Store,
};

use crate::support::test_app::said;

/// How many rows each table has.
type Counts = BTreeMap<String, i64>;

/// A database that grows older versions one by one.
struct Past {
    folder: tempfile::TempDir,
    database: SqliteConnection,
}

impl Past {
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!(
            "sqlite://{}?mode=rwc",
            folder.path().join("past.db").display()
        );
        let database = SqliteConnection::connect(&address).await.unwrap();
        Self { folder, database }
    }

    /// Brings it to a version, as that one left it after a while.
    async fn reach(&mut self, version: i64) {
        let migrator = sqlx::migrate!();
        migrator.run_to(version, &mut self.database).await.unwrap();
        let rows = std::fs::read_to_string(samples(version));
        let rows = rows.unwrap_or_else(|error| panic!("no rows of version {version}: {error}"));
        let inserted = sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut self.database);
        inserted
            .await
            .unwrap_or_else(|error| panic!("rows of {version}: {error}"));
    }

    /// A copy of it.
    async fn copied(&mut self, version: i64) -> PathBuf {
        let path = self.folder.path().join(format!("{version}.db"));
        let copy = AssertSqlSafe(format!("VACUUM INTO '{}'", path.display()));
        sqlx::raw_sql(copy)
            .execute(&mut self.database)
            .await
            .unwrap();
        path
    }

    /// A copy of it, opened by the present version.
    async fn opened(&mut self, version: i64) -> (PathBuf, Store) {
        let path = self.copied(version).await;
        let store = Store::open(&path).await;
        let store = store.unwrap_or_else(|error| panic!("version {version}: {error}"));
        (path, store)
    }
}

fn samples(version: i64) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/migrations");
    folder.join(format!("{version}.sql"))
}

fn versions() -> Vec<i64> {
    sqlx::migrate!().iter().map(|one| one.version).collect()
}

async fn counts(database: &mut SqliteConnection) -> Counts {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%sqlx%' AND name NOT LIKE 'sqlite%'";
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&mut *database)
        .await
        .unwrap();
    let mut found = Counts::new();
    for table in tables {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let count = sqlx::query_scalar(count).fetch_one(&mut *database).await;
        found.insert(table, count.unwrap());
    }
    found
}

/// What is left of a closed database, and what is wrong with it.
async fn examine(path: &Path) -> (Counts, Vec<String>) {
    let address = format!("sqlite://{}", path.display());
    let mut database = SqliteConnection::connect(&address).await.unwrap();
    let broken =
        "SELECT \"table\" || ' ' || rowid || ' needs ' || parent FROM pragma_foreign_key_check";
    let broken = sqlx::query_scalar(broken).fetch_all(&mut database).await;
    (counts(&mut database).await, broken.unwrap())
}

#[tokio::test]
async fn a_database_of_any_older_version_keeps_its_rows() {
    let mut past = Past::begin().await;
    for version in versions() {
        past.reach(version).await;
        let before = counts(&mut past.database).await;
        let (path, store) = past.opened(version).await;
        assert_eq!(store.damage().await.unwrap(), None, "version {version}");
        let verdict = store.ledger().verify(&[]).await.unwrap();
        assert_eq!(verdict.broken, None, "version {version}");
        let rows_of_audit = before.get("audit").copied().unwrap_or_default();
        assert_eq!(verdict.head.number, rows_of_audit, "version {version}");
        store.close().await;
        let (after, broken) = examine(&path).await;
        assert_eq!(broken, Vec::<String>::new(), "version {version}");
        let kept: Counts = after
            .into_iter()
            .filter(|(table, _)| before.contains_key(table))
            .collect();
        assert_eq!(kept, before, "version {version}");
    }
}

/// The version that a closed database is of.
async fn version_of(path: &Path) -> i64 {
    let address = format!("sqlite://{}", path.display());
    let mut database = SqliteConnection::connect(&address).await.unwrap();
    let newest = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations");
    newest.fetch_one(&mut database).await.unwrap()
}

#[tokio::test]
async fn a_copy_that_is_made_before_the_first_start_of_an_update_is_a_way_back() {
    let mut past = Past::begin().await;
    let all = versions();
    let (_, older) = all.split_last().unwrap();
    for version in older {
        past.reach(*version).await;
    }
    let last = *older.last().unwrap();
    let path = past.copied(last).await;
    let settings = past.folder.path().join("yardarm.toml");
    std::fs::write(&settings, "[discord]\nguild = 7\n").unwrap();
    let mut backup = Command::new(env!("CARGO_BIN_EXE_yardarm"));
    backup.arg("backup").arg("--config").arg(settings);
    backup.arg("--set");
    backup.arg(format!("database.path={}", path.display()));
    let (code, copy) = said(&backup.output().unwrap());
    assert_eq!(code, Some(0), "{copy}");
    assert_eq!(version_of(Path::new(copy.trim())).await, last);
    assert_eq!(version_of(&path).await, last);
}

#[tokio::test]
async fn there_are_rows_of_every_table_and_of_no_version_that_never_was() {
    let mut past = Past::begin().await;
    for version in versions() {
        past.reach(version).await;
    }
    let counts = counts(&mut past.database).await;
    let empty: Vec<_> = counts.iter().filter(|(_, count)| **count == 0).collect();
    assert!(empty.is_empty(), "without a row: {empty:?}");
    let files = std::fs::read_dir(samples(0).parent().unwrap()).unwrap();
    assert_eq!(files.count(), versions().len());
}

#[tokio::test]
async fn what_is_kept_is_understood() {
    let mut past = Past::begin().await;
    for version in versions() {
        past.reach(version).await;
        let (_, store) = past.opened(version).await;
        let agents = store.agents().await.unwrap();
        assert_eq!(agents.len(), 1, "version {version}");
        let spec = store.version(AgentId(1), 1).await.unwrap().unwrap().spec;
        assert_eq!(spec.image, "demo:1");
        let templates = store.templates().await.unwrap();
        assert!(templates.iter().all(|(_, body)| body.contains("demo:1")));
        store.access().await.unwrap();
        store.open_incidents().await.unwrap();
        store.board(BoardId(1)).await.unwrap();
        store.close().await;
    }
}

#[tokio::test]
async fn whatever_names_an_action_is_found_by_an_index_once_that_is_deleted() {
    let mut past = Past::begin().await;
    for version in versions() {
        past.reach(version).await;
    }
    let scanned = "SELECT one.name || '.' || key.\"from\" FROM sqlite_schema AS one, pragma_foreign_key_list(one.name) AS key
         WHERE one.type = 'table' AND key.\"table\" = 'actions'
           AND NOT EXISTS (SELECT 1 FROM pragma_table_info(one.name) AS own WHERE own.name = key.\"from\" AND own.pk = 1)
           AND NOT EXISTS (SELECT 1 FROM pragma_index_list(one.name) AS each, pragma_index_info(each.name) AS part
                           WHERE part.seqno = 0 AND part.name = key.\"from\")";
    let scanned: Vec<String> = sqlx::query_scalar(scanned)
        .fetch_all(&mut past.database)
        .await
        .unwrap();
    assert_eq!(scanned, Vec::<String>::new());
}
