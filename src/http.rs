//! The door for machines: `/metrics`, `/healthz` and `/readyz`. Nothing can be changed through it, and it tells neither of
//! agents nor of people by name.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use crate::{meters, ops::Ops};

/// Answers until it is dropped.
pub async fn serve(listener: TcpListener, ops: Arc<Ops>) {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(ops);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(error = %error, "nobody listens for HTTP any more");
    }
}

async fn metrics(State(ops): State<Arc<Ops>>) -> Response {
    let text = async {
        let readings = ops.readings().await?;
        let text = ops.meters.text(&readings).map_err(anyhow::Error::new)?;
        anyhow::Ok(text)
    };
    match text.await {
        Ok(text) => ([(CONTENT_TYPE, meters::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "there are no metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// That we answer is all it says: whoever restarts us for less would gain nothing.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether people would be served now.
async fn readyz(State(ops): State<Arc<Ops>>) -> Response {
    let lacking = ops.unready().await;
    if lacking.is_empty() {
        return "ok\n".into_response();
    }
    let lines = lacking.join("\n");
    (StatusCode::SERVICE_UNAVAILABLE, format!("{lines}\n")).into_response()
}
