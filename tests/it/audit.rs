//! The audit: written with what it tells, added to and nothing else.

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, SqliteConnection};
use yardarm::{
    clock::Clock as _,
    domain::audit::{Entry, Origin, What},
    store::{Store, audit},
};

use crate::support::clock::FixedClock;

/// A database whose audit has so many rows.
struct Ledger {
    folder: tempfile::TempDir,
    store: Store,
    now: DateTime<Utc>,
}

impl Ledger {
    async fn of(rows: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("yardarm.db"))
            .await
            .unwrap();
        let now = FixedClock::new().now();
        let ledger = Self { folder, store, now };
        for number in 1..=rows {
            ledger.append(&format!("row {number}")).await;
        }
        ledger
    }

    async fn append(&self, text: &str) -> i64 {
        let entry = Entry {
            text: Some(text.to_owned()),
            ..Entry::new(What::Reloaded, Origin::CHAT)
        };
        let mut tx = self.store.begin().await.unwrap();
        let number = audit::append(&mut tx, &entry, self.now).await.unwrap();
        tx.commit().await.unwrap();
        number
    }

    /// What somebody with the file at hand does to it.
    async fn raw(&self, sql: &'static str) -> sqlx::Result<()> {
        let address = format!(
            "sqlite://{}",
            self.folder.path().join("yardarm.db").display()
        );
        let mut database = SqliteConnection::connect(&address).await.unwrap();
        let done = sqlx::raw_sql(sql).execute(&mut database).await;
        database.close().await.unwrap();
        done.map(drop)
    }
}

#[tokio::test]
async fn an_entry_is_there_if_and_only_if_what_it_tells_is() {
    let ledger = Ledger::of(2).await;
    let entry = Entry::new(What::Reloaded, Origin::CHAT);
    let mut tx = ledger.store.begin().await.unwrap();
    assert_eq!(audit::append(&mut tx, &entry, ledger.now).await.unwrap(), 3);
    drop(tx);
    assert_eq!(ledger.append("again").await, 3);
}

#[tokio::test]
async fn rows_are_only_added() {
    let ledger = Ledger::of(3).await;
    for sql in [
        "UPDATE audit SET text = 'nothing happened' WHERE id = 2",
        "DELETE FROM audit WHERE id = 3",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE id = 2",
    ] {
        let refused = ledger.raw(sql).await.unwrap_err().to_string();
        assert!(refused.contains("only added to"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn the_number_of_a_row_that_was_taken_away_is_not_given_again() {
    let ledger = Ledger::of(3).await;
    let sql = "DROP TRIGGER audit_is_not_deleted; DELETE FROM audit WHERE id = 3";
    ledger.raw(sql).await.unwrap();
    assert_eq!(ledger.append("next").await, 4);
}
