//! Sends what waits in the outbox: one message in flight per channel.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use super::Pulse;
use crate::{
    domain::event::Event,
    ops::{Ops, deliver::Deliver},
};

/// Looks at least this often.
const LOOK_EVERY: Duration = Duration::from_secs(30);

pub(super) async fn send(ops: Arc<Ops>, deliver: Arc<dyn Deliver>, pulse: Pulse) {
    let mut events = ops.events();
    loop {
        pulse.beat();
        match ops.deliver(&*deliver).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(error = %error, "the outbox could not be read"),
        }
        let wait = until_due(&ops).await.unwrap_or(LOOK_EVERY).min(LOOK_EVERY);
        // Time is as good a reason to look as a ring.
        drop(timeout(wait, ring(&mut events)).await);
    }
}

async fn until_due(ops: &Ops) -> Option<Duration> {
    let due = ops.store.outbox_next().await.ok()??;
    Some(
        (due - ops.now())
            .to_std()
            .unwrap_or_default()
            .max(Duration::from_millis(50)),
    )
}

async fn ring(events: &mut Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(Event::Outbox) | Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => return std::future::pending().await,
            Ok(_) => {}
        }
    }
}
