//! Has boards edited when what they show has changed, no more often than their pace allows.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::{Pulse, drain, news, until};
use crate::{domain::event::Event, ops::Ops};

/// Looks at least this often: a clock may have been set, and schedules and silences make no sound.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Between two looks, however much happens.
const LOOK_SELDOM: Duration = Duration::from_millis(200);

pub(super) async fn tend(ops: Arc<Ops>, pulse: Pulse) {
    let mut events = ops.events();
    loop {
        pulse.beat();
        drain(&mut events);
        let due = ops.tend_boards().await.unwrap_or_else(|error| {
            tracing::error!(error = %error, "boards could not be looked at");
            None
        });
        let wait = until(due, ops.now(), LOOK_EVERY);
        // Time is as good a reason to look as news.
        drop(timeout(wait, news(&mut events, matters)).await);
        sleep(LOOK_SELDOM).await;
    }
}

/// What may change what a board shows, or may have it shown.
const fn matters(event: &Event) -> bool {
    matches!(
        event,
        Event::Agent(_)
            | Event::Action(_)
            | Event::Engine { .. }
            | Event::Resynced
            | Event::Incident
            | Event::Backlog
    )
}
