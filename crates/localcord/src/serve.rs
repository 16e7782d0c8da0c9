//! The two front doors: REST over TLS, and the people's side with the gateway in plain HTTP.

use std::{io::ErrorKind, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use axum::{Router, body::Body, extract::Request, http::Uri, response::Response};
use futures::{StreamExt as _, stream::try_unfold};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::{discord::Discord, rest::Cut};

/// Until some connections have ended, when the process has no room for more.
const NO_ROOM: Duration = Duration::from_millis(100);

/// The request's connection is to be cut, without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on request")]
struct CutShort;

pub(crate) async fn bind(addr: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(addr).await;
    listener.with_context(|| {
        format!("listen on `{addr}`; hint: another localcord may be running, choose another port")
    })
}

/// Serves REST over TLS. Connections are turned away while a fault says so.
pub(crate) async fn rest(
    discord: Arc<Discord>,
    listener: TcpListener,
    tls: TlsAcceptor,
    router: Router,
) {
    let silence = discord.silence;
    loop {
        let stream = accept(&listener).await;
        if discord.faults.refuse_connection(discord.now()) {
            discord.changed();
            continue;
        }
        let (tls, router) = (tls.clone(), router.clone());
        discord.tasks.spawn(async move {
            match timeout(silence, tls.accept(stream)).await {
                Ok(Ok(stream)) => serve(stream, router, silence).await,
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => tracing::debug!("a client fell silent in the TLS handshake"),
            }
        });
    }
}

/// Serves the people's side and the gateway.
pub(crate) async fn people(discord: Arc<Discord>, listener: TcpListener, router: Router) {
    loop {
        let stream = accept(&listener).await;
        let silence = discord.silence;
        discord.tasks.spawn(serve(stream, router.clone(), silence));
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and people wait for them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "no TCP_NODELAY");
                }
                return stream;
            }
            // The peer may be gone before it was accepted.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "accepting a connection failed");
                sleep(NO_ROOM).await;
            }
        }
    }
}

/// Whoever says nothing for as long as `silence`, in the middle of headers or of a body, is let go.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    router: Router,
    silence: Duration,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        answer(router.clone(), request.map(|body| patient(body, silence)))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(silence)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn answer(router: Router, mut request: Request) -> Result<Response, CutShort> {
    if let Some(uri) = with_plain_original(request.uri()) {
        *request.uri_mut() = uri;
    }
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(impossible) => match impossible {},
    };
    match response.extensions().get::<Cut>() {
        Some(Cut) => Err(CutShort),
        None => Ok(response),
    }
}

/// A body that fails once nothing more of it has come for too long.
fn patient(body: Incoming, silence: Duration) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let chunks = Body::new(body).into_data_stream();
    Body::from_stream(try_unfold(chunks, move |mut chunks| async move {
        let next = timeout(silence, chunks.next()).await;
        let next = next.map_err(axum::Error::new)?.transpose()?;
        Ok::<_, axum::Error>(next.map(|chunk| (chunk, chunks)))
    }))
}

/// Some libraries encode the `@` of `@original`, by which a route is told from its neighbour.
fn with_plain_original(uri: &Uri) -> Option<Uri> {
    let path = uri.path_and_query()?.as_str();
    let plain = path.replacen("/messages/%40original", "/messages/@original", 1);
    (plain != path).then(|| plain.parse().ok())?
}
