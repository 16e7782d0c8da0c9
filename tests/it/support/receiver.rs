use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
};

/// Somebody outside of Discord who is told of alerts, on loopback.
pub(crate) struct Receiver {
    address: SocketAddr,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: UnboundedReceiver<Received>,
    /// Ends when it is dropped.
    _server: JoinSet<()>,
}

pub(crate) enum Answer {
    Status(StatusCode, &'static str),
    RedirectTo(&'static str),
    /// Not now, with what `Retry-After` says.
    Busy(&'static str),
    /// Never.
    Silence,
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    headers: HeaderMap,
    pub(crate) text: String,
}

#[derive(Clone)]
struct Desk {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: UnboundedSender<Received>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let (sender, requests) = unbounded_channel();
        let desk = Desk {
            answers: Arc::default(),
            requests: sender,
        };
        let answers = Arc::clone(&desk.answers);
        let router = Router::new().fallback(take).with_state(desk);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            answers,
            requests,
            _server: server,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// To the next request; after the last of these all are taken.
    pub(crate) fn answer(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    pub(crate) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(Duration::from_secs(20), self.requests.recv());
        next.await.expect("no request came").unwrap()
    }

    /// Nothing came that nobody has looked at.
    pub(crate) fn assert_idle(&mut self) {
        assert!(self.requests.try_recv().is_err(), "one more request");
    }
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(&self.text).unwrap()
    }
}

async fn take(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let answer = desk.answers.lock().unwrap().pop_front();
    let received = Received {
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    };
    // Whoever has gone does not look any more.
    drop(desk.requests.send(received));
    match answer {
        None => StatusCode::ACCEPTED.into_response(),
        Some(Answer::Status(status, text)) => (status, text).into_response(),
        Some(Answer::RedirectTo(place)) => {
            (StatusCode::FOUND, [("location", place)]).into_response()
        }
        Some(Answer::Busy(wait)) => {
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", wait)]).into_response()
        }
        Some(Answer::Silence) => std::future::pending().await,
    }
}
