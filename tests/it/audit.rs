//! What the audit tells of an app at work.

use chrono::TimeDelta;
use yardarm::{
    domain::{agent::State, audit::Record, ids::ActionId},
    store::anchors,
};

use crate::support::test_app::TestApp;

impl TestApp {
    /// The audit in words, without what differs from run to run.
    async fn told(&self) -> String {
        let records = self.ops().store.ledger().rows(1, 1000).await.unwrap();
        let lines: Vec<String> = records.iter().map(|record| self.line(record)).collect();
        lines.join("\n")
    }

    pub(crate) fn line(&self, record: &Record) -> String {
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
    10 altered, stop, fleet main, by olga, from chat, {"typed":true,"volumes":false}
    11 running, stop, fleet main, by olga, from chat, {}
    12 succeeded, stop, agent lookout, fleet main, by olga, from chat, {}
    13 succeeded, stop, agent scout, fleet main, by olga, from chat, {}
    14 succeeded, stop, fleet main, by olga, from chat, “2 of 2 done”, {}
    15 asked, remove, agent scout, fleet main, by olga, from chat, {}
    16 accepted, remove, agent scout, fleet main, by olga, from chat, {}
    17 altered, remove, agent scout, fleet main, by olga, from chat, {"typed":true,"volumes":true}
    18 running, remove, agent scout, fleet main, by olga, from chat, {}
    19 succeeded, remove, agent scout, fleet main, by olga, from chat, {}
    20 asked, remove, agent lookout, fleet main, by olga, from chat, {}
    21 cancelled, remove, agent lookout, fleet main, by olga, from chat, {}
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
async fn an_anchor_of_a_clock_that_was_ahead_stands_in_nobodys_way() {
    let test = TestApp::start().await;
    let ops = test.cord.channel("ops");
    test.clock.advance(TimeDelta::days(365));
    test.ops().drop_anchor().await.unwrap();
    ops.wait_for_text("The audit on 2027-11-21").await.unwrap();
    test.clock.advance(TimeDelta::days(-364));
    test.ops().drop_anchor().await.unwrap();
    ops.wait_for_text("The audit on 2026-11-22").await.unwrap();
    test.finish().await;
}

#[tokio::test]
async fn what_is_older_than_the_settings_keep_is_purged() {
    let mut test = TestApp::start_with(&[("audit.keep_days", "30")]).await;
    test.deploy("scout").await;
    test.live(31).await;
    test.restart().await;
    // The schedule for it does so as well.
    test.ops().purge_old().await.unwrap();
    test.ops().purge_old().await.unwrap();
    let records = test.ops().store.ledger().rows(1, 100).await.unwrap();
    let words: Vec<&str> = records.iter().map(|record| record.what.as_str()).collect();
    assert_eq!(words[0], "stopped");
    let purged = words.iter().filter(|word| **word == "purged");
    assert_eq!(purged.count(), 1);
    let about = |kind: &str| records.iter().any(|one| one.kind.as_deref() == Some(kind));
    assert!(!about("deploy"), "{words:?}");
    test.finish().await;
}

#[tokio::test]
async fn an_action_goes_with_the_rows_about_it_but_not_within_a_quarter() {
    let mut test = TestApp::start_with(&[("audit.keep_days", "30")]).await;
    test.deploy("scout").await;
    test.live(89).await;
    test.restart().await;
    test.ops().purge_old().await.unwrap();
    test.ops().action(ActionId(1)).await.unwrap();
    test.live(2).await;
    test.restart().await;
    test.ops().purge_old().await.unwrap();
    let gone = test.ops().action(ActionId(1)).await.unwrap_err();
    assert_eq!(gone.to_string(), "There is no action 1.");
    // Nothing that lives stood on it.
    test.done("stop agent:scout").await;
    test.done("start agent:scout").await;
    test.finish().await;
}

#[tokio::test]
async fn a_clock_that_is_years_ahead_makes_nothing_old() {
    let test = TestApp::start_with(&[("audit.keep_days", "30")]).await;
    test.live(100).await;
    test.deploy("scout").await;
    test.clock.advance(TimeDelta::days(3 * 365));
    test.ops().drop_anchor().await.unwrap();
    test.ops().purge_old().await.unwrap();
    test.clock.advance(TimeDelta::days(-3 * 365));
    let told = test.told().await;
    assert!(told.contains("accepted, deploy, agent scout"), "{told}");
    test.ops().action(ActionId(1)).await.unwrap();
    test.finish().await;
}

impl TestApp {
    /// So many days go by, each with its anchor.
    async fn live(&self, days: u32) {
        for _ in 0..days {
            self.clock.advance(TimeDelta::days(1));
            let mut tx = self.ops().store.begin().await.unwrap();
            anchors::drop_anchor(&mut tx, self.ops().now())
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
    }

    /// What a search finds, once it is shown.
    async fn found(&self, command: &str) -> String {
        let reply = self.send(command).await;
        let reply = reply.until(|text| !text.is_empty()).await.unwrap();
        self.said(&reply.text())
    }
}

#[tokio::test]
async fn people_search_the_audit_and_turn_its_pages() {
    let mut test = TestApp::start().await;
    for name in ["scout", "lookout"] {
        test.deploy(name).await;
    }
    for _ in 0..4 {
        test.done("restart agent:scout reason:hiccup").await;
    }
    let newest = test.send("audit agent:scout").await;
    assert!(newest.is_ephemeral());
    let newest = newest.until_text("restart").await.unwrap();
    assert_eq!(TestApp::labels(&newest), ["(◀ Newer)", "Older ▶"]);
    let first = test.said(&newest.text());
    let line = "`19` <t:1795262400:f> **succeeded** restart `scout` · by <@olga> · action 6";
    assert_eq!(first.lines().next(), Some(line));
    assert_eq!(first.lines().count(), 10);
    test.restart().await;
    newest.press("Older ▶").await.unwrap();
    let oldest = newest.until_text("`2`").await.unwrap();
    assert_eq!(TestApp::labels(&oldest), ["◀ Newer", "(Older ▶)"]);
    assert_eq!(oldest.text().lines().count(), 5);
    oldest.press("◀ Newer").await.unwrap();
    let again = oldest.until_text("`19`").await.unwrap();
    assert_eq!(test.said(&again.text()), first);

    insta::assert_snapshot!(test.found("audit what:accepted action:restart text:HICCUP until:2026-11-22").await, @"
    `17` <t:1795262400:f> **accepted** restart `scout` · by <@olga> “hiccup” · action 6
    `14` <t:1795262400:f> **accepted** restart `scout` · by <@olga> “hiccup” · action 5
    `11` <t:1795262400:f> **accepted** restart `scout` · by <@olga> “hiccup” · action 4
    `8` <t:1795262400:f> **accepted** restart `scout` · by <@olga> “hiccup” · action 3
    ");
    insta::assert_snapshot!(test.found("audit agent:nobody").await, @"Nothing of that kind was told, or nothing that you may see. Ask for less: `/audit agent:` alone, for example.");
    insta::assert_snapshot!(test.refused("audit until:yesterday").await, @"`yesterday` is no time. Write a day as `2026-11-21` or a time as `2026-11-21T10:00:00Z`, in UTC.");
    insta::assert_snapshot!(test.refused("audit what:refuse").await, @"`refuse` is not known. Did you mean `refused`, `run refused`?");
    test.finish().await;
}

#[tokio::test]
async fn an_export_in_chat_is_a_file_and_is_told() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let reply = test.send("audit agent:scout export:true").await;
    let reply = reply.until_text("The audit, 3 rows").await.unwrap();
    assert_eq!(reply.attachments().len(), 1);
    assert_eq!(test.told_of("exported").await.len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn one_sees_what_is_about_the_fleets_one_sees() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    let mina = test.cord.user("mina").id();
    let grant = format!("[[grant]]\nuser = {mina}\nlevel = \"maintainer\"\nfleet = \"prod\"\n");
    std::fs::write(&file, grant).unwrap();
    test.up_from(&file).await;
    test.done("fleet create name:prod").await;
    test.deploy("scout").await;
    test.done("deploy template:demo name:web fleet:prod").await;
    let mina = test.cord.user("mina").in_channel("ops");
    let found = mina.slash("audit").send().await.unwrap();
    let found = found.until(|text| !text.is_empty()).await.unwrap();
    let found = test.said(&found.text());
    assert_eq!(found.lines().count(), 3);
    assert!(found.lines().all(|line| line.contains("`web`")), "{found}");
    let why = mina.slash("why").option("agent", "scout");
    let why = why.send().await.unwrap();
    let why = why.until(|text| !text.is_empty()).await.unwrap();
    insta::assert_snapshot!(test.said(&why.text()), @"You need viewer on `main`; <@olga> has it. An owner can grant it: `/grant add`.");
    let export = mina
        .slash("audit")
        .option("export", true)
        .send()
        .await
        .unwrap();
    let export = export.until(|text| !text.is_empty()).await.unwrap();
    assert!(
        export.text().starts_with("You need owner on all fleets"),
        "{}",
        export.text()
    );
    assert_eq!(test.told_of("exported").await.len(), 0);
    test.finish().await;
}

#[tokio::test]
async fn why_tells_the_way_of_an_agent_in_order() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.done("stop agent:scout reason:lunch").await;
    test.done("start agent:scout").await;
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 3);
    test.until_told("exited").await;
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Running)
        .await;
    test.restart().await;
    insta::assert_snapshot!(test.found("why agent:scout").await, @"
    **scout** is running. How it came to that:
    <t:1795262400:f> **deploy** by <@olga> · accepted · running · succeeded · action 1
    <t:1795262400:f> **stop** by <@olga> · because “lunch” · accepted · running · succeeded · action 2
    <t:1795262400:f> **start** by <@olga> · accepted · running · succeeded · action 3
    <t:1795262400:f> **exited** “exit code 3”
    <t:1795262400:f> **start** by Yardarm (recovery) · because “it exited with code 3” · accepted · running · succeeded · action 4
    ");
    test.finish().await;
}
