//! What runs by itself. Each worker is level-triggered: it looks at rows and at the roster, does what is due, and
//! may be ended and begun again at any point.

mod access;
mod alerts;
mod boards;
mod charts;
mod converge;
mod executor;
mod host;
mod housekeeping;
mod outbox;
mod ping;
mod probes;
mod recovery;
mod scheduler;
mod stats;
mod watchdog;
mod watcher;

use std::{future::Future, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::{
    sync::broadcast::{
        Receiver,
        error::{RecvError, TryRecvError},
    },
    time::{Instant, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::watchdog::Pulse;
use crate::{
    domain::event::Event,
    ops::{
        Ops,
        deliver::{Deliver, Notify},
        recover::Start,
    },
};

/// A loop that has not come round for so long stands still: all of them look at least every minute, and nothing they
/// wait for may take longer.
const SOON: Duration = Duration::from_mins(5);
/// For those that wait for agents to stop, for the next sample of a large fleet, or for an hour between two pings.
const LATE: Duration = Duration::from_hours(2);

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
    pub fn start(
        &self,
        ops: &Arc<Ops>,
        (deliver, notify): (Arc<dyn Deliver>, Arc<dyn Notify>),
        start: Start,
    ) {
        self.keep("watcher", SOON, ops, watcher::watch);
        self.keep("converge", LATE, ops, move |ops, pulse| {
            converge::converge(ops, start.clone(), pulse)
        });
        let workers = self.clone();
        self.keep("executor", SOON, ops, move |ops, pulse| {
            executor::execute(ops, workers.clone(), pulse)
        });
        self.keep("stats", LATE, ops, stats::sample);
        self.keep("host", SOON, ops, host::measure);
        self.keep("charts", SOON, ops, charts::draw);
        self.keep("outbox", SOON, ops, move |ops, pulse| {
            outbox::send(ops, Arc::clone(&deliver), pulse)
        });
        let pinger = Arc::clone(&notify);
        self.keep("notify", SOON, ops, move |ops, pulse| {
            outbox::notify(ops, Arc::clone(&notify), pulse)
        });
        self.keep("ping", LATE, ops, move |ops, pulse| {
            ping::ping(ops, Arc::clone(&pinger), pulse)
        });
        self.keep("access", SOON, ops, access::keep);
        self.keep("probes", SOON, ops, probes::ask);
        self.keep("scheduler", SOON, ops, scheduler::run);
        self.keep("recovery", SOON, ops, recovery::mend);
        self.keep("alerts", SOON, ops, alerts::tell);
        self.keep("boards", SOON, ops, boards::tend);
        self.keep("housekeeping", SOON, ops, housekeeping::keep);
    }

    /// A loop that beats, under the eyes of the watchdog.
    fn keep<F: Future<Output = ()> + Send + 'static>(
        &self,
        name: &'static str,
        limit: Duration,
        ops: &Arc<Ops>,
        work: impl Fn(Arc<Ops>, Pulse) -> F + Send + Sync + 'static,
    ) {
        let (ops, told) = (Arc::clone(ops), Arc::clone(ops));
        let kept = watchdog::keep(
            limit,
            move |pulse| work(Arc::clone(&ops), pulse),
            move |why| told.note_stall(name, why),
        );
        self.spawn(name, kept);
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

/// After a look at everything, as long as that took: though news come faster than they are looked at, half of the time
/// is left for what they are about. A look that waited for the engine is not waited for twice.
async fn rest(look: Instant) {
    sleep(look.elapsed().min(LONGEST_REST)).await;
}

const LONGEST_REST: Duration = Duration::from_millis(300);

/// Waits for an event that matters; one that was missed may have.
async fn news(events: &mut Receiver<Event>, matters: impl Fn(&Event) -> bool) {
    loop {
        match events.recv().await {
            Ok(event) if !matters(&event) => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// Forgets events that came before a look: it sees what they told of.
fn drain(events: &mut Receiver<Event>) {
    while matches!(events.try_recv(), Ok(_) | Err(TryRecvError::Lagged(_))) {}
}

/// The time until `due`, but no more than `most`.
fn until(due: Option<DateTime<Utc>>, now: DateTime<Utc>, most: Duration) -> Duration {
    let due = due.map(|due| (due - now).to_std().unwrap_or_default());
    due.map_or(most, |due| due.max(SOONEST).min(most))
}

/// What is due again and again must not take a core.
const SOONEST: Duration = Duration::from_millis(20);
