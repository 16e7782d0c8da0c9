//! What a bot hears of, by the intents it identified with.

use localcord::{DEFAULT_GUILD, Localcord, Options};
use serde_json::{Value, json};

use crate::{
    raw::{Raw, identify},
    support::Rest,
};

const GUILDS: u64 = 1;
const GUILD_MEMBERS: u64 = 1 << 1;
const GUILD_MESSAGES: u64 = 1 << 9;
const MESSAGE_CONTENT: u64 = 1 << 15;

/// A Discord whose owner enabled the privileged intents.
async fn trusting() -> Localcord {
    let guild = DEFAULT_GUILD.replace("privileged_intents = false", "privileged_intents = true");
    let options = Options {
        guild,
        ..Options::default()
    };
    Localcord::start(options).await.unwrap()
}

/// What the client is sent before the answer to a heartbeat.
async fn heard(raw: &mut Raw) -> Vec<Value> {
    raw.say(json!({ "op": 1, "d": null })).await;
    let mut events = Vec::new();
    loop {
        let payload = raw.hear().await;
        if payload["op"] == 11 {
            return events;
        }
        events.push(payload);
    }
}

fn names(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["t"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_event_without_its_intent_is_not_sent() {
    let cord = trusting().await;
    let mut nothing = Raw::identified(&cord, 0).await;
    let mut members = Raw::identified(&cord, GUILD_MEMBERS).await;
    let mut messages = Raw::identified(&cord, GUILD_MESSAGES | MESSAGE_CONTENT).await;
    let mut guilds = Raw::identified(&cord, GUILDS).await;
    assert_eq!(
        names(&heard(&mut guilds).await),
        ["GUILD_CREATE", "GUILD_CREATE"]
    );

    cord.invite("nadia");
    cord.user("ravi").set_roles(&["guest"]).unwrap();
    cord.add_role("harbour", "pilot").unwrap();
    cord.user("mina").set_roles(&["pilot"]).unwrap();
    cord.delete_role("harbour", "pilot").unwrap();
    cord.user("mina").leave().unwrap();
    cord.user("ravi").in_channel("ops").says("hello").unwrap();
    cord.user("ravi").dm().says("psst").unwrap();

    assert_eq!(heard(&mut nothing).await, Vec::<Value>::new());
    assert_eq!(
        names(&heard(&mut guilds).await),
        ["GUILD_ROLE_CREATE", "GUILD_ROLE_DELETE"]
    );
    assert_eq!(
        names(&heard(&mut members).await),
        [
            "GUILD_MEMBER_ADD",
            "GUILD_MEMBER_UPDATE",
            "GUILD_MEMBER_UPDATE",
            "GUILD_MEMBER_UPDATE",
            "GUILD_MEMBER_REMOVE",
        ]
    );
    let heard = heard(&mut messages).await;
    assert_eq!(names(&heard), ["MESSAGE_CREATE"]);
    assert_eq!(heard[0]["d"]["content"], "hello");
    cord.finish().unwrap();
}

#[tokio::test]
async fn edits_and_deletions_are_events_too() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let mut raw = Raw::identified(&cord, GUILD_MESSAGES).await;
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let sent = rest
        .call("POST", &path, json!({ "content": "one" }))
        .await
        .1;
    let one = format!("{path}/{}", sent["id"].as_str().unwrap());
    rest.call("PATCH", &one, json!({ "content": "two" })).await;
    rest.call("DELETE", &one, Value::Null).await;
    let heard = heard(&mut raw).await;
    assert_eq!(
        names(&heard),
        ["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"]
    );
    // Its own messages a bot reads without any privilege.
    assert_eq!(heard[1]["d"]["content"], "two");
    assert_eq!(heard[2]["d"]["guild_id"], json!(cord.guild_id()));
    cord.finish().unwrap();
}

#[tokio::test]
async fn nothing_is_heard_of_a_channel_that_the_bot_does_not_see() {
    let cord = trusting().await;
    let rest = Rest::new(&cord);
    let commands = format!("/applications/{}/commands", cord.bot_id());
    let ping = json!({ "name": "ping", "description": "d" });
    assert_eq!(rest.call("POST", &commands, ping).await.0, 201);
    let mut raw = Raw::identified(&cord, GUILD_MESSAGES | MESSAGE_CONTENT).await;
    let olga = cord.user("olga").in_channel("private");

    // A command reaches the bot from everywhere, and so do its answers; their events do not come back.
    let answer = async {
        let asked = raw.hear_of("INTERACTION_CREATE").await;
        let (id, token) = (&asked["id"], &asked["token"]);
        let (id, token) = (id.as_str().unwrap(), token.as_str().unwrap());
        let callback = format!("/interactions/{id}/{token}/callback");
        let pong = json!({ "type": 4, "data": { "content": "pong" } });
        assert_eq!(rest.call("POST", &callback, pong).await.0, 204);
        format!("/webhooks/{}/{token}/messages/@original", cord.bot_id())
    };
    let (reply, original) = tokio::join!(olga.slash("ping").send(), answer);
    assert_eq!(reply.unwrap().text(), "pong");
    let edit = json!({ "content": "pong!" });
    assert_eq!(rest.call("PATCH", &original, edit).await.0, 200);
    assert_eq!(rest.call("DELETE", &original, Value::Null).await.0, 204);
    olga.says("a secret").unwrap();
    olga.in_channel("ops").says("no secret").unwrap();
    let heard = heard(&mut raw).await;
    assert_eq!(names(&heard), ["MESSAGE_CREATE"]);
    assert_eq!(heard[0]["d"]["content"], "no secret");
    cord.finish().unwrap();
}

#[tokio::test]
async fn members_are_shown_to_who_may_see_them() {
    let cord = trusting().await;
    for (intents, expected) in [(GUILDS, 1), (GUILDS | GUILD_MEMBERS, 4)] {
        let mut raw = Raw::identified(&cord, intents).await;
        let guild = raw.hear().await;
        let members = guild["d"]["members"].as_array().unwrap();
        assert_eq!(members.len(), expected);
        assert_eq!(guild["d"]["member_count"], 4);
    }
    let mut raw = Raw::identified(&cord, GUILD_MEMBERS).await;
    let ask = |filter: Value| {
        let mut data = json!({ "guild_id": cord.guild_id(), "nonce": "n" });
        data.as_object_mut()
            .unwrap()
            .extend(filter.as_object().unwrap().clone());
        json!({ "op": 8, "d": data })
    };
    let stranger = "1";
    for (filter, found, missing) in [
        (json!({ "query": "", "limit": 0 }), 4, json!([])),
        (json!({ "query": "ra", "limit": 5 }), 1, json!([])),
        (
            json!({ "user_ids": [cord.user("olga").id(), stranger] }),
            1,
            json!([stranger]),
        ),
    ] {
        raw.say(ask(filter.clone())).await;
        let chunk = raw.hear().await;
        assert_eq!(chunk["t"], "GUILD_MEMBERS_CHUNK", "{filter}");
        assert_eq!(chunk["d"]["members"].as_array().unwrap().len(), found);
        assert_eq!(chunk["d"]["not_found"], missing);
        assert_eq!(chunk["d"]["nonce"], "n");
    }
    cord.finish().unwrap();
}

#[tokio::test]
async fn every_way_to_compress_says_the_same() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let plain = cord.gateway_url();
    let stream = format!("{plain}/?v=10&encoding=json&compress=zlib-stream");
    for (url, compress, expected) in [(&plain, false, 0), (&plain, true, 4), (&stream, false, 5)] {
        let mut raw = Raw::connect(url).await;
        assert_eq!(raw.hear().await["op"], 10);
        let mut hello = identify(cord.token(), GUILDS);
        hello["d"]["compress"] = json!(compress);
        raw.say(hello).await;
        assert_eq!(raw.hear().await["t"], "READY");
        assert_eq!(heard(&mut raw).await.len(), 2);
        assert_eq!(raw.compressed, expected, "{url} {compress}");
    }
    cord.finish().unwrap();
}
