//! How payloads become frames: as text, or compressed in one of the two ways with zlib.

use std::io::Write as _;

use axum::extract::ws::Message;
use flate2::{Compression, write::ZlibEncoder};

pub(super) enum Coding {
    Plain,
    /// Each payload by itself, as asked for when the bot identified; one encoder, as its tables are large.
    Payload(ZlibEncoder<Vec<u8>>),
    /// One stream for the whole connection, flushed after each payload.
    Stream(ZlibEncoder<Vec<u8>>),
}

impl Coding {
    /// By the `compress` of the gateway's address; `None` for what is not spoken here.
    pub(super) fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None => Some(Self::Plain),
            Some("zlib-stream") => Some(Self::Stream(encoder())),
            Some(_) => None,
        }
    }

    /// Compresses payloads from now on, unless the whole connection is compressed already.
    pub(super) fn compress_payloads(&mut self) {
        if matches!(self, Self::Plain) {
            *self = Self::Payload(encoder());
        }
    }

    pub(super) fn frame(&mut self, text: String) -> std::io::Result<Message> {
        let bytes = match self {
            Self::Plain => return Ok(Message::Text(text.into())),
            Self::Payload(encoder) => {
                encoder.write_all(text.as_bytes())?;
                encoder.reset(Vec::new())?
            }
            Self::Stream(encoder) => {
                encoder.write_all(text.as_bytes())?;
                // Ends in 00 00 FF FF, by which clients know that a payload is whole.
                encoder.flush()?;
                std::mem::take(encoder.get_mut())
            }
        };
        Ok(Message::Binary(bytes.into()))
    }
}

fn encoder() -> ZlibEncoder<Vec<u8>> {
    ZlibEncoder::new(Vec::new(), Compression::fast())
}
