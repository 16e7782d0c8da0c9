//! First settles what the last end cut off, then starts what should run, for ever.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{Pulse, news};
use crate::{
    domain::event::Event,
    ops::{Ops, recover::Start},
};

/// Looks at least this often: an attempt may have become due without any event.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn converge(ops: Arc<Ops>, start: Start, pulse: Pulse) {
    let mut events = ops.events();
    let mut settled = false;
    let mut still = false;
    loop {
        pulse.beat();
        // Before anything is put right: what is frozen stays so meanwhile.
        if ops.knows_engine() {
            still |= keep_frozen(&ops, !still).await;
        }
        if !settled && ops.knows_engine() {
            settled = settle(&ops, &start).await;
        }
        // An agent whose action is not settled is busy, and the others do not wait for it.
        if let Err(error) = ops.converge().await {
            tracing::error!(error = %error, "what should run could not be started");
        }
        // Time is as good a reason to look as news.
        let news = news(&mut events, |event| {
            matches!(
                event,
                Event::Resynced | Event::Agent(_) | Event::Engine { answers: true }
            )
        });
        drop(timeout(LOOK_EVERY, news).await);
    }
}

/// Whether all that is frozen is still. With `all`, it is seen to whatever is known of it.
async fn keep_frozen(ops: &Ops, all: bool) -> bool {
    ops.keep_frozen(all).await.unwrap_or_else(|error| {
        tracing::error!(error = %error, "what is frozen could not be looked after");
        false
    })
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
