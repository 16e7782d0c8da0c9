//! Another container takes an agent's place, and the old one comes back if the new one fails.

use chrono::TimeDelta;
use yardarm::{
    clock::Clock as _,
    domain::agent::{Health, State},
    engine::LogSource,
};

use crate::{
    secrets::set,
    support::{fake_engine::Behaviour, test_app::TestApp},
};

const GREETER: &str = r#"{
    "description": "greets", "image": "demo:1", "command": ["greet", "{{word}}"],
    "mounts": [{ "volume": "data", "target": "/data" }],
    "parameters": [
        { "name": "word", "type": "string", "description": "what to say", "default": "hi" },
        { "name": "tone", "type": "string", "description": "how", "default": "warm" }
    ]
}"#;

const CHECKED: &str =
    r#"{ "description": "says how it is", "image": "demo:1", "health": { "command": ["true"] } }"#;

async fn greeter() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("greeter", GREETER);
    test.write_template("checked", CHECKED);
    test.up().await;
    test.done("deploy template:greeter name:scout set:tone=cold")
        .await;
    test.engine.forget_calls();
    test
}

fn word(test: &TestApp) -> String {
    test.engine.spec_of("yardarm-scout").command[1].clone()
}

#[tokio::test]
async fn a_redeploy_replaces_the_container_and_keeps_the_data() {
    let test = greeter().await;
    let old = test.engine.id_of("yardarm-scout");
    insta::assert_snapshot!(test.done("redeploy agent:scout set:word=ahoy reason:louder").await, @"
    ✅ redeploy `scout`: running after 0.0 s
    -# action 2 · by <@olga>, because: louder
    ");
    insta::assert_snapshot!(test.engine.changes().join("\n"), @"
    ensure_network yardarm-main
    create yardarm-scout-new-2
    rename yardarm-scout
    stop yardarm-scout-old-2
    rename yardarm-scout-new-2
    start yardarm-scout
    stop yardarm-scout-old-2
    remove yardarm-scout-old-2
    ");
    assert_ne!(test.engine.id_of("yardarm-scout"), old);
    assert_eq!(test.engine.names(), ["yardarm-scout"]);
    assert_eq!(word(&test), "ahoy");
    assert_eq!(test.state("scout"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn what_was_given_before_is_kept() {
    let test = greeter().await;
    test.done("redeploy agent:scout set:word=ahoy").await;
    test.done("redeploy agent:scout").await;
    assert_eq!(word(&test), "ahoy");
    let arguments = test
        .ops()
        .roster
        .view("scout")
        .unwrap()
        .version
        .unwrap()
        .arguments
        .clone();
    assert_eq!(
        arguments.into_iter().collect::<Vec<_>>(),
        [
            ("tone".to_owned(), "cold".to_owned()),
            ("word".to_owned(), "ahoy".to_owned())
        ]
    );
    test.finish().await;
}

#[tokio::test]
async fn a_template_that_dropped_a_parameter_can_still_be_redeployed() {
    let test = greeter().await;
    test.write_template("greeter", &GREETER.replace("\"tone\"", "\"mood\""));
    test.done("reload").await;
    assert!(test.done("redeploy agent:scout").await.starts_with('✅'));
    insta::assert_snapshot!(test.refused("redeploy agent:scout set:tone=cold").await, @"
    `tone`: template `greeter` has no such parameter
    hint: use one of `word`, `mood`, `memory_mb`, `cpus`, `pids`
    ");
    test.finish().await;
}

#[tokio::test]
async fn an_agent_whose_template_is_gone_is_redeployed_as_it_was() {
    let test = greeter().await;
    std::fs::remove_file(test.path("agents").join("greeter.json")).unwrap();
    test.done("reload").await;
    insta::assert_snapshot!(test.refused("redeploy agent:scout set:word=x").await, @"`scout` has no template to give `set:` to.");
    assert!(test.done("redeploy agent:scout").await.starts_with('✅'));
    assert_eq!(word(&test), "hi");
    test.finish().await;
}

#[tokio::test]
async fn a_new_container_that_crashes_gives_way_to_the_old_one() {
    let test = greeter().await;
    let old = test.engine.id_of("yardarm-scout");
    test.engine.behaves(
        "demo:1",
        Behaviour {
            crash: Some(1),
            says: vec![
                (LogSource::Stdout, "starting"),
                (LogSource::Stderr, "no key, giving up"),
            ],
            ..Behaviour::default()
        },
    );
    insta::assert_snapshot!(test.done("redeploy agent:scout set:word=ahoy").await, @"
    ❌ redeploy `scout`: failed after 0.0 s
    The new container ended at once: exit code 1. The old container runs again.
    ```
    starting
    no key, giving up
    ```
    -# action 2 · by <@olga>
    ");
    assert_eq!(test.engine.id_of("yardarm-scout"), old);
    assert_eq!(test.engine.names(), ["yardarm-scout"]);
    assert_eq!(word(&test), "hi");
    assert_eq!(test.state("scout"), State::Running);
    let removed = test
        .engine
        .changes()
        .into_iter()
        .filter(|call| call.starts_with("remove_volume"));
    assert_eq!(removed.count(), 0);
    test.finish().await;
}

#[tokio::test]
async fn an_old_container_that_was_stopped_stays_stopped_if_the_new_one_fails() {
    let test = greeter().await;
    test.done("stop agent:scout").await;
    test.engine.behaves(
        "demo:1",
        Behaviour {
            crash: Some(1),
            ..Behaviour::default()
        },
    );
    insta::assert_snapshot!(test.done("redeploy agent:scout").await, @"
    ❌ redeploy `scout`: failed after 0.0 s
    The new container ended at once: exit code 1. Nothing else was changed. The new one wrote nothing to its log.
    -# action 3 · by <@olga>
    ");
    assert_eq!(test.state("scout"), State::Stopped);
    test.finish().await;
}

#[tokio::test]
async fn a_new_container_that_is_unhealthy_gives_way_too() {
    let test = greeter().await;
    test.engine.behaves(
        "demo:1",
        Behaviour {
            health: Some(Health::Healthy),
            ..Behaviour::default()
        },
    );
    test.done("deploy template:checked name:patient").await;
    test.done("redeploy agent:patient").await;
    assert_eq!(test.state("patient"), State::Running);
    let old = test.engine.id_of("yardarm-patient");
    test.engine.health_on_start("demo:1", Health::Unhealthy);
    insta::assert_snapshot!(test.done("redeploy agent:patient").await, @"
    ❌ redeploy `patient`: failed after 0.0 s
    The new container is unhealthy. The old container runs again. The new one wrote nothing to its log.
    -# action 4 · by <@olga>
    ");
    assert_eq!(test.engine.id_of("yardarm-patient"), old);
    test.finish().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_leaves_the_agent_running() {
    let test = greeter().await;
    test.engine.refuse("create", "no space left on device");
    insta::assert_snapshot!(test.done("redeploy agent:scout").await, @"
    ❌ redeploy `scout`: failed after 0.0 s
    Docker says: no space left on device. The old container runs again.
    -# action 2 · by <@olga>
    ");
    test.engine.mend("create");
    test.write_template("greeter", &GREETER.replace("demo:1", "no/such:image"));
    test.done("reload").await;
    test.engine.forget_calls();
    // Another repository is a loosening, which is confirmed first.
    let card = test.send("redeploy agent:scout").await;
    test.end_of(&card).await;
    TestApp::confirm(&card, "Redeploy").await;
    let card = card.until_text("failed").await.unwrap();
    insta::assert_snapshot!(test.said(&card.text()), @"
    ❌ redeploy `scout`: failed after 0.0 s
    There is no image `no/such:image` that this host may pull (manifest for no/such:image not found: manifest unknown). Check its name, or log the host in to its registry. Nothing else was changed.
    -# action 4 · by <@olga>
    ");
    assert_eq!(test.engine.changes(), ["pull no/such:image"]);
    assert_eq!(test.state("scout"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn a_rollback_returns_to_what_was_before() {
    let test = greeter().await;
    insta::assert_snapshot!(test.refused("rollback agent:scout").await, @"`scout` has no earlier version to return to.");
    test.done("redeploy agent:scout set:word=ahoy").await;
    assert_eq!(word(&test), "ahoy");
    insta::assert_snapshot!(test.done("rollback agent:scout reason:\"too loud\"").await, @"
    ✅ rollback `scout`: running after 0.0 s
    -# action 3 · by <@olga>, because: too loud
    ");
    assert_eq!(word(&test), "hi");
    // And back again: a rollback is a version like any other.
    test.done("rollback agent:scout").await;
    assert_eq!(word(&test), "ahoy");
    test.finish().await;
}

#[tokio::test]
async fn a_rollback_is_bound_to_the_very_image_of_then() {
    let test = greeter().await;
    let then = test
        .ops()
        .roster
        .view("scout")
        .unwrap()
        .version
        .unwrap()
        .image
        .clone();
    // The tag moves on.
    test.engine.add_image("demo:1");
    test.done("redeploy agent:scout").await;
    assert_ne!(
        test.ops()
            .roster
            .view("scout")
            .unwrap()
            .version
            .unwrap()
            .image,
        then
    );
    test.done("rollback agent:scout").await;
    assert_eq!(
        test.ops()
            .roster
            .view("scout")
            .unwrap()
            .version
            .unwrap()
            .image,
        then
    );
    test.finish().await;
}

/// Whoever reaches the host reaches it.
const OPEN: &str = r#"{
    "description": "open to all", "image": "demo:1", "ports": [{ "container": 80, "address": "0.0.0.0" }],
    "secrets": [{ "name": "API_KEY", "description": "for the model", "as": "env" }]
}"#;

/// `scout`, twice deployed so, after the settings stopped permitting it.
async fn forbidden() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    std::fs::write(&file, "[docker.allow]\npublic_ports = true\n").unwrap();
    test.write_template("open", OPEN);
    test.up_from(&file).await;
    set(&test, "secret set name:API_KEY all:true", "old").await;
    test.done("deploy template:open name:scout").await;
    test.done("redeploy agent:scout").await;
    std::fs::write(&file, "").unwrap();
    test.done("reload").await;
    test.engine.forget_calls();
    test
}

#[tokio::test]
async fn what_the_settings_permit_no_more_is_not_rolled_back_to() {
    let test = forbidden().await;
    insta::assert_snapshot!(test.refused("rollback agent:scout").await, @"The settings do not permit this: port 80 on `0.0.0.0` is not allowed (`docker.allow.public_ports`).");
    assert_eq!(test.engine.changes(), [""; 0]);
    assert_eq!(test.state("scout"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn what_the_settings_permit_no_more_is_made_anew_by_nothing() {
    let test = forbidden().await;
    insta::assert_snapshot!(set(&test, "secret rotate name:API_KEY all:true", "new").await, @"
    ❌ secret rotate `API_KEY` for all agents: failed after 0.0 s
    The settings do not permit this: port 80 on `0.0.0.0` is not allowed (`docker.allow.public_ports`). Nothing else was changed.
    -# action 5 · by <@olga>
    ");
    assert_eq!(test.engine.changes(), [""; 0]);
    assert_eq!(test.state("scout"), State::Running);

    test.done("stop agent:scout").await;
    test.engine
        .remove_behind_our_back(&test.engine.id_of("yardarm-scout"));
    insta::assert_snapshot!(test.done("start agent:scout").await, @"
    ❌ start `scout`: failed after 0.0 s
    The settings do not permit this: port 80 on `0.0.0.0` is not allowed (`docker.allow.public_ports`). Nothing else was changed.
    -# action 7 · by <@olga>
    ");
    assert_eq!(test.engine.names(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn what_somebody_runs_from_an_image_of_an_agent_is_left_alone() {
    let test = greeter().await;
    for name in ["lab", "yardarm-scout-new-1"] {
        test.engine.run_image_of("yardarm-scout", name);
    }
    test.ops().resync().await.unwrap();
    // The second has the very name that its action would have given it.
    assert_eq!(test.engine.names(), ["lab", "yardarm-scout"]);
    test.finish().await;
}

#[tokio::test]
async fn what_a_redeploy_left_goes_although_its_own_deployment_is_forgotten() {
    let test = greeter().await;
    let later = test.clock.now() + TimeDelta::seconds(1);
    test.ops().store.drop_actions(later).await.unwrap();
    test.engine.refuse("remove", "the device is busy");
    let said = test.done("redeploy agent:scout").await;
    assert!(said.contains("as soon as Docker lets it"), "{said}");
    test.engine.mend("remove");
    test.ops().resync().await.unwrap();
    assert_eq!(test.engine.names(), ["yardarm-scout"]);
    test.finish().await;
}

#[tokio::test]
async fn agents_survive_a_restart_with_their_versions() {
    let mut test = greeter().await;
    test.done("redeploy agent:scout set:word=ahoy").await;
    test.restart().await;
    assert_eq!(test.state("scout"), State::Running);
    test.done("rollback agent:scout").await;
    assert_eq!(word(&test), "hi");
    test.finish().await;
}
