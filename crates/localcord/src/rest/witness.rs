//! Writes every call into the journal, also those that no route knows.

use std::time::Instant;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{PREFIX, Shared, guard::Cut};
use crate::{
    discord::Discord,
    ids::Id,
    journal::{Call, Event, Trace, without_token},
    route::Route,
};

pub(super) async fn witness(State(discord): Shared, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let route = Route {
        method: request.method().clone(),
        template: String::new(),
        path: path.strip_prefix(PREFIX).unwrap_or(path).to_owned(),
    };
    let (at, began) = (discord.now(), Instant::now());
    let (mut parts, body) = next.run(request).await.into_parts();
    // Answers are made in memory, so this neither waits nor fails.
    let response = to_bytes(body, usize::MAX).await.unwrap_or_default();
    // Without it discord.py takes a 429 for one of the firewall before Discord, and gives up.
    parts
        .headers
        .insert(header::VIA, HeaderValue::from_static("1.1 localcord"));
    let trace: Trace = parts.extensions.remove().unwrap_or_default();
    let call = Call {
        method: route.method.to_string(),
        path: without_token(&route),
        status: parts.status.as_u16(),
        response: response.clone(),
        took: began.elapsed(),
        cut: parts.extensions.get::<Cut>().is_some(),
        answers: answers(&discord, &route, at),
        trace,
    };
    discord.journal.write(at, Event::Call(Box::new(call)));
    Response::from_parts(parts, Body::from(response))
}

/// The interaction that a callback answers, and how old it was then.
fn answers(discord: &Discord, route: &Route, at: DateTime<Utc>) -> Option<(Id, TimeDelta)> {
    if (route.segment(0), route.segment(3)) != ("interactions", "callback") {
        return None;
    }
    let id = route.segment(1).parse().ok()?;
    let created = discord.read(|state| Some(state.interactions.get(&id)?.created))?;
    Some((id, at - created))
}
