//! Learns what is. Event streams die silently and the daemon forgets its events when it restarts: so the stream is
//! opened first, then everything is compared, and compared again on a timer.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use tokio::time::{Instant, sleep, sleep_until};

use super::Pulse;
use crate::{
    domain::ids::ContainerId,
    engine::{self, EngineError},
    ops::Ops,
};

/// At least so often it says that it goes on, though nothing happens.
const BEAT: Duration = Duration::from_mins(1);
/// Between two tries while the engine does not answer.
const RETRY: Duration = Duration::from_secs(1);

pub(super) async fn watch(ops: Arc<Ops>, pulse: Pulse) {
    loop {
        pulse.beat();
        if let Err(error) = listen(&ops, &pulse).await {
            tracing::debug!(error = %error, "the engine's events ended");
            ops.note_silence(&error);
        }
        sleep(RETRY).await;
    }
}

/// Listens until the stream ends.
async fn listen(ops: &Ops, pulse: &Pulse) -> engine::Result<()> {
    let mut events = ops.engine.events().await?;
    ops.resync().await?;
    let mut next = Instant::now() + ops.settings().roster.resync;
    loop {
        pulse.beat();
        tokio::select! {
            event = events.next() => match event {
                Some(event) => note(ops, &event?.container).await?,
                None => return ops.resync().await,
            },
            () = sleep(BEAT) => {}
            () = sleep_until(next) => {
                // A connection that something on the way has forgotten looks like one on which nothing happens.
                events = ops.engine.events().await?;
                ops.resync().await?;
                next = Instant::now() + ops.settings().roster.resync;
            }
        }
    }
}

async fn note(ops: &Ops, container: &ContainerId) -> engine::Result<()> {
    let is_agent = ops
        .roster
        .read(|board| board.by_container(container).is_some());
    if !is_agent {
        return Ok(());
    }
    match ops.observe(container).await {
        // One slow answer proves nothing: whether the engine answers at all, a full listing tells.
        Err(EngineError::TimedOut { .. }) => ops.resync().await,
        answer => answer,
    }
}
