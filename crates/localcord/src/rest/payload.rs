//! Bodies: JSON, or multipart with `payload_json` and files.

use std::convert::Infallible;

use axum::{
    body::Bytes,
    http::{HeaderMap, header},
};
use futures::stream;
use multer::Multipart;
use serde_json::Value;

use super::failure::Failure;

/// Discord's limit for a bot without boosts is 10 MiB a file, ten files.
const LONGEST_WITH_FILES: usize = 101 * 1024 * 1024;
/// As many commands as there can be, at their largest and in some languages, take less.
const LONGEST_JSON: usize = 4 * 1024 * 1024;

#[derive(Clone, Debug, Default)]
pub(crate) struct Payload {
    /// `Null` where there was no body.
    pub(crate) json: Value,
    /// The same as it came.
    pub(super) text: Bytes,
    pub(crate) files: Vec<Upload>,
}

#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// The n of `files[n]`.
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Bytes,
}

impl Payload {
    pub(super) async fn read(headers: &HeaderMap, body: Bytes) -> Result<Self, Failure> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        match content_type.map(multer::parse_boundary) {
            Some(Ok(boundary)) => Self::multipart(boundary, body)
                .await
                .map_err(|_| Failure::INVALID_JSON),
            _ => Ok(Self {
                json: parse(&body)?,
                text: body,
                files: Vec::new(),
            }),
        }
    }

    /// The longest body of this kind, in bytes.
    pub(super) fn longest(headers: &HeaderMap) -> usize {
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        match content_type.map(multer::parse_boundary) {
            Some(Ok(_)) => LONGEST_WITH_FILES,
            _ => LONGEST_JSON,
        }
    }

    async fn multipart(boundary: String, body: Bytes) -> multer::Result<Self> {
        let mut parts = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
        let mut payload = Self::default();
        while let Some(part) = parts.next_field().await? {
            let field = part.name().unwrap_or_default().to_owned();
            let name = part.file_name().map(str::to_owned);
            let content_type = part.content_type().map(ToString::to_string);
            let bytes = part.bytes().await?;
            match name {
                Some(name) => {
                    let number = file_number(&field).unwrap_or(payload.files.len());
                    payload.files.push(Upload {
                        number,
                        name,
                        content_type,
                        bytes,
                    });
                }
                None if field == "payload_json" => {
                    payload.json = parse(&bytes).map_err(|_| multer::Error::IncompleteStream)?;
                    // A copy: it shall not keep the files beside it.
                    payload.text = Bytes::copy_from_slice(&bytes);
                }
                None => {}
            }
        }
        Ok(payload)
    }
}

fn file_number(field: &str) -> Option<usize> {
    field
        .strip_prefix("files[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|_| Failure::INVALID_JSON)
}
