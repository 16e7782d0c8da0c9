//! The life of an agent, as people in Discord see it.

use yardarm::domain::agent::State;

use crate::support::{fake_engine::Behaviour, test_app::TestApp};

#[tokio::test]
async fn an_agent_is_deployed_seen_and_stopped() {
    let test = TestApp::start().await;
    let olga = test.olga();

    let reply = test.deploy("scout").await;
    insta::assert_snapshot!(test.said(&reply.text()), @r"
    ✅ deploy `scout`: running after 0.0 s
    -# action 1 · by <@olga>
    ");

    let status = olga.slash("status").send().await.unwrap();
    assert!(status.is_ephemeral());
    insta::assert_snapshot!(test.said(&status.text()), @r"
    1 agent: 🟢 1 running
    All fleets
    **main**
    🟢 `scout` running, <t:1795262400:R>
    Host: …
    ");

    let stop = olga
        .slash("stop")
        .option("agent", "scout")
        .option("reason", "lunch")
        .send()
        .await
        .unwrap();
    let stop = stop.until_text("done").await.unwrap();
    insta::assert_snapshot!(test.said(&stop.text()), @r"
    ✅ stop `scout`: done in 0.0 s
    -# action 2 · by <@olga>, because: lunch
    ");
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Stopped)
        .await;
    test.finish().await;
}

#[tokio::test]
async fn it_is_stopped_started_restarted_paused_and_resumed() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    let mut said = Vec::new();
    for (command, state) in [
        ("stop", State::Stopped),
        ("start", State::Running),
        ("restart", State::Running),
        ("pause", State::Paused),
        ("resume", State::Running),
    ] {
        said.push(test.done(&format!("{command} agent:scout")).await);
        assert_eq!(test.state("scout"), state, "{command}");
    }
    insta::assert_snapshot!(said.join("\n"), @"
    ✅ stop `scout`: done in 0.0 s
    -# action 2 · by <@olga>
    ✅ start `scout`: running after 0.0 s
    -# action 3 · by <@olga>
    ✅ restart `scout`: running after 0.0 s
    -# action 4 · by <@olga>
    ✅ pause `scout`: done in 0.0 s
    -# action 5 · by <@olga>
    ✅ resume `scout`: running after 0.0 s
    -# action 6 · by <@olga>
    ");
    assert_eq!(
        test.engine.changes(),
        [
            "stop yardarm-scout",
            "start yardarm-scout",
            "stop yardarm-scout",
            "start yardarm-scout",
            "pause yardarm-scout",
            "unpause yardarm-scout"
        ]
    );
    test.finish().await;
}

#[tokio::test]
async fn what_is_so_already_is_said_and_not_done() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    let mut said = Vec::new();
    for command in [
        "start agent:scout",
        "resume agent:scout",
        "deploy fleet:main",
        "rollback agent:scout",
    ] {
        said.push(test.refused(command).await);
    }
    test.done("pause agent:scout").await;
    said.push(test.refused("pause agent:scout").await);
    test.done("stop agent:scout").await;
    for command in ["stop agent:scout", "pause agent:scout", "stop fleet:main"] {
        said.push(test.refused(command).await);
    }
    insta::assert_snapshot!(said.join("\n"), @"
    `scout` is running already.
    `scout` is not paused.
    `scout` is running already.
    `scout` has no earlier version to return to.
    `scout` is paused already. `/resume` lets it go on.
    `scout` is stopped already.
    `scout` does not run, so there is nothing to pause.
    `scout` is stopped already.
    ");
    assert_eq!(
        test.engine.changes(),
        ["pause yardarm-scout", "stop yardarm-scout"]
    );
    test.finish().await;
}

#[tokio::test]
async fn a_paused_agent_is_started_by_letting_it_go_on() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.done("pause agent:scout").await;
    test.engine.forget_calls();
    test.done("start agent:scout").await;
    assert_eq!(test.state("scout"), State::Running);
    assert_eq!(test.engine.changes(), ["unpause yardarm-scout"]);
    test.finish().await;
}

#[tokio::test]
async fn a_container_that_vanished_is_made_anew_from_the_same_arguments() {
    let test = TestApp::start().await;
    test.write_template(
        "greeter",
        r#"{ "description": "greets", "image": "demo:1", "env": { "WORD": "{{word}}" },
             "parameters": [{ "name": "word", "type": "string", "description": "what", "default": "hi" }] }"#,
    );
    test.done("reload").await;
    test.done("deploy template:greeter name:scout set:word=ahoy")
        .await;
    test.done("stop agent:scout").await;
    test.engine
        .remove_behind_our_back(&test.engine.id_of("yardarm-scout"));
    test.until(|ops| ops.roster.view("scout").unwrap().observed.is_none())
        .await;

    insta::assert_snapshot!(test.done("start agent:scout").await, @"
    ✅ start `scout`: running after 0.0 s
    -# action 4 · by <@olga>
    ");
    test.done("redeploy agent:scout").await;
    assert_eq!(
        test.engine.env_of("yardarm-scout"),
        [("WORD".to_owned(), "ahoy".to_owned())]
    );
    test.finish().await;
}

#[tokio::test]
async fn what_docker_refuses_is_told_and_the_agent_stays_as_it_was() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine
        .refuse("pause", "Cannot pause container: cgroups are frozen");
    insta::assert_snapshot!(test.done("pause agent:scout").await, @"
    ❌ pause `scout`: failed after 0.0 s
    Docker says: Cannot pause container: cgroups are frozen.
    -# action 2 · by <@olga>
    ");
    test.engine.mend("pause");
    assert_eq!(test.state("scout"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn an_answer_that_docker_lost_is_looked_up_and_not_repeated() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    for (method, command) in [
        ("stop", "stop"),
        ("start", "start"),
        ("pause", "pause"),
        ("unpause", "resume"),
    ] {
        test.engine.lose_answer_of(method);
        let said = test.done(&format!("{command} agent:scout")).await;
        assert!(said.starts_with('✅'), "{said}");
    }
    assert_eq!(
        test.engine.changes(),
        [
            "stop yardarm-scout",
            "start yardarm-scout",
            "pause yardarm-scout",
            "unpause yardarm-scout"
        ]
    );
    test.finish().await;
}

#[tokio::test]
async fn an_agent_that_dies_is_started_again_by_yardarm() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 3);
    test.until(|ops| {
        let running = ops.roster.view("scout").unwrap().state == State::Running;
        running && !test.engine.changes().is_empty()
    })
    .await;
    assert_eq!(test.engine.changes(), ["start yardarm-scout"]);
    test.finish().await;
}

#[tokio::test]
async fn a_name_is_free_again_once_its_agent_is_removed() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let card = test.send("remove agent:scout").await;
    test.end_of(&card).await;
    TestApp::confirm(&card, "Remove").await;
    card.until_text("done in").await.unwrap();
    test.deploy("scout").await;
    assert_eq!(test.engine.names(), ["yardarm-scout"]);
    test.finish().await;
}

#[tokio::test]
async fn the_buttons_of_a_card_change_its_agent() {
    let test = TestApp::start().await;
    test.engine.behaves("demo:1", Behaviour::default());
    test.deploy("scout").await;
    test.engine.forget_calls();

    let card = test.send("status agent:scout").await;
    assert_eq!(TestApp::labels(&card), ["Restart", "Stop", "Logs"]);
    let restarted = card.press("Restart").await.unwrap();
    insta::assert_snapshot!(test.end_of(&restarted).await, @"
    ✅ restart `scout`: running after 0.0 s
    -# action 2 · by <@olga>
    ");
    assert!(!restarted.is_ephemeral());
    let stopped = card.press("Stop").await.unwrap();
    insta::assert_snapshot!(test.end_of(&stopped).await, @"
    ✅ stop `scout`: done in 0.0 s
    -# action 3 · by <@olga>
    ");

    // The old card still says "Stop".
    let again = card.press("Stop").await.unwrap();
    insta::assert_snapshot!(test.refusal(&again).await, @"`scout` is stopped already.");

    let card = test.send("status agent:scout").await;
    assert_eq!(TestApp::labels(&card), ["Restart", "Start", "Logs"]);
    test.end_of(&card.press("Start").await.unwrap()).await;
    assert_eq!(test.state("scout"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn the_buttons_of_an_agent_that_is_gone_say_so() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let card = test.send("status agent:scout").await;
    let remove = test.send("remove agent:scout").await;
    test.end_of(&remove).await;
    TestApp::confirm(&remove, "Remove").await;
    remove.until_text("done in").await.unwrap();
    // A namesake is another agent.
    test.deploy("scout").await;
    test.engine.forget_calls();
    for button in ["Restart", "Stop", "Logs"] {
        let pressed = card.press(button).await.unwrap();
        let said = test.refusal(&pressed).await;
        insta::allow_duplicates! { insta::assert_snapshot!(said, @"That agent is gone. `/status` shows who is there."); }
    }
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn a_stranger_may_press_nothing() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let card = test
        .cord
        .channel("ops")
        .wait_for_text("running after")
        .await
        .unwrap();
    let ravi = test.cord.user("ravi").in_channel("ops");
    test.engine.forget_calls();
    for id in [
        "v1:stop:1",
        "v1:logs:1",
        "v1:follow:1",
        "v1:page:0",
        "v1:confirm:1",
        "v1:deploy:1",
    ] {
        let pressed = ravi.forge(&card, id).await.unwrap();
        let said = test.whisper(&pressed).await;
        assert!(said.starts_with("You need viewer"), "{id}: {said}");
    }
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}
