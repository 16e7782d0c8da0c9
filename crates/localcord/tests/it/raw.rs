//! The gateway without a library.

use flate2::{Decompress, FlushDecompress};
use futures::{SinkExt as _, StreamExt as _};
use localcord::Localcord;
use serde_json::{Value, json};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, protocol::CloseFrame},
};

/// The smallest gateway client: frames as they are.
pub(crate) struct Raw {
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    /// The state of a connection that is compressed as a whole.
    stream: Option<Decompress>,
    /// How many frames came compressed.
    pub(crate) compressed: usize,
}

impl Raw {
    pub(crate) async fn connect(url: &str) -> Self {
        let stream = url.contains("zlib-stream").then(|| Decompress::new(true));
        Self {
            socket: connect_async(url).await.unwrap().0,
            stream,
            compressed: 0,
        }
    }

    /// A client that has heard hello, identified and heard READY.
    pub(crate) async fn identified(cord: &Localcord, intents: u64) -> Self {
        let mut raw = Self::connect(&cord.gateway_url()).await;
        assert_eq!(raw.hear().await["op"], 10);
        raw.say(identify(cord.token(), intents)).await;
        assert_eq!(raw.hear().await["t"], "READY");
        raw
    }

    /// The next event of this name; what comes before it is left out.
    pub(crate) async fn hear_of(&mut self, event: &str) -> Value {
        loop {
            let frame = self.hear().await;
            if frame["t"] == event {
                return frame["d"].clone();
            }
        }
    }

    pub(crate) async fn send(&mut self, frame: impl Into<Message>) {
        self.socket.send(frame.into()).await.unwrap();
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.send(frame.to_string()).await;
    }

    pub(crate) async fn hear(&mut self) -> Value {
        match self.socket.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            Message::Binary(bytes) => {
                self.compressed += 1;
                serde_json::from_slice(&self.inflate(&bytes)).unwrap()
            }
            other => panic!("another frame: {other:?}"),
        }
    }

    /// Sends all of it and reads what comes until the other side has closed, or has answered a last ping.
    pub(crate) async fn talk(mut self, frames: Vec<Message>) {
        const LAST: &[u8] = b"last";
        for frame in frames {
            // It may have closed already.
            drop(self.socket.send(frame).await);
        }
        drop(self.socket.send(Message::Ping(LAST.into())).await);
        while let Some(Ok(frame)) = self.socket.next().await {
            if matches!(&frame, Message::Pong(bytes) if &bytes[..] == LAST) {
                return;
            }
        }
    }

    /// Takes a session up again from a dispatch on.
    pub(crate) async fn resuming(cord: &Localcord, session: &Value, sequence: u64) -> Self {
        let mut raw = Self::connect(&cord.gateway_url()).await;
        assert_eq!(raw.hear().await["op"], 10);
        let data = json!({ "token": cord.token(), "session_id": session, "seq": sequence });
        raw.say(json!({ "op": 6, "d": data })).await;
        raw
    }

    /// Says goodbye and waits until the other side is gone too.
    pub(crate) async fn leave(mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        // The other side may be gone already.
        drop(self.socket.send(Message::Close(Some(frame))).await);
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    pub(crate) async fn close_code(&mut self) -> u16 {
        match self.socket.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("another frame: {other:?}"),
        }
    }

    /// A payload of its own, or the next part of the stream.
    fn inflate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut payload = Vec::with_capacity(1 << 20);
        let mut own = Decompress::new(true);
        let stream = self.stream.as_mut();
        if stream.is_some() {
            assert!(bytes.ends_with(&[0, 0, 0xff, 0xff]), "not flushed");
        }
        let flush = FlushDecompress::Sync;
        let inflating = stream.unwrap_or(&mut own);
        inflating
            .decompress_vec(bytes, &mut payload, flush)
            .unwrap();
        payload
    }
}

pub(crate) fn identify(token: &str, intents: u64) -> Value {
    json!({ "op": 2, "d": { "token": token, "intents": intents, "properties": {} } })
}
