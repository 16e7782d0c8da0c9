//! What is asked before it is done, and who may answer.

use chrono::TimeDelta;
use localcord::Reply;
use yardarm::domain::agent::State;

use crate::support::test_app::TestApp;

async fn three() -> TestApp {
    let test = TestApp::start().await;
    for name in ["scout-1", "scout-2", "builder"] {
        test.deploy(name).await;
    }
    test.engine.forget_calls();
    test
}

async fn pressed(reply: &Reply, button: &str) -> Reply {
    reply.press(button).await.unwrap()
}

#[tokio::test]
async fn several_agents_are_asked_about_first() {
    let test = three().await;
    let card = test.send("stop agent:scout-* reason:lunch").await;
    insta::assert_snapshot!(test.end_of(&card).await, @"
    ❔ **stop** 2 agents?
    ▫️ `scout-1`
    ▫️ `scout-2`
    -# action 4 · by <@olga>, because: lunch
    ");
    assert_eq!(TestApp::labels(&card), ["Stop 2 agents", "Cancel"]);
    assert_eq!(test.engine.changes(), [""; 0]);

    TestApp::confirm(&card, "Stop 2 agents").await;
    let card = card.until_text("done in").await.unwrap();
    insta::assert_snapshot!(test.said(&card.text()), @"
    ✅ stop 2 agents: done in 0.0 s
    ✅ `scout-1`
    ✅ `scout-2`
    2 of 2 done
    -# action 4 · by <@olga>, because: lunch
    ");
    assert_eq!(TestApp::labels(&card), [""; 0]);
    let mut changes = test.engine.changes();
    changes.sort_unstable();
    assert_eq!(changes, ["stop yardarm-scout-1", "stop yardarm-scout-2"]);
    assert_eq!(test.state("builder"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn what_interrupts_a_whole_fleet_is_asked_about() {
    let test = three().await;
    for command in ["restart", "pause", "stop", "remove"] {
        let card = test.send(&format!("{command} fleet:main")).await;
        let text = test.end_of(&card).await;
        assert!(
            text.starts_with(&format!("❔ **{command}** 3 agents?")),
            "{text}"
        );
        pressed(&card, "Cancel").await;
        card.until_text("cancelled").await.unwrap();
    }
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn one_of_several_may_fail_alone() {
    let test = three().await;
    let card = test.send("restart agent:scout-*").await;
    test.end_of(&card).await;
    test.engine
        .refuse("start", "driver failed programming external connectivity");
    TestApp::confirm(&card, "Restart 2 agents").await;
    let card = card.until_text("failed after").await.unwrap();
    insta::assert_snapshot!(test.said(&card.text()), @"
    ❌ restart 2 agents: failed after 0.0 s
    ❌ `scout-1`: Docker says: driver failed programming external connectivity.
    ❌ `scout-2`: Docker says: driver failed programming external connectivity.
    0 of 2 done
    -# action 4 · by <@olga>
    ");
    test.engine.mend("start");
    test.finish().await;
}

#[tokio::test]
async fn what_a_rule_forbids_by_now_cannot_be_confirmed_any_more() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    std::fs::write(&file, "").unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    for (rule, expected) in [
        (
            "effect = \"ask\"",
            "the policy `careful` asks otherwise by now",
        ),
        (
            "effect = \"deny\"\nreason = \"it is Friday\"",
            "the policy `careful` denies it now: it is Friday",
        ),
    ] {
        std::fs::write(&file, "").unwrap();
        test.done("reload").await;
        let card = test.send("remove agent:scout").await;
        card.until_text("?").await.unwrap();
        let rule = format!("[[policy]]\nname = \"careful\"\nactions = [\"remove\"]\n{rule}\n");
        std::fs::write(&file, rule).unwrap();
        test.done("reload").await;
        let typed = TestApp::confirm(&card, "Remove").await;
        let said = test.whisper(&typed).await;
        assert!(said.contains(expected), "{said}");
        card.until_text("void").await.unwrap();
    }
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn only_the_requester_may_answer() {
    let owners = |test: &TestApp| {
        format!(
            "[\"{}\", \"{}\"]",
            test.cord.user("olga").id(),
            test.cord.user("mina").id()
        )
    };
    let mut test = TestApp::prepare(&[]).await;
    let owners = owners(&test);
    test.set("access.owners", &owners);
    test.up().await;
    test.deploy("scout").await;
    let card = test.send("remove agent:scout").await;
    test.end_of(&card).await;
    let message = card.message().unwrap();

    for person in ["mina", "ravi"] {
        let person = test.cord.user(person).in_channel("ops");
        for button in ["Remove", "Remove and its data", "Cancel"] {
            let refused = person.press(&message, button).await.unwrap();
            let said = test.whisper(&refused).await;
            assert!(
                said == "Only <@olga> can answer this: it is their request."
                    || said.starts_with("You need viewer on some fleet"),
                "{said}"
            );
        }
    }
    insta::assert_snapshot!(test.said(&card.text()), @"
    ❔ **remove** `scout`? Its container is deleted; the data in its volumes stays.
    -# action 2 · by <@olga>
    ");
    pressed(&card, "Cancel").await;
    card.until_text("cancelled").await.unwrap();
    assert_eq!(test.state("scout"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn a_double_click_removes_once() {
    let test = three().await;
    let card = test.send("remove agent:builder").await;
    test.end_of(&card).await;
    test.engine.hold("stop");
    let (_, second) = tokio::join!(TestApp::confirm(&card, "Remove"), async {
        test.engine.holding("stop", 1).await;
        test.olga()
            .forge(&card.message().unwrap(), "v1:confirm:4")
            .await
    });
    let second = second.unwrap();
    insta::assert_snapshot!(test.whisper(&second).await, @"This was decided already: it is running.");
    test.engine.release("stop");
    let card = card.until_text("done in").await.unwrap();
    let third = test
        .olga()
        .forge(&card.message().unwrap(), "v1:confirm:4")
        .await
        .unwrap();
    insta::assert_snapshot!(test.whisper(&third).await, @"This was decided already: succeeded <t:1795262400:R>.");
    assert_eq!(
        test.engine.changes(),
        ["stop yardarm-builder", "remove yardarm-builder"]
    );
    test.finish().await;
}

#[tokio::test]
async fn a_press_that_is_delivered_twice_counts_once() {
    let mut test = three().await;
    let card = test.send("remove agent:builder").await;
    test.end_of(&card).await;
    let form = pressed(&card, "Remove").await.modal().unwrap();
    test.cord.gateway().duplicate_next();
    form.fill("phrase", "builder").submit().await.unwrap();
    card.until_text("done in").await.unwrap();
    let seen = test.seen().len();
    test.down().await;
    assert_eq!(test.seen().len(), seen, "{:#?}", test.seen());
    assert_eq!(
        test.engine.changes(),
        ["stop yardarm-builder", "remove yardarm-builder"]
    );
    test.finish().await;
}

#[tokio::test]
async fn a_question_lapses_and_says_so() {
    let test = three().await;
    let card = test.send("remove agent:builder").await;
    test.end_of(&card).await;
    test.clock.advance(TimeDelta::minutes(14));
    test.ops().expire().await.unwrap();
    assert_eq!(
        TestApp::labels(&card),
        ["Remove", "Remove and its data", "Cancel"]
    );

    // A click that comes before the card is told.
    test.clock.advance(TimeDelta::seconds(61));
    let late = pressed(&card, "Remove").await;
    insta::assert_snapshot!(test.whisper(&late).await, @"This question has lapsed: it waited 15 minutes. Send the command again.");

    test.ops().expire().await.unwrap();
    let card = card.until_text("lapsed").await.unwrap();
    insta::assert_snapshot!(test.said(&card.text()), @"
    ⌛ remove `builder`: lapsed, nothing was changed
    -# action 4 · by <@olga>
    ");
    assert_eq!(TestApp::labels(&card), [""; 0]);
    let late = test
        .olga()
        .forge(&card.message().unwrap(), "v1:confirm:4")
        .await
        .unwrap();
    insta::assert_snapshot!(test.whisper(&late).await, @"This question has lapsed: it waited 15 minutes. Send the command again.");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn buttons_work_after_a_restart() {
    let mut test = three().await;
    let card = test.send("remove agent:builder").await;
    test.end_of(&card).await;
    test.restart().await;
    TestApp::confirm(&card, "Remove").await;
    card.until_text("done in").await.unwrap();
    assert_eq!(
        test.engine.changes(),
        ["stop yardarm-builder", "remove yardarm-builder"]
    );
    test.finish().await;
}

#[tokio::test]
async fn who_asks_for_the_data_too_is_not_offered_to_keep_it() {
    let test = three().await;
    let card = test.send("remove agent:builder data:true").await;
    insta::assert_snapshot!(test.end_of(&card).await, @"
    ❔ **remove** `builder`? Its container and **the data in its volumes** are deleted.
    -# action 4 · by <@olga>
    ");
    assert_eq!(TestApp::labels(&card), ["Remove and its data", "Cancel"]);
    TestApp::confirm(&card, "Remove and its data").await;
    card.until_text("done in").await.unwrap();
    test.finish().await;
}

#[tokio::test]
async fn a_removal_asks_about_data_and_keeps_it_unless_told() {
    let test = TestApp::start().await;
    test.write_template(
        "keeper",
        r#"{ "description": "keeps", "image": "demo:1", "mounts": [{ "volume": "data", "target": "/data" }] }"#,
    );
    test.done("reload").await;
    for name in ["one", "two"] {
        test.done(&format!("deploy template:keeper name:{name}"))
            .await;
    }
    test.engine.forget_calls();

    let card = test.send("remove agent:one").await;
    insta::assert_snapshot!(test.end_of(&card).await, @"
    ❔ **remove** `one`? Its container is deleted; the data in its volumes stays.
    -# action 4 · by <@olga>
    ");
    assert_eq!(
        TestApp::labels(&card),
        ["Remove", "Remove and its data", "Cancel"]
    );
    TestApp::confirm(&card, "Remove").await;
    card.until_text("done in").await.unwrap();
    assert_eq!(
        test.engine.changes(),
        ["stop yardarm-one", "remove yardarm-one"]
    );

    test.engine.forget_calls();
    let card = test.send("remove agent:two").await;
    test.end_of(&card).await;
    TestApp::confirm(&card, "Remove and its data").await;
    card.until_text("done in").await.unwrap();
    assert_eq!(
        test.engine.changes(),
        [
            "stop yardarm-two",
            "remove yardarm-two",
            "remove_volume yardarm-2-data"
        ]
    );
    insta::assert_snapshot!(test.done("status").await, @"
    No agents yet. `/deploy` makes the first one.
    All fleets
    Host: …
    ");
    test.finish().await;
}

#[tokio::test]
async fn an_agent_that_became_busy_meanwhile_stops_the_confirmation() {
    let test = three().await;
    let card = test.send("stop agent:scout-*").await;
    test.end_of(&card).await;
    test.engine.hold("pause");
    let pause = test.send("pause agent:scout-1").await;
    test.engine.holding("pause", 1).await;
    let refused = TestApp::confirm(&card, "Stop 2 agents").await;
    insta::assert_snapshot!(test.whisper(&refused).await, @"`scout-1` is busy with action 5. Wait for it, then send the command again.");
    test.engine.release("pause");
    test.end_of(&pause).await;
    TestApp::confirm(&card, "Stop 2 agents").await;
    card.until_text("done in").await.unwrap();
    test.finish().await;
}

#[tokio::test]
async fn cards_of_an_older_yardarm_say_so() {
    let test = three().await;
    let message = test
        .cord
        .channel("ops")
        .wait_for_text("running after")
        .await
        .unwrap();
    for id in ["v0:confirm:1", "v1:frobnicate:1", "nonsense"] {
        let stale = test.olga().forge(&message, id).await.unwrap();
        assert_eq!(
            test.whisper(&stale).await,
            "This card is from an older Yardarm. Send the command again."
        );
    }
    let unknown = test.olga().forge(&message, "v1:confirm:999").await.unwrap();
    assert_eq!(test.whisper(&unknown).await, "There is no action 999.");
    test.finish().await;
}
