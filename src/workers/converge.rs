//! First settles what the last end cut off, then starts what should run, for ever.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use crate::{
    domain::event::Event,
    ops::{Ops, recover::Start},
};

/// Looks at least this often: an attempt may have become due without any event.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn converge(ops: Arc<Ops>, start: Start) {
    let mut events = ops.events();
    let mut settled = false;
    loop {
        if !settled && ops.knows_engine() {
            settled = settle(&ops, &start).await;
        }
        if settled && let Err(error) = ops.converge().await {
            tracing::error!(error = %error, "what should run could not be started");
        }
        // Time is as good a reason to look as news.
        drop(timeout(LOOK_EVERY, news(&mut events)).await);
    }
}

/// Waits for what changes what is down.
async fn news(events: &mut Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(Event::Resynced | Event::Agent(_) | Event::Engine { answers: true })
            | Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => return std::future::pending().await,
            Ok(_) => {}
        }
    }
}

async fn settle(ops: &Ops, start: &Start) -> bool {
    match ops.settle(start).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(error = %error, "what was cut off could not be settled; trying again");
            false
        }
    }
}
