//! What uses too much for too long: told like anything else that is wrong, and over with some slack.

use chrono::TimeDelta;
use yardarm::domain::{
    agent::{Health, State},
    view::Host,
};

use crate::support::{alarm::card, test_app::TestApp};

const MIB: u64 = 1024 * 1024;

async fn prompt() -> TestApp {
    let test = TestApp::start_with(&[("alerts.group_wait_s", "0")]).await;
    test.deploy("scout").await;
    test
}

/// Lets so many minutes pass, and looks twice in each of them.
async fn run(test: &TestApp, minutes: u32) {
    for _ in 0..minutes * 2 {
        test.pass(TimeDelta::seconds(30));
        test.ops().sample().await;
        test.ops().measure_host();
        test.ops().look_at_thresholds().await.unwrap();
    }
}

fn first(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn fill_disk(test: &TestApp, percent: u64) {
    test.gauge
        .set(|host: &mut Host| host.disks[0].used_bytes = percent << 30);
}

#[tokio::test]
async fn an_agent_at_its_limit_is_told_and_ends_well_below() {
    let test = prompt().await;
    test.engine.burn("yardarm-scout", 10, 500 * MIB);
    run(&test, 6).await;
    let told = card(&test, "98 %").await;
    assert_eq!(
        first(&told),
        "🟠 **scout** in main uses 98 % of its 512 MiB of memory for 5 min"
    );
    test.engine.burn("yardarm-scout", 10, 100 * MIB);
    run(&test, 1).await;
    card(&test, "well again").await;
    run(&test, 3).await;
    card(&test, "resolved").await;
    test.finish().await;
}

#[tokio::test]
async fn an_open_one_goes_on_over_a_restart_and_ends_when_its_agent_is_stopped() {
    let mut test = prompt().await;
    test.engine.burn("yardarm-scout", 10, 500 * MIB);
    run(&test, 6).await;
    card(&test, "98 %").await;
    test.restart().await;
    run(&test, 4).await;
    let list = test.done("alerts list").await;
    assert!(
        list.contains("98 %") && !list.contains("resolved"),
        "{list}"
    );
    assert_eq!(test.ops().store.open_incidents().await.unwrap().len(), 1);
    test.done("stop agent:scout").await;
    card(&test, "well again").await;
    test.finish().await;
}

#[tokio::test]
async fn other_trouble_of_an_agent_makes_nothing_last() {
    let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
    let fragile = r#"{ "description": "x", "image": "demo:1", "recovery": { "restart": false } }"#;
    test.write_template("demo", fragile);
    test.up().await;
    test.deploy("scout").await;
    let container = test.engine.id_of("yardarm-scout");
    test.engine.set_health(&container, Health::Unhealthy);
    card(&test, "**scout**").await;
    // Nothing is known of what it used before.
    test.restart().await;
    test.engine.burn("yardarm-scout", 10, 500 * MIB);
    run(&test, 1).await;
    test.ops().tell_incidents().await.unwrap();
    let open = test.ops().store.open_incidents().await.unwrap();
    let causes: Vec<_> = open.iter().map(|one| one.cause.as_str()).collect();
    assert_eq!(causes.len(), 1, "{causes:?}");
    test.finish().await;
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_restarted_until_there_is_room() {
    let test = prompt().await;
    fill_disk(&test, 98);
    run(&test, 2).await;
    let told = card(&test, "98 %").await;
    assert_eq!(
        first(&told),
        "🔴 **the host's disk (/var/lib/yardarm)** is at 98 % for 1 min"
    );
    assert!(
        told.contains("`docker system df` on the host tells"),
        "{told}"
    );
    test.engine.forget_calls();
    let container = test.engine.id_of("yardarm-scout");
    test.engine.kill(&container, 3);
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Down)
        .await;
    card(&test, "exited with code 3").await;
    test.ops().mend().await.unwrap();
    assert_eq!(test.engine.changes(), [""; 0]);

    fill_disk(&test, 60);
    run(&test, 1).await;
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Running)
        .await;
    assert_eq!(test.engine.changes(), ["start yardarm-scout"]);
    test.finish().await;
}

#[tokio::test]
async fn thresholds_of_the_file_replace_those_that_are_built_in() {
    let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
    let file = test.path("yardarm.toml");
    let settings = r#"
[[threshold]]
on = "agents"
measure = "cpu"
above = 80
for_s = 120
agents = ["sc*"]
severity = "critical"
"#;
    std::fs::write(&file, settings).unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    test.deploy("miner").await;
    fill_disk(&test, 99);
    for agent in ["scout", "miner"] {
        test.engine.burn(&format!("yardarm-{agent}"), 95, 100 * MIB);
    }
    run(&test, 4).await;
    let told = card(&test, "95 %").await;
    assert_eq!(
        first(&told),
        "🔴 **scout** in main uses 95 % of its 1 CPU for 2 min"
    );
    assert_eq!(test.ops().store.open_incidents().await.unwrap().len(), 1);
    test.finish().await;
}
