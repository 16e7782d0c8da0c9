//! Watches over the loops of the other workers: one that stands still, falls over or ends is begun again, counted and told.
//! That is safe at any point, because a worker keeps nothing important to itself.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// Between an end and the next beginning.
const AGAIN: Duration = Duration::from_secs(1);

/// By which a loop says that it goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse(Arc<Notify>);

impl Pulse {
    pub(super) fn beat(&self) {
        self.0.notify_one();
    }

    /// Ends once there was no beat for `limit`.
    async fn stops(&self, limit: Duration) {
        while timeout(limit, self.0.notified()).await.is_ok() {}
    }
}

/// Keeps a loop going for ever; `failed` hears why it had to be begun again.
pub(super) async fn keep<F: Future<Output = ()>>(
    limit: Duration,
    begin: impl Fn(Pulse) -> F,
    failed: impl Fn(&'static str),
) {
    loop {
        let pulse = Pulse::default();
        let work = AssertUnwindSafe(begin(pulse.clone())).catch_unwind();
        let why = tokio::select! {
            ended = work => if ended.is_ok() { "ended" } else { "fell over" },
            () = pulse.stops(limit) => "stood still",
        };
        failed(why);
        sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Why a loop was begun again that does this the first time and goes on the second.
    async fn begun_again<F: Future<Output = ()>>(first: impl Fn(Pulse) -> F) -> &'static str {
        let (begun, goes_on) = (AtomicUsize::new(0), Notify::new());
        let why = std::sync::Mutex::new("");
        let begin = |pulse: Pulse| {
            let work = first(pulse.clone());
            let is_first = begun.fetch_add(1, Ordering::Relaxed) == 0;
            let goes_on = &goes_on;
            async move {
                if is_first {
                    return work.await;
                }
                goes_on.notify_one();
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = keep(Duration::from_millis(20), begin, |failed| *why.lock().unwrap() = failed) => {}
            () = goes_on.notified() => {}
        }
        why.into_inner().unwrap()
    }

    #[tokio::test]
    async fn what_stands_still_is_begun_again() {
        let hangs = |pulse: Pulse| async move {
            pulse.beat();
            std::future::pending::<()>().await;
        };
        assert_eq!(begun_again(hangs).await, "stood still");
    }

    #[tokio::test]
    async fn what_ends_or_falls_over_is_begun_again() {
        assert_eq!(begun_again(|_| async {}).await, "ended");
        assert_eq!(
            begun_again(|_| async { panic!("on purpose") }).await,
            "fell over"
        );
    }
}
