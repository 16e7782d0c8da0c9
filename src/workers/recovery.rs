//! Looks after agents in trouble.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{Pulse, drain, rest, until};
use crate::{domain::event::Event, ops::Ops};

/// Looks at least this often: a clock may have been set.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn mend(ops: Arc<Ops>, pulse: Pulse) {
    let mut events = ops.events();
    loop {
        pulse.beat();
        drain(&mut events);
        let look = Instant::now();
        let due = if ops.knows_engine() {
            ops.mend().await.unwrap_or_else(|error| {
                tracing::error!(error = %error, "agents in trouble could not be looked after");
                None
            })
        } else {
            None
        };
        rest(look).await;
        let wait = until(due, ops.now(), LOOK_EVERY);
        let news = super::news(&mut events, |event| {
            matches!(
                event,
                Event::Agent(_) | Event::Resynced | Event::Engine { answers: true }
            )
        });
        // Time is as good a reason to look as news.
        drop(timeout(wait, news).await);
    }
}
