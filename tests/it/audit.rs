//! What the audit tells of an app at work.

use chrono::TimeDelta;
use yardarm::domain::{agent::State, audit::Record};

use crate::support::test_app::TestApp;

impl TestApp {
    /// The audit in words, without what differs from run to run.
    async fn told(&self) -> String {
        let records = self.ops().store.ledger().rows(1, 1000).await.unwrap();
        let lines: Vec<String> = records.iter().map(|record| self.line(record)).collect();
        lines.join("\n")
    }

    fn line(&self, record: &Record) -> String {
        let parts = [
            Some(record.what.clone()),
            record.kind.clone(),
            record
                .agent_name
                .clone()
                .map(|name| format!("agent {name}")),
            record
                .fleet_name
                .clone()
                .map(|name| format!("fleet {name}")),
            record.actor.map(|actor| format!("by {actor}")),
            Some(format!("from {}", record.origin)),
            record.text.clone().map(|text| format!("“{text}”")),
            Some(record.details.clone()),
        ];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let folder = self.path("agents").display().to_string();
        self.said(&format!("{} {text}", record.number).replace(&folder, "agents"))
    }
}

#[tokio::test]
async fn an_action_is_told_from_birth_to_end() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.done("stop agent:scout reason:lunch").await;
    insta::assert_snapshot!(test.told().await, @r#"
    1 started, from yardarm, {"files":{"agents/demo.json":"6447febc455ec796c8f842cc97f39e00005b06290d01b6e59241a2c5d9fc563e"},"start":1,"version":"0.1.0"}
    2 accepted, deploy, agent scout, fleet main, by olga, from chat, {"image":"demo:1","template":"demo"}
    3 running, deploy, agent scout, fleet main, by olga, from chat, {}
    4 succeeded, deploy, agent scout, fleet main, by olga, from chat, {}
    5 accepted, stop, agent scout, fleet main, by olga, from chat, “lunch”, {}
    6 running, stop, agent scout, fleet main, by olga, from chat, {}
    7 succeeded, stop, agent scout, fleet main, by olga, from chat, {}
    "#);
    test.finish().await;
}

#[tokio::test]
async fn several_targets_are_told_one_by_one_and_a_no_is_told_too() {
    let test = TestApp::start_with(&[("docker.parallel", "1")]).await;
    test.deploy("scout").await;
    test.deploy("lookout").await;
    let first = test.told().await.lines().count();
    let asked = test.send("stop agent:*").await;
    let asked = asked.until_text("?").await.unwrap();
    TestApp::confirm(&asked, "Stop 2 agents").await;
    asked.until_text("2 of 2 done").await.unwrap();
    let asked = test.send("remove agent:scout").await;
    let asked = asked.until_text("?").await.unwrap();
    TestApp::confirm(&asked, "Remove and its data").await;
    asked.until_text("done in").await.unwrap();
    let asked = test.send("remove agent:lookout").await;
    let asked = asked.until_text("?").await.unwrap();
    asked.press("Cancel").await.unwrap();
    asked.until_text("cancelled").await.unwrap();
    let told = test.told().await;
    let told: Vec<&str> = told.lines().skip(first).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    8 asked, stop, fleet main, by olga, from chat, {"targets":["lookout","scout"]}
    9 accepted, stop, fleet main, by olga, from chat, {}
    10 running, stop, fleet main, by olga, from chat, {}
    11 succeeded, stop, agent lookout, fleet main, by olga, from chat, {}
    12 succeeded, stop, agent scout, fleet main, by olga, from chat, {}
    13 succeeded, stop, fleet main, by olga, from chat, “2 of 2 done”, {}
    14 asked, remove, agent scout, fleet main, by olga, from chat, {}
    15 accepted, remove, agent scout, fleet main, by olga, from chat, {}
    16 altered, remove, agent scout, fleet main, by olga, from chat, {"volumes":true}
    17 running, remove, agent scout, fleet main, by olga, from chat, {}
    18 succeeded, remove, agent scout, fleet main, by olga, from chat, {}
    19 asked, remove, agent lookout, fleet main, by olga, from chat, {}
    20 cancelled, remove, agent lookout, fleet main, by olga, from chat, {}
    "#);
    test.finish().await;
}

impl TestApp {
    /// The rows of one kind.
    async fn told_of(&self, what: &str) -> Vec<String> {
        let records = self.ops().store.ledger().rows(1, 1000).await.unwrap();
        let rows = records.iter().filter(|record| record.what == what);
        rows.map(|record| self.line(record)).collect()
    }

    /// Waits until something was told.
    async fn until_told(&self, what: &str) {
        let mut events = self.ops().events();
        let wait = async {
            while self.told_of(what).await.is_empty() {
                events.recv().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), wait).await;
        waited.expect("it was never told");
    }
}

#[tokio::test]
async fn starts_ends_and_reloads_are_told_with_what_changed() {
    let mut test = TestApp::start().await;
    test.write_template("other", r#"{ "description": "x", "image": "demo:1" }"#);
    test.done("reload reason:more").await;
    test.restart().await;
    test.crash().await;
    test.up().await;
    let records = test.ops().store.ledger().rows(1, 100).await.unwrap();
    let words: Vec<&str> = records.iter().map(|record| record.what.as_str()).collect();
    let reload = ["accepted", "running", "reloaded", "succeeded"];
    let expected = [
        &["started"],
        &reload[..],
        &["stopped", "started", "started"],
    ]
    .concat();
    assert_eq!(words, expected);
    let reloaded: serde_json::Value = serde_json::from_str(&records[3].details).unwrap();
    let changed = reloaded["changes"][0].as_str().unwrap();
    assert!(changed.ends_with("agents/other.json new"), "{changed}");
    test.finish().await;
}

#[tokio::test]
async fn who_may_not_is_told_and_counted_and_cannot_flood_the_audit() {
    let test = TestApp::start().await;
    let mina = test.cord.user("mina").in_channel("ops");
    for _ in 0..25 {
        mina.slash("status").send().await.unwrap();
    }
    test.until(|ops| ops.roster.glance(|_| true, None, 0).refused == 25)
        .await;
    let told = test.told_of("refused").await;
    assert_eq!(told.len(), 20);
    assert!(
        told[0].starts_with("2 refused, by mina, from chat, “You need viewer"),
        "{}",
        told[0]
    );
    test.pass(TimeDelta::hours(1));
    mina.slash("status").send().await.unwrap();
    test.until(|ops| ops.roster.glance(|_| true, None, 0).refused == 26)
        .await;
    let told = test.told_of("refused").await;
    assert!(told[20].ends_with(r#"{"held_back":5}"#), "{}", told[20]);
    let status = test.done("status").await;
    assert!(
        status.contains("🚫 26 requests refused since the start"),
        "{status}"
    );
    test.finish().await;
}

#[tokio::test]
async fn a_container_that_ends_by_itself_is_told_once() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.refuse("start", "driver failed");
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 3);
    test.until_told("exited").await;
    test.restart().await;
    test.until(|ops| ops.roster.view("scout").unwrap().state != State::Unknown)
        .await;
    let told = test.told_of("exited").await;
    assert_eq!(told.len(), 1, "{told:?}");
    let line = "5 exited, agent scout, fleet main, from yardarm, “exit code 3”, {";
    assert!(told[0].starts_with(line), "{}", told[0]);
    test.engine.mend("start");
    test.finish().await;
}

#[tokio::test]
async fn what_ended_while_nobody_looked_and_what_somebody_else_started_is_told() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.done("stop agent:scout").await;
    test.engine
        .start_behind_our_back(&test.engine.id_of("yardarm-scout"));
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Running)
        .await;
    test.until_told("came up").await;
    assert_eq!(test.told_of("came up").await.len(), 1);
    test.done("restart agent:scout").await;
    test.down().await;
    test.engine
        .run_out_of_memory(&test.engine.id_of("yardarm-scout"));
    test.up().await;
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Running)
        .await;
    let told = test.told_of("exited").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("“out of memory”"), "{}", told[0]);
    test.finish().await;
}

#[tokio::test]
async fn the_anchor_is_posted_once_a_day_also_over_restarts() {
    let mut test = TestApp::start().await;
    let posted = |test: &TestApp| {
        let texts = test.seen().into_iter();
        texts.filter(|text| text.contains("⚓")).count()
    };
    test.restart().await;
    assert_eq!(posted(&test), 0, "no day has passed");
    test.down().await;
    test.clock.advance(TimeDelta::days(1));
    test.up().await;
    let ops = test.cord.channel("ops");
    let message = ops
        .wait_for(|message| message.text().contains("⚓"))
        .await
        .unwrap();
    // What was posted is what stands there.
    let text = message.text();
    let anchor = text.split('`').nth(1).unwrap();
    let anchor = yardarm::domain::audit::chain::Anchor::parse(anchor).unwrap();
    let row = test
        .ops()
        .store
        .ledger()
        .rows(anchor.number, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(row.hash, anchor.hash);
    assert!(text.starts_with("⚓ The audit on 2026-11-22: `"), "{text}");
    test.restart().await;
    test.ops().drop_anchor().await.unwrap();
    test.crash().await;
    test.up().await;
    test.ops().drop_anchor().await.unwrap();
    assert_eq!(posted(&test), 1);
    test.finish().await;
}

#[tokio::test]
async fn what_is_older_than_the_settings_keep_is_purged() {
    let mut test = TestApp::start_with(&[("audit.keep_days", "30")]).await;
    test.deploy("scout").await;
    test.down().await;
    test.clock.advance(TimeDelta::days(31));
    test.up().await;
    test.ops().purge_old().await.unwrap();
    test.ops().purge_old().await.unwrap();
    let records = test.ops().store.ledger().rows(1, 100).await.unwrap();
    let words: Vec<&str> = records.iter().map(|record| record.what.as_str()).collect();
    assert_eq!(words, ["started", "purged"]);
    test.finish().await;
}
