//! Those who are told of alerts outside of Discord.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use chrono::TimeDelta;
use hmac::{Hmac, Mac as _};
use localcord::Message;
use serde_json::Value;
use sha2::Sha256;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::broadcast::{Receiver as Events, error::RecvError};
use yardarm::{
    domain::{event::Event, outbox::Exit},
    engine::LogSource,
    ops::Ops,
};

use crate::support::{
    receiver::{Answer, Received, Receiver},
    test_app::TestApp,
};

const KEY: &str = "a-key-of-32-letters-that-is-secret";

/// Nothing is restarted by itself after that line.
const TEMPLATE: &str = r#"{
    "description": "ticks", "image": "demo:1", "stop_grace_s": 1,
    "log_patterns": [{ "pattern": "no credit", "means": "blocked", "note": "The account <is> empty" }]
}"#;

/// An app that tells the ops channel and `out` at once what goes wrong, with `scout` at work.
async fn telling(kind: &str, url: &str, key: Option<&str>) -> TestApp {
    let test = TestApp::prepare(&[]).await;
    let ops = test.cord.channel("ops").id();
    let route = format!("channels = [{ops}]\nnotify = [\"out\"]\n");
    with(test, kind, (url, key), &route).await
}

/// The same, and the ops channel hears nothing: there is no card to link to.
async fn telling_alone(kind: &str, url: &str, key: Option<&str>) -> TestApp {
    let test = TestApp::prepare(&[]).await;
    with(test, kind, (url, key), "notify = [\"out\"]\n").await
}

async fn with(mut test: TestApp, kind: &str, out: (&str, Option<&str>), route: &str) -> TestApp {
    test.route(kind, out, route);
    let file = test.path("yardarm.toml");
    test.up_from(&file).await;
    test.deploy("scout").await;
    test
}

impl TestApp {
    fn route(&mut self, kind: &str, (url, key): (&str, Option<&str>), route: &str) {
        let (address, secret) = (self.path("address"), self.path("key"));
        std::fs::write(&address, format!("{url}\n")).unwrap();
        let mut lines = vec![
            "[[notify]]".to_owned(),
            "name = \"out\"".to_owned(),
            format!("kind = \"{kind}\""),
            format!("url_file = \"{}\"", address.display()),
        ];
        if let Some(key) = key {
            std::fs::write(&secret, key).unwrap();
            lines.push(format!("key_file = \"{}\"", secret.display()));
        }
        lines.push(format!(
            "[[route]]\nname = \"all\"\ngroup_wait_s = 0\n{route}"
        ));
        let text = lines.join("\n");
        std::fs::write(self.path("yardarm.toml"), text).unwrap();
        self.write_template("demo", TEMPLATE);
    }

    fn fail(&self) {
        let container = self.engine.id_of("yardarm-scout");
        self.engine
            .say(&container, LogSource::Stderr, "no credit & no hope");
        self.engine.kill(&container, 3);
    }

    async fn card(&self, text: &str) -> Message {
        let shows = |one: &Message| one.text().contains("-# alert") && one.text().contains(text);
        self.cord.channel("ops").wait_for(shows).await.unwrap()
    }

    async fn acknowledge(&self) {
        let card = self.card("is blocked").await;
        self.olga().press(&card, "Acknowledge").await.unwrap();
        self.card("looks after it").await;
    }

    /// It shall not run any more: nothing is wrong with that.
    async fn give_up(&self) {
        self.done("stop agent:scout").await;
        self.card("well again").await;
        self.pass(TimeDelta::minutes(3));
        self.card("resolved").await;
    }

    /// A body without what differs from run to run.
    fn without_ids(&self, received: &Received) -> String {
        let text = serde_json::to_string_pretty(&received.json()).unwrap();
        text.replace(self.ops().instance.as_str(), "INSTANCE")
    }

    async fn errors_of_outbox(&self) -> Vec<String> {
        let file = format!("sqlite://{}", self.path("yardarm.db").display());
        let mut database = SqliteConnection::connect(&file).await.unwrap();
        let errors = sqlx::query_scalar!(
            r#"SELECT error AS "error!" FROM outbox WHERE error IS NOT NULL AND target <> ''"#
        );
        let errors = errors.fetch_all(&mut database).await.unwrap();
        database.close().await.unwrap();
        errors
    }

    /// What waits for targets was tried, and is tried again later.
    async fn postponed(&self) {
        let is_so = async |ops: &Ops| {
            let due = ops
                .store
                .outbox_due(Exit::Targets, ops.now())
                .await
                .unwrap();
            let next = ops.store.outbox_next(Exit::Targets).await.unwrap();
            due.is_empty() && next.is_some()
        };
        self.until_outbox(is_so).await;
    }

    async fn until_dead(&self) {
        self.until_outbox(async |ops: &Ops| ops.store.outbox_counts().await.unwrap().1 == 1)
            .await;
    }
}

fn signature(received: &Received) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    let signed = format!(
        "{}.{}",
        received.header("x-yardarm-timestamp"),
        received.text
    );
    mac.update(signed.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn state(received: &Received) -> String {
    received.json()["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_webhook_gets_what_the_documents_say() {
    let mut out = Receiver::start().await;
    let test = telling_alone("webhook", &out.url("/hook"), Some(KEY)).await;
    test.fail();
    let first = out.next().await;
    assert_eq!(first.header("x-yardarm-signature"), signature(&first));
    assert_eq!(first.header("idempotency-key"), first.json()["id"]);
    insta::assert_snapshot!(test.without_ids(&first), @r#"
    {
      "id": "INSTANCE-2-1",
      "incident_count": 1,
      "incidents": [
        {
          "agent": "scout",
          "cause": "is blocked: The account <is> empty",
          "evidence": {
            "exit_code": 3,
            "lines": [
              "no credit & no hope"
            ]
          },
          "fleet": "main",
          "id": 1,
          "kind": "down",
          "opened_at": "2026-11-21T12:00:00Z",
          "resolved_at": null,
          "severity": "critical",
          "standing": "open",
          "subject": "scout"
        }
      ],
      "instance": "INSTANCE",
      "key": "yardarm-INSTANCE-alert-1",
      "link": null,
      "opened_at": "2026-11-21T12:00:00Z",
      "reason": null,
      "resolved_at": null,
      "route": "all",
      "severity": "critical",
      "state": "firing",
      "title": "scout in main is blocked: The account <is> empty",
      "version": 1
    }
    "#);
    test.finish().await;
}

#[tokio::test]
async fn pagerduty_gets_an_event() {
    let mut out = Receiver::start().await;
    let test = telling_alone("pagerduty", &out.url("/v2/enqueue"), Some(KEY)).await;
    test.fail();
    let first = out.next().await;
    assert_eq!(first.path, "/v2/enqueue");
    insta::assert_snapshot!(test.without_ids(&first), @r#"
    {
      "client": "Yardarm",
      "client_url": null,
      "dedup_key": "yardarm-INSTANCE-alert-1",
      "event_action": "trigger",
      "links": [],
      "payload": {
        "class": "down",
        "custom_details": {
          "incident_count": 1,
          "incidents": [
            {
              "agent": "scout",
              "cause": "is blocked: The account <is> empty",
              "evidence": {
                "exit_code": 3,
                "lines": [
                  "no credit & no hope"
                ]
              },
              "fleet": "main",
              "id": 1,
              "kind": "down",
              "opened_at": "2026-11-21T12:00:00Z",
              "resolved_at": null,
              "severity": "critical",
              "standing": "open",
              "subject": "scout"
            }
          ],
          "route": "all"
        },
        "group": "main",
        "severity": "critical",
        "source": "scout",
        "summary": "scout in main is blocked: The account <is> empty",
        "timestamp": "2026-11-21T12:00:00Z"
      },
      "routing_key": "a-key-of-32-letters-that-is-secret"
    }
    "#);
    test.finish().await;
}

#[tokio::test]
async fn slack_and_its_like_get_text_and_blocks() {
    let mut out = Receiver::start().await;
    let test = telling_alone("slack", &out.url("/services/T0/B0/xyz"), None).await;
    test.fail();
    let first = out.next().await;
    assert_eq!(first.path, "/services/T0/B0/xyz");
    insta::assert_snapshot!(test.without_ids(&first), @r#"
    {
      "blocks": [
        {
          "text": {
            "text": "*🔴 scout in main is blocked: The account &lt;is&gt; empty*",
            "type": "mrkdwn"
          },
          "type": "section"
        },
        {
          "elements": [
            {
              "text": "alert 1 · since 2026-11-21T12:00:00Z",
              "type": "mrkdwn"
            }
          ],
          "type": "context"
        }
      ],
      "text": "🔴 scout in main is blocked: The account &lt;is&gt; empty"
    }
    "#);
    test.finish().await;
}

#[tokio::test]
async fn ntfy_gets_a_title_a_priority_and_tags() {
    let mut out = Receiver::start().await;
    let test = telling_alone("ntfy", &out.url("/base/secret-topic"), Some("tk_a-token")).await;
    test.fail();
    let first = out.next().await;
    assert_eq!(first.path, "/base/");
    assert_eq!(first.header("authorization"), "Bearer tk_a-token");
    insta::assert_snapshot!(test.without_ids(&first), @r#"
    {
      "message": "scout in main is blocked: The account <is> empty",
      "priority": 5,
      "tags": [
        "rotating_light"
      ],
      "title": "Yardarm: main",
      "topic": "secret-topic"
    }
    "#);
    test.finish().await;
}

#[tokio::test]
async fn a_webhook_is_told_of_the_whole_life_and_can_check_who_tells_it() {
    let mut out = Receiver::start().await;
    let test = telling("webhook", &out.url("/hook"), Some(KEY)).await;
    test.fail();
    let first = out.next().await;
    test.acknowledge().await;
    let second = out.next().await;
    assert_eq!(state(&second), "acknowledged");
    assert_eq!(second.json()["key"], first.json()["key"]);
    assert_ne!(second.json()["id"], first.json()["id"]);
    test.give_up().await;
    let third = out.next().await;
    assert_eq!(state(&third), "resolved");
    assert!(third.json()["link"].is_string());
    out.assert_idle();
    test.finish().await;
}

#[tokio::test]
async fn pagerduty_is_triggered_acknowledged_and_resolved() {
    let mut out = Receiver::start().await;
    let test = telling("pagerduty", &out.url("/v2/enqueue"), Some(KEY)).await;
    test.fail();
    let first = out.next().await;
    test.acknowledge().await;
    let second = out.next().await.json();
    assert_eq!(second["event_action"], "acknowledge");
    test.give_up().await;
    let third = out.next().await.json();
    assert_eq!(third["event_action"], "resolve");
    assert!(third["client_url"].is_string());
    assert_eq!(third["client_url"], third["links"][0]["href"]);
    for later in [second, third] {
        assert_eq!(later["dedup_key"], first.json()["dedup_key"]);
        assert_eq!(later["routing_key"], KEY);
    }
    test.finish().await;
}

#[tokio::test]
async fn slack_hears_of_the_end() {
    let mut out = Receiver::start().await;
    let test = telling("slack", &out.url("/services/T0/B0/xyz"), None).await;
    test.fail();
    out.next().await;
    test.give_up().await;
    let last = out.next().await.json();
    assert_eq!(
        last["text"],
        "✅ Resolved: scout in main is blocked: The account &lt;is&gt; empty"
    );
    test.finish().await;
}

#[tokio::test]
async fn ntfy_hears_that_somebody_looks_after_it() {
    let mut out = Receiver::start().await;
    let test = telling("ntfy", &out.url("/base/secret-topic"), Some("tk_a-token")).await;
    test.fail();
    out.next().await;
    test.acknowledge().await;
    let second = out.next().await.json();
    assert_eq!(second["tags"], serde_json::json!(["eyes"]));
    test.give_up().await;
    let third = out.next().await.json();
    assert!(
        third["click"]
            .as_str()
            .unwrap()
            .starts_with("https://discord.com/channels/")
    );
    test.finish().await;
}

#[tokio::test]
async fn who_is_out_of_order_is_told_again_by_the_same_id() {
    let mut out = Receiver::start().await;
    out.answer(Answer::Status(StatusCode::TOO_MANY_REQUESTS, "slow down"));
    out.answer(Answer::Status(StatusCode::BAD_GATEWAY, ""));
    let test = telling("webhook", &out.url("/hook"), Some(KEY)).await;
    test.fail();
    let first = out.next().await;
    let mut again = Vec::new();
    for seconds in [2, 3] {
        test.postponed().await;
        test.pass(TimeDelta::seconds(seconds));
        again.push(out.next().await);
    }
    for later in again {
        assert_eq!(
            later.header("idempotency-key"),
            first.header("idempotency-key")
        );
        assert_eq!(later.header("x-yardarm-signature"), signature(&later));
    }
    test.finish().await;
}

#[tokio::test]
async fn a_refusal_is_kept_without_what_is_secret() {
    let mut out = Receiver::start().await;
    let planted = "no service at /v2/enqueue has a-key-of-32-letters-that-is-secret";
    out.answer(Answer::Status(StatusCode::BAD_REQUEST, planted));
    let test = telling("pagerduty", &out.url("/v2/enqueue"), Some(KEY)).await;
    test.fail();
    out.next().await;
    test.until_dead().await;
    assert_eq!(
        test.errors_of_outbox().await,
        ["it answered 400 Bad Request: no service at [redacted] has [redacted]"]
    );
    test.finish_with_dead(1).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut out = Receiver::start().await;
    out.answer(Answer::RedirectTo("/elsewhere"));
    let test = telling("slack", &out.url("/hook"), None).await;
    test.fail();
    out.next().await;
    test.until_dead().await;
    assert_eq!(
        test.errors_of_outbox().await,
        ["it answered 302 Found: redirects are not followed, give the address they lead to"]
    );
    out.assert_idle();
    test.finish_with_dead(1).await;
}

#[tokio::test]
async fn who_does_not_answer_is_cut_off_and_holds_up_nobody() {
    let mut out = Receiver::start().await;
    out.answer(Answer::Silence);
    let test = telling("webhook", &out.url("/hook"), Some(KEY)).await;
    test.fail();
    let first = out.next().await;
    // Discord is told meanwhile.
    test.acknowledge().await;
    test.postponed().await;
    assert_eq!(test.errors_of_outbox().await, ["it did not answer in 10 s"]);
    test.pass(TimeDelta::seconds(2));
    let second = out.next().await;
    assert_eq!(state(&second), "acknowledged", "what is true now");
    assert_eq!(first.json()["key"], second.json()["key"]);
    test.finish().await;
}

#[tokio::test]
async fn a_crash_in_the_middle_tells_it_again_by_the_same_id() {
    let mut out = Receiver::start().await;
    out.answer(Answer::Silence);
    let mut test = telling("webhook", &out.url("/hook"), Some(KEY)).await;
    test.fail();
    let first = out.next().await;
    test.crash().await;
    test.up().await;
    let second = out.next().await;
    assert_eq!(first.json()["id"], second.json()["id"]);
    assert_eq!(state(&second), "firing");
    test.finish().await;
}

/// Ends once so many things have happened.
async fn happened(events: &mut Events<Event>, count: usize) {
    for _ in 0..count {
        assert_ne!(events.recv().await, Err(RecvError::Closed));
    }
}

/// Waits for the news with that reason; all that came are kept.
async fn heard(out: &mut Receiver, all: &mut Vec<Value>, reason: &Value) {
    while all.iter().all(|one| one["reason"] != *reason) {
        all.push(out.next().await.json());
    }
}

#[tokio::test]
async fn killed_at_each_step_of_telling_a_target_each_news_has_one_id() {
    let news = [Value::Null, Value::from("escalation")];
    for events in 1.. {
        let mut out = Receiver::start().await;
        let mut test = TestApp::prepare(&[]).await;
        let url = out.url("/hook");
        let route = "notify = [\"out\"]\nescalate = [{ after_s = 900, notify = [\"out\"] }]\n";
        test.route("webhook", (&url, Some(KEY)), route);
        let file = test.path("yardarm.toml");
        test.up_from(&file).await;
        test.deploy("scout").await;
        test.delivered().await;
        // It ends again after each start.
        test.engine.crash_on_start("demo:1", 3);
        let mut steps = test.ops().events();
        test.fail();
        // What nobody saw is simply started again: what is a problem is told, whatever happens.
        let is_known = async |ops: &Ops| !ops.store.open_incidents().await.unwrap().is_empty();
        test.until_outbox(is_known).await;
        let (mut all, mut was_cut_off) = (Vec::new(), false);
        for reason in &news {
            was_cut_off |= tokio::select! {
                biased;
                () = happened(&mut steps, events) => true,
                () = heard(&mut out, &mut all, reason) => false,
            };
            test.crash().await;
            test.up().await;
            heard(&mut out, &mut all, reason).await;
            steps = test.ops().events();
            test.pass(TimeDelta::minutes(16));
        }
        for reason in &news {
            let same = all.iter().filter(|one| one["reason"] == *reason);
            let ids: BTreeSet<_> = same.map(|one| one["id"].to_string()).collect();
            assert_eq!(
                ids.len(),
                1,
                "{reason}, killed after {events} events: {all:?}"
            );
        }
        test.finish().await;
        if !was_cut_off {
            assert!(events > 3, "it was told after {events} events");
            return;
        }
    }
}

#[tokio::test]
async fn a_target_that_asks_for_time_gets_it() {
    for (asked, minutes) in [("600", 10), ("1200", 20), ("3600", 60)] {
        let mut out = Receiver::start().await;
        out.answer(Answer::Busy(asked));
        let test = telling_alone("slack", &out.url("/services/T0"), None).await;
        test.fail();
        out.next().await;
        test.postponed().await;
        let later = test.ops().now() + TimeDelta::minutes(minutes);
        let next = test.ops().store.outbox_next(Exit::Targets).await;
        assert_eq!(next.unwrap(), Some(later));
        out.assert_idle();
        test.pass(TimeDelta::minutes(minutes + 1));
        out.next().await;
        test.finish().await;
    }
}

#[tokio::test]
async fn who_is_told_late_is_told_of_the_end_too() {
    let mut out = Receiver::start().await;
    let mut test = TestApp::prepare(&[]).await;
    let url = out.url("/v2/enqueue");
    let later = "escalate = [{ after_s = 600, notify = [\"out\"] }]\n";
    test.route("pagerduty", (&url, Some(KEY)), later);
    let file = test.path("yardarm.toml");
    test.up_from(&file).await;
    test.deploy("scout").await;
    test.fail();
    test.card("is blocked").await;
    out.assert_idle();
    test.pass(TimeDelta::minutes(11));
    let first: Value = out.next().await.json();
    assert_eq!(first["event_action"], "trigger");
    test.give_up().await;
    let last = out.next().await.json();
    assert_eq!(last["event_action"], "resolve");
    assert_eq!(last["dedup_key"], first["dedup_key"]);
    test.finish().await;
}
