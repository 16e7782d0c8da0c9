//! `/fleet`: groups of agents with a network of their own.

use localcord::Reply;

use crate::support::test_app::TestApp;

#[tokio::test]
async fn a_fleet_is_made_filled_emptied_and_deleted() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let ops = test.cord.channel("alerts").id();
    let created = test
        .send("fleet create name:north channel:alerts reason:expansion")
        .await;
    insta::assert_snapshot!(test.end_of(&created).await, @"
    ✅ fleet create `north`: done in 0.0 s
    -# action 2 · by <@olga>, because: expansion
    ");
    insta::assert_snapshot!(test.done("fleet list").await.replace(&ops.to_string(), "alerts"), @"
    **main** (1): scout
    **north** (0) · <#alerts>: nobody
    ");

    insta::assert_snapshot!(test.done("fleet add fleet:north agent:scout").await, @"
    ✅ fleet add `scout` to `north`: done in 0.0 s
    -# action 3 · by <@olga>
    ");
    assert_eq!(test.engine.networks_of("yardarm-scout"), ["yardarm-north"]);
    insta::assert_snapshot!(test.refused("fleet delete fleet:north").await, @"`north` is not empty: 1 in it. Move or remove its agents first.");
    insta::assert_snapshot!(test.done("status fleet:north").await, @"
    1 agent: 🟢 1 running
    Fleet north
    **north**
    🟢 `scout` running, <t:1795262400:R>
    Host: …
    ");

    insta::assert_snapshot!(test.done("fleet remove fleet:north agent:scout").await, @"
    ✅ fleet add `scout` to `main`: done in 0.0 s
    -# action 4 · by <@olga>
    ");
    assert_eq!(test.engine.networks_of("yardarm-scout"), ["yardarm-main"]);
    insta::assert_snapshot!(test.done("fleet delete fleet:north").await, @"
    ✅ fleet delete `north`: done in 0.0 s
    -# action 5 · by <@olga>
    ");
    insta::assert_snapshot!(test.done("fleet list").await, @"**main** (1): scout");
    test.finish().await;
}

#[tokio::test]
async fn yardarm_in_a_container_is_in_every_network_of_its_fleets() {
    let mut test = TestApp::prepare(&[]).await;
    test.engine.run_yardarm_in("yardarm-itself");
    test.up().await;
    test.deploy("scout").await;
    let joined = |test: &TestApp| test.engine.networks_of("yardarm-itself");
    assert_eq!(joined(&test), ["yardarm-main"]);
    test.done("fleet create name:north").await;
    test.done("fleet add fleet:north agent:scout").await;
    assert_eq!(joined(&test), ["yardarm-main", "yardarm-north"]);

    // A crash leaves none, and a new container is in none.
    test.crash().await;
    test.engine.run_yardarm_in("yardarm-anew");
    test.up().await;
    assert_eq!(
        test.engine.networks_of("yardarm-anew"),
        ["yardarm-main", "yardarm-north"]
    );
    test.engine
        .remove_behind_our_back(&test.engine.id_of("yardarm-itself"));

    test.done("fleet remove fleet:north agent:scout").await;
    insta::assert_snapshot!(test.done("fleet delete fleet:north").await, @"
    ✅ fleet delete `north`: done in 0.0 s
    -# action 5 · by <@olga>
    ");
    assert_eq!(test.engine.networks_of("yardarm-anew"), ["yardarm-main"]);
    let engine = test.engine.clone();
    test.finish().await;
    assert_eq!(engine.networks_of("yardarm-anew"), [""; 0]);
}

#[tokio::test]
async fn a_network_that_cannot_be_joined_holds_nothing_up() {
    let mut test = TestApp::prepare(&[]).await;
    test.engine.run_yardarm_in("yardarm-itself");
    test.engine.refuse("connect", "no free addresses");
    test.up().await;
    test.deploy("scout").await;
    assert_eq!(test.engine.networks_of("yardarm-itself"), [""; 0]);
    test.engine.mend("connect");
    test.ops().resync().await.unwrap();
    assert_eq!(test.engine.networks_of("yardarm-itself"), ["yardarm-main"]);
    test.finish().await;
}

#[tokio::test]
async fn several_agents_move_at_once() {
    let test = TestApp::start().await;
    for name in ["scout-1", "scout-2", "builder"] {
        test.deploy(name).await;
    }
    test.done("fleet create name:north").await;
    let card = test.send("fleet add fleet:north agent:scout-*").await;
    card.until_text("done in").await.unwrap();
    insta::assert_snapshot!(test.done("fleet list").await, @"
    **main** (1): builder
    **north** (2): scout-1, scout-2
    ");
    test.finish().await;
}

/// `scout` was to move to `south`, which is gone.
async fn stays_in_main(test: &TestApp, moving: &Reply) {
    let failed = moving.until_text("failed").await.unwrap().text();
    let why = "The fleet `south` was deleted meanwhile. `scout` stays where it was.";
    assert!(failed.contains(why), "{failed}");
    assert_eq!(test.done("fleet list").await, "**main** (1): scout");
    assert_eq!(test.engine.networks_of("yardarm-scout"), ["yardarm-main"]);
}

#[tokio::test]
async fn nobody_moves_into_a_fleet_that_was_deleted_since_it_was_asked_for() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    let rule = "[[policy]]\nname = \"typed\"\nactions = [\"fleet add\"]\neffect = \"confirm\"\n";
    std::fs::write(&file, rule).unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    test.done("fleet create name:south").await;
    let asked = test.send("fleet add fleet:south agent:scout").await;
    asked.until_text("?").await.unwrap();
    test.done("fleet delete fleet:south").await;
    TestApp::confirm(&asked, &TestApp::labels(&asked)[0]).await;
    stays_in_main(&test, &asked).await;
    test.finish().await;
}

#[tokio::test]
async fn nor_into_one_that_is_deleted_within_that_moment() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.done("fleet create name:south").await;
    test.engine.hold("connect");
    let moving = test.send("fleet add fleet:south agent:scout").await;
    test.engine.holding("connect", 1).await;
    test.done("fleet delete fleet:south").await;
    test.engine.release("connect");
    stays_in_main(&test, &moving).await;
    test.finish().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let mut said = Vec::new();
    for command in [
        "fleet create name:main",
        "fleet create name:North",
        "fleet add fleet:main agent:scout",
        "fleet delete fleet:main",
    ] {
        said.push(test.refused(command).await);
    }
    insta::assert_snapshot!(said.join("\n"), @"
    There is a fleet `main` already.
    `North` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit.
    They are in `main` already.
    `main` is the default fleet (`agents.default_fleet`); it stays.
    ");
    test.finish().await;
}

#[tokio::test]
async fn agents_are_deployed_into_a_fleet_and_its_network() {
    let test = TestApp::start().await;
    test.write_template(
        "inner",
        r#"{ "description": "stays inside", "image": "demo:1", "internet": false }"#,
    );
    test.done("reload").await;
    test.done("fleet create name:north").await;
    test.done("deploy template:demo name:one fleet:north").await;
    test.done("deploy template:inner name:two fleet:north")
        .await;
    assert_eq!(test.engine.networks_of("yardarm-one"), ["yardarm-north"]);
    assert_eq!(
        test.engine.networks_of("yardarm-two"),
        ["yardarm-north-internal"]
    );
    test.finish().await;
}

#[tokio::test]
async fn fleets_survive_a_restart() {
    let mut test = TestApp::start().await;
    test.done("fleet create name:north").await;
    test.done("deploy template:demo name:one fleet:north").await;
    test.restart().await;
    insta::assert_snapshot!(test.done("fleet list").await, @"
    **main** (0): nobody
    **north** (1): one
    ");
    test.finish().await;
}

#[tokio::test]
async fn a_network_that_docker_keeps_is_told() {
    let test = TestApp::start().await;
    test.done("fleet create name:north").await;
    test.engine.refuse("remove_network", "has active endpoints");
    insta::assert_snapshot!(test.done("fleet delete fleet:north").await, @"
    ✅ fleet delete `north`: done in 0.0 s
    Its network is left behind: refused: has active endpoints.
    -# action 2 · by <@olga>
    ");
    test.engine.mend("remove_network");
    test.finish().await;
}
