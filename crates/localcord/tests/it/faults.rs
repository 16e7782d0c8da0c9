//! Faults on request: each is one line in a test.

use std::time::{Duration, Instant};

use localcord::{Fault, Localcord, Options};
use serde_json::json;

use crate::support::{Rest, start};

fn messages(cord: &Localcord) -> String {
    format!("/channels/{}/messages", cord.channel("ops").id())
}

#[tokio::test]
async fn refused_calls_do_nothing() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let outage = cord.inject(Fault::refuse());
    assert!(rest.request("GET", "/gateway").send().await.is_err());
    assert!(
        rest.request("POST", &messages(&cord))
            .json(&json!({ "content": "x" }))
            .send()
            .await
            .is_err()
    );
    assert!(outage.release());
    assert_eq!(rest.get("/gateway").await.0, 200);
    assert!(cord.channel("ops").messages().is_empty());
}

#[tokio::test]
async fn faults_count_calls_and_keep_to_their_route() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    cord.inject(
        Fault::status(503)
            .times(2)
            .on("POST", "/channels/*/messages"),
    );
    assert_eq!(rest.get("/gateway").await.0, 200);
    let body = json!({ "content": "x" });
    assert_eq!(
        rest.call("POST", &messages(&cord), body.clone()).await.0,
        503
    );
    assert_eq!(
        rest.call("POST", &messages(&cord), body.clone()).await.0,
        503
    );
    assert_eq!(rest.call("POST", &messages(&cord), body).await.0, 200);
    assert_eq!(cord.channel("ops").texts(), ["x"]);
}

#[tokio::test]
async fn a_fault_ends_with_its_time() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    cord.inject(Fault::status(500).lasting(Duration::from_secs(30)));
    assert_eq!(rest.get("/gateway").await.0, 500);
    cord.advance(Duration::from_secs(31));
    assert_eq!(rest.get("/gateway").await.0, 200);
}

#[tokio::test]
async fn a_lost_answer_was_a_done_request() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    cord.inject(Fault::lose_answer().times(1).method("post"));
    let sent = rest
        .request("POST", &messages(&cord))
        .json(&json!({ "content": "done" }))
        .send()
        .await;
    assert!(sent.is_err());
    assert_eq!(cord.channel("ops").texts(), ["done"]);
    cord.finish().unwrap();
}

#[tokio::test]
async fn slow_answers_come_late() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    cord.inject(Fault::slow(Duration::from_millis(60)).times(1));
    let before = Instant::now();
    assert_eq!(Rest::new(&cord).get("/gateway").await.0, 200);
    assert!(before.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn serenity_waits_out_a_429_and_the_person_still_gets_the_answer() {
    let (cord, _bot) = start().await;
    cord.inject(
        Fault::rate_limit(Duration::from_millis(50))
            .times(1)
            .path("/webhooks/**"),
    );
    let reply = cord
        .user("olga")
        .slash("stop")
        .option("agent", "scout")
        .send()
        .await
        .unwrap();
    reply.until_text("stopped scout").await.unwrap();
    cord.finish().unwrap();
}

#[tokio::test]
async fn discord_goes_away_and_comes_back() {
    let (cord, _bot) = start().await;
    let away = cord.go_away();
    cord.gateway().wait_connected(0).await.unwrap();
    let rest = Rest::new(&cord);
    assert!(rest.request("GET", "/gateway").send().await.is_err());
    away.end();
    assert_eq!(rest.get("/gateway").await.0, 200);
    cord.gateway().wait_connected(1).await.unwrap();
    cord.finish().unwrap();
}

#[tokio::test]
async fn an_interaction_may_arrive_twice() {
    let (cord, _bot) = start().await;
    cord.gateway().duplicate_next();
    let reply = cord
        .user("olga")
        .in_channel("ops")
        .slash("pick")
        .option("level", "owner")
        .send()
        .await
        .unwrap();
    // The bot does not notice; Discord lets only one of its answers through.
    assert_eq!(reply.text(), "owner");
    assert_eq!(cord.channel("ops").texts(), ["owner"]);
}
