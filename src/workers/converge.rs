//! Settles what the last end cut off, and starts what should run, for ever.

use std::{sync::Arc, time::Duration};

use tokio::{sync::broadcast::Receiver, time::timeout};

use super::{Pulse, news};
use crate::{
    domain::event::Event,
    ops::{Ops, recover::Start},
};

/// Looks at least this often: an attempt may have become due without any event.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn converge(ops: Arc<Ops>, start: Start, pulse: Pulse) {
    // A container that cannot be brought to an end holds up its own action alone.
    tokio::join!(settle(&ops, &start), keep_up(&ops, &pulse));
}

async fn settle(ops: &Ops, start: &Start) {
    let mut events = ops.events();
    loop {
        if ops.knows_engine() {
            match ops.settle(start).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(error = %error, "what was cut off could not be settled; trying again");
                }
            }
        }
        look_again(&mut events).await;
    }
}

async fn keep_up(ops: &Ops, pulse: &Pulse) {
    let mut events = ops.events();
    let mut still = false;
    loop {
        pulse.beat();
        // What nobody has looked at yet is not down.
        if ops.knows_engine() {
            still |= keep_frozen(ops, !still).await;
            if let Err(error) = ops.converge().await {
                tracing::error!(error = %error, "what should run could not be started");
            }
        }
        look_again(&mut events).await;
    }
}

/// Time is as good a reason to look as news.
async fn look_again(events: &mut Receiver<Event>) {
    let news = news(events, |event| {
        matches!(
            event,
            Event::Resynced | Event::Agent(_) | Event::Engine { answers: true }
        )
    });
    drop(timeout(LOOK_EVERY, news).await);
}

/// Whether all that is frozen is still. With `all`, it is seen to whatever is known of it.
async fn keep_frozen(ops: &Ops, all: bool) -> bool {
    ops.keep_frozen(all).await.unwrap_or_else(|error| {
        tracing::error!(error = %error, "what is frozen could not be looked after");
        false
    })
}
