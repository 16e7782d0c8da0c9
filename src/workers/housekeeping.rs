//! What lapses: questions that nobody answered. What is less pressing is among the schedules.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::Pulse;
use crate::ops::Ops;

const EVERY: Duration = Duration::from_secs(30);

pub(super) async fn keep(ops: Arc<Ops>, pulse: Pulse) {
    loop {
        pulse.beat();
        if let Err(error) = ops.expire().await {
            tracing::error!(error = %error, "open questions could not be closed");
        }
        if let Err(error) = ops.remind().await {
            tracing::error!(error = %error, "open questions could not be reminded of");
        }
        sleep(EVERY).await;
    }
}
