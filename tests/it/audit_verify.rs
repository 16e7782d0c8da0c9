//! The audit by itself: rows are added and nothing else, and whatever else was done to them is named.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Connection as _, SqliteConnection};
use yardarm::{
    clock::Clock as _,
    domain::audit::{Entry, GENESIS, Origin, Record, What, chain::Anchor},
    store::{Store, audit},
};

use crate::support::clock::FixedClock;

const FREE: &str =
    "DROP TRIGGER IF EXISTS audit_is_not_changed; DROP TRIGGER IF EXISTS audit_is_not_replaced;
                    DROP TRIGGER IF EXISTS audit_is_not_deleted";

/// A database whose audit has so many rows.
struct Book {
    folder: tempfile::TempDir,
    store: Store,
    now: DateTime<Utc>,
}

impl Book {
    async fn of(rows: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("yardarm.db"))
            .await
            .unwrap();
        // Long ago for the program, which has the machine's clock.
        let now = FixedClock::new().now() - TimeDelta::days(1000);
        let book = Self { folder, store, now };
        for number in 1..=rows {
            book.append(&format!("row {number}")).await;
        }
        book
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

    fn path(&self) -> PathBuf {
        self.folder.path().join("yardarm.db")
    }

    /// What somebody with the file at hand does to it, once the triggers are out of the way.
    async fn forge(&self, sql: &'static str) {
        self.raw(FREE).await.unwrap();
        self.raw(sql).await.unwrap();
    }

    /// `yardarm audit …`: exit code and what it says.
    fn audit(&self, arguments: &[&str]) -> (i32, String) {
        audit_of(&self.path(), arguments)
    }

    fn verify(&self) -> (i32, String) {
        self.audit(&["verify"])
    }

    /// The last row as it would be posted.
    async fn anchor(&self) -> Anchor {
        self.store.ledger().head().await.unwrap().unwrap()
    }

    /// What was done, and the one row that `verify` names for it.
    async fn assert_broken(sql: &'static str, said: &str) {
        let book = Self::of(6).await;
        book.forge(sql).await;
        let (code, answer) = book.verify();
        let expected = format!("broken: {said}; what stands before it is whole");
        assert_eq!(
            (code, answer.lines().next().unwrap()),
            (3, expected.as_str()),
            "{sql}"
        );
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

fn audit_of(database: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yardarm"));
    command.arg("audit").args(arguments);
    command.arg("--database").arg(database);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let code = output.status.code().expect("it ended by itself");
    (code, String::from_utf8(said).unwrap().trim_end().to_owned())
}

#[tokio::test]
async fn a_copy_that_is_made_while_others_write_is_whole() {
    let book = Book::of(100).await;
    let copy = book.folder.path().join("copy.db");
    let mut written = 0;
    let writing = async {
        loop {
            written = book.append("meanwhile").await;
        }
    };
    tokio::select! {
        copied = book.store.copy_into(&copy) => copied.unwrap(),
        () = writing => unreachable!("it ends never"),
    }
    assert!(written > 100, "nobody wrote meanwhile");
    let (code, said) = audit_of(&copy, &["verify"]);
    assert_eq!(code, 0, "{said}");
    let copy = Store::open(&copy).await.unwrap();
    assert_eq!(copy.damage().await.unwrap(), None);
    let last = copy.ledger().head().await.unwrap().unwrap().number;
    assert!((100..=written).contains(&last), "{last} of {written}");
}

#[tokio::test]
async fn an_entry_is_there_if_and_only_if_what_it_tells_is() {
    let book = Book::of(2).await;
    let entry = Entry::new(What::Reloaded, Origin::CHAT);
    let mut tx = book.store.begin().await.unwrap();
    assert_eq!(audit::append(&mut tx, &entry, book.now).await.unwrap(), 3);
    drop(tx);
    assert_eq!(book.append("again").await, 3);
}

#[tokio::test]
async fn rows_are_only_added() {
    let book = Book::of(3).await;
    for sql in [
        "UPDATE audit SET text = 'nothing happened' WHERE id = 2",
        "DELETE FROM audit WHERE id = 3",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE id = 2",
    ] {
        let refused = book.raw(sql).await.unwrap_err().to_string();
        assert!(refused.contains("only added to"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn the_number_of_a_row_that_was_taken_away_is_not_given_again() {
    let book = Book::of(3).await;
    let sql = "DROP TRIGGER audit_is_not_deleted; DELETE FROM audit WHERE id = 3";
    book.raw(sql).await.unwrap();
    assert_eq!(book.append("next").await, 4);
}

#[tokio::test]
async fn a_whole_audit_is_verified_while_it_is_in_use() {
    let book = Book::of(5).await;
    let head = book.anchor().await;
    let whole = format!("whole: 5 rows, 1 to 5, ending in {head}");
    assert_eq!(book.verify(), (0, whole.clone()));
    assert_eq!(
        book.audit(&["verify", "--anchor", &head.to_string()]),
        (0, whole)
    );
    // Somebody is in the middle of writing the next one.
    let mut tx = book.store.begin().await.unwrap();
    let entry = Entry::new(What::Reloaded, Origin::CHAT);
    audit::append(&mut tx, &entry, book.now).await.unwrap();
    assert_eq!(book.verify().0, 0);
    tx.commit().await.unwrap();
    assert!(
        book.verify()
            .1
            .starts_with("whole: 6 rows, 1 to 6, ending in 6:")
    );
}

#[tokio::test]
async fn a_database_nobody_uses_is_verified_and_left_as_it_is() {
    let book = Book::of(2).await;
    book.store.close().await;
    let before = std::fs::read(book.path()).unwrap();
    assert_eq!(book.verify().0, 0);
    assert_eq!(std::fs::read(book.path()).unwrap(), before);
    let (code, said) = book.audit(&["verify", "--anchor", "5"]);
    assert_eq!(code, 2, "{said}");
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_refused() {
    let book = Book::of(0).await;
    std::fs::remove_file(book.path()).unwrap();
    let (code, said) = book.verify();
    assert_eq!(code, 65, "{said}");
}

#[tokio::test]
async fn what_was_done_to_a_row_is_named() {
    Book::assert_broken(
        "UPDATE audit SET text = 'nothing' WHERE id = 3",
        "row 3 was changed",
    )
    .await;
    Book::assert_broken(
        "UPDATE audit SET actor = 7 WHERE id = 1",
        "row 1 was changed",
    )
    .await;
    Book::assert_broken(
        "UPDATE audit SET hash = zeroblob(32) WHERE id = 6",
        "row 6 was changed",
    )
    .await;
    Book::assert_broken("DELETE FROM audit WHERE id = 3", "row 3 is missing").await;
    Book::assert_broken("DELETE FROM audit WHERE id < 4", "row 1 is missing").await;
    Book::assert_broken(
        "DELETE FROM audit WHERE id = 3; UPDATE audit SET id = id - 1 WHERE id > 3",
        "row 3 is missing",
    )
    .await;
    Book::assert_broken(
        "UPDATE audit SET id = 99 WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 3;
         UPDATE audit SET id = 3 WHERE id = 99",
        "row 2 stands in another's place",
    )
    .await;
    Book::assert_broken(
        "UPDATE audit SET id = -id WHERE id > 3; UPDATE audit SET id = 1 - id WHERE id < 0;
         INSERT INTO audit SELECT 4, at, what, actor, origin, agent_id, agent_name, fleet_id, fleet_name, action_id,
                                  kind, plan, 'so it was', details, hash FROM audit WHERE id = 2",
        "row 4 was inserted",
    )
    .await;
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_missed() {
    Book::assert_broken(
        "DELETE FROM audit WHERE id > 4",
        "row 5 is missing, and what came after it",
    )
    .await;
    // Whoever knows SQLite hides that, but not from what was noted down outside.
    let book = Book::of(6).await;
    let anchor = book.anchor().await.to_string();
    book.forge(
        "DELETE FROM audit WHERE id > 4; UPDATE sqlite_sequence SET seq = 4 WHERE name = 'audit'",
    )
    .await;
    assert_eq!(book.verify().0, 0);
    let (code, said) = book.audit(&["verify", "--anchor", &anchor]);
    assert_eq!(code, 3);
    assert!(
        said.starts_with("broken: row 5 is missing, and what came after it"),
        "{said}"
    );
}

#[tokio::test]
async fn a_chain_made_anew_is_not_what_was_anchored() {
    let book = Book::of(4).await;
    let anchor = book.anchor().await.to_string();
    let mut records = book.store.ledger().rows(1, 10).await.unwrap();
    let mut hash = GENESIS.to_vec();
    for record in &mut records {
        record.text = Some("all was well".to_owned());
        record.hash = record.hash_after(&hash).to_vec();
        hash.clone_from(&record.hash);
    }
    book.raw(FREE).await.unwrap();
    for record in &records {
        book.rewrite(record).await;
    }
    assert_eq!(book.verify().0, 0);
    let (code, said) = book.audit(&["verify", "--anchor", &anchor]);
    assert_eq!(code, 3);
    assert!(
        said.starts_with("broken: row 4 is not the one that was anchored"),
        "{said}"
    );
}

impl Book {
    async fn rewrite(&self, record: &Record) {
        let address = format!("sqlite://{}", self.path().display());
        let mut database = SqliteConnection::connect(&address).await.unwrap();
        sqlx::query!(
            "UPDATE audit SET text = ?, hash = ? WHERE id = ?",
            record.text,
            record.hash,
            record.number
        )
        .execute(&mut database)
        .await
        .unwrap();
        database.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_purge_leaves_the_row_from_which_the_chain_goes_on() {
    let mut book = Book::of(3).await;
    let old = book.anchor().await;
    book.now += TimeDelta::days(1);
    book.append("a day later").await;
    let day = book.now.format("%Y-%m-%d").to_string();
    let (code, said) = book.audit(&["purge", "--before", &day]);
    assert_eq!(
        (code, said),
        (
            0,
            format!("purged: rows up to 3; the chain goes on after {old}")
        )
    );
    let rows = book.store.ledger().rows(1, 10).await.unwrap();
    let left: Vec<(i64, &str)> = rows
        .iter()
        .map(|row| (row.number, row.what.as_str()))
        .collect();
    assert_eq!(left, [(4, "reloaded"), (5, "purged")]);
    assert!(
        book.verify()
            .1
            .starts_with("whole: 2 rows, 4 to 5, ending in 5:")
    );
    assert_eq!(
        book.audit(&["purge", "--before", &day]),
        (0, "nothing is that old".to_owned())
    );

    // Anchors from before: of the last row that went, and of one whose hash nobody has any more.
    let known = old.to_string();
    assert_eq!(book.audit(&["verify", "--anchor", &known]).0, 0);
    let gone = Anchor { number: 2, ..old }.to_string();
    let (code, said) = book.audit(&["verify", "--anchor", &gone]);
    assert_eq!(code, 0);
    assert!(
        said.ends_with("row 2 was purged: its anchor says nothing any more"),
        "{said}"
    );

    assert!(
        book.raw("DELETE FROM audit WHERE id = 4").await.is_err(),
        "no purge has said so"
    );
    book.forge("UPDATE audit SET details = replace(details, '3', '4') WHERE id = 5")
        .await;
    assert!(book.verify().1.starts_with("broken: row 5 was changed"));
}

#[tokio::test]
async fn everything_may_be_purged_and_a_purge_cut_off_is_whole() {
    let book = Book::of(3).await;
    let later = book.now + TimeDelta::days(1);
    let mut tx = book.store.begin().await.unwrap();
    audit::purge(&mut tx, later, Origin::Yardarm, book.now)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    // Not deleted yet.
    let whole = book.verify();
    assert!(
        whole.1.starts_with("whole: 1 rows, 4 to 4, ending in 4:"),
        "{}",
        whole.1
    );
    book.store.delete_purged().await.unwrap();
    assert_eq!(book.verify(), whole);
    assert_eq!(book.append("next").await, 5);
    assert_eq!(book.verify().0, 0);
}

#[tokio::test]
async fn an_export_is_a_line_for_each_row_and_becomes_one_itself() {
    let mut book = Book::of(2).await;
    book.now += TimeDelta::hours(1);
    book.append("later").await;
    let since = book.now.to_rfc3339();
    let (code, lines) = book.audit(&["export", "--since", &since]);
    assert_eq!(code, 0);
    let line: serde_json::Value = serde_json::from_str(&lines).unwrap();
    let record = book.store.ledger().rows(3, 1).await.unwrap().remove(0);
    assert_eq!(line, record.to_json());
    let told = book.store.ledger().rows(4, 1).await.unwrap().remove(0);
    assert_eq!(
        (told.what.as_str(), told.origin.as_str()),
        ("exported", "host")
    );
    assert_eq!(
        book.audit(&["export", "--agent", "nobody"]),
        (0, String::new())
    );
    let (_, all) = book.audit(&["export"]);
    assert_eq!(all.lines().count(), 5);
    assert_eq!(book.verify().0, 0);
}
