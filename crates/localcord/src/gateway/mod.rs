//! The gateway, version 10: JSON, plain or compressed with zlib.

mod coding;
mod intents;
mod members;
mod session;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{
        Query, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, sleep_until, timeout},
};

pub(crate) use self::session::{Order, Sessions};
use self::{
    coding::Coding,
    session::{Asked, Resumed},
};
use crate::{discord::Discord, journal::Event};

const UNKNOWN_OPCODE: u16 = 4001;
const DECODE_ERROR: u16 = 4002;
const NOT_AUTHENTICATED: u16 = 4003;
const AUTHENTICATION_FAILED: u16 = 4004;
const ALREADY_AUTHENTICATED: u16 = 4005;
const INVALID_SEQUENCE: u16 = 4007;
const RATE_LIMITED: u16 = 4008;
const SESSION_TIMED_OUT: u16 = 4009;
const INVALID_SHARD: u16 = 4010;
const INVALID_VERSION: u16 = 4012;
const INVALID_INTENTS: u16 = 4013;
const DISALLOWED_INTENTS: u16 = 4014;

/// In bytes.
const LONGEST_PAYLOAD: usize = 4096;
/// A frame beyond this size is not even read: its connection is cut.
const FRAME_LIMIT: usize = 1024 * 1024;
/// What a bot may send on one connection.
const FRAMES: u32 = 120;
const FRAMES_WINDOW: Duration = Duration::from_mins(1);
/// What a frozen connection holds back before it is cut, as many as a session keeps for a client that comes back.
const HELD: usize = 1000;

/// What a bot puts behind the gateway's address.
#[derive(Debug, Deserialize)]
pub(crate) struct Manner {
    v: Option<String>,
    encoding: Option<String>,
    compress: Option<String>,
}

pub(crate) async fn connect(
    State(discord): State<Arc<Discord>>,
    Query(manner): Query<Manner>,
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
    let Some(coding) = Coding::named(manner.compress.as_deref()) else {
        let told = "localcord compresses with `zlib-stream` only";
        return (StatusCode::BAD_REQUEST, told).into_response();
    };
    let refusal = manner.refusal();
    upgrade
        .max_message_size(FRAME_LIMIT)
        .on_upgrade(move |mut socket| async move {
            if let Some(code) = refusal {
                say_goodbye(&mut socket, code, discord.silence).await;
                return;
            }
            let stopped = discord.tasks.stopped();
            tokio::select! {
                () = Connection::new(discord, coding).serve(socket) => {}
                () = stopped => {}
            }
        })
}

impl Manner {
    /// The code that a connection is closed with before it says hello.
    fn refusal(&self) -> Option<u16> {
        let version = self.v.as_deref().unwrap_or("10");
        let encoding = self.encoding.as_deref().unwrap_or("json");
        if version != "10" {
            return Some(INVALID_VERSION);
        }
        (encoding != "json").then_some(DECODE_ERROR)
    }
}

struct Connection {
    discord: Arc<Discord>,
    coding: Coding,
    line: UnboundedSender<Order>,
    orders: Option<UnboundedReceiver<Order>>,
    session: Option<String>,
    /// What a frozen connection holds back.
    held: Vec<String>,
    last_heartbeat: Instant,
    /// Frames since when.
    frames: (u32, Instant),
    closed_with: Option<u16>,
}

/// What a frame from the client leads to.
enum Outcome {
    Answer(Value),
    Silence,
    Close(u16),
}

impl Connection {
    fn new(discord: Arc<Discord>, coding: Coding) -> Self {
        let (line, orders) = unbounded_channel();
        let now = Instant::now();
        Self {
            discord,
            coding,
            line,
            orders: Some(orders),
            session: None,
            held: Vec::new(),
            last_heartbeat: now,
            frames: (0, now),
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
            // Half an interval of grace, for clients that are a little late.
            let silent = self.last_heartbeat + self.discord.heartbeat * 3 / 2;
            open = tokio::select! {
                frame = socket.recv() => match frame {
                    Some(Ok(frame)) => self.receive(&mut socket, &frame).await,
                    _ => false,
                },
                order = orders.recv() => match order {
                    Some(order) => self.obey(&mut socket, order).await,
                    None => false,
                },
                () = sleep_until(silent) => self.time_out(&mut socket).await,
            };
        }
        self.note(Event::Disconnected(self.closed_with));
        if let Some(id) = &self.session {
            self.discord
                .change(|state| state.sessions.left(id, &self.line));
        }
    }

    /// Who sends no heartbeat is dead, and so is its session.
    async fn time_out(&mut self, socket: &mut WebSocket) -> bool {
        self.forget_session();
        self.close(socket, SESSION_TIMED_OUT).await
    }

    async fn send(&mut self, socket: &mut WebSocket, text: String) -> bool {
        self.note(Event::Sent(Bytes::copy_from_slice(text.as_bytes())));
        match self.coding.frame(text) {
            Ok(frame) => {
                let sent = timeout(self.discord.silence, socket.send(frame)).await;
                matches!(sent, Ok(Ok(())))
            }
            Err(error) => {
                tracing::error!(%error, "compressing a payload failed");
                false
            }
        }
    }

    /// Whether a client sends more than Discord lets it.
    fn floods(&mut self) -> bool {
        let now = Instant::now();
        if now > self.frames.1 + FRAMES_WINDOW {
            self.frames = (0, now);
        }
        self.frames.0 += 1;
        self.frames.0 > FRAMES
    }

    /// Sends a payload, or holds it back while the gateway is frozen.
    async fn deliver(&mut self, socket: &mut WebSocket, text: String) -> bool {
        if !self.is_frozen() {
            return self.send(socket, text).await;
        }
        self.held.push(text);
        self.held.len() <= HELD
    }

    async fn obey(&mut self, socket: &mut WebSocket, order: Order) -> bool {
        match order {
            Order::Send(text) => self.deliver(socket, text).await,
            Order::Invalidate { resumable } => {
                // The answer to it may be a new IDENTIFY on this connection.
                self.session.take_if(|_| !resumable);
                let told = json!({ "op": 9, "d": resumable, "s": null, "t": null });
                self.deliver(socket, told.to_string()).await
            }
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
        if self.floods() {
            return self.close(socket, RATE_LIMITED).await;
        }
        if text.len() > LONGEST_PAYLOAD {
            return self.close(socket, DECODE_ERROR).await;
        }
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

    /// Says goodbye with one of Discord's codes; the answer is always "no longer open".
    async fn close(&mut self, socket: &mut WebSocket, code: u16) -> bool {
        self.closed_with = Some(code);
        say_goodbye(socket, code, self.discord.silence).await;
        false
    }

    fn note(&self, event: Event) {
        self.discord.journal.write(self.discord.now(), event);
    }

    fn handle(&mut self, payload: &Value) -> Outcome {
        let data = &payload["d"];
        match payload["op"].as_u64() {
            Some(1) => {
                self.last_heartbeat = Instant::now();
                Outcome::Answer(json!({ "op": 11 }))
            }
            Some(2) if self.session.is_some() => Outcome::Close(ALREADY_AUTHENTICATED),
            Some(2) => self.identify(data),
            Some(6) => self.resume(data),
            Some(3 | 4 | 8 | 31) if self.session.is_none() => Outcome::Close(NOT_AUTHENTICATED),
            Some(8) => self.tell_members(data),
            Some(3 | 4 | 31) => Outcome::Silence,
            Some(_) => Outcome::Close(UNKNOWN_OPCODE),
            None => Outcome::Close(DECODE_ERROR),
        }
    }

    fn identify(&mut self, data: &Value) -> Outcome {
        let Some(intents) = data["intents"]
            .as_u64()
            .filter(|asked| asked & !intents::ALL == 0)
        else {
            return Outcome::Close(INVALID_INTENTS);
        };
        let Some(shard) = shard(&data["shard"]) else {
            return Outcome::Close(INVALID_SHARD);
        };
        if !self.knows_token(data) {
            return Outcome::Close(AUTHENTICATION_FAILED);
        }
        if intents & intents::PRIVILEGED != 0 && !self.discord.world().privileged_intents {
            return Outcome::Close(DISALLOWED_INTENTS);
        }
        if data["compress"] == true {
            self.coding.compress_payloads();
        }
        let discord = &self.discord;
        let line = self.line.clone();
        let asked = Asked { intents, shard };
        let session = discord.change(|state| state.sessions.open(discord, asked, line));
        self.session = Some(session);
        Outcome::Silence
    }

    fn resume(&mut self, data: &Value) -> Outcome {
        if !self.knows_token(data) {
            return Outcome::Close(AUTHENTICATION_FAILED);
        }
        let id = data["session_id"].as_str().unwrap_or_default();
        let sequence = data["seq"].as_u64().unwrap_or_default();
        let outcome = self
            .discord
            .change(|state| state.sessions.resume(id, sequence, &self.line));
        match outcome {
            Resumed::Done => {
                self.session = Some(id.to_owned());
                Outcome::Silence
            }
            Resumed::Ahead => Outcome::Close(INVALID_SEQUENCE),
            Resumed::Lost => Outcome::Answer(json!({ "op": 9, "d": false })),
        }
    }

    /// Opcode 8: the members of a guild, by the beginning of their names or by their ids.
    fn tell_members(&self, data: &Value) -> Outcome {
        let Some(session) = &self.session else {
            return Outcome::Silence;
        };
        let world = self.discord.world();
        self.discord.change(|state| {
            let sees_all = state.sessions.sees_members(session);
            if let Some(chunk) = members::chunk(&world, data, sees_all) {
                self.discord.check_dispatch("GUILD_MEMBERS_CHUNK", &chunk);
                state
                    .sessions
                    .answer(session, "GUILD_MEMBERS_CHUNK", &chunk);
            }
        });
        Outcome::Silence
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
        if let 1000 | 1001 = code {
            self.forget_session();
        }
    }

    fn forget_session(&mut self) {
        if let Some(id) = self.session.take() {
            self.discord
                .change(|state| state.sessions.forget(&id, &self.line));
        }
    }
}

/// One shard of one, if the bot names none.
fn shard(named: &Value) -> Option<(u64, u64)> {
    if named.is_null() {
        return Some((0, 1));
    }
    let (index, count) = (named[0].as_u64()?, named[1].as_u64()?);
    (index < count).then_some((index, count))
}

async fn say_goodbye(socket: &mut WebSocket, code: u16, silence: Duration) {
    let goodbye = CloseFrame {
        code,
        reason: "".into(),
    };
    let said = socket.send(Message::Close(Some(goodbye)));
    drop(timeout(silence, said).await);
}
