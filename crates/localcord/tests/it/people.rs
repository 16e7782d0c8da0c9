//! The script interface, and who may not use it.

use localcord::{Localcord, Options};
use reqwest::header;
use serde_json::{Value, json};

use crate::{
    raw::Raw,
    support::{Rest, answered, start},
};

pub(crate) struct Script {
    client: reqwest::Client,
    root: String,
    token: String,
}

impl Script {
    pub(crate) fn new(cord: &Localcord) -> Self {
        let root = format!("http://{}", cord.people_addr());
        Self {
            client: reqwest::Client::new(),
            root,
            token: cord.people_token().to_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self
            .client
            .get(format!("{}{path}", self.root))
            .bearer_auth(&self.token);
        answered(request).await.1
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self
            .client
            .post(format!("{}{path}", self.root))
            .bearer_auth(&self.token);
        answered(request.json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> u16 {
        let request = self
            .client
            .delete(format!("{}{path}", self.root))
            .bearer_auth(&self.token);
        answered(request).await.0
    }
}

#[tokio::test]
async fn a_script_does_what_a_person_does() {
    let (cord, _bot) = start().await;
    let script = Script::new(&cord);
    let world = script.get("/api/world").await;
    assert_eq!(world["people"][1]["name"], "ravi");
    assert_eq!(world["connected"], 1);
    let offered = script.get("/api/commands?as=ravi&channel=ops").await;
    assert!(
        offered
            .as_array()
            .unwrap()
            .iter()
            .any(|command| command["name"] == "stop")
    );

    let typed = json!({ "as": "ravi", "channel": "ops", "command": "stop", "focus": "agent", "typed": "sm" });
    assert_eq!(
        script.post("/api/autocomplete", typed).await.1["choices"][0]["value"],
        "smith"
    );

    let command = json!({ "as": "ravi", "channel": "ops", "command": "/stop", "options": { "agent": "smith" }, "until": "stopped" });
    let (status, reply) = script.post("/api/slash", command).await;
    assert_eq!(
        (status, &reply["text"]),
        (200, &json!("stopped smith in 10 s"))
    );
    let messages = script.get("/api/messages?as=mina&channel=ops").await;
    assert_eq!(messages[0]["content"], "stopped smith in 10 s");
    cord.user("ravi").in_channel("ops").says("thanks").unwrap();
    let newest = script
        .get("/api/messages?as=mina&channel=ops&limit=1")
        .await;
    assert_eq!(newest.as_array().unwrap().len(), 1);
    assert_eq!(newest[0]["content"], "thanks");
    let (status, refused) = script
        .post("/api/slash", json!({ "as": "ravi", "command": "stop" }))
        .await;
    assert_eq!(
        (status, refused),
        (422, json!({ "error": "`agent` is required" }))
    );
    assert_eq!(
        script.get("/api/record").await,
        json!({ "unknown_routes": [], "violations": [] })
    );
}

#[tokio::test]
async fn a_script_presses_chooses_and_fills_in() {
    let (cord, _bot) = start().await;
    let script = Script::new(&cord);
    let here = |extra: Value| {
        let mut body = json!({ "as": "olga", "channel": "ops" });
        body.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        body
    };
    let (_, panel) = script
        .post("/api/slash", here(json!({ "command": "panel" })))
        .await;
    let message = &panel["message"]["id"];
    let chosen = here(json!({ "message": message, "select": "Size", "values": ["small"] }));
    assert_eq!(
        script.post("/api/choose", chosen).await.1["text"],
        "size small"
    );
    let (_, opened) = script
        .post(
            "/api/press",
            here(json!({ "message": message, "button": "Explain" })),
        )
        .await;
    assert_eq!(
        (&opened["answer"], &opened["modal"]["title"]),
        (&json!("modal"), &json!("Why?"))
    );
    let filled = json!({ "interaction": opened["interaction"], "values": { "Reason": "curious" } });
    assert_eq!(
        script.post("/api/submit", filled).await.1["text"],
        "because curious|"
    );
    let (_, whisper) = script
        .post(
            "/api/press",
            here(json!({ "message": message, "button": "Details" })),
        )
        .await;
    assert_eq!(whisper["message"]["flags"], 64);
    let seen_by_mina = script.get("/api/messages?as=mina&channel=ops").await;
    assert!(!seen_by_mina.to_string().contains("for you"));

    let file = json!({ "name": "a.txt", "text": "hello" });
    let options = json!({ "count": 1, "share": 1.5, "sure": true, "who": "mina", "role": "crew", "place": "ops", "file": file });
    let command = here(json!({ "command": "echo", "options": options, "until": "a.txt=hello" }));
    assert_eq!(
        script.post("/api/slash", command).await.1["text"],
        "1 1.5 true mina crew ops a.txt=hello"
    );
}

#[tokio::test]
async fn a_script_starts_a_thread_and_archives_it() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let script = Script::new(&cord);
    let said = json!({ "as": "ravi", "channel": "ops", "text": "it smokes" });
    let message = script.post("/api/say", said).await.1["message"].clone();
    let wanted = json!({ "as": "ravi", "channel": "ops", "message": message, "name": "smoke" });
    let (_, started) = script.post("/api/threads", wanted).await;
    let path = format!("/api/threads/{}", started["thread"].as_str().unwrap());
    let archiving = |who| json!({ "as": who, "archived": true });
    let (status, refused) = script.post(&path, archiving("mina")).await;
    assert_eq!(
        (status, refused),
        (422, json!({ "error": "you may not archive that thread" }))
    );
    assert_eq!(script.post(&path, archiving("ravi")).await.0, 204);
    let world = script.get("/api/world").await;
    let (home, thread) = (&world["guilds"][0], &world["guilds"][0]["threads"][0]);
    let channels = home["channels"].as_array().unwrap();
    let parent = channels
        .iter()
        .find(|channel| channel["name"] == "ops")
        .unwrap();
    assert_eq!(
        (&thread["name"], &thread["parent"], &thread["archived"]),
        (&json!("smoke"), &parent["id"], &json!(true))
    );
    assert_eq!(thread["written_by"], json!(["olga", "ravi", "mina"]));
}

#[tokio::test]
async fn a_script_makes_faults() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let script = Script::new(&cord);
    let rest = Rest::new(&cord);
    let (_, made) = script
        .post("/api/faults", json!({ "fault": "status", "status": 503 }))
        .await;
    assert_eq!(rest.get("/gateway").await.0, 503);
    let path = format!("{}/api/faults/{}", script.root, made["number"]);
    let released = answered(script.client.delete(path).bearer_auth(&script.token)).await;
    assert_eq!(released, (200, json!({ "released": true })));
    assert_eq!(rest.get("/gateway").await.0, 200);
    for order in [
        "drop",
        "reconnect",
        "freeze",
        "thaw",
        "refuse",
        "accept",
        "duplicate_next",
    ] {
        assert_eq!(
            script.post("/api/gateway", json!({ "do": order })).await.0,
            204,
            "{order}"
        );
    }
    let before = cord.now();
    assert_eq!(
        script
            .post("/api/clock", json!({ "advance_seconds": 900 }))
            .await
            .0,
        204
    );
    assert!((cord.now() - before).num_seconds() >= 900);
}

#[tokio::test]
async fn a_reply_is_shown_with_what_it_answers() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let first = cord.user("ravi").in_channel("ops").says("first").unwrap();
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let reply = json!({ "content": "second", "message_reference": { "message_id": first.id() } });
    assert_eq!(rest.call("POST", &path, reply).await.0, 200);
    let script = Script::new(&cord);
    let newest = "/api/messages?as=mina&channel=ops&limit=1";
    let seen = script.get(newest).await;
    assert_eq!(seen[0]["referenced_message"]["content"], "first");
    assert_eq!(seen[0]["mentions"][0]["username"], "ravi");

    // People reply too; a bot hears what they reply to.
    let mut raw = Raw::identified(&cord, 1 << 9).await;
    let said = json!({ "as": "mina", "channel": "ops", "text": "third", "reply_to": first.id() });
    assert_eq!(script.post("/api/say", said).await.0, 200);
    let heard = raw.hear_of("MESSAGE_CREATE").await;
    assert_eq!(heard["type"], 19);
    assert_eq!(heard["referenced_message"]["id"], json!(first.id()));
    let olga = cord.user("olga").in_channel("ops");
    let last = olga.replies(&first, "fourth").unwrap();
    assert_eq!(
        last.json()["message_reference"]["message_id"],
        json!(first.id())
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_script_that_asks_for_the_impossible_is_told_so() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let (rest, script) = (Rest::new(&cord), Script::new(&cord));
    let amount = json!({ "type": 4, "name": "amount", "description": "d" });
    let command = json!({ "name": "buy", "description": "d", "options": [amount] });
    let path = format!("/applications/{}/commands", cord.bot_id());
    assert_eq!(rest.call("POST", &path, command).await.0, 201);
    let buy =
        |amount: Value| json!({ "as": "olga", "command": "buy", "options": { "amount": amount } });
    for (path, body) in [
        ("/api/slash", buy(json!(i64::MIN))),
        ("/api/slash", buy(json!(i64::MAX))),
        ("/api/slash", buy(json!(u64::MAX))),
        ("/api/slash", buy(json!("9007199254740992"))),
        ("/api/clock", json!({ "advance_seconds": 1e13 })),
        ("/api/clock", json!({ "advance_seconds": -1 })),
        ("/api/clock", json!({ "advance_seconds": "soon" })),
        ("/api/clock", json!({})),
        ("/api/faults", json!({ "fault": "refuse", "lasting": 1e13 })),
        ("/api/faults", json!({ "fault": "slow", "seconds": 1e300 })),
        (
            "/api/faults",
            json!({ "fault": "rate_limit", "retry_after": -0.5 }),
        ),
        ("/api/faults", json!({ "fault": "rain" })),
        ("/api/gateway", json!({ "do": "close", "code": 70_000 })),
        ("/api/gateway", json!({ "do": "close", "code": 1006 })),
        (
            "/api/say",
            json!({ "as": "olga", "text": "x", "reply_to": "1" }),
        ),
        ("/api/gateway", json!([])),
    ] {
        let (status, _) = script.post(path, body.clone()).await;
        assert_eq!(status, 422, "{path} {body}");
    }
    // As far as it goes, and further.
    let decade = json!({ "advance_seconds": 315_360_000 });
    for _ in 0..3 {
        assert_eq!(script.post("/api/clock", decade.clone()).await.0, 204);
    }
    assert_eq!(rest.get("/users/@me").await.0, 200);
    cord.advance(std::time::Duration::MAX);
    cord.inject(localcord::Fault::status(500).lasting(std::time::Duration::MAX));
    assert_eq!(rest.get("/users/@me").await.0, 500);
    cord.finish().unwrap();
}

#[tokio::test]
async fn without_the_start_up_token_nothing_opens() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let client = reqwest::Client::new();
    let root = format!("http://{}", cord.people_addr());
    for path in [
        "/",
        "/app.js",
        "/api/world",
        "/ws",
        "/?token=guess",
        "/api/world?token=guess",
    ] {
        assert_eq!(
            client
                .get(format!("{root}{path}"))
                .send()
                .await
                .unwrap()
                .status(),
            401,
            "{path}"
        );
    }
    let other = Localcord::start(Options::default()).await.unwrap();
    assert_ne!(other.people_token(), cord.people_token());
    let wrong = client
        .get(format!("{root}/api/world"))
        .bearer_auth(other.people_token());
    assert_eq!(wrong.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn the_printed_address_gives_a_strict_cookie_and_leaves_the_address_bar() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let opened = client.get(cord.people_url()).send().await.unwrap();
    let cookie = opened.headers()[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        (
            opened.status().as_u16(),
            &opened.headers()[header::LOCATION]
        ),
        (303, &"/".parse().unwrap())
    );
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    let page = client
        .get(format!("http://{}/", cord.people_addr()))
        .header(header::COOKIE, pair);
    let page = page.send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(
        page.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
}

/// A page of another site, with the visitor's cookie: the browser names its origin.
#[tokio::test]
async fn other_sites_are_refused() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let client = reqwest::Client::new();
    let root = format!("http://{}", cord.people_addr());
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        "https://localhost",
    ] {
        for path in ["/api/world", "/ws", "/gateway", "/"] {
            let request = client
                .get(format!("{root}{path}"))
                .bearer_auth(cord.people_token());
            let response = request.header(header::ORIGIN, origin).send().await.unwrap();
            assert_eq!(response.status(), 403, "{origin} {path}");
        }
    }
    let own = client
        .get(format!("{root}/api/world"))
        .bearer_auth(cord.people_token());
    assert_eq!(
        own.header(header::ORIGIN, &root)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

/// DNS rebinding: a name of the attacker's that resolves to loopback.
#[tokio::test]
async fn other_names_of_this_address_are_refused() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let port = cord.people_addr().port();
    let client = reqwest::Client::builder()
        .resolve("evil.example", cord.people_addr())
        .resolve("localhost", cord.people_addr())
        .build()
        .unwrap();
    for path in ["/api/world", "/", "/gateway", "/ws"] {
        let request = client
            .get(format!("http://evil.example:{port}{path}"))
            .bearer_auth(cord.people_token());
        assert_eq!(request.send().await.unwrap().status(), 403, "{path}");
    }
    let local = client
        .get(format!("http://localhost:{port}/api/world"))
        .bearer_auth(cord.people_token());
    assert_eq!(local.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn ids_and_messages_outlive_a_restart() {
    let first = Localcord::start(Options::default()).await.unwrap();
    first
        .user("ravi")
        .in_channel("ops")
        .says("remember")
        .unwrap();
    let messages = Some(first.messages_json());
    let second = Localcord::start(Options {
        messages,
        ..Options::default()
    })
    .await
    .unwrap();
    assert_eq!(second.channel("ops").texts(), ["remember"]);
    assert_eq!(second.guild_id(), first.guild_id());
    assert_eq!(second.bot_id(), first.bot_id());
    let next = second.user("ravi").in_channel("ops").says("more").unwrap();
    assert!(next.id() > second.channel("ops").messages()[0].id());
}
