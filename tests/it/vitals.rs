//! Whether Yardarm itself is alive: what a service outside is told, and when the process ends for it.

use axum::http::StatusCode;
use chrono::TimeDelta;
use localcord::Fault;
use yardarm::{
    domain::{agent::State, event::Event, vitals::Gateway},
    ops::Ops,
};

use crate::support::{
    alarm::die,
    receiver::{Answer, Received, Receiver},
    test_app::TestApp,
};

/// An app that tells `out` how it is.
async fn pinging(out: &Receiver) -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    let address = test.path("address");
    std::fs::write(&address, format!("{}\n", out.url("/ping/8f1c-secret"))).unwrap();
    test.set("ping.url_file", &format!("\"{}\"", address.display()));
    test.up().await;
    test
}

impl TestApp {
    /// What the service outside is told next.
    async fn next_ping(&self, out: &mut Receiver) -> Received {
        self.ops().publish(Event::Connected);
        out.next().await
    }

    fn is_down(&self) -> bool {
        matches!(self.ops().gateway(), Gateway::Down { .. })
    }

    async fn lose_gateway(&self) {
        self.until(|_| !self.is_down()).await;
        self.cord.gateway().refuse_connections(true);
        self.cord.gateway().drop_connections();
        self.until(|_| self.is_down()).await;
    }
}

#[tokio::test]
async fn a_service_outside_hears_of_the_start_and_then_that_we_live() {
    let mut out = Receiver::start().await;
    let test = pinging(&out).await;
    assert_eq!(out.next().await.path, "/ping/8f1c-secret/start");
    let alive = out.next().await;
    assert_eq!(alive.path, "/ping/8f1c-secret");
    let again = test.next_ping(&mut out).await;
    assert_eq!(again.path, "/ping/8f1c-secret");
    insta::assert_snapshot!(again.text, @"
    gateway: up for 0 s
    engine: answers
    workers: all go on
    agents: 0
    messages: 0 wait, 0 will never arrive
    ");
    test.finish().await;
}

#[tokio::test]
async fn it_hears_that_we_are_ill_and_why() {
    let mut out = Receiver::start().await;
    let test = pinging(&out).await;
    assert_eq!(out.next().await.path, "/ping/8f1c-secret/start");
    assert_eq!(out.next().await.path, "/ping/8f1c-secret");
    test.engine.go_away();
    test.until(|ops| !ops.knows_engine()).await;
    let alive = test.next_ping(&mut out).await;
    assert_eq!(alive.path, "/ping/8f1c-secret");
    assert!(
        alive.text.contains("engine: does not answer"),
        "{}",
        alive.text
    );

    test.ops().note_stall("alerts", "stood still");
    let ill = test.next_ping(&mut out).await;
    assert_eq!(ill.path, "/ping/8f1c-secret/fail");
    assert!(
        ill.text.contains("workers: alerts stood still"),
        "{}",
        ill.text
    );

    test.clock.advance(TimeDelta::minutes(11));
    assert_eq!(test.next_ping(&mut out).await.path, "/ping/8f1c-secret");
    test.lose_gateway().await;
    assert_eq!(test.next_ping(&mut out).await.path, "/ping/8f1c-secret");
    test.clock.advance(TimeDelta::minutes(2));
    let ill = test.next_ping(&mut out).await;
    assert_eq!(ill.path, "/ping/8f1c-secret/fail");
    assert!(ill.text.contains("gateway: away for 120 s"), "{}", ill.text);
    test.cord.gateway().refuse_connections(false);
    test.finish().await;
}

#[tokio::test]
async fn a_ping_that_does_not_arrive_is_nobodys_alarm() {
    let mut out = Receiver::start().await;
    for answer in [
        Answer::Status(StatusCode::NOT_FOUND, "no such check: 8f1c-secret"),
        Answer::RedirectTo("http://127.0.0.1:1/"),
        Answer::Silence,
    ] {
        out.answer(answer);
    }
    let test = pinging(&out).await;
    for _ in 0..3 {
        test.next_ping(&mut out).await;
    }
    assert_eq!(test.ops().store.open_incidents().await.unwrap(), []);
    assert_eq!(test.ops().store.outbox_counts().await.unwrap(), (0, 0));
    test.finish().await;
}

#[tokio::test]
async fn a_gateway_that_is_away_too_long_ends_the_process() {
    let mut test = TestApp::start().await;
    test.lose_gateway().await;
    test.clock.advance(TimeDelta::seconds(599));
    assert!(!test.ops().is_gateway_dead());
    test.clock.advance(TimeDelta::seconds(1));
    insta::assert_snapshot!(test.ended().await, @"Discord's gateway was away for too long");
    test.finish().await;
}

#[tokio::test]
async fn all_of_discord_away_ends_nothing() {
    let test = TestApp::start().await;
    let rest = test.cord.inject(Fault::status(503).on("GET", "/gateway"));
    test.lose_gateway().await;
    test.clock.advance(TimeDelta::hours(1));
    rest.met().await.unwrap();
    test.cord.gateway().refuse_connections(false);
    test.until(|_| !test.is_down()).await;
    rest.release();
    test.olga().slash("status").send().await.unwrap();
    test.finish().await;
}

#[tokio::test]
async fn a_limit_of_zero_waits_for_ever() {
    let test = TestApp::start_with(&[("discord.gateway_dead_s", "0")]).await;
    test.lose_gateway().await;
    test.clock.advance(TimeDelta::days(30));
    assert!(!test.ops().is_gateway_dead());
    test.cord.gateway().refuse_connections(false);
    test.until(|_| !test.is_down()).await;
    test.finish().await;
}

#[tokio::test]
async fn a_stream_of_events_that_something_on_the_way_forgets_is_opened_anew() {
    let mut test = TestApp::prepare(&[("roster.resync_s", "5")]).await;
    let fragile = r#"{ "description": "x", "image": "demo:1", "recovery": { "restart": false } }"#;
    test.write_template("demo", fragile);
    test.up().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    test.engine.forget_listeners();
    let listed = |ops: &Ops| {
        let calls = test.engine.calls();
        calls.contains(&"list".to_owned()) && ops.knows_engine()
    };
    test.until(listed).await;
    // From here on only events can tell.
    test.engine.hold("list");
    die(&test, "scout", 1);
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Down)
        .await;
    test.engine.release("list");
    test.finish().await;
}
