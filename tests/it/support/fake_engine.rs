//! An engine in memory: stateful and strict, proven by the contract suite that real Docker passes, too.
//!
//! Beside the trait it has a host's side (`kill`, `foreign` …) and faults on request (`go_away`, `hold` …).

mod host;
mod logs;
mod state;
mod world;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{
    StreamExt as _,
    channel::mpsc,
    stream::{self, BoxStream},
};
use tokio::sync::Notify;
use yardarm::{
    domain::{
        agent::{Observation, Phase},
        ids::{AgentId, ContainerId, InstanceId},
        stats::Sample,
    },
    engine::{
        About, Creation, Described, Engine, EngineError, EngineEvent, EngineEventKind, ExecOutcome,
        Image, Listed, LogLine, LogQuery, NetworkSpec, PullProgress, Result,
    },
};

use self::state::State;
pub(crate) use self::{state::Behaviour, world::FakeWorld};

/// Bytes of a remote image, told in this many steps by a pull.
const PULL_BYTES: u64 = 4_000_000;
const PULL_STEPS: u64 = 4;
/// What to hold or to fail for a pull to stop in the middle.
pub(crate) const HALF_WAY: &str = "pull, half-way";

/// When a call freezes: before or after it is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// A handle; clones share one engine.
#[derive(Clone)]
pub(crate) struct FakeEngine(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// A gate was opened.
    released: Notify,
    /// A call arrived at a gate.
    arrived: Notify,
}

impl Default for FakeEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeEngine {
    /// With a clock of its own: each look at it is a millisecond after the one before.
    pub(crate) fn new() -> Self {
        let mut now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        Self::with_clock(move || {
            now += TimeDelta::milliseconds(1);
            now
        })
    }

    pub(crate) fn with_clock(now: impl FnMut() -> DateTime<Utc> + Send + 'static) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::new(State::new(Box::new(now))),
            released: Notify::new(),
            arrived: Notify::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call of the trait: recorded, held, refused or carried out, and its answer perhaps lost.
    async fn carry<T>(
        &self,
        method: &'static str,
        target: &str,
        work: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        self.state().record(method, target);
        let freezes = self.state().freezes(method);
        if freezes == Some(Moment::Before) {
            self.freeze().await;
        }
        self.pass_gate(method).await;
        let result = {
            let mut state = self.state();
            state.check(method).and_then(|()| work(&mut state))
        };
        if freezes == Some(Moment::After) {
            self.freeze().await;
        }
        let mut state = self.state();
        let went_away = freezes.is_some() && state.away;
        if result.is_ok() && (went_away || state.loses_answer(method)) {
            return Err(EngineError::Lost(format!(
                "the answer to {method} was lost"
            )));
        }
        result
    }

    async fn freeze(&self) {
        self.state().frozen = true;
        self.0.arrived.notify_waiters();
        loop {
            let released = self.0.released.notified();
            if !self.state().frozen {
                return;
            }
            released.await;
        }
    }

    async fn pass_gate(&self, method: &'static str) {
        let mut counted = false;
        loop {
            let released = self.0.released.notified();
            if !self.state().waits_at(method, !counted) {
                return;
            }
            counted = true;
            self.0.arrived.notify_waiters();
            released.await;
        }
    }
}

// Faults.
impl FakeEngine {
    /// Until [`Self::come_back`] every call fails, and all streams end with an error.
    pub(crate) fn go_away(&self) {
        self.state().go_away();
    }

    pub(crate) fn come_back(&self) {
        self.state().away = false;
    }

    pub(crate) fn is_away(&self) -> bool {
        self.state().away
    }

    /// The next call of `method` is carried out, and its answer is lost.
    pub(crate) fn lose_answer_of(&self, method: &'static str) {
        self.state().lost_answers.push(method);
    }

    /// Every call of `method` is refused, until [`Self::mend`].
    pub(crate) fn refuse(&self, method: &'static str, words: &str) {
        self.fail(method, EngineError::Refused(words.to_owned()));
    }

    /// Every call of `method` fails without being carried out, until [`Self::mend`].
    pub(crate) fn fail(&self, method: &'static str, error: EngineError) {
        self.state().failures.insert(method, error);
    }

    pub(crate) fn mend(&self, method: &'static str) {
        self.state().failures.remove(method);
    }

    /// Calls of `method` wait, not yet carried out, until [`Self::release`].
    pub(crate) fn hold(&self, method: &'static str) {
        self.state().held.insert(method, 0);
    }

    pub(crate) fn release(&self, method: &'static str) {
        self.state().held.remove(method);
        self.0.released.notify_waiters();
    }

    /// Returns when `count` calls of `method` are being held.
    pub(crate) async fn holding(&self, method: &'static str, count: usize) {
        loop {
            let arrived = self.0.arrived.notified();
            if self
                .state()
                .held
                .get(method)
                .is_some_and(|held| *held >= count)
            {
                return;
            }
            arrived.await;
        }
    }

    /// The next call but `calls` does not end before [`Self::thaw`]; it is carried out if that happens `After`. What
    /// only learns about the whole host does not count.
    pub(crate) fn freeze_after(&self, calls: usize, moment: Moment) {
        let mut state = self.state();
        state.freeze = Some((calls, moment));
        state.frozen = false;
    }

    /// Returns when a call is frozen.
    pub(crate) async fn frozen(&self) {
        loop {
            let arrived = self.0.arrived.notified();
            if self.state().frozen {
                return;
            }
            arrived.await;
        }
    }

    /// No call freezes any more, and the one that did goes on; its answer is lost if the engine has gone away.
    pub(crate) fn thaw(&self) {
        let mut state = self.state();
        state.freeze = None;
        state.frozen = false;
        self.0.released.notify_waiters();
    }

    /// Every call so far, as `method target`; containers go by name.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// Something on the way forgets the connections on which events come.
    pub(crate) fn forget_listeners(&self) {
        let mut state = self.state();
        let forgotten = std::mem::take(&mut state.listeners);
        state.forgotten.extend(forgotten);
    }

    /// From now on its clock is behind by so much.
    pub(crate) fn fall_behind(&self, by: TimeDelta) {
        self.state().behind = by;
    }

    /// From now on the container of that name uses so much of one CPU and of memory.
    pub(crate) fn burn(&self, name: &str, percent: u64, memory_bytes: u64) {
        let mut state = self.state();
        let id = state.find(&ContainerId(name.to_owned())).unwrap();
        state.burn(&id, percent, memory_bytes);
    }

    /// The calls that change something.
    pub(crate) fn changes(&self) -> Vec<String> {
        const READS: [&str; 13] = [
            "about",
            "list",
            "observe",
            "describe",
            "events",
            "image",
            "resolve",
            "logs",
            "sample",
            "exec",
            "volumes",
            "networks",
            "own_container",
        ];
        let mut calls = self.calls();
        calls.retain(|call| {
            let method = call.split(' ').next().unwrap_or(call);
            !READS.contains(&method)
        });
        calls
    }

    pub(crate) fn forget_calls(&self) {
        self.state().calls.clear();
    }
}

#[async_trait]
impl Engine for FakeEngine {
    async fn about(&self) -> Result<About> {
        self.carry("about", "", |state| {
            Ok(About {
                now: Some(state.time()),
                version: "20.10.24".to_owned(),
                api_version: "1.41".to_owned(),
                cpus: 4,
                memory_bytes: 8 << 30,
                root: "/var/lib/docker".to_owned(),
            })
        })
        .await
    }

    async fn list(&self) -> Result<Vec<Listed>> {
        self.carry("list", "", |state| Ok(state.list())).await
    }

    async fn observe(&self, container: &ContainerId) -> Result<Option<Observation>> {
        self.carry("observe", container.as_str(), |state| {
            Ok(state
                .find(container)
                .ok()
                .map(|id| state.containers[&id].observation(&id)))
        })
        .await
    }

    async fn describe(&self, container: &ContainerId) -> Result<Described> {
        self.carry("describe", container.as_str(), |state| {
            let id = state.find(container)?;
            Ok(state.containers[&id].described())
        })
        .await
    }

    async fn events(&self) -> Result<BoxStream<'static, Result<EngineEvent>>> {
        self.carry("events", "", |state| {
            let (listener, events) = mpsc::unbounded();
            state.listeners.push(listener);
            Ok(events.boxed())
        })
        .await
    }

    async fn image(&self, reference: &str) -> Result<Option<Image>> {
        self.carry("image", reference, |state| Ok(state.image(reference)))
            .await
    }

    async fn resolve(&self, reference: &str) -> Result<String> {
        self.carry("resolve", reference, |state| state.resolve(reference))
            .await
    }

    async fn pull(
        &self,
        reference: &str,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<()> {
        self.carry("pull", reference, |state| state.check_remote(reference))
            .await?;
        for step in 1..=PULL_STEPS {
            progress(PullProgress {
                done_bytes: PULL_BYTES * step / PULL_STEPS,
                total_bytes: PULL_BYTES,
            });
            if step == PULL_STEPS / 2 {
                self.pass_gate(HALF_WAY).await;
                self.state().check(HALF_WAY)?;
            }
            tokio::task::yield_now().await;
        }
        self.state().pull(reference);
        Ok(())
    }

    async fn create(&self, creation: &Creation<'_>) -> Result<ContainerId> {
        self.carry("create", creation.name, |state| state.create(creation))
            .await
    }

    async fn start(&self, container: &ContainerId) -> Result<()> {
        self.carry("start", container.as_str(), |state| {
            let id = state.find(container)?;
            state.start(&id)
        })
        .await
    }

    async fn stop(&self, container: &ContainerId, _grace: Duration) -> Result<()> {
        self.carry("stop", container.as_str(), |state| {
            let id = state.find(container)?;
            state.stop(&id);
            Ok(())
        })
        .await
    }

    async fn pause(&self, container: &ContainerId) -> Result<()> {
        self.carry("pause", container.as_str(), |state| {
            let id = state.find(container)?;
            state.turn(&id, Phase::Running, Phase::Paused, EngineEventKind::Paused)
        })
        .await
    }

    async fn unpause(&self, container: &ContainerId) -> Result<()> {
        self.carry("unpause", container.as_str(), |state| {
            let id = state.find(container)?;
            state.turn(
                &id,
                Phase::Paused,
                Phase::Running,
                EngineEventKind::Unpaused,
            )
        })
        .await
    }

    async fn rename(&self, container: &ContainerId, name: &str) -> Result<()> {
        self.carry("rename", container.as_str(), |state| {
            let id = state.find(container)?;
            state.rename(&id, name)
        })
        .await
    }

    async fn remove(&self, container: &ContainerId) -> Result<()> {
        self.carry("remove", container.as_str(), |state| {
            if let Ok(id) = state.find(container) {
                state.remove(&id);
            }
            Ok(())
        })
        .await
    }

    async fn ensure_network(&self, network: &NetworkSpec) -> Result<()> {
        self.carry("ensure_network", &network.name, |state| {
            state.ensure_network(network)
        })
        .await
    }

    async fn remove_network(&self, name: &str) -> Result<()> {
        self.carry("remove_network", name, |state| state.remove_network(name))
            .await
    }

    async fn connect(&self, container: &ContainerId, network: &str, alias: &str) -> Result<()> {
        self.carry("connect", container.as_str(), |state| {
            let id = state.find(container)?;
            state.connect(&id, network, alias)
        })
        .await
    }

    async fn disconnect(&self, container: &ContainerId, network: &str) -> Result<()> {
        self.carry("disconnect", container.as_str(), |state| {
            let id = state.find(container)?;
            state.disconnect(&id, network);
            Ok(())
        })
        .await
    }

    async fn networks(&self, instance: &InstanceId) -> Result<Vec<String>> {
        self.carry("networks", "", |state| Ok(state.networks_of(instance)))
            .await
    }

    async fn own_container(&self) -> Result<Option<ContainerId>> {
        self.carry("own_container", "", |state| Ok(state.own.clone()))
            .await
    }

    async fn volumes(&self, instance: &InstanceId, agent: AgentId) -> Result<Vec<String>> {
        self.carry("volumes", &agent.to_string(), |state| {
            Ok(state.volumes_of(instance, agent))
        })
        .await
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        self.carry("remove_volume", name, |state| state.remove_volume(name))
            .await
    }

    async fn logs(
        &self,
        container: &ContainerId,
        query: &LogQuery,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        self.carry("logs", container.as_str(), |state| {
            let id = state.find(container)?;
            let container = state.container(&id);
            let history = container.log.read(query);
            let future = if query.follow && container.phase.is_up() {
                container.log.follow(query)
            } else {
                stream::empty().boxed()
            };
            Ok(stream::iter(history).map(Ok).chain(future).boxed())
        })
        .await
    }

    async fn exec(
        &self,
        container: &ContainerId,
        command: &[String],
        _most: Duration,
    ) -> Result<ExecOutcome> {
        self.carry("exec", container.as_str(), |state| {
            let id = state.find(container)?;
            state.exec(&id, command)
        })
        .await
    }

    async fn sample(&self, container: &ContainerId) -> Result<Sample> {
        self.carry("sample", container.as_str(), |state| {
            let id = state.find(container)?;
            state.sample(&id)
        })
        .await
    }
}

/// No volumes and no secrets, for creations that need none.
pub(crate) fn nothing<T>() -> BTreeMap<String, T> {
    BTreeMap::new()
}
