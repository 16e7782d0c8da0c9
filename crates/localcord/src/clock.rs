//! The one clock: Discord's three seconds and fifteen minutes pass on it, and a test may turn it on.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// How far a test can turn the clock on, in all. Ids hold their time until 2154, and dates end somewhere too.
pub(crate) const FURTHEST: Duration = Duration::from_hours(10 * 365 * 24);

#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead_ms: AtomicI64,
    turned: watch::Sender<()>,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the place that reads the time")]
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.ahead_ms.load(Ordering::SeqCst))
    }

    /// Stops at [`FURTHEST`].
    pub(crate) fn advance(&self, by: Duration) {
        let milliseconds = |span: Duration| i64::try_from(span.as_millis()).unwrap_or_default();
        self.ahead_ms
            .fetch_add(milliseconds(by.min(FURTHEST)), Ordering::SeqCst);
        self.ahead_ms
            .fetch_min(milliseconds(FURTHEST), Ordering::SeqCst);
        self.turned.send_replace(());
    }

    /// Tells when somebody turned the clock on.
    pub(crate) fn turns(&self) -> watch::Receiver<()> {
        self.turned.subscribe()
    }
}
