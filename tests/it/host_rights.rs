//! `yardarm claim` and `yardarm grant` as processes of their own, alone and beside a Yardarm that serves.

use std::process::Output;

use localcord::{Person, Reply};
use sqlx::{Connection as _, SqliteConnection};
use yardarm::store::Store;

use crate::support::program::Program;

const CLAIM: [&str; 1] = ["claim"];

/// Its database is there, as after a first start.
async fn unclaimed() -> Program {
    let program = Program::new(&["access.owners=[]"]).await;
    let made = Store::open(&program.path("yardarm.db")).await.unwrap();
    made.close().await;
    program
}

/// What it printed, and how it ended.
fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

impl Program {
    async fn says(&self, arguments: &[&str]) -> (Option<i32>, String) {
        said(&self.run(arguments).await)
    }

    /// The code, which is the first line.
    async fn code(&self) -> String {
        let (ended, text) = self.says(&CLAIM).await;
        assert_eq!(ended, Some(0), "{text}");
        let code = text.lines().next().unwrap().to_owned();
        assert_eq!(code.replace('-', "").len(), 32, "128 bits");
        assert_eq!(text.matches(&code).count(), 1);
        code
    }

    fn person(&self, name: &str) -> Person {
        self.cord.user(name).in_channel("ops")
    }

    async fn grant(&self, name: &str) -> (Option<i32>, String) {
        let id = self.cord.user(name).id().to_string();
        self.says(&[
            "grant", "add", "--user", &id, "--level", "owner", "--fleet", "*",
        ])
        .await
    }

    async fn execute(&self, sql: &'static str) {
        let address = format!("sqlite://{}", self.path("yardarm.db").display());
        let mut database = SqliteConnection::connect(&address).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
    }
}

async fn claims(person: &Person, code: &str) -> String {
    let form = person.slash("claim").send().await.unwrap().modal().unwrap();
    let told = form.fill("Code", code).submit().await.unwrap();
    until_said(&told).await
}

async fn until_said(reply: &Reply) -> String {
    let said = reply.until(|text| !text.is_empty()).await.unwrap();
    said.text()
}

#[tokio::test]
async fn a_code_appears_once_and_works_once() {
    let mut program = unclaimed().await;
    program.up().await;
    let code = program.code().await;
    let ravi = program.person("ravi").slash("claim").send().await.unwrap();
    let open = ravi.modal().unwrap();
    assert!(claims(&program.olga(), &code).await.starts_with('⚓'));

    let late = open.fill("Code", &code).submit().await.unwrap();
    assert!(
        until_said(&late)
            .await
            .starts_with("There is an owner already")
    );
    let (ended, text) = program.says(&CLAIM).await;
    assert_eq!(ended, Some(1));
    assert!(
        text.starts_with("there is an owner already\nhint: "),
        "{text}"
    );
    // Not in the log, and in the database as its digest only.
    assert_eq!(program.terminate().await.code(), Some(0));
    let kept = std::fs::read(program.path("yardarm.db")).unwrap();
    let kept = String::from_utf8_lossy(&kept).into_owned() + &program.log();
    for secret in [code.clone(), code.replace('-', "")] {
        assert!(!kept.contains(&secret));
    }
    program.cord.finish().unwrap();
}

#[tokio::test]
async fn a_code_that_was_replaced_or_has_expired_is_void() {
    let mut program = unclaimed().await;
    let old = program.code().await;
    let new = program.code().await;
    program.up().await;
    let olga = program.olga();
    assert!(
        claims(&olga, &old)
            .await
            .starts_with("That is not the code.")
    );
    program
        .execute("UPDATE claim_code SET expires_at = '2026-01-01T00:00:00+00:00'")
        .await;
    assert!(
        claims(&olga, &new)
            .await
            .starts_with("There is no code to claim with")
    );
    let beside = program.code().await;
    assert!(claims(&olga, &beside).await.starts_with('⚓'));
    program.terminate().await;
    program.cord.finish().unwrap();
}

#[tokio::test]
async fn the_host_makes_an_owner_when_the_last_one_is_gone() {
    let mut program = unclaimed().await;
    let (ended, text) = program.says(&["grant", "list"]).await;
    assert_eq!(
        (ended, text.lines().next()),
        (Some(0), Some("nothing is granted"))
    );
    assert_eq!(program.grant("olga").await.0, Some(0));
    program.up().await;
    let (ended, text) = program.says(&["grant", "remove", "1"]).await;
    assert_eq!(ended, Some(1));
    assert!(text.contains("the last owner"), "{text}");

    // Her account is lost. A code is no way while she is an owner, and somebody at the host is one.
    assert_eq!(program.says(&CLAIM).await.0, Some(1));
    assert_eq!(program.grant("ravi").await.0, Some(0));
    assert_eq!(program.says(&["grant", "remove", "1"]).await.0, Some(0));
    let (_, listed) = program.says(&["grant", "list"]).await;
    let ravi = program.cord.user("ravi").id();
    assert_eq!(listed, format!("#2 owner on `*` for <@{ravi}>, host\n"));
    program.terminate().await;
    program.up().await;
    let status = program.person("ravi").slash("status").send().await.unwrap();
    assert!(until_said(&status).await.contains("No agents"));
    program.terminate().await;
    program.cord.finish().unwrap();
}

#[tokio::test]
async fn a_grant_on_the_host_voids_the_code_of_a_running_yardarm() {
    let mut program = unclaimed().await;
    program.up().await;
    let code = program.code().await;
    let form = program.olga().slash("claim").send().await.unwrap();
    let form = form.modal().unwrap();
    assert_eq!(program.grant("ravi").await.0, Some(0));
    let told = form.fill("Code", &code).submit().await.unwrap();
    assert!(
        until_said(&told)
            .await
            .starts_with("There is an owner already")
    );
    let status = program.person("ravi").slash("status").send().await.unwrap();
    assert!(!until_said(&status).await.starts_with("You need"));
    program.terminate().await;
    program.cord.finish().unwrap();
}

#[tokio::test]
async fn a_database_that_is_not_there_is_not_made() {
    let program = Program::new(&[]).await;
    let file = program.path("yardarm.db").display().to_string();
    let add = [
        "grant", "add", "--user", "7", "--level", "owner", "--fleet", "*",
    ];
    for words in [
        &CLAIM[..],
        &add,
        &["grant", "list"],
        &["backup"],
        &["secrets", "rekey"],
        &["audit", "verify"],
        &["audit", "export"],
        &["audit", "purge", "--before", "2026-01-01"],
    ] {
        let (ended, text) = program.says(words).await;
        let expected = format!(
            "there is no database `{file}`\nhint: `yardarm up` makes it; `--config` and `--set database.path=PATH` say which one is meant\n"
        );
        assert_eq!((ended, text), (Some(65), expected), "{words:?}");
    }
    for left in ["yardarm.db", "yardarm.db.lock", "backups"] {
        assert!(!program.path(left).exists(), "{left}");
    }
    program.cord.finish().unwrap();
}

#[tokio::test]
async fn whoever_is_on_the_host_is_told_whose_database_was_changed() {
    let program = unclaimed().await;
    let place = format!("`{}`", program.path("yardarm.db").display());
    let (_, told) = program.says(&CLAIM).await;
    assert!(told.contains(&place), "{told}");
    let (_, told) = program.grant("olga").await;
    assert!(told.contains(&place), "{told}");
    assert_eq!(program.grant("ravi").await.0, Some(0));
    let (_, told) = program.says(&["grant", "remove", "1"]).await;
    assert!(told.contains(&place), "{told}");
    program.cord.finish().unwrap();
}

#[tokio::test]
async fn each_failure_has_its_exit_code() {
    let program = unclaimed().await;
    let bad_level = [
        "grant", "add", "--user", "7", "--level", "king", "--fleet", "*",
    ];
    assert_eq!(program.says(&bad_level).await.0, Some(2));
    let nobody = ["grant", "add", "--level", "owner", "--fleet", "*"];
    assert_eq!(program.says(&nobody).await.0, Some(2));
    let no_team = [
        "grant", "add", "--team", "crew", "--level", "owner", "--fleet", "*",
    ];
    assert_eq!(program.says(&no_team).await.0, Some(1));
    let guild = program.cord.guild_id().to_string();
    let to_role = |level| {
        [
            "grant", "add", "--role", &guild, "--level", level, "--fleet", "*",
        ]
    };
    let (ended, text) = program.says(&to_role("owner")).await;
    assert_eq!(ended, Some(1), "{text}");
    assert!(text.contains("which stands for @everyone"), "{text}");
    let mut beyond_time = to_role("viewer").to_vec();
    beyond_time.extend(["--hours", "4294967295"]);
    assert_eq!(program.says(&beyond_time).await.0, Some(2));
    assert_eq!(program.says(&["grant", "remove", "9"]).await.0, Some(1));
    std::fs::write(program.path("yardarm.toml"), "[discrod]\n").unwrap();
    assert_eq!(program.says(&CLAIM).await.0, Some(64));
    std::fs::write(program.path("yardarm.toml"), "").unwrap();
    std::fs::write(program.path("yardarm.db"), "no database".repeat(99)).unwrap();
    assert_eq!(program.says(&CLAIM).await.0, Some(65));
    program.cord.finish().unwrap();
}
