//! Samples agents in the background: no answer to a person ever waits for it.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::Pulse;
use crate::ops::Ops;

/// One sample of one container costs dockerd between 2 and 3 ms of CPU time. Taken no more often than this for each, all of
/// them together cost it less than 1 % of a core, however many there are.
const APART: Duration = Duration::from_millis(400);

pub(super) async fn sample(ops: Arc<Ops>, pulse: Pulse) {
    loop {
        pulse.beat();
        let sampled = ops.sample().await;
        sleep(ops.settings().roster.sample.max(APART * sampled)).await;
    }
}
