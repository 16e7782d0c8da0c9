//! What passed between the bot and Discord, for the page's inspector and for scripts.

use std::sync::Arc;

use axum::{
    Json,
    extract::{
        Query, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use crate::{
    discord::Discord,
    journal::{Call, Entry, Event},
    limits::Reading,
    openapi::Checker,
};

const IDENTIFY: u64 = 2;
const RESUME: u64 = 6;

/// What a page or a script has seen already.
#[derive(Debug, Deserialize)]
pub(super) struct Seen {
    #[serde(default)]
    after: u64,
}

/// The entries after a number, oldest first.
pub(super) async fn read(State(discord): Shared, Query(seen): Query<Seen>) -> Json<Value> {
    Json(shown(&discord, &discord.journal.after(seen.after)))
}

/// The same as it happens: each frame holds the entries since the last.
pub(super) async fn follow(
    State(discord): Shared,
    Query(seen): Query<Seen>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| async move {
        let stopped = discord.tasks.stopped();
        tokio::select! {
            () = push(discord, socket, seen.after) => {}
            () = stopped => {}
        }
    })
}

async fn push(discord: Arc<Discord>, mut socket: WebSocket, mut seen: u64) {
    let mut last = discord.journal.last();
    loop {
        last.mark_unchanged();
        let entries = discord.journal.after(seen);
        if let Some(newest) = entries.last() {
            seen = newest.number;
            let text = shown(&discord, &entries).to_string();
            if socket.send(Message::Text(text.into())).await.is_err() {
                return;
            }
        }
        tokio::select! {
            changed = last.changed() => if changed.is_err() { return },
            frame = socket.recv() => if !matches!(frame, Some(Ok(_))) { return },
        }
    }
}

fn shown(discord: &Discord, entries: &[Entry]) -> Value {
    entries
        .iter()
        .map(|entry| show(discord.checker.as_ref(), entry))
        .collect()
}

fn show(checker: Option<&Checker>, entry: &Entry) -> Value {
    let mut object = match &entry.event {
        Event::Call(call) => show_call(call),
        Event::Sent(text) => show_sent(checker, text),
        Event::Received(text) => show_received(text),
        Event::Connected => json!({ "kind": "connected" }),
        Event::Disconnected(code) => json!({ "kind": "disconnected", "code": code }),
    };
    object["number"] = json!(entry.number);
    object["at"] = json!(entry.at.timestamp_millis());
    object
}

fn show_call(call: &Call) -> Value {
    let trace = &call.trace;
    let violations = trace.violations.as_ref();
    json!({
        "kind": "call",
        "method": call.method,
        "path": call.path,
        "status": call.status,
        "took_ms": call.took.as_secs_f64() * 1000.0,
        "cut": call.cut,
        "request": parsed(&trace.sent),
        "response": parsed(&call.response),
        "fault": trace.fault.map(|fault| fault.to_string()),
        "limit": trace.limit.as_ref().map(Reading::to_json),
        "answers": call.answers.map(|(id, age)| json!({ "interaction": id, "after_ms": age.num_milliseconds() })),
        "violations": violations.map(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>()),
    })
}

fn show_sent(checker: Option<&Checker>, text: &[u8]) -> Value {
    let payload = parsed(text);
    let violations = checker.and_then(|checker| checker.payload(&payload));
    json!({
        "kind": "sent",
        "payload": payload,
        "violations": violations.map(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>()),
    })
}

/// The bot's token stays out of it.
fn show_received(text: &[u8]) -> Value {
    let mut payload = parsed(text);
    if matches!(payload["op"].as_u64(), Some(IDENTIFY | RESUME)) {
        payload["d"]["token"] = json!("…");
    }
    json!({ "kind": "received", "payload": payload })
}

/// `Null` for what is no JSON.
fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_default()
}
