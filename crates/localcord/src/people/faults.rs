//! Faults and the clock, over HTTP.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Problem, Shared};
use crate::{clock::FURTHEST, faults::Fault, gateway::Order};

#[derive(Debug, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
enum Kind {
    Refuse,
    Status {
        status: u16,
        #[serde(default)]
        code: u32,
    },
    RateLimit {
        retry_after: f64,
        #[serde(default)]
        global: bool,
    },
    Slow {
        seconds: f64,
    },
    LoseAnswer,
    Hang,
}

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(flatten)]
    kind: Kind,
    times: Option<u32>,
    lasting: Option<f64>,
    method: Option<String>,
    path: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum GatewayOrder {
    Drop,
    Close {
        code: u16,
    },
    Reconnect,
    Invalidate {
        #[serde(default)]
        resumable: bool,
    },
    Freeze,
    Thaw,
    Refuse,
    Accept,
    DuplicateNext {
        /// Without it an interaction.
        #[serde(default = "interaction")]
        event: String,
    },
}

fn interaction() -> String {
    "INTERACTION_CREATE".to_owned()
}

#[derive(Debug, Deserialize)]
pub(super) struct Turn {
    advance_seconds: f64,
}

pub(super) async fn inject(
    State(discord): Shared,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Value>, Problem> {
    let mut fault = match wanted.kind {
        Kind::Refuse => Fault::refuse(),
        Kind::Status { status, code } => Fault::refusal(status, code),
        Kind::RateLimit {
            retry_after,
            global: false,
        } => Fault::rate_limit(seconds(retry_after)?),
        Kind::RateLimit {
            retry_after,
            global: true,
        } => Fault::global_rate_limit(seconds(retry_after)?),
        Kind::Slow { seconds: by } => Fault::slow(seconds(by)?),
        Kind::LoseAnswer => Fault::lose_answer(),
        Kind::Hang => Fault::hang(),
    };
    if let Some(times) = wanted.times.filter(|times| *times > 0) {
        fault = fault.times(times);
    }
    if let Some(lasting) = wanted.lasting {
        fault = fault.lasting(seconds(lasting)?);
    }
    if let Some(method) = wanted.method {
        fault = fault.method(&method);
    }
    if let Some(path) = wanted.path {
        fault = fault.path(&path);
    }
    let number = discord.faults.inject(fault, discord.now());
    discord.changed();
    Ok(Json(json!({ "number": number })))
}

/// What goes wrong now, and how the gateway is.
pub(super) async fn list(State(discord): Shared) -> Json<Value> {
    let gateway = discord.read(|state| {
        let sessions = &state.sessions;
        json!({
            "connected": sessions.connected(),
            "frozen": sessions.frozen,
            "refused": sessions.refused,
            "duplicates": sessions.duplicates,
        })
    });
    Json(json!({ "faults": discord.faults.list(discord.now()), "gateway": gateway }))
}

pub(super) async fn release(State(discord): Shared, Path(number): Path<u64>) -> Json<Value> {
    Json(json!({ "released": discord.release(number) }))
}

pub(super) async fn release_all(State(discord): Shared) -> StatusCode {
    discord.faults.release_all();
    discord.changed();
    StatusCode::NO_CONTENT
}

pub(super) async fn gateway(
    State(discord): Shared,
    Json(wanted): Json<GatewayOrder>,
) -> Result<StatusCode, Problem> {
    if let GatewayOrder::Close { code } = wanted
        && !can_be_said(code)
    {
        let told = format!("`{code}` is no code to close a connection with");
        return Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, told));
    }
    discord.change(|state| {
        let sessions = &mut state.sessions;
        match wanted {
            GatewayOrder::Drop => sessions.order(|| Order::Drop),
            GatewayOrder::Close { code } => sessions.close(code),
            GatewayOrder::Reconnect => sessions.reconnect(),
            GatewayOrder::Invalidate { resumable } => sessions.invalidate(resumable),
            GatewayOrder::Freeze => sessions.frozen = true,
            GatewayOrder::Thaw => sessions.thaw(),
            GatewayOrder::Refuse => sessions.refused = true,
            GatewayOrder::Accept => sessions.refused = false,
            GatewayOrder::DuplicateNext { event } => sessions.duplicate_next(&event),
        }
    });
    Ok(StatusCode::NO_CONTENT)
}

/// The codes that may stand in a close frame, by RFC 6455 and its registry.
fn can_be_said(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

pub(super) async fn advance(
    State(discord): Shared,
    Json(turn): Json<Turn>,
) -> Result<StatusCode, Problem> {
    discord.clock.advance(seconds(turn.advance_seconds)?);
    discord.changed();
    Ok(StatusCode::NO_CONTENT)
}

/// Ten years at most.
fn seconds(number: f64) -> Result<Duration, Problem> {
    let seconds = Duration::try_from_secs_f64(number).ok();
    seconds.filter(|span| *span <= FURTHEST).ok_or_else(|| {
        Problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!(
                "`{number}` is not a number of seconds from 0 to {}",
                FURTHEST.as_secs()
            ),
        )
    })
}
