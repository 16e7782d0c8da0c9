//! What an action does to no agent is one transaction and its end another. Killed between both, it is done, and done once.

use localcord::{Message, Reply};
use sqlx::{Connection as _, SqliteConnection};

use crate::support::test_app::TestApp;

/// While it stands, nobody can write that something has succeeded.
const AFTER: &str =
    "CREATE TRIGGER cut BEFORE UPDATE OF state ON actions WHEN NEW.state = 'succeeded'
                     BEGIN SELECT RAISE(ABORT, 'cut off'); END";
/// While it stands, nothing that was begun can be done either.
const BEFORE: &str = "CREATE TRIGGER cut BEFORE UPDATE ON actions WHEN OLD.state = 'running'
                      BEGIN SELECT RAISE(ABORT, 'cut off'); END";

async fn raw(test: &TestApp, sql: &'static str) {
    let address = format!("sqlite://{}", test.path("yardarm.db").display());
    let mut database = SqliteConnection::connect(&address).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

/// The process is killed once the action can go no further, and started again.
async fn killed(test: &mut TestApp) {
    test.errors.until("could not be written").await;
    test.crash().await;
    raw(test, "DROP TRIGGER cut").await;
    test.up().await;
}

async fn cut_off(test: &mut TestApp, trigger: &'static str, command: &str) -> String {
    raw(test, trigger).await;
    let reply: Reply = test.send(command).await;
    killed(test).await;
    test.end_of(&reply).await
}

/// Where nobody is asked.
async fn unasked() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    std::fs::write(
        &file,
        "[[policy]]\nname = \"all goes\"\neffect = \"allow\"\n",
    )
    .unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    test
}

async fn told(test: &TestApp, what: &str) -> usize {
    let rows = test.ops().store.ledger().rows(1, 1000).await.unwrap();
    rows.iter().filter(|row| row.what == what).count()
}

#[tokio::test]
async fn what_was_done_before_the_end_is_done_once_and_said_to_be() {
    let mut test = unasked().await;
    for command in [
        "fleet create name:north",
        "grant add level:viewer fleet:* user:mina",
        "team create name:crew",
        "team add team:crew user:mina",
        "team delete team:crew",
        "schedule add name:morning cron:@daily action:report",
        "silence agent:scout hours:2 reason:noon",
        "reload",
    ] {
        let said = cut_off(&mut test, AFTER, command).await;
        assert!(said.starts_with('✅'), "{command}: {said}");
        assert!(
            said.contains("Finished after Yardarm was restarted."),
            "{command}: {said}"
        );
    }
    for (what, times) in [
        ("granted", 1),
        ("team set", 2),
        ("team deleted", 1),
        ("reloaded", 1),
    ] {
        assert_eq!(told(&test, what).await, times, "{what}");
    }
    insta::assert_snapshot!(test.done("grant list").await, @"
    `file` owner on `*` for <@olga>
    `#1` viewer on `*` for <@mina>, chat by <@olga>
    ");
    let silences = test.done("silences").await;
    assert_eq!(silences.matches("noon").count(), 1, "{silences}");
    cut_off(&mut test, AFTER, "grant remove grant:1").await;
    assert!(!test.done("grant list").await.contains("viewer"));
    test.engine.forget_calls();
    cut_off(&mut test, AFTER, "fleet delete fleet:north").await;
    let refused = test.refused("fleet delete fleet:north").await;
    assert!(refused.starts_with("There is no fleet"), "{refused}");
    test.finish().await;
}

#[tokio::test]
async fn what_was_begun_and_not_done_is_not_done_and_said_not_to_be() {
    let mut test = unasked().await;
    insta::assert_snapshot!(cut_off(&mut test, BEFORE, "grant add level:viewer fleet:* user:mina").await, @"
    ⚠️ grant add viewer on `*` for <@mina>: interrupted
    Yardarm was ended before it was done. Nothing was changed; send the command again.
    -# action 2 · by <@olga>
    ");
    assert!(!test.done("grant list").await.contains("viewer"));
    assert_eq!(told(&test, "granted").await, 0);
    test.finish().await;
}

#[tokio::test]
async fn what_people_approved_is_done_once_although_its_end_was_not_written() {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    test.up().await;
    let ravi = test.cord.user("ravi").in_channel("ops");
    test.send("grant add level:viewer fleet:* user:mina").await;
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    raw(&test, AFTER).await;
    ravi.press(&question, "Approve").await.unwrap();
    killed(&mut test).await;

    let is_done = |message: &Message| {
        message.text().contains("-# approval") && message.text().contains("done in")
    };
    ops.wait_for(is_done).await.unwrap();
    let told = ops.wait_for_text("-# result").await.unwrap();
    insta::assert_snapshot!(test.said(told.content()), @"
    ✅ grant add viewer on `*` for <@mina>: done in 0.0 s
    Finished after Yardarm was restarted.
    Asked for by <@olga>.
    -# result 1
    ");
    let again = ravi.forge(&question, "v1:approve:1").await.unwrap();
    let again = test.whisper(&again).await;
    assert!(again.starts_with("This was decided already"), "{again}");
    let granted = test.done("grant list").await;
    assert_eq!(granted.matches("viewer").count(), 1, "{granted}");
    test.finish().await;
}
