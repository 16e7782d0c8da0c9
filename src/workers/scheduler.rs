//! Looks at what is due, and sleeps until the next time.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::time::timeout;

use super::{Pulse, news};
use crate::{domain::event::Event, ops::Ops};

/// Looks at least this often: the clock may have been set, and what waits is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Between two looks, however much is due.
const LOOK_SELDOM: Duration = Duration::from_millis(50);

pub(super) async fn run(ops: Arc<Ops>, pulse: Pulse) {
    let mut events = ops.events();
    let mut looked_at = DateTime::<Utc>::MAX_UTC;
    loop {
        pulse.beat();
        let now = ops.now();
        let look = async {
            if now < looked_at {
                ops.call_back_schedules().await?;
            }
            ops.run_schedules(&|| pulse.beat()).await
        };
        let wait = match look.await {
            Ok(()) => {
                looked_at = now;
                until_due(&ops).await.unwrap_or(LOOK_EVERY)
            }
            Err(error) => {
                tracing::error!(error = %error, "schedules could not be run");
                LOOK_EVERY
            }
        };
        // Time is as good a reason to look as news.
        drop(
            timeout(
                wait.clamp(LOOK_SELDOM, LOOK_EVERY),
                news(&mut events, matters),
            )
            .await,
        );
    }
}

async fn until_due(ops: &Ops) -> Option<Duration> {
    let due = ops.store.next_schedule().await.ok()??;
    Some((due - ops.now()).to_std().unwrap_or_default())
}

/// What may let a run begin. An action that ends rings for its message.
const fn matters(event: &Event) -> bool {
    matches!(
        event,
        Event::Schedules | Event::Outbox | Event::Connected | Event::Engine { answers: true }
    )
}
