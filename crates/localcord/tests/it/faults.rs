//! Faults on request: each is one line in a test.

use std::time::{Duration, Instant};

use localcord::{Fault, Localcord, Options};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;

use crate::{
    people::Script,
    raw::Raw,
    support::{Rest, start},
};

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

#[tokio::test]
async fn a_refused_connection_has_met_its_fault() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let outage = cord.inject(Fault::refuse());
    let gateway = Rest::new(&cord).request("GET", "/gateway").send();
    let (met, answer) = tokio::join!(outage.met(), gateway);
    met.unwrap();
    assert!(answer.is_err());
    assert!(outage.release());
}

#[tokio::test]
async fn any_event_may_arrive_twice() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let mut raw = Raw::identified(&cord, 1 << 9).await;
    cord.gateway().duplicate_next_of("MESSAGE_CREATE");
    let ravi = cord.user("ravi").in_channel("ops");
    let said = ["one", "two"].map(|text| ravi.says(text).unwrap().id());
    for (id, sequence) in [(said[0], 2), (said[0], 3), (said[1], 4)] {
        let heard = raw.hear().await;
        assert_eq!(
            (&heard["d"]["id"], &heard["s"]),
            (&json!(id), &json!(sequence))
        );
    }
}

#[tokio::test]
async fn discord_refuses_in_its_own_words() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    cord.inject(Fault::refusal(429, 30_046).times(1));
    let (status, answer) = rest.get("/gateway").await;
    assert_eq!((status, &answer["code"]), (429, &json!(30_046)));
    cord.inject(Fault::global_rate_limit(Duration::from_secs(2)).times(1));
    let refused = rest.request("GET", "/gateway").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-ratelimit-global"], "true");
    assert_eq!(refused.headers()["retry-after"], "2.000");
    assert_eq!(refused.headers()["x-ratelimit-scope"], "global");
}

#[tokio::test]
async fn a_session_can_be_taken_away_with_and_without_a_way_back() {
    let (cord, _bot) = start().await;
    cord.gateway().invalidate(true);
    cord.gateway().wait_resumed(1).await.unwrap();
    cord.gateway().invalidate(false);
    cord.gateway().wait_identified(2).await.unwrap();
    cord.finish().unwrap();
}

#[tokio::test]
async fn each_fault_is_one_line_of_a_script() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let (rest, script) = (Rest::new(&cord), Script::new(&cord));
    let make = async |fault: Value| {
        let (status, made) = script.post("/api/faults", fault).await;
        assert_eq!(status, 200, "{made}");
        made["number"].as_u64().unwrap()
    };

    let cut = make(json!({ "fault": "refuse", "lasting": 30 })).await;
    assert!(rest.request("GET", "/gateway").send().await.is_err());
    cord.advance(Duration::from_secs(31));
    assert_eq!(rest.get("/gateway").await.0, 200);
    assert_eq!(script.delete(&format!("/api/faults/{cut}")).await, 200);

    make(json!({ "fault": "refuse", "times": 1, "path": "/users/@me" })).await;
    assert!(rest.request("GET", "/users/@me").send().await.is_err());
    assert_eq!(rest.get("/users/@me").await.0, 200);

    make(json!({ "fault": "status", "status": 502, "times": 1, "method": "get" })).await;
    assert_eq!(rest.get("/gateway").await.0, 502);
    make(json!({ "fault": "status", "status": 403, "code": 50_013, "times": 1 })).await;
    assert_eq!(rest.get("/gateway").await.1["code"], 50_013);
    make(json!({ "fault": "rate_limit", "retry_after": 1.5, "times": 1 })).await;
    assert_eq!(rest.get("/gateway").await.1["retry_after"], 1.5);
    make(json!({ "fault": "rate_limit", "retry_after": 1, "global": true, "times": 1 })).await;
    assert_eq!(rest.get("/gateway").await.1["global"], true);

    make(json!({ "fault": "lose_answer", "times": 1, "method": "POST" })).await;
    let body = json!({ "content": "done" });
    let sent = rest.request("POST", &messages(&cord)).json(&body).send();
    assert!(sent.await.is_err());
    assert_eq!(cord.channel("ops").texts(), ["done"]);

    make(json!({ "fault": "slow", "seconds": 0.06, "times": 1 })).await;
    let before = Instant::now();
    assert_eq!(rest.get("/gateway").await.0, 200);
    assert!(before.elapsed() >= Duration::from_millis(60));

    make(json!({ "fault": "hang" })).await;
    let release = script.delete("/api/faults");
    let (answer, released) = tokio::join!(rest.get("/gateway"), release);
    assert_eq!((answer.0, released), (200, 204));
}

#[tokio::test]
async fn each_fault_of_the_gateway_is_one_line_of_a_script() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let script = Script::new(&cord);
    let order = async |order: Value| {
        assert_eq!(script.post("/api/gateway", order).await.0, 204);
    };
    let mut raw = Raw::identified(&cord, 0).await;
    order(json!({ "do": "reconnect" })).await;
    assert_eq!(raw.hear().await["op"], 7);
    order(json!({ "do": "invalidate", "resumable": true })).await;
    assert_eq!(
        raw.hear().await,
        json!({ "op": 9, "d": true, "s": null, "t": null })
    );
    order(json!({ "do": "close", "code": 4000 })).await;
    assert_eq!(raw.close_code().await, 4000);

    let mut raw = Raw::identified(&cord, 1).await;
    order(json!({ "do": "freeze" })).await;
    cord.add_role("harbour", "pilot").unwrap();
    order(json!({ "do": "thaw" })).await;
    raw.hear_of("GUILD_ROLE_CREATE").await;

    order(json!({ "do": "refuse" })).await;
    assert!(connect_async(cord.gateway_url()).await.is_err());
    order(json!({ "do": "accept" })).await;
    order(json!({ "do": "drop" })).await;
    cord.gateway().wait_connected(0).await.unwrap();
}
