//! Opens and ends incidents, and tells people of them.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{Pulse, drain, news, rest, until};
use crate::{domain::event::Event, ops::Ops};

/// Looks at least this often: a clock may have been set.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn tell(ops: Arc<Ops>, pulse: Pulse) {
    let mut events = ops.events();
    loop {
        pulse.beat();
        drain(&mut events);
        let look = Instant::now();
        let due = ops.tell_incidents().await.unwrap_or_else(|error| {
            tracing::error!(error = %error, "incidents could not be told");
            None
        });
        rest(look).await;
        let wait = until(due, ops.now(), LOOK_EVERY);
        let news = news(&mut events, |event| {
            matches!(
                event,
                Event::Agent(_) | Event::Incident | Event::Resynced | Event::Engine { .. }
            )
        });
        // Time is as good a reason to look as news.
        drop(timeout(wait, news).await);
    }
}
