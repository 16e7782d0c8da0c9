//! Measures the machine, and writes down what was measured of it and of agents.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::Pulse;
use crate::ops::Ops;

/// A minute is written soon after it is over.
const EVERY: Duration = Duration::from_secs(15);

pub(super) async fn measure(ops: Arc<Ops>, pulse: Pulse) {
    loop {
        pulse.beat();
        ops.measure_host();
        if let Err(error) = ops.look_at_thresholds().await {
            tracing::error!(error = %error, "what is used could not be compared with the thresholds");
        }
        match ops.write_samples().await {
            // A minute is over: that is soon enough for what takes many of them.
            Ok(true) => ops.look_for_idle().await,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(error = %error, "what was used could not be written down");
            }
        }
        sleep(ops.settings().roster.sample.min(EVERY)).await;
    }
}
