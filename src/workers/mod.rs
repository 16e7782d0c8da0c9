//! What runs by itself. Each worker is level-triggered: it looks at rows and at the roster, does what is due, and
//! may be ended and begun again at any point.

mod access;
mod converge;
mod executor;
mod housekeeping;
mod outbox;
mod scheduler;
mod stats;
mod watcher;

use std::{future::Future, sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::ops::{Ops, deliver::Deliver, recover::Start};

/// All tasks of the process, so that it can end them.
#[derive(Clone, Debug, Default)]
pub struct Workers {
    tasks: TaskTracker,
    /// Actions under way: they are waited for, never cut off.
    actions: TaskTracker,
    stop: CancellationToken,
}

impl Workers {
    /// The one place where tasks are spawned: each has a name and ends at [`Self::drain`].
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        tokio::spawn(self.tasks.track_future(async move {
            tokio::select! {
                () = work => tracing::debug!(worker = name, "ended"),
                () = stop.cancelled() => {}
            }
        }));
    }

    /// Like [`Self::spawn`], for what watches [`Self::stop`] itself and ends in good order.
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn spawn_to_end(
        &self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        tokio::spawn(self.tasks.track_future(async move {
            work.await;
            tracing::debug!(worker = name, "ended");
        }));
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    fn spawn_action(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.actions.track_future(work));
    }

    /// Ends when the process shall.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts everything that runs by itself.
    pub fn start(&self, ops: &Arc<Ops>, deliver: Arc<dyn Deliver>, start: Start) {
        self.spawn("watcher", watcher::watch(Arc::clone(ops)));
        self.spawn("converge", converge::converge(Arc::clone(ops), start));
        self.spawn("executor", executor::execute(Arc::clone(ops), self.clone()));
        self.spawn("stats", stats::sample(Arc::clone(ops)));
        self.spawn("outbox", outbox::send(Arc::clone(ops), deliver));
        self.spawn("access", access::keep(Arc::clone(ops)));
        self.spawn("scheduler", scheduler::run(Arc::clone(ops)));
        self.spawn("housekeeping", housekeeping::keep(Arc::clone(ops)));
    }

    /// Ends the workers, then waits up to `grace` for actions under way. False if some were left.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.stop.cancel();
        self.tasks.close();
        self.actions.close();
        self.tasks.wait().await;
        tokio::time::timeout(grace, self.actions.wait())
            .await
            .is_ok()
    }
}
