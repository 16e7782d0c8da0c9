//! Ways out of Discord whose addresses and keys are in the vault.

use std::path::Path;

use chrono::TimeDelta;
use yardarm::{
    cli::{outlets, rights},
    clock::Clock as _,
    domain::{event::Event, outbox::Exit},
    engine::LogSource,
    ops::Ops,
};

use crate::{
    secrets::{confirmed, set},
    support::{alarm::die, clock::FixedClock, receiver::Receiver, test_app::TestApp},
};

const KEY: &str = "planted-key-of-32-letters-or-more";
const SETTINGS: &str = r#"
    [ping]
    url_secret = "PING_URL"
    [[notify]]
    name = "out"
    kind = "webhook"
    url_secret = "HOOK_URL"
    key_secret = "HOOK_KEY"
    [[route]]
    name = "all"
    notify = ["out"]
    group_wait_s = 0
"#;

impl TestApp {
    /// An app that looks up in the vault where it tells what, with `scout` at work.
    async fn locked() -> Self {
        let mut test = Self::prepare(&[]).await;
        let file = test.path("yardarm.toml");
        std::fs::write(&file, SETTINGS).unwrap();
        test.up_from(&file).await;
        test.deploy("scout").await;
        test
    }

    /// Puts a secret for all into the vault.
    async fn keep(&self, name: &str, value: &str) {
        let told = set(self, &format!("secret set name:{name} all:true"), value).await;
        assert!(told.starts_with('✅'), "{told}");
    }

    /// What was tried waits to be tried again.
    async fn waits(&self) {
        let is_so = async |ops: &Ops| {
            let due = ops.store.outbox_due(Exit::Targets, ops.now());
            due.await.unwrap().is_empty() && ops.store.outbox_counts().await.unwrap().0 > 0
        };
        self.until_outbox(is_so).await;
    }

    /// What `check` and `doctor` say of it.
    async fn examined(&self) -> String {
        let settings = self.ops().settings();
        let (known, _) = rights::examine(&settings, FixedClock::new().now()).await;
        let findings = outlets::examine(&settings, &known);
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }
}

#[tokio::test]
async fn an_alert_waits_for_the_secrets_of_its_target() {
    let mut out = Receiver::start().await;
    let test = TestApp::locked().await;
    insta::assert_snapshot!(test.examined().await, @"
    warn  target out: the secret `HOOK_URL` is not set for all: nothing is sent there until it is → type `/secret set name:HOOK_URL all:True` in the server
    warn  target out: the secret `HOOK_KEY` is not set for all: nothing is sent there until it is → type `/secret set name:HOOK_KEY all:True` in the server
    warn  ping: the secret `PING_URL` is not set for all: nothing is sent there until it is → type `/secret set name:PING_URL all:True` in the server
    ");
    test.engine.crash_on_start("demo:1", 3);
    die(&test, "scout", 3);
    test.waits().await;
    let why = test.ops().target("out").await.unwrap_err().to_string();
    assert_eq!(
        why,
        "the secret `HOOK_URL` is not set: `/secret set name:HOOK_URL all:True`"
    );

    test.keep("HOOK_KEY", KEY).await;
    test.keep("HOOK_URL", "planted, and no address").await;
    test.pass(TimeDelta::minutes(6));
    test.waits().await;
    let why = test.ops().target("out").await.unwrap_err().to_string();
    assert!(
        why.contains("does not hold an address") && !why.contains("planted"),
        "{why}"
    );

    test.keep("HOOK_URL", &out.url("/hook/planted")).await;
    test.pass(TimeDelta::minutes(6));
    let told = out.next().await;
    assert_eq!(told.path, "/hook/planted");
    assert!(told.header("x-yardarm-signature").starts_with("sha256="));
    insta::assert_snapshot!(test.examined().await, @"warn  ping: the secret `PING_URL` is not set for all: nothing is sent there until it is → type `/secret set name:PING_URL all:True` in the server");
    test.finish().await;
}

#[tokio::test]
async fn the_ping_takes_its_address_from_the_vault() {
    let mut out = Receiver::start().await;
    let test = TestApp::locked().await;
    test.keep("PING_URL", &out.url("/ping/planted")).await;
    test.ops().publish(Event::Connected);
    let first = out.next().await.path;
    assert!(first.starts_with("/ping/planted"), "{first}");
    test.finish().await;
}

#[tokio::test]
async fn a_secret_tells_who_is_told_by_means_of_it() {
    let test = TestApp::locked().await;
    test.keep("HOOK_KEY", KEY).await;
    test.keep("PING_URL", "https://planted.example").await;
    insta::assert_snapshot!(test.done("secret list").await, @"
    🔑 `HOOK_KEY` for all agents: set <t:1795262400:R> by <@olga>, used by target out
    🔑 `PING_URL` for all agents: set <t:1795262400:R> by <@olga>, used by ping
    🔑 `KNOWN_KEY` for all agents: from Yardarm's environment, used by nobody
    ");
    let asked = test.send("secret delete name:HOOK_KEY all:true").await;
    asked.until_text("used by target out").await.unwrap();
    insta::assert_snapshot!(confirmed(&test, &asked, "Secret delete").await, @"
    ✅ secret delete `HOOK_KEY` for all agents, used by target out: done in 0.0 s
    -# action 4 · by <@olga>
    ");
    let why = test.ops().target("out").await.unwrap_err().to_string();
    assert!(why.contains("is not set"), "{why}");
    test.finish().await;
}

#[tokio::test]
async fn what_opens_a_way_out_is_shown_to_nobody() {
    let mut test = TestApp::locked().await;
    test.keep("HOOK_KEY", KEY).await;
    test.keep("HOOK_URL", "http://127.0.0.1:9/planted-path")
        .await;
    let container = test.engine.id_of("yardarm-scout");
    let said = format!("found {KEY} and http://127.0.0.1:9/planted-path");
    test.engine.say(&container, LogSource::Stderr, &said);
    let shown = test.done("logs agent:scout").await;
    assert!(
        shown.contains("found") && !shown.contains("planted"),
        "{shown}"
    );
    test.engine.crash_on_start("demo:1", 3);
    die(&test, "scout", 3);
    test.waits().await;
    test.down().await;
    assert!(!test.cord.messages_json().contains("planted"));
    assert!(!holds(&test.path("yardarm.db"), "planted"));
    test.finish().await;
}

fn holds(file: &Path, text: &str) -> bool {
    let bytes = std::fs::read(file).unwrap();
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
