//! Connections that break, and bots that come back.

use std::time::Duration;

use localcord::{Localcord, Options};
use poise::serenity_prelude as serenity;

use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::{
    raw::{Raw, identify},
    support::{http, start, start_with},
};

const GUILD_MESSAGES: u64 = 1 << 9;

#[tokio::test]
async fn a_bot_resumes_after_a_cut_and_gets_what_it_missed() {
    let (cord, _bot) = start().await;
    let before = cord.gateway().arrivals();
    cord.gateway().drop_connections();
    let reply = cord
        .user("olga")
        .slash("pick")
        .option("level", "owner")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.text(), "owner");
    assert_eq!(cord.gateway().arrivals(), (before.0, before.1 + 1));
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_bot_that_is_asked_to_reconnect_resumes() {
    let (cord, _bot) = start().await;
    cord.gateway().reconnect();
    cord.gateway().wait_resumed(1).await.unwrap();
    cord.gateway().close(4000);
    cord.gateway().wait_resumed(2).await.unwrap();
    let reply = cord
        .user("olga")
        .slash("pick")
        .option("level", "viewer")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.text(), "viewer");
    cord.finish().unwrap();
}

#[tokio::test]
async fn an_invalid_session_means_to_identify_again() {
    let (cord, _bot) = start().await;
    cord.gateway().close(4009);
    cord.gateway().wait_identified(2).await.unwrap();
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_frozen_gateway_holds_everything_back() {
    let (cord, _bot) = start().await;
    cord.gateway().freeze();
    let olga = cord.user("olga");
    let command = olga.slash("pick").option("level", "owner");
    let (reply, ()) = tokio::join!(command.send(), async { cord.gateway().thaw() });
    assert_eq!(reply.unwrap().text(), "owner");
    cord.finish().unwrap();
}

#[tokio::test]
async fn privileged_intents_are_refused() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let intents =
        serenity::GatewayIntents::non_privileged() | serenity::GatewayIntents::MESSAGE_CONTENT;
    let mut client = serenity::ClientBuilder::new_with_http(http(&cord), intents)
        .await
        .unwrap();
    let refused = client.start().await.unwrap_err().to_string();
    assert!(refused.contains("isallowed"), "{refused}");
    assert_eq!(cord.gateway().arrivals(), (0, 0));
}

#[tokio::test]
async fn frames_that_discord_closes_for() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let token = cord.token().to_owned();
    for (frame, code) in [
        (identify("localcord.another.token", 0).to_string(), 4004),
        (identify(&token, 1 << 40).to_string(), 4013),
        (identify(&token, 1 << 1).to_string(), 4014),
        (
            json!({ "op": 2, "d": { "token": token, "intents": 0, "shard": [2, 2] } }).to_string(),
            4010,
        ),
        (json!({ "op": 1, "d": "x".repeat(4100) }).to_string(), 4002),
        ("x".repeat(70_000), 4002),
        (json!({ "op": 3, "d": {} }).to_string(), 4003),
        (json!({ "op": 99 }).to_string(), 4001),
        (json!({ "op": "two" }).to_string(), 4002),
        (json!([]).to_string(), 4002),
        ("{".to_owned(), 4002),
    ] {
        let mut raw = Raw::connect(&cord.gateway_url()).await;
        assert_eq!(raw.hear().await["op"], 10);
        raw.send(frame.clone()).await;
        assert_eq!(raw.close_code().await, code, "{frame}");
    }
    let mut raw = Raw::connect(&cord.gateway_url()).await;
    raw.hear().await;
    raw.send(Message::Binary(vec![1, 2, 3].into())).await;
    assert_eq!(raw.close_code().await, 4002);
    assert_eq!(cord.gateway().connected(), 0);
}

#[tokio::test]
async fn heartbeats_sequence_and_replay() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let mut raw = Raw::connect(&format!("{}/?v=10&encoding=json", cord.gateway_url())).await;
    raw.hear().await;
    raw.say(json!({ "op": 1, "d": null })).await;
    assert_eq!(raw.hear().await["op"], 11);
    raw.say(identify(cord.token(), 1 << 9)).await;
    let ready = raw.hear().await;
    assert_eq!((&ready["t"], &ready["s"]), (&json!("READY"), &json!(1)));

    cord.gateway().drop_connections();
    cord.gateway().wait_connected(0).await.unwrap();
    cord.user("ravi").in_channel("ops").says("missed").unwrap();
    let mut raw = Raw::connect(&cord.gateway_url()).await;
    raw.hear().await;
    let session = &ready["d"]["session_id"];
    raw.say(json!({ "op": 6, "d": { "token": cord.token(), "session_id": session, "seq": 1 } }))
        .await;
    let missed = raw.hear().await;
    assert_eq!(
        (&missed["t"], &missed["s"]),
        (&json!("MESSAGE_CREATE"), &json!(2))
    );
    // What people write is not for a bot without the privileged intent.
    assert_eq!(missed["d"]["content"], "");
    assert_eq!(raw.hear().await["t"], "RESUMED");

    raw.say(json!({ "op": 6, "d": { "token": cord.token(), "session_id": "old", "seq": 1 } }))
        .await;
    assert_eq!(raw.hear().await, json!({ "op": 9, "d": false }));
    raw.say(json!({ "op": 6, "d": { "token": cord.token(), "session_id": session, "seq": 99 } }))
        .await;
    assert_eq!(raw.close_code().await, 4007);
    cord.finish().unwrap();
}

/// A client that has identified, and its session.
async fn with_session(cord: &Localcord, intents: u64) -> (Raw, Value) {
    let mut raw = Raw::connect(&cord.gateway_url()).await;
    raw.hear().await;
    raw.say(identify(cord.token(), intents)).await;
    let ready = raw.hear_of("READY").await;
    (raw, ready["session_id"].clone())
}

#[tokio::test]
async fn a_session_that_was_taken_up_elsewhere_outlives_its_old_connection() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let (old, session) = with_session(&cord, GUILD_MESSAGES).await;
    let mut new = Raw::resuming(&cord, &session, 1).await;
    assert_eq!(new.hear().await["t"], "RESUMED");
    // localcord cuts the old one; a goodbye that comes too late ends nothing.
    old.leave(1000).await;
    assert_eq!(cord.gateway().connected(), 1);
    cord.user("ravi").in_channel("ops").says("hello").unwrap();
    assert_eq!(new.hear().await["t"], "MESSAGE_CREATE");
    new.leave(1000).await;
    let mut late = Raw::resuming(&cord, &session, 1).await;
    assert_eq!(late.hear().await, json!({ "op": 9, "d": false }));
    cord.finish().unwrap();
}

#[tokio::test]
async fn who_identifies_twice_is_closed_unless_the_session_was_taken_away() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let (mut raw, _) = with_session(&cord, 0).await;
    cord.gateway().invalidate(false);
    assert_eq!(raw.hear().await["d"], false);
    raw.say(identify(cord.token(), 0)).await;
    assert_eq!(raw.hear().await["t"], "READY");
    raw.say(identify(cord.token(), 0)).await;
    assert_eq!(raw.close_code().await, 4005);
    cord.finish().unwrap();
}

#[tokio::test]
async fn after_some_codes_there_is_nothing_to_resume() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    for (code, answer) in [
        (4000, json!("RESUMED")),
        (4007, Value::Null),
        (4009, Value::Null),
    ] {
        let (mut raw, session) = with_session(&cord, 0).await;
        cord.gateway().close(code);
        assert_eq!(raw.close_code().await, code);
        let mut back = Raw::resuming(&cord, &session, 1).await;
        assert_eq!(back.hear().await["t"], answer, "{code}");
    }
    cord.finish().unwrap();
}

/// A session keeps a thousand dispatches for a client that comes back, and a frozen connection holds as many back.
#[tokio::test]
async fn who_missed_too_much_identifies_anew() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let (raw, session) = with_session(&cord, GUILD_MESSAGES).await;
    let ravi = cord.user("ravi").in_channel("ops");
    cord.gateway().freeze();
    for number in 0..1000 {
        ravi.says(&number.to_string()).unwrap();
    }
    assert_eq!(cord.gateway().connected(), 1);
    ravi.says("one too many").unwrap();
    cord.gateway().wait_connected(0).await.unwrap();
    drop(raw);
    cord.gateway().thaw();
    let mut back = Raw::resuming(&cord, &session, 1).await;
    assert_eq!(back.hear().await, json!({ "op": 9, "d": false }));
    cord.finish().unwrap();
}

#[tokio::test]
async fn other_versions_and_encodings_are_not_spoken() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    for (query, code) in [("v=5&encoding=json", 4012), ("v=10&encoding=etf", 4002)] {
        let mut raw = Raw::connect(&format!("{}?{query}", cord.gateway_url())).await;
        assert_eq!(raw.close_code().await, code, "{query}");
    }
    let unknown = format!("{}?compress=zstd-stream", cord.gateway_url());
    assert!(connect_async(unknown).await.is_err());
}

#[tokio::test]
async fn who_sends_no_heartbeat_is_closed_and_loses_the_session() {
    let (cord, _bot) = start_with(Options {
        heartbeat: Duration::from_secs(2),
        ..Options::default()
    })
    .await;
    let mut silent = Raw::identified(&cord, 0).await;
    assert_eq!(silent.close_code().await, 4009);
    // The bot beside it sends its heartbeats, and stays.
    assert_eq!(cord.gateway().connected(), 1);
    assert_eq!(cord.gateway().arrivals(), (2, 0));
    cord.finish().unwrap();
}

#[tokio::test]
async fn who_floods_the_gateway_is_closed() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let mut raw = Raw::identified(&cord, 0).await;
    // One frame identified.
    for _ in 1..120 {
        raw.say(json!({ "op": 1, "d": null })).await;
        assert_eq!(raw.hear().await["op"], 11);
    }
    raw.say(json!({ "op": 1, "d": null })).await;
    assert_eq!(raw.close_code().await, 4008);
}

#[tokio::test]
async fn a_shard_hears_of_its_own_guilds_only() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let mut seen = Vec::new();
    for shard in 0..2_u64 {
        let mut raw = Raw::connect(&cord.gateway_url()).await;
        raw.hear().await;
        raw.say(
            json!({ "op": 2, "d": { "token": cord.token(), "intents": 1, "shard": [shard, 2] } }),
        )
        .await;
        let ready = raw.hear().await;
        assert_eq!(ready["d"]["shard"], json!([shard, 2]));
        for guild in ready["d"]["guilds"].as_array().unwrap() {
            let id: u64 = guild["id"].as_str().unwrap().parse().unwrap();
            assert_eq!((id >> 22) % 2, shard);
            assert_eq!(raw.hear().await["d"]["id"], guild["id"]);
            seen.push(id);
        }
    }
    seen.sort_unstable();
    let mut all = ["harbour", "other"].map(|name| u64::from(cord.guild_named(name)));
    all.sort_unstable();
    assert_eq!(seen, all);
    cord.finish().unwrap();
}

#[tokio::test]
async fn the_page_hears_of_changes() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let address = format!(
        "ws://{}/ws?token={}",
        cord.people_addr(),
        cord.people_token()
    );
    let mut page = Raw::connect(&address).await;
    let before = page.hear().await["change"].as_u64().unwrap();
    cord.user("ravi").says("news").unwrap();
    assert!(page.hear().await["change"].as_u64().unwrap() > before);
    let wrong = format!("ws://{}/ws?token=guess", cord.people_addr());
    assert!(connect_async(wrong).await.is_err());
}
