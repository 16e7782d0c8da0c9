//! Bodies and frames that no honest client sends: Discord's own error or a right answer, never a panic and never a hang.

use std::{sync::LazyLock, time::Duration};

use localcord::{Localcord, Options};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Map, Value, json};
use tokio::{sync::Mutex, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::{raw::Raw, support::Rest};

/// Nothing that a loopback server is asked may take longer.
const LONGEST: Duration = Duration::from_secs(20);
/// Each case is several calls on one server.
const CASES: u32 = 250;

/// Words that mean something in one place or another.
const KEYS: [&str; 40] = [
    "content",
    "embeds",
    "components",
    "attachments",
    "allowed_mentions",
    "message_reference",
    "flags",
    "nonce",
    "enforce_nonce",
    "tts",
    "title",
    "description",
    "fields",
    "name",
    "value",
    "inline",
    "footer",
    "text",
    "color",
    "timestamp",
    "author",
    "type",
    "custom_id",
    "label",
    "style",
    "options",
    "min_values",
    "max_values",
    "placeholder",
    "choices",
    "required",
    "autocomplete",
    "data",
    "parse",
    "users",
    "id",
    "message_id",
    "default_member_permissions",
    "emoji",
    "url",
];

static HONEST: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let button = json!({ "type": 2, "style": 1, "label": "go", "custom_id": "go" });
    let option = json!({ "label": "a", "value": "a" });
    let select = json!({ "type": 3, "custom_id": "size", "options": [option], "min_values": 1 });
    let rows =
        json!([{ "type": 1, "components": [button] }, { "type": 1, "components": [select] }]);
    let embed = json!({
        "title": "t", "description": "d", "color": 255, "timestamp": "2026-01-01T00:00:00Z",
        "fields": [{ "name": "a", "value": "b", "inline": true }], "footer": { "text": "f" }, "author": { "name": "n" },
    });
    let message = json!({
        "content": "hello <@1>", "embeds": [embed], "components": rows, "flags": 64, "nonce": "n", "tts": false,
        "allowed_mentions": { "parse": ["users"], "roles": ["1"] }, "enforce_nonce": true,
        "message_reference": { "message_id": "1", "fail_if_not_exists": false },
        "attachments": [{ "id": 0, "filename": "a.txt", "description": "d" }],
    });
    let choice = json!({ "name": "a", "value": "a" });
    let inner = json!({ "type": 3, "name": "agent", "description": "d", "required": true, "choices": [choice] });
    let command = json!({
        "name": "stop", "description": "d", "type": 1, "options": [inner], "default_member_permissions": "8",
        "nsfw": false, "contexts": [0],
    });
    let input =
        json!({ "type": 4, "custom_id": "why", "label": "Why", "style": 1, "min_length": 1 });
    let modal = json!({ "title": "t", "custom_id": "c", "components": [{ "type": 1, "components": [input] }] });
    vec![
        message.clone(),
        json!({ "type": 4, "data": message }),
        json!({ "type": 9, "data": modal }),
        json!({ "type": 8, "data": { "choices": [choice] } }),
        command.clone(),
        json!([command]),
        json!({ "name": "talk", "type": 11, "auto_archive_duration": 60 }),
        json!({ "recipient_id": "1" }),
    ]
});

/// Any JSON at all.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        (1_usize..7000).prop_map(|length| Value::from("x".repeat(length))),
        Just(json!("18446744073709551616")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let keyed = prop::collection::vec((select(&KEYS[..]), inner.clone()), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            keyed.prop_map(|entries| {
                let entries = entries
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value));
                Value::Object(entries.collect::<Map<_, _>>())
            }),
        ]
    })
}

/// An honest body with one part of it replaced.
fn spoilt() -> impl Strategy<Value = Value> {
    let body = select(HONEST.as_slice());
    (body, any::<prop::sample::Index>(), any_json()).prop_map(|(mut body, place, part)| {
        let mut places = Vec::new();
        collect_places(&body, String::new(), &mut places);
        let place: &String = place.get(&places);
        if let Some(spot) = body.pointer_mut(place) {
            *spot = part;
        }
        body
    })
}

fn collect_places(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                collect_places(entry, format!("{place}/{index}"), places);
            }
        }
        Value::Object(entries) => {
            for (key, entry) in entries {
                collect_places(entry, format!("{place}/{key}"), places);
            }
        }
        _ => {}
    }
    places.push(place);
}

fn some_body() -> impl Strategy<Value = Value> {
    prop_oneof![3 => spoilt(), 1 => any_json()]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: CASES,
        // The bodies are random anew at each run; what was found once becomes a test of its own.
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Where bodies go, of which some are right.
fn targets(cord: &Localcord) -> Vec<(&'static str, String)> {
    let channel = format!("/channels/{}", cord.channel("ops").id());
    let app = format!("/applications/{}", cord.bot_id());
    vec![
        ("POST", format!("{channel}/messages")),
        ("POST", format!("{channel}/threads")),
        ("PATCH", format!("{channel}/messages/1")),
        ("POST", "/users/@me/channels".to_owned()),
        ("POST", format!("{app}/commands")),
        ("PUT", format!("{app}/commands")),
        ("PUT", format!("{app}/guilds/{}/commands", cord.guild_id())),
        ("POST", "/interactions/1/token/callback".to_owned()),
        ("POST", format!("/webhooks/{}/token", cord.bot_id())),
    ]
}

/// What is accepted must be right by Discord's own description; what is not is refused in Discord's words.
#[test]
fn no_body_breaks_rest() {
    let runtime = runtime();
    let cord = runtime
        .block_on(Localcord::start(Options::default()))
        .unwrap();
    let rest = Rest::new(&cord);
    let targets = targets(&cord);
    let mut runner = TestRunner::new(config());
    let outcome = runner.run(&(some_body(), select(targets)), |(body, (method, path))| {
        let before = cord.violations().len();
        let call = async { timeout(LONGEST, rest.call(method, &path, body)).await };
        let (status, answer) = runtime.block_on(call).expect("an answer in time");
        prop_assert!(
            (200..500).contains(&status),
            "{} {}: {}",
            method,
            path,
            status
        );
        if status >= 400 {
            prop_assert!(
                answer["code"].is_u64() && answer["message"].is_string(),
                "{}",
                answer
            );
        }
        let violations = cord.violations().split_off(before);
        prop_assert!(violations.is_empty(), "{:?}", violations);
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(async { cord.finish().unwrap() });
}

/// The same for answers to an interaction that waits for one.
#[test]
fn no_answer_breaks_an_interaction() {
    let runtime = runtime();
    let cord = runtime
        .block_on(Localcord::start(Options {
            // The client below sends none.
            heartbeat: Duration::from_hours(1),
            ..Options::default()
        }))
        .unwrap();
    let rest = Rest::new(&cord);
    let app = format!("/applications/{}/commands", cord.bot_id());
    let command = json!({ "name": "stop", "description": "d" });
    runtime.block_on(rest.call("POST", &app, command));
    let raw = Mutex::new(runtime.block_on(Raw::identified(&cord, 0)));
    let mut runner = TestRunner::new(config());
    let outcome = runner.run(&some_body(), |body| {
        let before = cord.violations().len();
        runtime.block_on(async {
            let person = cord.user("olga").in_channel("ops");
            let asked = async {
                let interaction = raw.lock().await.hear_of("INTERACTION_CREATE").await;
                let text = |name: &str| interaction[name].as_str().unwrap().to_owned();
                let path = format!("/interactions/{}/{}/callback", text("id"), text("token"));
                let answered = rest.call("POST", &path, body).await;
                cord.advance(Duration::from_secs(4));
                (answered.0, text("token"))
            };
            let both = async { tokio::join!(person.slash("stop").send(), asked) };
            let (reply, (status, token)) = timeout(LONGEST, both).await.unwrap();
            reply.unwrap();
            assert!((200..500).contains(&status), "{status}");
            let edit = format!("/webhooks/{}/{token}/messages/@original", cord.bot_id());
            let (status, _) = rest.call("PATCH", &edit, HONEST[0].clone()).await;
            assert!((200..500).contains(&status), "{status}");
        });
        let violations = cord.violations().split_off(before);
        prop_assert!(violations.is_empty(), "{:?}", violations);
        Ok(())
    });
    outcome.unwrap();
}

fn some_frame(token: String) -> impl Strategy<Value = Message> {
    let payload = (0_u64..40, any_json(), any::<bool>()).prop_map(move |(op, data, known)| {
        let mut payload = json!({ "op": op, "d": data });
        if known && payload["d"].is_object() {
            payload["d"]["token"] = json!(token);
            payload["d"]["intents"] = json!(1);
        }
        Message::Text(payload.to_string().into())
    });
    prop_oneof![
        4 => payload,
        1 => any_json().prop_map(|value| Message::Text(value.to_string().into())),
        1 => "\\PC{0,64}".prop_map(|text| Message::Text(text.into())),
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(|bytes| Message::Binary(bytes.into())),
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(|bytes| Message::Ping(bytes.into())),
        1 => Just(Message::Text("x".repeat(70_000).into())),
    ]
}

/// Whatever a client sends, its connection is served or closed, and the next client is served.
#[test]
fn no_frame_breaks_the_gateway() {
    let runtime = runtime();
    let cord = runtime
        .block_on(Localcord::start(Options::default()))
        .unwrap();
    let frames = prop::collection::vec(some_frame(cord.token().to_owned()), 1..6);
    let mut runner = TestRunner::new(config());
    let outcome = runner.run(&frames, |frames| {
        let talk = async {
            let mut raw = Raw::connect(&cord.gateway_url()).await;
            assert_eq!(raw.hear().await["op"], 10);
            raw.talk(frames).await;
        };
        let talked = runtime.block_on(async { timeout(LONGEST, talk).await });
        prop_assert!(talked.is_ok(), "neither served nor closed in time");
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(async {
        Raw::identified(&cord, 0).await;
        cord.finish().unwrap();
    });
}
