//! What may happen between a question and its answer: roles that go, rules that change, answers at the same instant, an
//! end of the process. Nothing is done twice, without its quorum, or while nobody can say who somebody is.

use std::time::Duration;

use localcord::{Fault, Message, Person};
use yardarm::{
    clock::Clock as _,
    domain::{
        action::State as Fate,
        agent::State,
        approval::{Answer, Vote},
        ids::{ActionId, UserId},
    },
    store::{Store, actions, approvals},
};

use crate::support::{talk::slash, test_app::TestApp};

/// Olga owns all, and the crew maintains it: Ravi and Gus. What is asked needs `approvals` of them.
async fn scene(approvals: u32) -> TestApp {
    scene_of("remove", approvals).await
}

/// The same, where people are asked about `action`.
async fn scene_of(action: &str, approvals: u32) -> TestApp {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    test.cord.invite("gus").set_roles(&["crew"]).unwrap();
    write_settings(&test, (action, approvals));
    let file = test.path("yardarm.toml");
    test.up_from(&file).await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    test
}

/// The crew maintains `prod` and nothing else, and two newcomers wait there for one approval each.
async fn newcomers_in_prod() -> TestApp {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    write_settings_for(&test, "prod", ("deploy", 1));
    let file = test.path("yardarm.toml");
    test.up_from(&file).await;
    test.done("fleet create name:prod").await;
    for name in ["gull", "tern"] {
        test.done(&format!("deploy template:demo name:{name} fleet:prod"))
            .await;
    }
    test
}

fn write_settings(test: &TestApp, asked: (&str, u32)) {
    write_settings_for(test, "*", asked);
}

fn write_settings_for(test: &TestApp, fleet: &str, (action, approvals): (&str, u32)) {
    let crew = test.cord.role_id("crew");
    let text = format!(
        "[[grant]]\nrole = {crew}\nlevel = \"maintainer\"\nfleet = \"{fleet}\"\n\
         [[policy]]\nname = \"careful\"\nactions = [\"{action}\"]\neffect = \"ask\"\n[policy.ask]\napprovals = {approvals}\n"
    );
    std::fs::write(test.path("yardarm.toml"), text).unwrap();
}

fn person(test: &TestApp, name: &str) -> Person {
    test.cord.user(name).in_channel("ops")
}

async fn asked(test: &TestApp) -> Message {
    test.send("remove agent:scout").await;
    let ops = test.cord.channel("ops");
    ops.wait_for_text("-# approval").await.unwrap()
}

/// The question that says this.
async fn question(test: &TestApp, text: &str) -> Message {
    let ops = test.cord.channel("ops");
    let shows =
        |message: &Message| message.text().contains("-# approval") && message.text().contains(text);
    ops.wait_for(shows).await.unwrap()
}

async fn card(test: &TestApp, text: &str) -> String {
    test.said(question(test, text).await.content())
}

async fn press(test: &TestApp, name: &str, question: &Message) -> localcord::Reply {
    person(test, name).press(question, "Approve").await.unwrap()
}

const REMOVED: [&str; 2] = ["stop yardarm-scout", "remove yardarm-scout"];

#[tokio::test]
async fn two_of_two_have_to_approve_and_one_counts_once() {
    let test = scene(2).await;
    let question = asked(&test).await;
    press(&test, "ravi", &question).await;
    card(&test, "1 of 2 approvals").await;
    press(&test, "ravi", &question).await;
    assert_eq!(test.engine.changes(), [""; 0]);
    press(&test, "gus", &question).await;
    card(&test, "done in").await;
    assert_eq!(test.engine.changes(), REMOVED);
    test.finish().await;
}

#[tokio::test]
async fn an_answer_may_change_until_it_is_decided() {
    let test = scene(2).await;
    let question = asked(&test).await;
    press(&test, "ravi", &question).await;
    card(&test, "1 of 2 approvals").await;
    let form = person(&test, "ravi").press(&question, "Deny").await;
    let form = form.unwrap().modal().unwrap();
    form.fill("reason", "on second thoughts")
        .submit()
        .await
        .unwrap();
    let text = card(&test, "denied").await;
    assert!(
        text.contains("🚫 <@ravi> <t:1795262400:R>: on second thoughts"),
        "{text}"
    );
    assert!(!text.contains('✅'), "{text}");
    let late = person(&test, "gus").forge(&question, "v1:approve:2").await;
    let late = test.whisper(&late.unwrap()).await;
    assert!(
        late.starts_with("This was decided already, by <@ravi>"),
        "{late}"
    );
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn of_two_last_answers_at_the_same_instant_one_decides() {
    let test = scene(1).await;
    let question = asked(&test).await;
    let (ravi, gus) = tokio::join!(
        press(&test, "ravi", &question),
        press(&test, "gus", &question)
    );
    card(&test, "done in").await;
    drop((ravi, gus));
    assert_eq!(test.engine.changes(), REMOVED);
    test.finish().await;
}

#[tokio::test]
async fn a_role_that_is_deleted_meanwhile_decides_nothing() {
    let test = scene(1).await;
    let question = asked(&test).await;
    test.cord.delete_role("harbour", "crew").unwrap();
    let refused = press(&test, "ravi", &question).await;
    let said = test.whisper(&refused).await;
    assert!(said.starts_with("You need"), "{said}");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn an_agent_whose_approved_action_waits_for_discord_is_at_work() {
    let mut test = scene(1).await;
    approved_and_cut_off(&mut test).await;
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 1);
    let silent = test
        .cord
        .inject(Fault::status(500).on("GET", "/guilds/*/members/*"));
    test.up().await;
    test.ops().converge().await.unwrap();
    test.ops().mend().await.unwrap();
    assert_eq!(test.state("scout"), State::Changing);
    assert_eq!(test.ops().store.open_incidents().await.unwrap(), []);
    silent.release();
    card(&test, "remove `scout`: done").await;
    test.finish().await;
}

#[tokio::test]
async fn an_approver_who_lost_the_role_before_the_last_answer_does_not_count() {
    let test = scene(2).await;
    let question = asked(&test).await;
    press(&test, "ravi", &question).await;
    card(&test, "1 of 2 approvals").await;
    person(&test, "ravi").set_roles(&[]).unwrap();
    press(&test, "gus", &question).await;
    let gus = format!("✅ <@{}>", person(&test, "gus").id());
    let text = card(&test, &gus).await;
    assert!(text.contains("1 of 2 approvals"), "{text}");
    assert!(!text.contains("✅ <@ravi>"), "{text}");
    assert_eq!(test.engine.changes(), [""; 0]);
    assert_eq!(test.state("scout"), State::Running);
    insta::assert_snapshot!(test.done("audit agent:scout what:\"vote dropped\"").await, @r"`8` <t:1795262400:f> **vote dropped** remove `scout` · by Yardarm (yardarm) “\<\@ravi\> may not answer any more” · action 2");
    test.finish().await;
}

#[tokio::test]
async fn what_waits_for_discord_is_waited_for_once() {
    let test = scene(1).await;
    let question = asked(&test).await;
    // The answer asks three times who somebody is; the fourth time is the execution's.
    let members = "/guilds/*/members/*";
    let counted = Fault::slow(Duration::ZERO).times(3).on("GET", members);
    test.cord.inject(counted);
    let execution = test.cord.inject(Fault::hang().times(1).on("GET", members));
    press(&test, "ravi", &question).await;
    execution.met().await.unwrap();
    for _ in 0..2 {
        test.ops().execute(ActionId(2)).await.unwrap();
    }
    assert_eq!(test.engine.changes(), [""; 0]);
    execution.release();
    card(&test, "done in").await;
    assert_eq!(test.engine.changes(), REMOVED);
    test.finish().await;
}

#[tokio::test]
async fn who_approves_what_was_withdrawn_within_that_moment_learns_that() {
    let test = scene(1).await;
    let question = asked(&test).await;
    test.done("redeploy agent:scout").await;
    // First it is asked who votes, then whether the requester is still there.
    let requester = test.hang_members_after(1);
    let pressed = press(&test, "ravi", &question).await;
    requester.met().await.unwrap();
    test.olga().press(&question, "Withdraw").await.unwrap();
    card(&test, "cancelled").await;
    requester.release();
    insta::assert_snapshot!(test.whisper(&pressed).await, @"This question is closed: it is cancelled.");
    test.finish().await;
}

/// As if the process had ended right after Ravi's deciding answer.
async fn approved_and_cut_off(test: &mut TestApp) {
    asked(test).await;
    test.crash().await;
    let store = Store::open(&test.path("yardarm.db")).await.unwrap();
    let now = test.clock.now();
    let id = ActionId(2);
    let vote = Vote {
        user: user(test, "ravi"),
        answer: Answer::Approve,
        reason: None,
        at: now,
    };
    let mut tx = store.begin().await.unwrap();
    assert!(approvals::vote(&mut tx, id, &vote).await.unwrap());
    let decided = actions::advance(&mut tx, id, Fate::Asked, Fate::Pending, now);
    assert!(decided.await.unwrap());
    tx.commit().await.unwrap();
    store.close().await;
}

fn user(test: &TestApp, name: &str) -> UserId {
    UserId(person(test, name).id().to_string().parse().unwrap())
}

#[tokio::test]
async fn what_was_decided_before_the_end_is_done_after_it() {
    let mut test = scene(1).await;
    approved_and_cut_off(&mut test).await;
    test.up().await;
    card(&test, "remove `scout`: done").await;
    assert_eq!(test.engine.changes(), REMOVED);
    test.finish().await;
}

#[tokio::test]
async fn an_approver_who_lost_the_role_before_it_was_done_voids_it() {
    let mut test = scene(1).await;
    approved_and_cut_off(&mut test).await;
    person(&test, "ravi").set_roles(&[]).unwrap();
    test.up().await;
    let text = card(&test, "void").await;
    assert!(text.contains("may not approve it any more"), "{text}");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn what_is_void_in_the_end_is_not_done_by_yardarm_itself() {
    let test = scene_of("start", 1).await;
    test.done("stop agent:scout").await;
    test.engine.forget_calls();
    test.send("start agent:scout").await;
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    // The answer asks three times who somebody is: it counts, and what comes next has to wait.
    let execution = test.hang_members_after(3);
    press(&test, "ravi", &question).await;
    execution.met().await.unwrap();
    person(&test, "ravi").set_roles(&[]).unwrap();
    execution.release();
    card(&test, "void").await;
    test.ops().converge().await.unwrap();
    assert_eq!(test.engine.changes(), [""; 0]);
    assert_eq!(test.state("scout"), State::Stopped);
    test.finish().await;
}

#[tokio::test]
async fn nothing_is_done_while_discord_does_not_say_who_somebody_is() {
    let test = scene(1).await;
    let question = asked(&test).await;
    let silent = test
        .cord
        .inject(Fault::status(500).on("GET", "/guilds/*/members/*"));
    let refused = press(&test, "ravi", &question).await;
    let said = test.whisper(&refused).await;
    assert!(said.contains("Nothing was decided or done"), "{said}");
    silent.release();
    press(&test, "ravi", &question).await;
    card(&test, "done in").await;
    assert_eq!(test.engine.changes(), REMOVED);
    test.finish().await;
}

#[tokio::test]
async fn a_rule_that_asks_for_more_by_now_voids_the_question() {
    let test = scene(1).await;
    let question = asked(&test).await;
    write_settings(&test, ("remove", 2));
    test.done("reload").await;
    let void = press(&test, "ravi", &question).await;
    let said = test.whisper(&void).await;
    assert!(
        said.contains("the policy `careful` asks otherwise by now"),
        "{said}"
    );
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn programs_do_not_decide() {
    let test = scene(1).await;
    let question = asked(&test).await;
    let gull = test.cord.invite_bot("gull");
    gull.set_roles(&["crew"]).unwrap();
    let refused = gull
        .in_channel("ops")
        .press(&question, "Approve")
        .await
        .unwrap();
    let said = test.whisper(&refused).await;
    assert!(said.contains("not from programs"), "{said}");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn what_was_approved_and_not_yet_begun_is_done_once_after_a_crash() {
    let mut test = scene(1).await;
    let question = asked(&test).await;
    test.engine.hold("stop");
    press(&test, "ravi", &question).await;
    test.engine.holding("stop", 1).await;
    test.crash().await;
    test.engine.release("stop");
    test.up().await;
    card(&test, "remove `scout`: done").await;
    let removals = test.engine.changes();
    let removals = removals.iter().filter(|call| call.starts_with("remove "));
    assert_eq!(removals.count(), 1);
    let ops = test.cord.channel("ops");
    ops.wait_for_text("-# result").await.unwrap();
    test.down().await;
    let told = ops.texts();
    let told = told.iter().filter(|text| text.contains("-# result"));
    assert_eq!(told.count(), 1);
    test.finish().await;
}

#[tokio::test]
async fn the_list_is_of_what_one_may_answer() {
    let test = scene(1).await;
    asked(&test).await;
    let listed = slash(&person(&test, "ravi"), "approve")
        .send()
        .await
        .unwrap();
    let said = listed.text();
    assert!(said.contains("Waiting for you: 1"), "{said}");
    let none = slash(&test.olga(), "approve").send().await.unwrap();
    assert_eq!(none.text(), "Nothing waits for you.");
    test.finish().await;
}

#[tokio::test]
async fn a_newcomer_is_decided_about_by_those_of_the_fleet_it_comes_into() {
    let mut test = newcomers_in_prod().await;
    let ravi = person(&test, "ravi");
    let first = question(&test, "`gull`").await;
    let details = ravi.press(&first, "Details").await.unwrap();
    let details = test.refusal(&details).await;
    assert!(details.contains("**deploy** `gull` in `prod`"), "{details}");
    let form = ravi.press(&first, "Deny").await.unwrap().modal().unwrap();
    form.fill("reason", "no room").submit().await.unwrap();
    card(&test, "deploy `gull`: denied").await;

    test.restart().await;
    let status = test.done("status").await;
    assert!(!status.contains("tern"), "{status}");
    let second = question(&test, "`tern`").await;
    let details = ravi.press(&second, "Details").await.unwrap();
    let details = test.refusal(&details).await;
    assert!(details.contains("**deploy** `tern` in `prod`"), "{details}");
    press(&test, "ravi", &second).await;
    card(&test, "deploy `tern`: running after").await;
    test.finish().await;
}

#[tokio::test]
async fn how_it_was_deployed_is_shown_to_those_of_the_fleet_that_it_is_in_now() {
    let test = newcomers_in_prod().await;
    let ravi = person(&test, "ravi");
    let first = question(&test, "`gull`").await;
    press(&test, "ravi", &first).await;
    let done = question(&test, "deploy `gull`: running after").await;
    let look = async || {
        let details = ravi.press(&done, "Details").await.unwrap();
        test.refusal(&details).await
    };
    assert!(look().await.contains("**deploy** `gull` in `prod`"));
    test.done("fleet create name:vault").await;
    test.done("fleet add fleet:vault agent:gull").await;
    insta::assert_snapshot!(test.said(&look().await), @"You need viewer on `vault`; <@olga> has it. An owner can grant it: `/grant add`.");
    test.finish().await;
}

#[tokio::test]
async fn a_newcomer_may_be_decided_about_by_command() {
    let test = newcomers_in_prod().await;
    let ravi = person(&test, "ravi");
    for (command, answer) in [
        ("approve id:2 decision:deny", "Denied"),
        ("approve id:3", "Approved"),
    ] {
        let reply = slash(&ravi, command).send().await.unwrap();
        let said = test.end_of(&reply).await;
        assert!(said.starts_with(answer), "{said}");
    }
    card(&test, "deploy `gull`: denied").await;
    card(&test, "deploy `tern`: running after").await;
    test.finish().await;
}
