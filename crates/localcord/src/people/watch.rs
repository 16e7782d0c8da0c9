//! Tells a page that something changed; the page then asks for what it shows.

use std::sync::Arc;

use axum::{
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use serde_json::json;

use super::Shared;
use crate::discord::Discord;

pub(super) async fn connect(State(discord): Shared, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| async move {
        let stopped = discord.tasks.stopped();
        tokio::select! {
            () = push(discord, socket) => {}
            () = stopped => {}
        }
    })
}

async fn push(discord: Arc<Discord>, mut socket: WebSocket) {
    let mut changes = discord.changes.subscribe();
    loop {
        let count = *changes.borrow_and_update();
        let text = json!({ "change": count, "now": discord.now().timestamp_millis() }).to_string();
        if socket.send(Message::Text(text.into())).await.is_err() {
            return;
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            frame = socket.recv() => if !matches!(frame, Some(Ok(_))) { return },
        }
    }
}
