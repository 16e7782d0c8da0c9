//! Begins every accepted action, each in a task of its own.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{Pulse, Workers};
use crate::{domain::action::State, ops::Ops};

/// Looks at least this often, in case a ring was missed.
const LOOK_EVERY: Duration = Duration::from_secs(10);

pub(super) async fn execute(ops: Arc<Ops>, workers: Workers, pulse: Pulse) {
    loop {
        pulse.beat();
        match ops.store.actions_in(State::Pending).await {
            Ok(pending) => {
                for id in pending {
                    let ops = Arc::clone(&ops);
                    workers.spawn_action(async move {
                        if let Err(error) = ops.execute(id).await {
                            tracing::error!(action.id = id.0, error = %error, "an action could not be carried out");
                        }
                    });
                }
            }
            Err(error) => tracing::error!(error = %error, "accepted actions could not be read"),
        }
        // A timeout is as good a reason to look as a ring.
        drop(timeout(LOOK_EVERY, ops.work.notified()).await);
    }
}
