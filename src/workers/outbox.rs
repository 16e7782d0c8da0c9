//! Sends what waits in the outbox: one message in flight per channel and per target.

use std::{fmt::Display, sync::Arc, time::Duration};

use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use super::Pulse;
use crate::{
    domain::{event::Event, outbox::Exit},
    ops::{
        Ops,
        deliver::{Deliver, Notify},
    },
};

/// Looks at least this often.
const LOOK_EVERY: Duration = Duration::from_secs(30);

pub(super) async fn send(ops: Arc<Ops>, deliver: Arc<dyn Deliver>, pulse: Pulse) {
    let mut events = ops.events();
    loop {
        pulse.beat();
        let sent = ops.deliver(&*deliver).await;
        pause(&ops, Exit::Channels, sent, &mut events).await;
    }
}

/// The same for what is told outside of Discord.
pub(super) async fn notify(ops: Arc<Ops>, notify: Arc<dyn Notify>, pulse: Pulse) {
    let mut events = ops.events();
    loop {
        pulse.beat();
        let told = ops.notify(&*notify).await;
        pause(&ops, Exit::Targets, told, &mut events).await;
    }
}

/// Until there may be something to send again.
async fn pause<E: Display>(
    ops: &Ops,
    exit: Exit,
    sent: Result<bool, E>,
    events: &mut Receiver<Event>,
) {
    match sent {
        Ok(true) => return,
        Ok(false) => {}
        Err(error) => tracing::error!(error = %error, "the outbox could not be read"),
    }
    let wait = until_due(ops, exit).await.unwrap_or(LOOK_EVERY);
    // Time is as good a reason to look as a ring.
    drop(timeout(wait.min(LOOK_EVERY), ring(events)).await);
}

async fn until_due(ops: &Ops, exit: Exit) -> Option<Duration> {
    let due = ops.store.outbox_next(exit).await.ok()??;
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
