//! "Approve and allow for an hour": who need not ask again, for what, where and until when.

use chrono::TimeDelta;
use localcord::{Message, Person, Reply};
use yardarm::domain::agent::State;

use crate::support::{talk::slash, test_app::TestApp};

/// Olga owns all, and the crew maintains it: Ravi and Gus.
fn rules(test: &TestApp, allow_for: &str) -> String {
    let crew = test.cord.role_id("crew");
    format!(
        r#"
        [[grant]]
        role = {crew}
        level = "maintainer"
        fleet = "*"
        [[policy]]
        name = "careful"
        actions = ["stop", "restart", "redeploy", "remove"]
        effect = "ask"
        [policy.ask]
        approvals = 1
        {allow_for}
        [[policy]]
        name = "unasked"
        actions = ["grant remove", "start"]
        effect = "allow"
        "#
    )
}

async fn scene() -> TestApp {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    test.cord.invite("gus").set_roles(&["crew"]).unwrap();
    let file = test.path("yardarm.toml");
    std::fs::write(&file, rules(&test, "allow_for_s = 3600")).unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    test.done("fleet create name:spare").await;
    test.done("deploy template:demo name:idle fleet:spare")
        .await;
    test
}

fn person(test: &TestApp, name: &str) -> Person {
    test.cord.user(name).in_channel("ops")
}

/// The card of the question about what `name` wants.
async fn asked(test: &TestApp, name: &str, command: &str) -> Message {
    let reply = slash(&person(test, name), command).send().await.unwrap();
    let reply = reply.until_text("others have to approve").await.unwrap();
    let text = reply.text();
    let id = text.split("-# action ").nth(1).unwrap();
    let id = id.split(' ').next().unwrap();
    let ops = test.cord.channel("ops");
    let mark = format!("-# approval {id} ");
    ops.wait_for_text(&mark).await.unwrap()
}

fn offers_to_allow(question: &Message) -> bool {
    question
        .json()
        .to_string()
        .contains("Approve and allow for 1 h")
}

/// Olga need not ask any more about stopping what is in `main`.
async fn allowed(test: &TestApp) {
    let question = asked(test, "olga", "stop agent:scout").await;
    let button = "Approve and allow for 1 h";
    person(test, "ravi").press(&question, button).await.unwrap();
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Stopped)
        .await;
    test.done("start agent:scout").await;
}

async fn until_said(test: &TestApp, text: &str) {
    let ops = test.cord.channel("ops");
    ops.wait_for_text(text).await.unwrap();
}

async fn told(test: &TestApp, reply: &Reply) -> String {
    test.said(&reply.until_text("done in").await.unwrap().text())
}

#[tokio::test]
async fn while_it_lasts_the_same_needs_no_answer_and_says_by_what() {
    let test = scene().await;
    allowed(&test).await;
    let reply = test.send("stop agent:scout reason:lunch").await;
    insta::assert_snapshot!(told(&test, &reply).await, @"
    ✅ stop `scout`: done in 0.0 s
    -# action 6 · by <@olga>, because: lunch · not asked about: <@ravi> allowed it with action 4 (`a1`)
    ");
    insta::assert_snapshot!(test.done("audit agent:scout action:stop").await, @r"
    `23` <t:1795262400:f> **succeeded** stop `scout` · by <@olga> · action 6
    `22` <t:1795262400:f> **running** stop `scout` · by <@olga> · action 6
    `21` <t:1795262400:f> **accepted** stop `scout` · by <@olga> “lunch; allowed by action 4 \(a1\)” · action 6
    `17` <t:1795262400:f> **succeeded** stop `scout` · by <@olga> · action 4
    `16` <t:1795262400:f> **running** stop `scout` · by <@olga> · action 4
    `15` <t:1795262400:f> **granted** stop `scout` · by <@ravi> “the same again until 2026-11-21 13:00:00 UTC” · action 4
    `14` <t:1795262400:f> **approved** stop `scout` · by <@ravi> · action 4
    `13` <t:1795262400:f> **accepted** stop `scout` · by <@olga> · action 4
    `12` <t:1795262400:f> **voted** stop `scout` · by <@ravi> · action 4
    `11` <t:1795262400:f> **asked** stop `scout` · by <@olga> · action 4
    ");
    test.finish().await;
}

#[tokio::test]
async fn another_person_action_or_fleet_still_asks() {
    let test = scene().await;
    allowed(&test).await;
    asked(&test, "gus", "stop agent:scout").await;
    let first = asked(&test, "olga", "stop agent:idle").await;
    person(&test, "ravi").press(&first, "Deny").await.unwrap();
    test.finish().await;
}

#[tokio::test]
async fn another_action_still_asks_and_so_does_the_same_after_the_end() {
    let test = scene().await;
    allowed(&test).await;
    let question = asked(&test, "olga", "restart agent:scout").await;
    test.olga().press(&question, "Withdraw").await.unwrap();
    until_said(&test, "restart `scout`: cancelled").await;
    test.pass(TimeDelta::hours(1));
    for _ in 0..2 {
        test.ops().drop_ended_grants().await.unwrap();
    }
    insta::assert_snapshot!(test.done("audit what:\"grant ended\"").await, @"`23` <t:1795266000:f> **grant ended** stop `scout` · by Yardarm (yardarm) “the same again until 2026-11-21 13:00:00 UTC” · action 4");
    asked(&test, "olga", "stop agent:scout").await;
    test.finish().await;
}

#[tokio::test]
async fn it_is_listed_offered_and_taken_back_at_once() {
    let test = scene().await;
    allowed(&test).await;
    let list = test.done("grant list").await;
    let crew = test.cord.role_id("crew").to_string();
    insta::assert_snapshot!(list.replace(&crew, "crew"), @"
    `a1` `stop` in `main` for <@olga> without asking until <t:1795266000:R>, approved by <@ravi> with action 4
    `file` owner on `*` for <@olga>
    `file` maintainer on `*` for <@&crew>
    ");
    let offered = test.olga().autocomplete("grant remove").focus("grant", "a");
    let offered = offered.send().await.unwrap();
    assert!(offered.iter().any(|choice| choice.value == "a1"));
    insta::assert_snapshot!(test.done("grant remove grant:a1").await, @"
    ✅ grant remove `stop` in `main` for <@olga> without asking until <t:1795266000:R>: done in 0.0 s
    -# action 6 · by <@olga>
    ");
    asked(&test, "olga", "stop agent:scout").await;
    assert!(!test.done("grant list").await.contains("a1"));
    insta::assert_snapshot!(test.refused("grant remove grant:a1").await, @"There is no such grant. `/grant list` shows them with their numbers; those of the settings file are changed there.");
    test.finish().await;
}

#[tokio::test]
async fn who_may_not_take_grants_back_does_not_take_it_back() {
    let test = scene().await;
    allowed(&test).await;
    let gus = person(&test, "gus");
    let refused = slash(&gus, "grant remove grant:a1").send().await.unwrap();
    let said = test.whisper(&refused).await;
    assert!(said.starts_with("You need owner"), "{said}");
    let reply = test.send("stop agent:scout").await;
    told(&test, &reply).await;
    test.finish().await;
}

#[tokio::test]
async fn a_rule_that_leaves_no_room_any_more_asks_again() {
    let test = scene().await;
    allowed(&test).await;
    std::fs::write(test.path("yardarm.toml"), rules(&test, "")).unwrap();
    test.done("reload").await;
    let question = asked(&test, "olga", "stop agent:scout").await;
    assert!(!offers_to_allow(&question));
    test.finish().await;
}

#[tokio::test]
async fn what_loosens_is_neither_offered_nor_covered() {
    let test = scene().await;
    let plain = asked(&test, "olga", "redeploy agent:scout").await;
    assert!(offers_to_allow(&plain));
    let button = "Approve and allow for 1 h";
    person(&test, "ravi").press(&plain, button).await.unwrap();
    until_said(&test, "-# result 4").await;
    let looser = asked(&test, "olga", "redeploy agent:scout set:memory_mb=2048").await;
    assert!(!offers_to_allow(&looser));
    let ravi = person(&test, "ravi");
    ravi.forge(&looser, "v1:approve-allow:5").await.unwrap();
    until_said(&test, "-# result 5").await;
    let list = test.done("grant list").await;
    assert_eq!(list.matches("without asking").count(), 1, "{list}");
    test.finish().await;
}
