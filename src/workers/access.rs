//! Who may do what, as the host may have changed it beside us; and what the audit is to hear of refusals.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::ops::Ops;

/// How soon `yardarm grant` on the host counts.
const EVERY: Duration = Duration::from_secs(5);

pub(super) async fn keep(ops: Arc<Ops>) {
    loop {
        for (what, done) in [
            ("rights could not be read", ops.refresh_rights().await),
            (
                "ended grants could not be dropped",
                ops.drop_ended_grants().await,
            ),
            ("refusals could not be told", ops.tell_refusals().await),
        ] {
            if let Err(error) = done {
                tracing::error!(error = %error, "{what}");
            }
        }
        // Whichever comes first.
        drop(timeout(EVERY, ops.refusals.bell.notified()).await);
    }
}
