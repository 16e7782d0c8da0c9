//! What lapses: questions nobody answered, forms nobody filled in, old rows of the audit; and its anchor of the day.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::ops::Ops;

const EVERY: Duration = Duration::from_secs(30);

pub(super) async fn keep(ops: Arc<Ops>) {
    loop {
        if let Err(error) = ops.expire().await {
            tracing::error!(error = %error, "open questions could not be closed");
        }
        if let Err(error) = ops.remind().await {
            tracing::error!(error = %error, "open questions could not be reminded of");
        }
        if let Err(error) = ops.drop_old_drafts().await {
            tracing::error!(error = %error, "old forms could not be dropped");
        }
        if let Err(error) = ops.drop_anchor().await {
            tracing::error!(error = %error, "the audit's anchor of the day could not be dropped");
        }
        if let Err(error) = ops.purge_old().await {
            tracing::error!(error = %error, "old rows of the audit could not be purged");
        }
        sleep(EVERY).await;
    }
}
