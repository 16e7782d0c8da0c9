//! The people's side: the gateway, files, the script interface and the page, on loopback in plain HTTP.

mod actions;
mod faults;
mod files;
mod gate;
mod inspector;
mod members;
mod page;
mod reply;
mod views;
mod watch;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde_json::json;

use crate::{act::Refused, discord::Discord, gateway, rest};

type Shared = State<Arc<Discord>>;

/// Discord's 10 MiB for a file, in base64, and some more.
const UPLOAD_LIMIT: usize = 16 * 1024 * 1024;

/// Two kinds of doors: those with a lock of their own (the bot's token, a file's signature), and those that
/// need the start-up token. REST is here too, for libraries whose address can be changed to a plain one.
pub(crate) fn router(discord: Arc<Discord>) -> Router {
    let locked = Router::new()
        .merge(page::router())
        .nest("/api", api())
        .route("/ws", get(watch::connect))
        .route("/ws/journal", get(inspector::follow))
        .route_layer(middleware::from_fn_with_state(
            Arc::clone(&discord),
            gate::need_token,
        ));
    Router::new()
        .nest(rest::PREFIX, rest::below_prefix(&discord))
        .route("/gateway", get(gateway::connect))
        .route("/gateway/", get(gateway::connect))
        .route("/cdn/attachments/{channel}/{id}/{name}", get(files::read))
        .merge(locked)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&discord),
            gate::check_origin,
        ))
        .with_state(discord)
}

fn api() -> Router<Arc<Discord>> {
    Router::new()
        .route("/world", get(views::world))
        .route("/commands", get(views::commands))
        .route("/messages", get(views::messages))
        .route("/interactions/{id}", get(reply::read))
        .route("/slash", post(actions::slash))
        .route("/autocomplete", post(actions::autocomplete))
        .route("/menu", post(actions::menu))
        .route("/press", post(actions::press))
        .route("/choose", post(actions::choose))
        .route("/submit", post(actions::submit))
        .route("/say", post(actions::say))
        .route("/threads", post(actions::start_thread))
        .route("/threads/{thread}", post(actions::archive_thread))
        .route("/forge", post(actions::forge))
        .route("/people", post(members::invite))
        .route("/members", post(members::set_roles))
        .route("/members/{person}", delete(members::leave))
        .route("/roles", post(members::add_role))
        .route("/roles/{name}", delete(members::delete_role))
        .route(
            "/faults",
            get(faults::list)
                .post(faults::inject)
                .delete(faults::release_all),
        )
        .route("/faults/{number}", delete(faults::release))
        .route("/gateway", post(faults::gateway))
        .route("/clock", post(faults::advance))
        .route("/record", get(views::record))
        .route("/journal", get(inspector::read))
        .layer(DefaultBodyLimit::max(UPLOAD_LIMIT))
}

/// What a script did wrong, in words.
struct Problem(StatusCode, String);

impl Problem {
    fn unknown(kind: &str, name: &str) -> Self {
        Self(
            StatusCode::NOT_FOUND,
            format!("there is no {kind} `{name}`"),
        )
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}
