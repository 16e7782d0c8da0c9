//! The gateway, version 10, in plain text frames.

mod session;

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{
        State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(crate) use self::session::{Order, Sessions};
use crate::{discord::Discord, journal::Event};

/// `GUILD_MEMBERS`, `GUILD_PRESENCES` and `MESSAGE_CONTENT` need Discord's consent.
const PRIVILEGED_INTENTS: u64 = 1 << 1 | 1 << 8 | 1 << 15;
const ALL_INTENTS: u64 = (1 << 26) - 1;

const UNKNOWN_OPCODE: u16 = 4001;
const DECODE_ERROR: u16 = 4002;
const NOT_AUTHENTICATED: u16 = 4003;
const AUTHENTICATION_FAILED: u16 = 4004;
const ALREADY_AUTHENTICATED: u16 = 4005;
const INVALID_INTENTS: u16 = 4013;
const DISALLOWED_INTENTS: u16 = 4014;

/// A frame of this size cannot be an honest one.
const FRAME_LIMIT: usize = 64 * 1024;

pub(crate) async fn connect(
    State(discord): State<Arc<Discord>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    // Bots send no Origin; whatever does is a page in a browser, and has no business here.
    if headers.contains_key(header::ORIGIN) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if discord.read(|state| state.sessions.refused) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade
        .max_message_size(FRAME_LIMIT)
        .on_upgrade(|socket| async move {
            let stopped = discord.tasks.stopped();
            tokio::select! {
                () = Connection::new(discord).serve(socket) => {}
                () = stopped => {}
            }
        })
}

struct Connection {
    discord: Arc<Discord>,
    line: UnboundedSender<Order>,
    orders: Option<UnboundedReceiver<Order>>,
    session: Option<String>,
    /// What a frozen connection holds back.
    held: Vec<String>,
    closed_with: Option<u16>,
}

/// What a frame from the client leads to.
enum Outcome {
    Answer(Value),
    Silence,
    Close(u16),
}

impl Connection {
    fn new(discord: Arc<Discord>) -> Self {
        let (line, orders) = unbounded_channel();
        Self {
            discord,
            line,
            orders: Some(orders),
            session: None,
            held: Vec::new(),
            closed_with: None,
        }
    }

    async fn serve(mut self, mut socket: WebSocket) {
        let interval = u64::try_from(self.discord.heartbeat.as_millis()).unwrap_or(u64::MAX);
        let hello = json!({ "op": 10, "s": null, "t": null, "d": { "heartbeat_interval": interval, "_trace": [] } });
        let Some(mut orders) = self.orders.take() else {
            return;
        };
        self.note(Event::Connected);
        let mut open = self.send(&mut socket, hello.to_string()).await;
        while open {
            open = tokio::select! {
                frame = socket.recv() => match frame {
                    Some(Ok(frame)) => self.receive(&mut socket, &frame).await,
                    _ => false,
                },
                order = orders.recv() => match order {
                    Some(order) => self.obey(&mut socket, order).await,
                    None => false,
                },
            };
        }
        self.note(Event::Disconnected(self.closed_with));
        if let Some(id) = &self.session {
            self.discord
                .change(|state| state.sessions.left(id, &self.line));
        }
    }

    async fn obey(&mut self, socket: &mut WebSocket, order: Order) -> bool {
        match order {
            Order::Send(text) if self.is_frozen() => {
                self.held.push(text);
                true
            }
            Order::Send(text) => self.send(socket, text).await,
            Order::Close(code) => self.close(socket, code).await,
            Order::Drop => false,
            Order::Thaw => {
                for text in std::mem::take(&mut self.held) {
                    if !self.send(socket, text).await {
                        return false;
                    }
                }
                true
            }
        }
    }

    async fn receive(&mut self, socket: &mut WebSocket, frame: &Message) -> bool {
        let text = match frame {
            Message::Text(text) => text.as_str(),
            Message::Close(_) => {
                // A client that says goodbye with 1000 or 1001 does not come back for its session.
                self.forget_if_done(frame);
                return false;
            }
            Message::Binary(_) => return self.close(socket, DECODE_ERROR).await,
            Message::Ping(_) | Message::Pong(_) => return true,
        };
        self.note(Event::Received(Bytes::copy_from_slice(text.as_bytes())));
        let outcome = match serde_json::from_str(text) {
            Ok(payload) => self.handle(&payload),
            Err(_) => Outcome::Close(DECODE_ERROR),
        };
        match outcome {
            Outcome::Answer(_) if self.is_frozen() => true,
            Outcome::Answer(answer) => self.send(socket, answer.to_string()).await,
            Outcome::Silence => true,
            Outcome::Close(code) => self.close(socket, code).await,
        }
    }

    async fn send(&self, socket: &mut WebSocket, text: String) -> bool {
        let text = Utf8Bytes::from(text);
        self.note(Event::Sent(text.clone().into()));
        socket.send(Message::Text(text)).await.is_ok()
    }

    /// Says goodbye with one of Discord's codes; the answer is always "no longer open".
    async fn close(&mut self, socket: &mut WebSocket, code: u16) -> bool {
        self.closed_with = Some(code);
        let goodbye = CloseFrame {
            code,
            reason: "".into(),
        };
        drop(socket.send(Message::Close(Some(goodbye))).await);
        false
    }

    fn note(&self, event: Event) {
        self.discord.journal.write(self.discord.now(), event);
    }

    fn handle(&mut self, payload: &Value) -> Outcome {
        let data = &payload["d"];
        match payload["op"].as_u64() {
            Some(1) => Outcome::Answer(json!({ "op": 11 })),
            Some(2) if self.session.is_some() => Outcome::Close(ALREADY_AUTHENTICATED),
            Some(2) => self.identify(data),
            Some(6) => self.resume(data),
            Some(3 | 4 | 8 | 31) if self.session.is_some() => Outcome::Silence,
            Some(3 | 4 | 8 | 31) => Outcome::Close(NOT_AUTHENTICATED),
            Some(_) => Outcome::Close(UNKNOWN_OPCODE),
            None => Outcome::Close(DECODE_ERROR),
        }
    }

    fn identify(&mut self, data: &Value) -> Outcome {
        let Some(intents) = data["intents"]
            .as_u64()
            .filter(|intents| intents & !ALL_INTENTS == 0)
        else {
            return Outcome::Close(INVALID_INTENTS);
        };
        if !self.knows_token(data) {
            return Outcome::Close(AUTHENTICATION_FAILED);
        }
        if intents & PRIVILEGED_INTENTS != 0 && !self.discord.world().privileged_intents {
            return Outcome::Close(DISALLOWED_INTENTS);
        }
        let discord = &self.discord;
        let url = discord.gateway_url();
        let line = self.line.clone();
        self.session = Some(
            discord.change(|state| state.sessions.open(&discord.world(), &url, intents, line)),
        );
        Outcome::Silence
    }

    fn resume(&mut self, data: &Value) -> Outcome {
        if !self.knows_token(data) {
            return Outcome::Close(AUTHENTICATION_FAILED);
        }
        let id = data["session_id"].as_str().unwrap_or_default();
        let sequence = data["seq"].as_u64().unwrap_or_default();
        if self
            .discord
            .change(|state| state.sessions.resume(id, sequence, &self.line))
        {
            self.session = Some(id.to_owned());
            return Outcome::Silence;
        }
        Outcome::Answer(json!({ "op": 9, "d": false }))
    }

    fn knows_token(&self, data: &Value) -> bool {
        data["token"]
            .as_str()
            .is_some_and(|token| token.trim_start_matches("Bot ") == self.discord.bot_token)
    }

    fn is_frozen(&self) -> bool {
        self.discord.read(|state| state.sessions.frozen)
    }

    fn forget_if_done(&mut self, frame: &Message) {
        let code = match frame {
            Message::Close(Some(frame)) => frame.code,
            _ => return,
        };
        if let (1000 | 1001, Some(id)) = (code, self.session.take()) {
            self.discord.change(|state| state.sessions.forget(&id));
        }
    }
}
