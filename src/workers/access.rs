//! Who may do what, as the host may have changed it beside us.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::Pulse;
use crate::ops::Ops;

/// How soon `yardarm grant` on the host counts.
const EVERY: Duration = Duration::from_secs(5);

pub(super) async fn keep(ops: Arc<Ops>, pulse: Pulse) {
    loop {
        pulse.beat();
        if let Err(error) = ops.refresh_rights().await {
            tracing::error!(error = %error, "rights could not be read");
        }
        if let Err(error) = ops.drop_ended_grants().await {
            tracing::error!(error = %error, "ended grants could not be dropped");
        }
        sleep(EVERY).await;
    }
}
