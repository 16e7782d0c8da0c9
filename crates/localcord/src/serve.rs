//! The two front doors: REST over TLS, and the people's side with the gateway in plain HTTP.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, Result};
use axum::{Router, body::Body, extract::Request, http::Uri, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::{discord::Discord, rest::Cut};

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
    while let Some(stream) = accept(&listener).await {
        if discord.faults.refuse_connections(discord.now()) {
            continue;
        }
        let (tls, router) = (tls.clone(), router.clone());
        discord.tasks.spawn(async move {
            match tls.accept(stream).await {
                Ok(stream) => serve(stream, router).await,
                Err(error) => tracing::debug!(%error, "TLS handshake failed"),
            }
        });
    }
}

/// Serves the people's side and the gateway.
pub(crate) async fn people(discord: Arc<Discord>, listener: TcpListener, router: Router) {
    while let Some(stream) = accept(&listener).await {
        discord.tasks.spawn(serve(stream, router.clone()));
    }
}

async fn accept(listener: &TcpListener) -> Option<TcpStream> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and people wait for them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "no TCP_NODELAY");
                }
                return Some(stream);
            }
            // The peer may be gone before it was accepted.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "accepting connections failed");
                return None;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, router: Router) {
    let service = service_fn(move |request| answer(router.clone(), request));
    let connection = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn answer(router: Router, request: Request<Incoming>) -> Result<Response, CutShort> {
    let mut request = request.map(Body::new);
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

/// Some libraries encode the `@` of `@original`, by which a route is told from its neighbour.
fn with_plain_original(uri: &Uri) -> Option<Uri> {
    let path = uri.path_and_query()?.as_str();
    let plain = path.replacen("/messages/%40original", "/messages/@original", 1);
    (plain != path).then(|| plain.parse().ok())?
}
