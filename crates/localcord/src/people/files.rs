use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::Shared;
use crate::ids::Id;

#[derive(Debug, Deserialize)]
pub(super) struct Signature {
    hm: String,
}

/// A file, for whoever knows its signed address, as on Discord's CDN.
pub(super) async fn read(
    State(discord): Shared,
    Path((_, id, _)): Path<(Id, Id, String)>,
    Query(signature): Query<Signature>,
) -> Response {
    let file = discord.read(|state| state.files.get(&id).cloned());
    let Some(file) = file.filter(|file| file.key == signature.hm) else {
        return StatusCode::NOT_FOUND.into_response();
    };
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
