//! The people's side: the gateway, files, the script interface and the page, on loopback in plain HTTP.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;

use crate::{discord::Discord, gateway, ids::Id};

type Shared = State<Arc<Discord>>;

pub(crate) fn router(discord: Arc<Discord>) -> Router {
    Router::new()
        .route("/gateway", get(gateway::connect))
        .route("/gateway/", get(gateway::connect))
        .route("/cdn/attachments/{channel}/{id}/{name}", get(file))
        .with_state(discord)
}

#[derive(Debug, Deserialize)]
struct Signature {
    hm: String,
}

/// A file, for whoever knows its signed address, as on Discord's CDN.
async fn file(
    State(discord): Shared,
    Path((_, id, _)): Path<(Id, Id, String)>,
    Query(signature): Query<Signature>,
) -> Response {
    let file = discord.read(|state| state.files.get(&id).cloned());
    match file.filter(|file| file.key == signature.hm) {
        Some(file) => {
            // Uploads come from anywhere: a browser must save them, never run them.
            let name = file.name.replace(
                |letter: char| !letter.is_ascii_graphic() || letter == '"',
                "_",
            );
            let headers = [
                (header::CONTENT_TYPE, file.content_type),
                (
                    header::CONTENT_DISPOSITION,
                    format!("attachment; filename=\"{name}\""),
                ),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            ];
            (headers, file.bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
