//! Bodies and frames that no honest client sends: Discord's own error or a right answer, never a panic and never a hang.

use std::{sync::LazyLock, time::Duration};

use localcord::{Localcord, Options};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};
use tokio::{sync::Mutex, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    people::Script,
    raw::Raw,
    support::{Rest, answered},
};

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
        select(&[i64::MIN, i64::MAX, 1 << 53, -(1 << 53)][..]).prop_map(Value::from),
        select(&[f64::MAX, f64::MIN, f64::MIN_POSITIVE][..]).prop_map(Value::from),
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
    (body, any::<Index>(), any_json()).prop_map(|(body, place, part)| spoil(body, place, part))
}

fn spoil(mut body: Value, place: Index, part: Value) -> Value {
    let mut places = Vec::new();
    collect_places(&body, String::new(), &mut places);
    let place: &String = place.get(&places);
    if let Some(spot) = body.pointer_mut(place) {
        *spot = part;
    }
    body
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

/// Done, or refused in Discord's words.
fn is_discords(status: u16, answer: &Value) -> bool {
    let refused = answer["code"].is_u64() && answer["message"].is_string();
    (200..300).contains(&status) || (400..500).contains(&status) && refused
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
        let told = format!("{method} {path}: {status} {answer}");
        prop_assert!(is_discords(status, &answer), "{}", told);
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
                (answered, text("token"))
            };
            let both = async { tokio::join!(person.slash("stop").send(), asked) };
            let (reply, ((status, answer), token)) = timeout(LONGEST, both).await.unwrap();
            reply.unwrap();
            assert!(is_discords(status, &answer), "{status} {answer}");
            let edit = format!("/webhooks/{}/{token}/messages/@original", cord.bot_id());
            let (status, answer) = rest.call("PATCH", &edit, HONEST[0].clone()).await;
            assert!(is_discords(status, &answer), "{status} {answer}");
        });
        let violations = cord.violations().split_off(before);
        prop_assert!(violations.is_empty(), "{:?}", violations);
        Ok(())
    });
    outcome.unwrap();
}

/// Bytes of any kind, some of them almost a multipart body.
fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = (
        select(&["payload_json", "files[0]", "files[x]", ""][..]),
        any_json(),
        any::<bool>(),
    );
    let part = part.prop_map(|(name, content, file)| {
        let file = if file { "; filename=\"a\"" } else { "" };
        format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n")
    });
    let parts = (prop::collection::vec(part, 0..4), any::<bool>());
    let parts = parts.prop_map(|(parts, whole)| {
        let end = if whole { "--x--\r\n" } else { "" };
        (parts.concat() + end).into_bytes()
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..256), parts]
}

const CONTENT_TYPES: [&str; 5] = [
    "application/json",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain",
    "",
];

#[test]
fn no_bytes_break_rest() {
    let runtime = runtime();
    let cord = runtime
        .block_on(Localcord::start(Options::default()))
        .unwrap();
    let rest = Rest::new(&cord);
    let call = (
        some_bytes(),
        select(&CONTENT_TYPES[..]),
        select(targets(&cord)),
    );
    let mut runner = TestRunner::new(config());
    let outcome = runner.run(&call, |(bytes, content_type, (method, path))| {
        let request = rest
            .request(method, &path)
            .header("content-type", content_type);
        let call = async { timeout(LONGEST, answered(request.body(bytes))).await };
        let (status, answer) = runtime.block_on(call).expect("an answer in time");
        let told = format!("{method} {path}: {status} {answer}");
        prop_assert!(is_discords(status, &answer), "{}", told);
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(async { cord.finish().unwrap() });
}

/// Addresses that are almost right: a segment or a query that is something else.
#[test]
fn no_address_breaks_rest() {
    let runtime = runtime();
    let cord = runtime
        .block_on(Localcord::start(Options::default()))
        .unwrap();
    let rest = Rest::new(&cord);
    let text = prop_oneof!["\\PC{0,12}", "[0-9]{1,25}", Just("@me".to_owned())];
    let encoded = text.prop_map(|text| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
    let segment = prop_oneof![encoded, Just("%FF".to_owned()), Just("..".to_owned())];
    let query = prop_oneof![
        Just(String::new()),
        (
            select(&["limit", "before", "around", "with_response"][..]),
            segment.clone()
        )
            .prop_map(|(name, value)| format!("?{name}={value}&{name}=1")),
    ];
    let call = (
        select(targets(&cord)),
        any::<Index>(),
        segment,
        query,
        any::<bool>(),
    );
    let mut runner = TestRunner::new(config());
    let outcome = runner.run(&call, |((method, path), place, segment, query, read)| {
        let mut segments: Vec<&str> = path.split('/').collect();
        let place = 1 + place.index(segments.len() - 1);
        segments[place] = &segment;
        let address = segments.join("/") + &query;
        let request = rest.request(if read { "GET" } else { method }, &address);
        let call = async { timeout(LONGEST, answered(request)).await };
        let (status, answer) = runtime.block_on(call).expect("an answer in time");
        prop_assert!(
            is_discords(status, &answer),
            "{} {}: {} {}",
            method,
            address,
            status,
            answer
        );
        Ok(())
    });
    outcome.unwrap();
    // Most of them are no routes at all.
    drop(cord.finish());
}

/// What scripts send, where, with everything in it that is known there.
static SCRIPTS: LazyLock<Vec<(&'static str, Value)>> = LazyLock::new(|| {
    let here = json!({ "as": "olga", "channel": "ops", "guild": "harbour", "message": "1" });
    let with = |more: Value| {
        let mut body = here.clone();
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    vec![
        (
            "/api/say",
            with(json!({ "text": "hello", "reply_to": "1" })),
        ),
        (
            "/api/slash",
            with(json!({ "command": "none", "options": { "a": 1 } })),
        ),
        (
            "/api/autocomplete",
            with(json!({ "command": "none", "focus": "a", "typed": "b" })),
        ),
        (
            "/api/menu",
            with(json!({ "command": "none", "user": "mina" })),
        ),
        ("/api/press", with(json!({ "button": "a" }))),
        (
            "/api/choose",
            with(json!({ "select": "a", "values": ["b"] })),
        ),
        (
            "/api/submit",
            json!({ "interaction": "1", "values": { "a": "b" } }),
        ),
        ("/api/threads", with(json!({ "name": "talk" }))),
        ("/api/threads/1", with(json!({ "archived": true }))),
        ("/api/people", json!({ "name": "gull", "bot": true })),
        (
            "/api/members",
            json!({ "person": "ravi", "roles": ["crew"], "guild": "harbour" }),
        ),
        ("/api/roles", json!({ "name": "pilot", "guild": "harbour" })),
        ("/api/clock", json!({ "advance_seconds": 1 })),
        ("/api/gateway", json!({ "do": "close", "code": 4000 })),
        (
            "/api/gateway",
            json!({ "do": "duplicate_next", "event": "MESSAGE_CREATE" }),
        ),
        (
            "/api/faults",
            json!({ "fault": "status", "status": 500, "code": 1, "times": 1, "lasting": 1, "method": "GET", "path": "/a" }),
        ),
        (
            "/api/faults",
            json!({ "fault": "rate_limit", "retry_after": 1, "global": true, "times": 1 }),
        ),
        (
            "/api/faults",
            json!({ "fault": "slow", "seconds": 1, "times": 1 }),
        ),
    ]
});

#[test]
fn no_script_breaks_localcord() {
    let runtime = runtime();
    let cord = runtime
        .block_on(Localcord::start(Options::default()))
        .unwrap();
    let script = Script::new(&cord);
    let call = (select(SCRIPTS.as_slice()), any::<Index>(), any_json());
    let mut runner = TestRunner::new(config());
    let outcome = runner.run(&call, |((path, body), place, part)| {
        let body = spoil(body, place, part);
        let call = async { timeout(LONGEST, script.post(path, body)).await };
        let (status, answer) = runtime.block_on(call).expect("an answer in time");
        prop_assert!(
            (200..500).contains(&status),
            "{}: {} {}",
            path,
            status,
            answer
        );
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(async {
        assert_eq!(script.delete("/api/faults").await, 204);
        assert_eq!(Rest::new(&cord).get("/users/@me").await.0, 200);
        cord.finish().unwrap();
    });
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
