//! What stands before every route: faults, the token, rate limits, the body, the check against `OpenAPI`.

use std::{error::Error, iter::successors, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes, to_bytes},
    extract::{MatchedPath, RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::time::error::Elapsed;

use super::{Failure, Form, PREFIX, Payload, Shared};
use crate::{
    discord::Discord,
    faults::Effect,
    ids::Id,
    journal::Trace,
    limits::{self, Reading},
    openapi,
    record::Violation,
    route::Route,
};

/// No client waits longer.
const LONGEST_HANG: Duration = Duration::from_mins(10);

/// Marks a response whose connection is to be cut instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut;

pub(super) async fn guard(
    State(discord): Shared,
    matched: MatchedPath,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let route = Route {
        method: request.method().clone(),
        template: matched.as_str().trim_start_matches(PREFIX).to_owned(),
        path: request.uri().path().trim_start_matches(PREFIX).to_owned(),
    };
    let fault = meet_fault(&discord, &route).await;
    if let Some(response) = fault.and_then(instead) {
        return traced(response, fault, None);
    }
    let reading = discord.limits.take(&route, discord.now());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let refused = reading
        .as_ref()
        .and_then(|reading| Some((reading, reading.refused?)));
    let (sent, response) = match refused {
        Some((reading, global)) => (Bytes::new(), too_many(reading.retry_after(), global)),
        None => match check_ids(parameters) {
            Ok(()) => answer(&discord, &route, request, next).await,
            Err(failure) => (Bytes::new(), failure.into_response()),
        },
    };
    let (mut response, violations) = match &discord.checker {
        Some(checker) => checked(&discord, checker, (&route, &query, &sent), response).await,
        None => (response, None),
    };
    let trace = Trace {
        sent,
        violations,
        ..Trace::default()
    };
    response.extensions_mut().insert(trace);
    if let Some(reading) = &reading {
        Reading::write(reading, response.headers_mut());
    }
    match fault {
        Some(Effect::LoseAnswer) => {
            response.extensions_mut().insert(Cut);
        }
        Some(Effect::Slow(by)) => tokio::time::sleep(by).await,
        _ => {}
    }
    traced(response, fault, reading)
}

/// Leaves in a response what the journal is to know.
fn traced(mut response: Response, fault: Option<Effect>, limit: Option<Reading>) -> Response {
    let trace = response.extensions_mut().get_or_insert_default::<Trace>();
    trace.fault = fault;
    trace.limit = limit;
    response
}

/// What goes wrong with this call. One that hangs goes on once its fault has ended.
async fn meet_fault(discord: &Discord, route: &Route) -> Option<Effect> {
    let (number, effect) = discord.faults.take(route, discord.now())?;
    discord.changed();
    if effect == Effect::Hang {
        let ended = || (!discord.faults.lasts(number, discord.now())).then_some(());
        discord.wait(LONGEST_HANG, ended).await;
    }
    Some(effect)
}

/// Every id in a path is a snowflake. What is no text names nothing.
fn check_ids(parameters: Result<RawPathParams, RawPathParamsRejection>) -> Result<(), Failure> {
    let parameters = parameters.map_err(|_| Failure::NOT_FOUND)?;
    let mut form = Form::default();
    for (name, value) in parameters.iter().filter(|(name, _)| name.ends_with("_id")) {
        if value.parse::<Id>().is_err() {
            form.refuse(
                name,
                "NUMBER_TYPE_COERCE",
                format!("Value \"{value}\" is not snowflake."),
            );
        }
    }
    form.finish()
}

/// The response of a fault that keeps the request from being done.
fn instead(effect: Effect) -> Option<Response> {
    match effect {
        Effect::Refuse => Some(cut()),
        Effect::Status(status, code) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let message = format!(
                "{}: {}",
                status.as_u16(),
                status.canonical_reason().unwrap_or_default()
            );
            Some((status, Json(json!({ "code": code, "message": message }))).into_response())
        }
        Effect::RateLimit {
            retry_after,
            global,
        } => {
            let mut response = too_many(retry_after.as_secs_f64(), global);
            limits::write_refusal(response.headers_mut(), retry_after.as_secs_f64(), global);
            Some(response)
        }
        Effect::Slow(_) | Effect::LoseAnswer | Effect::Hang => None,
    }
}

fn cut() -> Response {
    let mut response = StatusCode::BAD_GATEWAY.into_response();
    response.extensions_mut().insert(Cut);
    response
}

fn too_many(retry_after: f64, global: bool) -> Response {
    let body = json!({ "message": "You are being rate limited.", "retry_after": retry_after, "global": global, "code": 0 });
    (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
}

/// The JSON that was sent, and the response to it.
async fn answer(
    discord: &Discord,
    route: &Route,
    request: Request,
    next: Next,
) -> (Bytes, Response) {
    let refuse = |failure: Failure| (Bytes::new(), failure.into_response());
    if needs_token(route) && !has_token(request.headers(), &discord.bot_token) {
        return refuse(Failure::UNAUTHORIZED);
    }
    let (parts, body) = request.into_parts();
    let body = match to_bytes(body, Payload::longest(&parts.headers)).await {
        Ok(body) => body,
        Err(error) => return refuse(unread(&error)),
    };
    let payload = match Payload::read(&parts.headers, body).await {
        Ok(payload) => payload,
        Err(failure) => return refuse(failure),
    };
    let sent = payload.text.clone();
    let mut request = Request::from_parts(parts, Body::empty());
    request.extensions_mut().insert(payload);
    (sent, next.run(request).await)
}

/// Why a body could not be read: it is too long, or stopped coming.
fn unread(error: &axum::Error) -> Failure {
    let mut causes = successors(Some(error as &dyn Error), |cause| (*cause).source());
    if causes.any(<dyn Error>::is::<Elapsed>) {
        Failure::TIMED_OUT
    } else {
        Failure::TOO_LARGE
    }
}

/// A webhook's token stands in its path; so does an interaction's.
fn needs_token(route: &Route) -> bool {
    !matches!(route.segment(0), "webhooks" | "interactions") && route.template != "/gateway"
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bot ")) == Some(token)
}

/// A request that Discord would refuse, and that was refused here, is no violation.
async fn checked(
    discord: &Discord,
    checker: &openapi::Checker,
    (route, query, sent): (&Route, &str, &[u8]),
    response: Response,
) -> (Response, Option<Vec<Violation>>) {
    let (parts, body) = response.into_parts();
    // Answers are made in memory, so this neither waits nor fails.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let given: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let mut violations = checker.response(route, parts.status, &given);
    if parts.status.is_success() {
        violations.extend(checker.query(route, query));
        let sent = serde_json::from_slice(sent).unwrap_or_default();
        violations.extend(checker.request(route, &sent));
    }
    for violation in &violations {
        discord.record.violation(violation.clone());
    }
    (
        Response::from_parts(parts, Body::from(bytes)),
        Some(violations),
    )
}
