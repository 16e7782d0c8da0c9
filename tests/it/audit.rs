//! What the audit tells of an app at work.

use yardarm::domain::audit::Record;

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
