//! People decide: the question, the answers, and that what was approved is done once.

use chrono::TimeDelta;
use localcord::{Message, Person, Reply};
use yardarm::domain::{agent::State, ids::ActionId};

use crate::support::{talk::slash, test_app::TestApp};

/// Olga and Ravi are owners; Mina sees.
async fn team() -> TestApp {
    team_with(&[]).await
}

async fn team_with(more: &[(&str, &str)]) -> TestApp {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    for (key, value) in more {
        test.set(key, value);
    }
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    test.up().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    test
}

/// What stands on the buttons of a question by now.
fn buttons(test: &TestApp, question: &Message) -> Vec<String> {
    let all = test.cord.channel("ops").messages();
    let now = all.iter().find(|message| message.id() == question.id());
    TestApp::labels_on(now.unwrap())
}

fn ravi(test: &TestApp) -> Person {
    test.cord.user("ravi").in_channel("ops")
}

/// Olga asks to remove `scout`; returns her reply and the card.
async fn asked(test: &TestApp) -> (Reply, Message) {
    let reply = test.send("remove agent:scout reason:spring-cleaning").await;
    let card = test.cord.channel("ops").wait_for_text("-# approval").await;
    (reply, card.unwrap())
}

async fn card(test: &TestApp, text: &str) -> String {
    let ops = test.cord.channel("ops");
    let shows =
        |message: &Message| message.text().contains("-# approval") && message.text().contains(text);
    test.said(ops.wait_for(shows).await.unwrap().content())
}

#[tokio::test]
async fn what_others_approve_is_done_and_told() {
    let test = team().await;
    let (reply, question) = asked(&test).await;
    insta::assert_snapshot!(test.said(question.content()), @"
    🗳️ <@olga> asks to **remove** `scout` in `main`. Its container is deleted; the data in its volumes stays.
    Why: spring-cleaning
    0 of 1 approvals, from <@ravi> · lapses <t:1795348800:R>
    -# approval 2 · plan 82a8ec5183aa
    ");
    insta::assert_snapshot!(test.end_of(&reply).await, @"
    🗳️ **remove** `scout`: others have to approve it, see #ops
    -# action 2 · by <@olga>, because: spring-cleaning
    ");
    assert_eq!(test.engine.changes(), [""; 0]);

    let open = ["Approve", "Deny", "Details", "Withdraw"];
    assert_eq!(buttons(&test, &question), open);
    ravi(&test).press(&question, "Approve").await.unwrap();
    insta::assert_snapshot!(card(&test, "done in").await, @"
    🗳️ <@olga> asks to **remove** `scout` in `main`. Its container is deleted; the data in its volumes stays.
    Why: spring-cleaning
    ✅ <@ravi> <t:1795262400:R>
    ✅ remove `scout`: done in 0.0 s · decided by <@ravi> after 0.0 s
    -# approval 2 · plan 82a8ec5183aa
    ");
    let over = ["(Approve)", "(Deny)", "Details", "(Withdraw)"];
    assert_eq!(buttons(&test, &question), over);
    let told = test
        .cord
        .channel("ops")
        .wait_for_text("-# result")
        .await
        .unwrap();
    insta::assert_snapshot!(test.said(told.content()), @"
    ✅ remove `scout`: done in 0.0 s
    Asked for by <@olga>.
    -# result 2
    ");
    assert_eq!(
        told.json()["message_reference"]["message_id"],
        question.id().to_string()
    );
    assert_eq!(
        test.engine.changes(),
        ["stop yardarm-scout", "remove yardarm-scout"]
    );
    test.finish().await;
}

#[tokio::test]
async fn others_approve_that_the_data_goes_too() {
    let test = team().await;
    test.write_template(
        "keeper",
        r#"{ "description": "keeps", "image": "demo:1", "mounts": [{ "volume": "data", "target": "/data" }] }"#,
    );
    test.done("reload").await;
    test.done("deploy template:keeper name:hoarder").await;
    test.engine.forget_calls();
    test.send("remove agent:hoarder data:true").await;
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    let asks = "Its container and **the data in its volumes** are deleted.";
    assert!(question.content().contains(asks), "{}", question.content());
    ravi(&test).press(&question, "Approve").await.unwrap();
    card(&test, "done in").await;
    assert_eq!(
        test.engine.changes(),
        [
            "stop yardarm-hoarder",
            "remove yardarm-hoarder",
            "remove_volume yardarm-2-data"
        ]
    );
    test.finish().await;
}

#[tokio::test]
async fn only_those_who_can_decide_are_mentioned() {
    let test = team().await;
    let (_, question) = asked(&test).await;
    let mentions = question.allowed_mentions().unwrap().clone();
    assert_eq!(
        mentions["users"],
        serde_json::json!([ravi(&test).id().to_string()])
    );
    assert_eq!(mentions["parse"], serde_json::json!([]));
    test.finish().await;
}

#[tokio::test]
async fn the_requester_and_a_second_account_without_the_right_do_not_count() {
    let test = team().await;
    let (_, question) = asked(&test).await;
    let own = test.olga().press(&question, "Approve").await.unwrap();
    insta::assert_snapshot!(test.whisper(&own).await, @"You asked for it yourself: somebody else has to decide. You can withdraw it.");
    let stranger = test.cord.user("mina").in_channel("ops");
    let other = stranger.press(&question, "Approve").await.unwrap();
    let said = test.whisper(&other).await;
    assert!(said.contains("You need"), "{said}");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn a_denial_says_why_and_a_late_click_learns_who() {
    let test = team().await;
    let (reply, question) = asked(&test).await;
    let form = ravi(&test)
        .press(&question, "Deny")
        .await
        .unwrap()
        .modal()
        .unwrap();
    form.fill("reason", "it is still needed")
        .submit()
        .await
        .unwrap();
    insta::assert_snapshot!(card(&test, "denied").await, @"
    🗳️ <@olga> asks to **remove** `scout` in `main`. Its container is deleted; the data in its volumes stays.
    Why: spring-cleaning
    🚫 <@ravi> <t:1795262400:R>: it is still needed
    🚫 remove `scout`: denied, nothing was changed · decided by <@ravi> after 0.0 s
    it is still needed
    -# approval 2 · plan 82a8ec5183aa
    ");
    let reply = reply.until_text("denied").await.unwrap();
    insta::assert_snapshot!(test.said(&reply.text()), @"
    🚫 remove `scout`: denied, nothing was changed
    it is still needed
    -# action 2 · by <@olga>, because: spring-cleaning
    ");

    let late = ravi(&test).forge(&question, "v1:approve:2").await.unwrap();
    insta::assert_snapshot!(test.whisper(&late).await, @"This was decided already, by <@ravi> <t:1795262400:R>: it is denied.");
    assert_eq!(test.engine.changes(), [""; 0]);
    assert_eq!(test.state("scout"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn a_request_is_withdrawn_by_its_requester_only() {
    let test = team().await;
    let (_, question) = asked(&test).await;
    let other = ravi(&test).press(&question, "Withdraw").await.unwrap();
    insta::assert_snapshot!(test.whisper(&other).await, @"Only <@olga> can answer this: it is their request.");
    test.olga().press(&question, "Withdraw").await.unwrap();
    card(&test, "cancelled").await;
    let late = ravi(&test).forge(&question, "v1:approve:2").await.unwrap();
    insta::assert_snapshot!(test.whisper(&late).await, @"This question is closed: it is cancelled.");
    test.finish().await;
}

#[tokio::test]
async fn a_question_that_is_closed_disturbs_nobody_who_is_at_work_on_its_agent() {
    let test = team().await;
    let (_, question) = asked(&test).await;
    test.engine.hold("stop");
    let redeploying = test.send("redeploy agent:scout").await;
    test.engine.holding("stop", 1).await;
    test.olga().press(&question, "Withdraw").await.unwrap();
    card(&test, "cancelled").await;
    assert_eq!(test.state("scout"), State::Changing);

    test.engine.release("stop");
    insta::assert_snapshot!(test.end_of(&redeploying).await, @"
    ✅ redeploy `scout`: running after 0.0 s
    -# action 3 · by <@olga>
    ");
    insta::assert_snapshot!(test.done("audit agent:scout what:exited").await, @"Nothing of that kind was told, or nothing that you may see. Ask for less: `/audit agent:` alone, for example.");
    test.finish().await;
}

#[tokio::test]
async fn nobody_answers_and_one_reminder_comes() {
    let test = team().await;
    asked(&test).await;
    test.pass(TimeDelta::hours(12));
    test.ops().remind().await.unwrap();
    test.ops().remind().await.unwrap();
    let reminder = test
        .cord
        .channel("ops")
        .wait_for_text("-# reminder")
        .await
        .unwrap();
    insta::assert_snapshot!(test.said(reminder.content()), @"
    ⏰ remove `scout` still waits for <@ravi>. It lapses <t:1795348800:R>.
    -# reminder 2
    ");
    test.pass(TimeDelta::hours(12));
    test.ops().expire().await.unwrap();
    card(&test, "lapsed").await;
    assert_eq!(test.engine.changes(), [""; 0]);
    let reminders = test.cord.channel("ops").texts();
    let reminders = reminders.iter().filter(|text| text.contains("-# reminder"));
    assert_eq!(reminders.count(), 1);
    test.finish().await;
}

#[tokio::test]
async fn a_vote_after_the_end_is_late_although_nobody_looked_yet() {
    let test = team().await;
    let (_, question) = asked(&test).await;
    test.clock.advance(TimeDelta::hours(24));
    let late = ravi(&test).press(&question, "Approve").await.unwrap();
    insta::assert_snapshot!(test.whisper(&late).await, @"This question lapsed <t:1795348800:R>. Whoever still wants it sends the command again.");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn what_changed_meanwhile_voids_the_question() {
    let test = team().await;
    let (_, question) = asked(&test).await;
    test.done("redeploy agent:scout").await;
    test.engine.forget_calls();
    let void = ravi(&test).press(&question, "Approve").await.unwrap();
    insta::assert_snapshot!(test.whisper(&void).await, @"Action 2 is void: the plan has changed: `scout` has another container by now. Nothing was changed. Whoever still wants it sends the command again.");
    insta::assert_snapshot!(card(&test, "void").await, @"
    🗳️ <@olga> asks to **remove** `scout` in `main`. Its container is deleted; the data in its volumes stays.
    Why: spring-cleaning
    ✖️ remove `scout`: void, nothing was changed
    the plan has changed: `scout` has another container by now
    -# approval 2 · plan 82a8ec5183aa
    ");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn a_requester_who_left_voids_the_question() {
    let test = team().await;
    let request = slash(&ravi(&test), "remove agent:scout")
        .send()
        .await
        .unwrap();
    let question = test
        .cord
        .channel("ops")
        .wait_for_text("-# approval")
        .await
        .unwrap();
    drop(request);
    test.cord.user("ravi").leave().unwrap();
    let void = test.olga().press(&question, "Approve").await.unwrap();
    insta::assert_snapshot!(test.whisper(&void).await, @"Action 2 is void: <@ravi> has left the server. Nothing was changed. Whoever still wants it sends the command again.");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn the_list_answers_without_a_card() {
    let test = team().await;
    asked(&test).await;
    let list = slash(&ravi(&test), "approve").send().await.unwrap();
    insta::assert_snapshot!(test.said(&list.text()), @"
    Waiting for you: 1
    **2** · remove `scout` · by <@olga> 0.0 s ago · lapses <t:1795348800:R> · Its container is deleted; the data in its volumes stays.
    Why: spring-cleaning
    ");
    let mine = test.send("approve").await;
    insta::assert_snapshot!(mine.text(), @"Nothing waits for you.");
    list.press("Approve 2").await.unwrap();
    card(&test, "done in").await;
    list.until_text("Nothing waits for you.").await.unwrap();
    test.finish().await;
}

#[tokio::test]
async fn the_details_are_the_whole_plan_for_whoever_asks() {
    let test = team().await;
    let (_, question) = asked(&test).await;
    let pressed = ravi(&test).press(&question, "Details").await.unwrap();
    let details = pressed.until(|text| !text.is_empty()).await.unwrap();
    let message = details.message().unwrap();
    assert!(message.is_ephemeral(), "{}", message.text());
    let files = message.attachments();
    let plan: serde_json::Value = serde_json::from_str(&files[0].text()).unwrap();
    let action = test.ops().action(ActionId(2)).await.unwrap();
    assert_eq!(plan, serde_json::to_value(action.plan.unwrap()).unwrap());
    assert_eq!(plan["parts"][0]["agent"], "scout");
    test.finish().await;
}

#[tokio::test]
async fn what_waits_is_listed_and_offered_oldest_first() {
    let test = team().await;
    for number in 1..8 {
        test.ops_deploy(&format!("agent-{number}")).await;
    }
    for number in 1..8 {
        let request = test.send(&format!("remove agent:agent-{number}")).await;
        test.end_of(&request).await;
        test.clock.advance(TimeDelta::minutes(1));
    }
    let list = slash(&ravi(&test), "approve").send().await.unwrap();
    insta::assert_snapshot!(test.said(&list.text()), @"
    Waiting for you: 7
    **9** · remove `agent-1` · by <@olga> 7 min 0 s ago · lapses <t:1795348800:R> · Its container is deleted; the data in its volumes stays.
    **10** · remove `agent-2` · by <@olga> 6 min 0 s ago · lapses <t:1795348860:R> · Its container is deleted; the data in its volumes stays.
    **11** · remove `agent-3` · by <@olga> 5 min 0 s ago · lapses <t:1795348920:R> · Its container is deleted; the data in its volumes stays.
    **12** · remove `agent-4` · by <@olga> 4 min 0 s ago · lapses <t:1795348980:R> · Its container is deleted; the data in its volumes stays.
    **13** · remove `agent-5` · by <@olga> 3 min 0 s ago · lapses <t:1795349040:R> · Its container is deleted; the data in its volumes stays.
    … and 2 more; they follow once these are answered.
    ");
    insta::assert_snapshot!(TestApp::labels(&list).join(", "), @"Approve 9, Deny 9, Details of 9, Approve 10, Deny 10, Details of 10, Approve 11, Deny 11, Details of 11, Approve 12, Deny 12, Details of 12, Approve 13, Deny 13, Details of 13");
    let offered = ravi(&test).autocomplete("approve").focus("id", "");
    let offered = offered.send().await.unwrap();
    let offered: Vec<String> = offered.iter().map(|choice| choice.name.clone()).collect();
    insta::assert_snapshot!(offered.join("\n"), @"
    9 · remove agent-1
    10 · remove agent-2
    11 · remove agent-3
    12 · remove agent-4
    13 · remove agent-5
    14 · remove agent-6
    15 · remove agent-7
    ");
    let narrowed = ravi(&test).autocomplete("approve").focus("id", "agent-3");
    assert_eq!(narrowed.send().await.unwrap().len(), 1);
    let own = test.olga().autocomplete("approve").focus("id", "");
    assert_eq!(
        own.send().await.unwrap().len(),
        0,
        "nobody decides on their own"
    );
    test.finish().await;
}

#[tokio::test]
async fn an_answer_can_be_typed() {
    let test = team().await;
    asked(&test).await;
    let typed = ravi(&test)
        .slash("approve")
        .option("id", 2)
        .option("decision", "deny")
        .option("reason", "not today");
    let typed = typed.send().await.unwrap();
    typed
        .until_text("Denied. Nothing was changed.")
        .await
        .unwrap();
    card(&test, "not today").await;
    test.finish().await;
}

#[tokio::test]
async fn the_card_works_after_a_restart() {
    let mut test = team().await;
    let (_, question) = asked(&test).await;
    test.restart().await;
    ravi(&test).press(&question, "Approve").await.unwrap();
    card(&test, "done in").await;
    assert_eq!(
        test.engine.changes(),
        ["stop yardarm-scout", "remove yardarm-scout"]
    );
    test.finish().await;
}

#[tokio::test]
async fn a_quorum_that_nobody_can_meet_is_refused() {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    test.up().await;
    test.deploy("scout").await;
    insta::assert_snapshot!(test.refused("remove agent:scout").await, @r#"The policy `team: grave` wants another person to approve this, and the present grants name 0. An owner can grant `maintainer` to somebody (`/grant add`); who works alone sets `access.preset = "solo"` on the host."#);
    test.finish().await;
}

#[tokio::test]
async fn an_image_that_moved_meanwhile_voids_the_question() {
    let test = team().await;
    test.engine.add_remote_image("far:1");
    test.write_template("far", r#"{ "description": "x", "image": "far:1" }"#);
    test.done("reload").await;
    test.done("deploy template:far").await;
    test.engine.forget_calls();
    test.send("redeploy agent:far set:memory_mb=2048 pull:true")
        .await;
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    let text = question.content();
    assert!(text.contains("Loosens: memory 512 → 2048 MiB"), "{text}");
    test.engine.push_again("far:1");
    let void = ravi(&test).press(&question, "Approve").await.unwrap();
    let said = test.whisper(&void).await;
    assert!(said.contains("`far`: image digest"), "{said}");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn nobody_is_asked_about_an_image_that_the_host_has_yet_to_make() {
    let test = team().await;
    // A stranger took the name.
    test.engine.add_remote_image("own:1");
    let own = r#"{ "description": "x", "image": "own:1", "build": "make own" }"#;
    test.write_template("own", own);
    test.done("reload").await;
    let looser = "deploy template:own set:memory_mb=2048";
    insta::assert_snapshot!(test.refused(looser).await, @"The image `own:1` is not on this host, and no registry is asked for it. On the host, in the folder of Yardarm's sources, this makes it: `make own`.");
    test.finish().await;
}

#[tokio::test]
async fn an_image_that_moves_while_it_is_pulled_is_not_what_was_approved() {
    let test = team().await;
    test.engine.add_remote_image("far:1");
    test.write_template("far", r#"{ "description": "x", "image": "far:1" }"#);
    test.done("reload").await;
    test.done("deploy template:far").await;
    test.send("redeploy agent:far set:memory_mb=2048 pull:true")
        .await;
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    test.engine.forget_calls();
    test.engine.hold("pull");
    ravi(&test).press(&question, "Approve").await.unwrap();
    test.engine.holding("pull", 1).await;
    test.engine.push_again("far:1");
    test.engine.release("pull");
    insta::assert_snapshot!(card(&test, "void").await, @"
    🗳️ <@olga> asks to **redeploy** `far` in `main`.
    • limits `512 MiB, 1 CPUs, 256 processes` → `2048 MiB, 1 CPUs, 256 processes`
    ⚠️ Loosens: memory 512 → 2048 MiB
    ✅ <@ravi> <t:1795262400:R>
    ✖️ redeploy `far`: void, nothing was changed · decided by <@ravi> after 0.0 s
    the plan has changed: `far`: image digest `sha256:daa66d2c7ddf` → `sha256:1715609f7c74`
    -# approval 4 · plan ae80d57cd44a
    ");
    let told = ops.wait_for_text("-# result").await.unwrap();
    insta::assert_snapshot!(test.said(told.content()), @"
    ✖️ redeploy `far`: void, nothing was changed
    the plan has changed: `far`: image digest `sha256:daa66d2c7ddf` → `sha256:1715609f7c74`
    Asked for by <@olga>.
    -# result 4
    ");
    assert_eq!(test.engine.changes(), ["pull far:1"]);
    assert_eq!(test.state("far"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn nobody_is_left_of_a_deployment_whose_image_moved_while_it_was_pulled() {
    let test = team().await;
    test.engine.add_remote_image("far:1");
    test.write_template("far", r#"{ "description": "x", "image": "far:1" }"#);
    test.done("reload").await;
    test.send("deploy template:far set:memory_mb=2048").await;
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    test.engine.hold("pull");
    ravi(&test).press(&question, "Approve").await.unwrap();
    test.engine.holding("pull", 1).await;
    test.engine.push_again("far:1");
    test.engine.release("pull");
    let said = card(&test, "void").await;
    assert!(said.contains("`far`: image digest"), "{said}");
    assert!(test.ops().roster.view("far").is_none());
    assert_eq!(test.engine.names(), ["yardarm-scout"]);
    test.finish().await;
}

#[tokio::test]
async fn an_owner_breaks_the_glass_and_all_owners_are_told() {
    let test = team().await;
    let form = test
        .send("breakglass agent:scout action:remove reason:leaking")
        .await;
    let form = form.modal().unwrap();
    let wrong = form
        .clone()
        .fill("phrase", "builder")
        .submit()
        .await
        .unwrap();
    insta::assert_snapshot!(test.whisper(&wrong).await, @"That is not what was to be typed: `scout`. Nothing was changed; send the command again.");
    let form = test
        .send("breakglass agent:scout action:remove reason:leaking")
        .await;
    let form = form.modal().unwrap().fill("phrase", "scout");
    let done = form.fill("reason", "leaking").submit().await.unwrap();
    done.until_text("done in").await.unwrap();
    let ops = test.cord.channel("ops");
    let told = ops.wait_for_text("-# break-glass").await.unwrap();
    assert!(
        told.content().starts_with("🚨 **Break-glass**"),
        "{}",
        told.content()
    );
    let mentioned = told.allowed_mentions().unwrap()["users"].clone();
    assert_eq!(mentioned.as_array().unwrap().len(), 2, "{mentioned}");
    insta::assert_snapshot!(test.done("audit what:\"broke glass\"").await, @"`6` <t:1795262400:f> **broke glass** remove `scout` · by <@olga> “leaking” · action 2");
    assert_eq!(
        test.engine.changes(),
        ["stop yardarm-scout", "remove yardarm-scout"]
    );
    test.finish().await;
}

#[tokio::test]
async fn nobody_else_breaks_the_glass() {
    let test = team().await;
    let mina = test.cord.user("mina").in_channel("ops");
    let refused = slash(&mina, "breakglass agent:scout action:remove reason:x");
    let refused = refused.send().await.unwrap();
    let said = test.whisper(&refused).await;
    assert!(said.contains("You need"), "{said}");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}
