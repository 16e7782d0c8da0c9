//! The door for machines: what Prometheus reads, whether people would be served, and the one line about each action.

use std::{collections::BTreeSet, process::Command};

use chrono::TimeDelta;
use regex::Regex;
use serde_json::Value;
use yardarm::{
    clock::Clock as _,
    domain::{view::EngineState, vitals::Gateway},
};

use crate::support::{
    alarm::{self, die, prompt},
    docker_host::tools,
    program::Program,
    talk::slash,
    test_app::{TestApp, said},
};

async fn open(more: &[(&str, &str)]) -> TestApp {
    let door = ("http.listen", "\"127.0.0.1:0\"");
    TestApp::start_with(&[&[door], more].concat()).await
}

impl TestApp {
    /// Status and text of what is at a path.
    async fn ask(&self, path: &str) -> (u16, String) {
        let door = self.door().expect("an open door");
        let answer = reqwest::get(format!("http://{door}{path}")).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn metrics(&self) -> String {
        let (status, text) = self.ask("/metrics").await;
        assert_eq!(status, 200, "{text}");
        text
    }
}

fn assert_lines(metrics: &str, lines: &[&str]) {
    for line in lines {
        let found = metrics.lines().any(|one| one == *line);
        assert!(found, "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn what_happens_is_counted_and_names_nobody() {
    let test = open(&[]).await;
    test.deploy("scout").await;
    test.done("stop agent:scout").await;
    let mina = test.cord.user("mina").in_channel("ops");
    let refused = slash(&mina, "stop agent:scout").send().await.unwrap();
    test.refusal(&refused).await;
    test.until(|ops| ops.roster.read(|board| board.refused) == 1)
        .await;
    test.until_outbox(async |ops| ops.store.outbox_counts().await.unwrap().0 == 0)
        .await;
    let metrics = test.metrics().await;
    assert_lines(
        &metrics,
        &[
            r#"yardarm_actions_total{kind="deploy",origin="chat",state="succeeded"} 1"#,
            r#"yardarm_actions_total{kind="stop",origin="chat",state="succeeded"} 1"#,
            r#"yardarm_action_duration_seconds_count{kind="stop"} 1"#,
            r#"yardarm_interaction_duration_seconds_count{kind="command",name="deploy",outcome="answered"} 1"#,
            r#"yardarm_interaction_duration_seconds_count{kind="command",name="stop",outcome="refused"} 1"#,
            r#"yardarm_engine_call_duration_seconds_count{call="create",outcome="ok"} 1"#,
            r#"yardarm_engine_call_duration_seconds_count{call="stop",outcome="ok"} 1"#,
            r#"yardarm_agents{state="stopped"} 1"#,
            r#"yardarm_agents{state="running"} 0"#,
            "yardarm_refusals_total 1",
            "yardarm_acknowledgement_seconds_count 3",
            "yardarm_gateway_up 1",
            "yardarm_engine_up 1",
            "yardarm_outbox_dead 0",
            "process_resident_memory_bytes 31457280",
        ],
    );
    for name in ["scout", "olga", &test.olga().id().to_string()] {
        assert!(!metrics.contains(name), "{name}");
    }
    test.finish().await;
}

/// Something of all that is counted has happened: a question that Ravi has answered after two minutes, probes, and an agent
/// that is down.
async fn eventful() -> TestApp {
    let mut test = TestApp::prepare(&[("http.listen", "\"127.0.0.1:0\"")]).await;
    test.set("access.preset", "\"team\"");
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    let fragile = r#"{ "description": "x", "image": "demo:1", "recovery": { "restart": false },
        "probes": [{ "kind": "exec", "command": ["true"], "interval_s": 1 }] }"#;
    test.write_template("demo", fragile);
    test.up().await;
    test.pass(TimeDelta::minutes(5));
    test.until_ran("stale-check").await;
    test.deploy("scout").await;
    test.send("remove agent:scout").await;
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    assert_lines(&test.metrics().await, &["yardarm_approvals_waiting 1"]);
    test.pass(TimeDelta::minutes(2));
    let ravi = test.cord.user("ravi").in_channel("ops");
    ravi.press(&question, "Approve").await.unwrap();
    ops.wait_for_text("-# result").await.unwrap();
    test.deploy("other").await;
    let container = test.engine.id_of("yardarm-other");
    test.engine.kill(&container, 1);
    test.until_outbox(async |ops| !ops.store.open_incidents().await.unwrap().is_empty())
        .await;
    test
}

#[tokio::test]
async fn questions_to_people_and_trouble_are_counted() {
    let test = eventful().await;
    let metrics = test.metrics().await;
    assert_lines(
        &metrics,
        &[
            "yardarm_approvals_waiting 0",
            r#"yardarm_approval_wait_seconds_sum{outcome="approved"} 120.0"#,
            r#"yardarm_interaction_duration_seconds_count{kind="press",name="approve",outcome="answered"} 1"#,
            r#"yardarm_incidents_total{kind="down",severity="warning"} 1"#,
            r#"yardarm_incidents_open{severity="warning"} 1"#,
        ],
    );
    for begin in [
        r#"yardarm_probe_duration_seconds_count{kind="exec","#,
        r#"yardarm_deliveries_total{to="discord",outcome="sent"}"#,
    ] {
        assert!(metrics.contains(begin), "{begin} is not in\n{metrics}");
    }
    test.finish().await;
}

#[tokio::test]
async fn what_schedules_do_and_the_last_backup_are_told() {
    let test = open(&[]).await;
    let none = "yardarm_last_backup_timestamp_seconds 0";
    assert_lines(&test.metrics().await, &[none]);
    test.pass(TimeDelta::minutes(5));
    test.until_ran("stale-check").await;
    test.done("backup").await;
    let now = test.clock.now().timestamp();
    assert_lines(
        &test.metrics().await,
        &[
            &format!("yardarm_last_backup_timestamp_seconds {now}"),
            r#"yardarm_runs_total{source="built-in",outcome="done"} 1"#,
        ],
    );
    test.finish().await;
}

#[tokio::test]
async fn it_says_what_keeps_it_from_serving_people() {
    let test = open(&[]).await;
    test.until(|ops| matches!(ops.gateway(), Gateway::Up { .. }))
        .await;
    assert_eq!(test.ask("/readyz").await, (200, "ok\n".to_owned()));
    test.engine.go_away();
    let is_silent = |state: &EngineState| matches!(state, EngineState::Silent { .. });
    test.until(|ops| ops.roster.read(|board| is_silent(&board.engine)))
        .await;
    let (status, lacking) = test.ask("/readyz").await;
    assert_eq!(status, 503);
    assert!(lacking.starts_with("engine: "), "{lacking}");
    assert_eq!(lacking.lines().count(), 1, "{lacking}");
    assert_eq!(test.ask("/healthz").await, (200, "ok\n".to_owned()));
    assert_lines(&test.metrics().await, &["yardarm_engine_up 0"]);
    assert_eq!(test.ask("/").await.0, 404);
    test.engine.come_back();
    test.finish().await;
}

#[tokio::test]
async fn while_discord_is_away_it_is_not_ready_and_counts_what_waits() {
    let door = ("http.listen", "\"127.0.0.1:0\"");
    let test = prompt(&[door]).await;
    let away = test.cord.go_away();
    test.until(|ops| matches!(ops.gateway(), Gateway::Down { .. }))
        .await;
    let lacking = "discord: the gateway is not connected\n".to_owned();
    assert_eq!(test.ask("/readyz").await, (503, lacking));
    die(&test, "scout", 1);
    test.until(|ops| ops.roster.read(|board| board.backlog.waiting > 0))
        .await;
    let metrics = test.metrics().await;
    assert_lines(&metrics, &["yardarm_gateway_up 0"]);
    let waits = |line: &str| line.strip_prefix("yardarm_outbox_waiting ")?.parse().ok();
    let waiting: Option<u64> = metrics.lines().find_map(waits);
    assert!(waiting > Some(0), "{metrics}");
    away.end();
    alarm::card(&test, "scout").await;
    test.finish().await;
}

#[tokio::test]
async fn without_its_database_it_is_not_ready() {
    let mut test = open(&[]).await;
    test.ops().store.close().await;
    let (status, lacking) = test.ask("/readyz").await;
    assert_eq!(status, 503);
    assert!(lacking.contains("database: "), "{lacking}");
    assert_eq!(test.ask("/healthz").await.0, 200);
    test.crash().await;
}

#[tokio::test]
async fn a_command_asks_whether_it_lives() {
    let mut test = open(&[]).await;
    let address = test.door().expect("an open door").to_string();
    let health = |test: &TestApp| {
        let mut command = test.command(&["health", "--address", &address]);
        said(&command.output().unwrap())
    };
    assert_eq!(health(&test), (Some(0), "ok\n".to_owned()));
    test.down().await;
    let (code, text) = health(&test);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("does not answer as it should"), "{text}");

    test.set("http.listen", &format!("\"{address}\""));
    let (code, text) = said(&test.command(&["health"]).output().unwrap());
    assert!(code == Some(1) && text.contains(&address), "{text}");
    test.unset("http.listen");
    let (code, text) = said(&test.command(&["health"]).output().unwrap());
    assert!(code == Some(64) && text.contains("`http.listen`"), "{text}");
    test.finish().await;
}

#[tokio::test]
async fn nobody_listens_unless_asked_to() {
    let test = TestApp::start().await;
    assert_eq!(test.door(), None);
    test.finish().await;
}

#[tokio::test]
async fn a_door_that_is_taken_is_told_at_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut test = TestApp::prepare(&[]).await;
    test.set("http.listen", &format!("\"{address}\""));
    let why = test.refuses_to_start().await;
    let begin = format!("`http.listen`: {address} cannot be listened on: ");
    assert!(why.starts_with(&begin), "{why}");
    test.finish().await;
}

/// The names that a text tells of, without what Prometheus itself adds.
fn names(text: &str) -> BTreeSet<String> {
    let name = Regex::new(r"\b(yardarm|process)_[a-z_]+[a-z]\b").unwrap();
    let found = name.find_iter(text).map(|found| found.as_str().to_owned());
    found.collect()
}

#[tokio::test]
async fn alert_rules_and_documents_name_what_there_is() {
    let test = eventful().await;
    let told = names(&test.metrics().await);
    for file in ["configs/prometheus/yardarm.rules.yml", "docs/operations.md"] {
        let text = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")));
        let named = names(&text.unwrap());
        assert!(!named.is_empty(), "{file}");
        let unknown: Vec<&String> = named.difference(&told).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{file}");
    }
    test.finish().await;
}

#[test]
fn prometheus_understands_the_rules() {
    let mut promtool = Command::new(tools().join("promtool"));
    promtool.args(["check", "rules", "configs/prometheus/yardarm.rules.yml"]);
    promtool.current_dir(env!("CARGO_MANIFEST_DIR"));
    let (code, text) = said(&promtool.output().unwrap());
    assert!(code == Some(0) && text.contains("SUCCESS"), "{text}");
}

#[tokio::test]
async fn the_log_of_the_real_process_has_a_line_of_json_for_each_action() {
    let mut program = Program::new(&[]).await;
    program.up().await;
    let reply = program.deploy("calm", "scout").await;
    reply.until_text("running after").await.unwrap();
    let reply = program.send("stop", "scout").await;
    reply.until_text("done in").await.unwrap();
    assert_eq!(program.terminate().await.code(), Some(0));
    let log = program.log();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str(line).expect(line));
    let ended = lines.filter(|line: &Value| line["message"] == "action ended");
    let told: Vec<String> = ended
        .map(|line| {
            assert!(line["duration_ms"].as_u64() > Some(0), "{line}");
            let actor = program.cord.user("olga").id().to_string();
            assert_eq!(line["action.actor"].to_string().trim_matches('"'), actor);
            let of = |key: &str| line[key].to_string().replace('"', "");
            [
                "action.id",
                "action.kind",
                "action.state",
                "action.origin",
                "action.agents",
            ]
            .map(of)
            .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "1 deploy succeeded chat scout",
            "2 stop succeeded chat scout"
        ]
    );
}

#[tokio::test]
async fn each_action_is_one_line_however_it_ends() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.done("stop agent:scout").await;
    let cancelled = test.send("remove agent:scout").await;
    cancelled.until_text("?").await.unwrap();
    cancelled.press("Cancel").await.unwrap();
    cancelled.until_text("cancelled").await.unwrap();
    let left_open = test.send("remove agent:scout").await;
    left_open.until_text("?").await.unwrap();
    test.clock.advance(TimeDelta::hours(1));
    test.ops().expire().await.unwrap();
    let mut lines = test.errors.ended();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n").replace(&test.olga().id().to_string(), "olga"), @r#"
    message=action ended action.id=1 action.kind="deploy" action.state="succeeded" action.origin="chat" action.actor=olga action.agents="scout" duration_ms=0
    message=action ended action.id=2 action.kind="stop" action.state="succeeded" action.origin="chat" action.actor=olga action.agents="scout" duration_ms=0
    message=action ended action.id=3 action.kind="remove" action.state="cancelled" action.origin="chat" action.actor=olga action.agents="scout"
    message=action ended action.id=4 action.kind="remove" action.state="expired" action.origin="chat" action.actor=olga action.agents="scout"
    "#);
    test.finish().await;
}
