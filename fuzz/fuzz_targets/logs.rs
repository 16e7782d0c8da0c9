//! What the engine sends as a container's log, byte for byte. The first byte says into which pieces the network cuts it, which
//! must make no difference.
#![no_main]

use std::sync::LazyLock;

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures::{StreamExt as _, stream};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    net::UnixListener,
    runtime::{Builder, Runtime},
    sync::watch,
};
use yardarm::{
    domain::ids::ContainerId,
    engine::{
        Engine as _, LogLine, LogQuery, Result,
        docker::{Deadlines, Docker},
    },
};

/// Bytes kept of a line, and the mark of a cut; see `LINE_MAX` and `CUT` in `engine/docker/logs.rs`.
const LINE_MAX: usize = 16 * 1024;
const CUT: &str = " […]";

/// A log, and how many bytes of it come at once.
type Served = (Vec<u8>, usize);

struct Bench {
    runtime: Runtime,
    docker: Docker,
    served: watch::Sender<Served>,
    _folder: TempDir,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("docker.sock");
    let address = format!("unix://{}", socket.display());
    let (served, serving) = watch::channel((Vec::new(), 1));
    let listener = {
        let _inside = runtime.enter();
        UnixListener::bind(&socket).expect("a socket")
    };
    runtime.spawn(async move { axum::serve(listener, engine(serving)).await });
    Bench {
        docker: Docker::new(Some(&address), Deadlines::default()).expect("an engine"),
        runtime,
        served,
        _folder: folder,
    }
});

/// As much of an engine as has a log.
fn engine(serving: watch::Receiver<Served>) -> Router {
    let version = json!({ "Version": "28.0.0", "ApiVersion": "1.48", "MinAPIVersion": "1.24" });
    let container = json!({ "Id": "c0ffee" });
    Router::new()
        .route("/{api}/containers/{id}/logs", get(log))
        .route("/{api}/containers/{id}/json", get(Json(container)))
        .fallback(Json(version))
        .with_state(serving)
}

async fn log(State(serving): State<watch::Receiver<Served>>) -> Response {
    let (log, piece) = serving.borrow().clone();
    let pieces: Vec<_> = log.chunks(piece).map(<[u8]>::to_vec).collect();
    let pieces = stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
    Body::from_stream(pieces).into_response()
}

fuzz_target!(|input: &[u8]| {
    let Some((piece, log)) = input.split_first() else {
        return;
    };
    let whole = read(log, log.len().max(1));
    for line in whole.iter().flatten() {
        let kept = line.text.strip_suffix(CUT).unwrap_or(&line.text);
        assert!(kept.chars().count() <= LINE_MAX, "{} kept", kept.len());
        assert!(!line.text.contains('\n'), "{line:?}");
    }
    assert_eq!(read(log, usize::from(*piece) + 1), whole);
});

/// All lines of a log that comes in pieces of that size.
fn read(log: &[u8], piece: usize) -> Vec<Result<LogLine>> {
    BENCH.served.send_replace((log.to_vec(), piece));
    let query = LogQuery {
        tail: 100,
        since: None,
        stdout: true,
        stderr: true,
        follow: false,
    };
    let container = ContainerId("c0ffee".to_owned());
    BENCH.runtime.block_on(async {
        let lines = BENCH.docker.logs(&container, &query).await;
        lines.expect("an engine that answers").collect().await
    })
}
