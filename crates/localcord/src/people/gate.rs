//! No website that the user visits may reach this side: it can deploy containers.
//!
//! Host is checked against DNS rebinding, Origin against other sites' pages, and the start-up token against
//! everything else that runs on this machine.

use axum::{
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{Problem, Shared};
use crate::discord::Discord;

/// In the printed address, and for `WebSocket`s of scripts.
#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    pub(super) token: Option<String>,
}

pub(super) async fn check_origin(State(discord): Shared, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let ours = [
        format!("127.0.0.1:{}", discord.people_addr.port()),
        format!("localhost:{}", discord.people_addr.port()),
    ];
    let host = text(headers, &header::HOST).unwrap_or_default();
    if !ours.iter().any(|name| name == host) {
        return Problem(
            StatusCode::FORBIDDEN,
            format!("`{host}` is not this server"),
        )
        .into_response();
    }
    if let Some(origin) = text(headers, &header::ORIGIN) {
        let known = ours.iter().any(|name| origin == format!("http://{name}"));
        if !known {
            return Problem(
                StatusCode::FORBIDDEN,
                format!("pages of `{origin}` may not call this server"),
            )
            .into_response();
        }
    }
    next.run(request).await
}

pub(super) async fn need_token(
    State(discord): Shared,
    Query(shown): Query<Shown>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let in_address = matches!(path, "/" | "/ws" | "/ws/journal")
        .then_some(shown.token)
        .flatten();
    let headers = request.headers();
    let bearer =
        text(headers, &header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let found = in_address
        .as_deref()
        .or(bearer)
        .or_else(|| cookie(headers, &cookie_name(&discord)));
    if found == Some(discord.people_token.as_str()) {
        return next.run(request).await;
    }
    let hint = "the start-up token is missing or old: open the address that localcord printed, or send \
                `Authorization: Bearer TOKEN`";
    Problem(StatusCode::UNAUTHORIZED, hint.to_owned()).into_response()
}

/// Cookies know no ports: two servers on one machine need two names.
pub(super) fn cookie_name(discord: &Discord) -> String {
    format!("localcord_{}", discord.people_addr.port())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut pairs = text(headers, &header::COOKIE)?
        .split("; ")
        .filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
