//! Agents that do nothing for long: stopped, or put to people, as their template says.

use chrono::TimeDelta;
use localcord::Message;
use yardarm::domain::agent::{Desired, State};

use crate::support::test_app::TestApp;

const MIB: u64 = 1024 * 1024;

/// Scout runs a template with this rule, and does next to nothing.
async fn idler(rule: &str) -> TestApp {
    let test = TestApp::start().await;
    let template = format!(
        r#"{{ "description": "waits", "image": "demo:1", "stop_grace_s": 1, "idle": {rule} }}"#
    );
    test.write_template("waiter", &template);
    test.done("reload").await;
    test.done("deploy template:waiter name:scout").await;
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Running)
        .await;
    test.engine.burn("yardarm-scout", 1, 20 * MIB);
    test
}

async fn run(test: &TestApp, minutes: u32) {
    for _ in 0..minutes {
        test.pass(TimeDelta::minutes(1));
        test.ops().sample().await;
        test.ops().write_samples().await.unwrap();
        test.ops().look_for_idle().await;
    }
}

fn is_wanted(test: &TestApp) -> bool {
    test.ops().roster.view("scout").unwrap().agent.desired == Desired::Running
}

/// Questions in the ops channel that can still be answered, or could.
fn questions(test: &TestApp) -> Vec<Message> {
    let mut all = test.cord.channel("ops").messages();
    all.retain(|message| message.text().contains("it used no more than"));
    all
}

const STOP: &str = r#"{ "cpu_percent": 2, "minutes": 20, "then": "stop" }"#;
const PROPOSE: &str = r#"{ "cpu_percent": 2, "minutes": 20, "then": "propose" }"#;

#[tokio::test]
async fn who_does_nothing_for_long_is_stopped_and_may_be_started_again() {
    let test = idler(STOP).await;
    run(&test, 15).await;
    assert!(is_wanted(&test));
    run(&test, 8).await;
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Stopped)
        .await;
    let why = test.done("why agent:scout").await;
    assert!(
        why.contains("it used no more than 2 % of a CPU for 20 min"),
        "{why}"
    );
    // The time before it was started again does not count.
    test.done("start agent:scout").await;
    test.engine.burn("yardarm-scout", 1, 20 * MIB);
    run(&test, 15).await;
    assert!(is_wanted(&test));
    test.finish().await;
}

#[tokio::test]
async fn who_works_now_and_then_stays() {
    let test = idler(STOP).await;
    run(&test, 12).await;
    test.engine.burn("yardarm-scout", 60, 20 * MIB);
    run(&test, 2).await;
    test.engine.burn("yardarm-scout", 1, 20 * MIB);
    run(&test, 15).await;
    assert!(is_wanted(&test));
    assert_eq!(test.state("scout"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn a_proposal_is_for_people_and_a_no_holds_for_an_hour() {
    let test = idler(PROPOSE).await;
    run(&test, 24).await;
    let asked = |message: &Message| message.text().contains("it used no more than 2 %");
    let card = test.cord.channel("ops").wait_for(asked).await.unwrap();
    assert!(is_wanted(&test));
    run(&test, 5).await;
    assert_eq!(questions(&test).len(), 1);
    let form = test.olga().press(&card, "Deny").await.unwrap();
    let form = form.modal().unwrap().fill("reason", "it is needed at noon");
    form.submit().await.unwrap();
    let denied = |message: &Message| asked(message) && message.text().contains("denied");
    test.cord.channel("ops").wait_for(denied).await.unwrap();
    run(&test, 50).await;
    assert_eq!(questions(&test).len(), 1);
    assert!(is_wanted(&test));
    run(&test, 15).await;
    let twice = |_: &Message| questions(&test).len() == 2;
    test.cord.channel("ops").wait_for(twice).await.unwrap();
    test.finish().await;
}

#[tokio::test]
async fn a_proposal_about_a_container_that_is_gone_is_void() {
    let test = idler(PROPOSE).await;
    run(&test, 24).await;
    let asked = |message: &Message| message.text().contains("it used no more than 2 %");
    let card = test.cord.channel("ops").wait_for(asked).await.unwrap();
    test.done("redeploy agent:scout").await;
    let refused = test.olga().press(&card, "Approve").await.unwrap();
    let said = test.whisper(&refused).await;
    assert!(
        said.contains("`scout` has another container by now"),
        "{said}"
    );
    assert!(is_wanted(&test));
    assert_eq!(test.state("scout"), State::Running);
    test.finish().await;
}
