//! Carrying out an action that was accepted: `execute`, one target after the other or several at once.

use std::future::Future;

use chrono::Duration;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};

use super::{Ops, actions, locks::TargetGuard};
use crate::{
    domain::{
        action::{Action, Kind, State, Step, Target},
        agent::{Agent, Desired, Observation, Phase},
        event::Event,
        ids::{ActionId, AgentId, ContainerId},
        view::Busy,
    },
    engine::{self, EngineError},
    error::{Error, Result},
    store::{
        self, Tx,
        actions::{self as rows, Ending},
        agents, fleets, is_taken, templates,
    },
};

/// How long whoever follows an action has to show its end before the outbox does.
const FOLLOWER_FIRST: Duration = Duration::seconds(10);
/// Between two tries to write what happened.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

impl Ops {
    /// Carries out a pending action; does nothing if somebody else was first. What people approved is looked at
    /// once more before; while that cannot be done it waits.
    pub async fn execute(&self, id: ActionId) -> Result<()> {
        // While Discord is slow to say who somebody is, each ring finds it pending.
        let Some(_turn) = self.executing.begin(id) else {
            return Ok(());
        };
        drop(self.accepting.write().await);
        let action = self.action(id).await?;
        if !self.is_still_right(&action).await? {
            return Ok(());
        }
        if !self.begin(&action).await? {
            return Ok(());
        }
        let action = insist(id, || self.begun(&action)).await;
        let ending = self.carry_out(&action).await;
        insist(id, || self.finish(id, &ending, FOLLOWER_FIRST)).await;
        Ok(())
    }

    /// False if somebody else was first.
    async fn begin(&self, action: &Action) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let (from, to) = (State::Pending, State::Running);
        let first = rows::advance(&mut tx, action.id, from, to, self.now()).await?;
        if first {
            desire(&mut tx, action).await?;
        }
        tx.commit().await?;
        Ok(first)
    }

    /// The action as it is now that it runs, for whoever follows it.
    async fn begun(&self, action: &Action) -> Result<Action> {
        for target in &action.targets {
            self.refresh(target.agent).await?;
            // One that was accepted before this start is not marked yet.
            self.mark_busy(action, target.agent);
        }
        let action = self.action(action.id).await?;
        self.show(&action);
        Ok(action)
    }

    async fn is_still_right(&self, action: &Action) -> Result<bool> {
        let Some(approval) = &action.approval else {
            return Ok(true);
        };
        let why = match self.why_not_now(action).await {
            Ok(None) => return Ok(true),
            Ok(Some(why)) => why,
            Err(Error::Unavailable(why)) if self.now() < approval.expires_at => {
                tracing::info!(
                    action.id = action.id.0,
                    error = why,
                    "an approved action waits"
                );
                return Ok(false);
            }
            Err(Error::Unavailable(why)) => {
                format!("it could not be looked at again in time: {why}")
            }
            Err(error) => return Err(error),
        };
        self.void(action, State::Pending, &why).await?;
        Ok(false)
    }

    async fn carry_out(&self, action: &Action) -> Ending {
        let ready = match self.refuse_frozen_whole(action) {
            Ok(()) => self.put_secret_in_force(action).await,
            refused => refused,
        };
        if let Err(error) = ready {
            ending(action, Err(error))
        } else if action.targets.is_empty() {
            ending(action, self.apply(action).await)
        } else {
            let parallel = self.settings().docker.parallel as usize;
            let work: Vec<BoxFuture<'_, State>> = action
                .targets
                .iter()
                .map(|target| self.work_on(action, target).boxed())
                .collect();
            let states: Vec<State> = stream::iter(work)
                .buffer_unordered(parallel)
                .collect()
                .await;
            summary(&states)
        }
    }

    /// Ends an action and leaves its card to the outbox, unless a follower shows it within `after`. May be called again
    /// after an error.
    pub(super) async fn finish(
        &self,
        id: ActionId,
        ending: &Ending,
        after: Duration,
    ) -> Result<()> {
        let now = self.now();
        let mut tx = self.store.begin().await?;
        // Read while nobody else writes: a follower may just have learnt which message the reply is.
        let action = self.action(id).await?;
        if rows::finish(&mut tx, id, ending, now).await? {
            self.tell_finished(&mut tx, &action, (ending, after))
                .await?;
            tx.commit().await?;
        }
        let ended = self.action(id).await?;
        for target in &ended.targets {
            self.mark_idle(id, target.agent);
        }
        self.note_end(&ended);
        self.alter(id, |live| *live = ended);
        self.hide(id);
        self.publish(Event::Outbox);
        Ok(())
    }

    async fn tell_finished(
        &self,
        tx: &mut Tx,
        action: &Action,
        (ending, after): (&Ending, Duration),
    ) -> Result<()> {
        let now = self.now();
        // After a decision of others nobody follows its interaction any more.
        let after = if action.approval.is_some() {
            Duration::zero()
        } else {
            after
        };
        actions::notify(tx, action, now, after).await?;
        actions::tell_result(tx, action, now).await?;
        self.tell_unattended(tx, action, ending).await
    }

    /// One target, from lock to end. Its failure is its own.
    async fn work_on(&self, action: &Action, target: &Target) -> State {
        let work = Work {
            ops: self,
            action,
            target,
            guard: self.locks.lock(target.agent).await,
        };
        let ending = work.carry_out_unless_frozen().await;
        self.end_target(&work, &ending).await
    }

    pub(super) async fn end_target(&self, work: &Work<'_>, ending: &Ending) -> State {
        let (id, agent) = (work.action.id, work.guard.agent());
        insist(id, || self.write_ending(id, agent, ending)).await;
        insist(id, || self.refresh(agent)).await;
        self.mark_idle(id, agent);
        self.alter(id, |live| {
            if let Some(target) = live.targets.iter_mut().find(|target| target.agent == agent) {
                target.state = ending.state;
                target.step = Step::Done;
                target.note.clone_from(&ending.note);
            }
        });
        ending.state
    }

    async fn write_ending(&self, id: ActionId, agent: AgentId, ending: &Ending) -> Result<()> {
        let mut tx = self.store.begin().await?;
        rows::finish_target(&mut tx, id, agent, ending, self.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) fn mark_busy(&self, action: &Action, agent: AgentId) {
        let busy = Busy {
            action: action.id,
            kind: action.kind,
            actor: action.actor,
            since: action.created_at,
        };
        self.roster.set_busy(agent, busy, self.now());
        self.publish(Event::Agent(agent));
    }

    /// The action is at work on the agent no more; somebody else may be by now.
    pub(super) fn mark_idle(&self, action: ActionId, agent: AgentId) {
        if self.roster.set_idle(agent, action, self.now()) {
            self.publish(Event::Agent(agent));
        }
    }

    /// What concerns no container.
    pub(super) async fn apply(&self, action: &Action) -> Result<Option<String>> {
        let details = &action.details;
        match (action.kind, &details.name, details.fleet) {
            (Kind::FleetCreate, Some(name), _) => {
                let mut tx = self.store.begin().await?;
                fleets::insert(&mut tx, name, details.channel, self.now())
                    .await
                    .map_err(|error| taken(error, name.as_str()))?;
                self.put_in_force(tx, action).await?;
                self.refresh_fleets().await?;
                Ok(None)
            }
            (Kind::FleetDelete, Some(name), Some(fleet)) => {
                let mut tx = self.store.begin().await?;
                if !fleets::remove_if_empty(&mut tx, fleet, self.now()).await? {
                    return Err(Error::Invalid(format!(
                        "`{name}` still has agents. Move or remove them first."
                    )));
                }
                self.put_in_force(tx, action).await?;
                self.refresh_fleets().await?;
                self.drop_networks(name.as_str()).await
            }
            (Kind::TemplateSave, Some(name), _) => {
                let (Some(body), Some(actor)) = (&details.template, action.actor) else {
                    return Err(unfit(action));
                };
                let mut tx = self.store.begin().await?;
                templates::insert(&mut tx, name, body, actor, self.now())
                    .await
                    .map_err(|error| taken(error, name.as_str()))?;
                self.put_in_force(tx, action).await?;
                self.stock(self.file_templates()).await?;
                Ok(None)
            }
            (Kind::TemplateDelete, Some(name), _) => {
                let mut tx = self.store.begin().await?;
                templates::delete(&mut tx, name).await?;
                self.put_in_force(tx, action).await?;
                self.stock(self.file_templates()).await?;
                Ok(None)
            }
            (Kind::Reload, ..) => self.reload(Some(action)).await,
            (Kind::Freeze, ..) => self.freeze(action).await,
            (Kind::Unfreeze, ..) => self.unfreeze(action).await,
            // The value was put in force before, and nobody runs with the old one.
            (Kind::SecretSet | Kind::SecretRotate, ..) => Ok(None),
            (Kind::GrantAdd | Kind::GrantRemove | Kind::TeamSave | Kind::TeamDelete, ..) => {
                self.apply_access(action).await
            }
            (Kind::Backup | Kind::Report | Kind::Purge, ..) => self.keep_up(action).await,
            _ if details.schedule.is_some() => self.apply_schedule(action).await,
            (Kind::SecretDelete, ..) => self.delete_secret(action).await,
            (Kind::Silence | Kind::SilenceEnd, ..) => self.apply_silence(action).await,
            (Kind::Board | Kind::BoardRemove, ..) => self.apply_board(action).await,
            _ => Err(unfit(action)),
        }
    }

    /// Commits what an action does, with a mark for the start that may find it cut off after that.
    pub(super) async fn put_in_force(&self, mut tx: Tx, action: &Action) -> Result<()> {
        rows::put_in_force(&mut tx, action.id).await?;
        Ok(tx.commit().await?)
    }

    /// Removes the data of the agent that is held.
    pub(super) async fn drop_volumes(&self, guard: &TargetGuard) -> engine::Result<()> {
        let volumes = self.engine.volumes(&self.instance, guard.agent()).await?;
        for volume in volumes {
            self.engine.remove_volume(&volume).await?;
        }
        Ok(())
    }

    pub(super) async fn drop_networks(&self, fleet: &str) -> Result<Option<String>> {
        for internet in [true, false] {
            let network = self.network_name(fleet, internet);
            if let Err(error) = self.remove_network(&network).await {
                return Ok(Some(format!("Its network is left behind: {error}.")));
            }
        }
        Ok(None)
    }
}

/// What is wanted counts from the beginning on: what was accepted may still lapse or be void, and nobody is to do it all
/// the same. A new container's agent is wanted once that container is proven.
async fn desire(tx: &mut Tx, action: &Action) -> Result<()> {
    let desired = match action.kind {
        Kind::Start | Kind::Restart | Kind::Resume => Desired::Running,
        Kind::Pause => Desired::Paused,
        Kind::Stop | Kind::Remove => Desired::Stopped,
        _ => return Ok(()),
    };
    for target in &action.targets {
        agents::set_desired(tx, target.agent, desired).await?;
    }
    Ok(())
}

/// Does again what the database refuses, for as long as it takes: nobody else comes back to an action that runs, and its
/// agents would be busy until the next start.
async fn insist<T, F>(id: ActionId, work: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T>>,
{
    let mut is_told = false;
    loop {
        match work().await {
            Ok(done) => return done,
            Err(error) if !is_told => {
                tracing::error!(
                    action.id = id.0,
                    error = format!("{error:#}"),
                    "an action's progress could not be written; trying again"
                );
                is_told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// An outcome in words for people. What is ours to mend goes to the log under the action's number.
pub(super) fn ending(action: &Action, outcome: Result<Option<String>>) -> Ending {
    match outcome {
        Ok(note) => Ending {
            state: State::Succeeded,
            note,
        },
        Err(Error::Internal(error)) => {
            tracing::error!(
                action.id = action.id.0,
                error = format!("{error:#}"),
                "action failed"
            );
            Ending {
                state: State::Failed,
                note: Some(format!(
                    "Yardarm itself failed; its log tells more under action {}.",
                    action.id
                )),
            }
        }
        Err(error) => Ending {
            state: if matches!(error, Error::Drifted(_)) {
                State::Void
            } else {
                State::Failed
            },
            note: Some(error.to_string()),
        },
    }
}

/// A number of ends as one.
fn summary(states: &[State]) -> Ending {
    let well = states
        .iter()
        .filter(|state| **state == State::Succeeded)
        .count();
    let state = if well == states.len() {
        State::Succeeded
    } else if let Some(state) = all_alike(states, &[State::Cancelled, State::Void]) {
        state
    } else {
        State::Failed
    };
    let note = (states.len() > 1).then(|| format!("{well} of {} done", states.len()));
    Ending { state, note }
}

/// The one of `wanted` that all of them are.
fn all_alike(states: &[State], wanted: &[State]) -> Option<State> {
    let is_all = |wanted: &&State| states.iter().all(|state| state == *wanted);
    wanted.iter().find(is_all).copied()
}

fn taken(error: store::Error, name: &str) -> Error {
    if is_taken(&error) {
        Error::Invalid(format!("`{name}` is taken. Choose another name."))
    } else {
        error.into()
    }
}

pub(super) fn unfit(action: &Action) -> Error {
    Error::Internal(anyhow::anyhow!(
        "action {} lacks what a {} needs",
        action.id,
        action.kind
    ))
}

/// The work on one target. It holds the guard: without one, no container is changed.
pub(super) struct Work<'a> {
    pub(super) ops: &'a Ops,
    pub(super) action: &'a Action,
    pub(super) target: &'a Target,
    pub(super) guard: TargetGuard,
}

impl Work<'_> {
    pub(super) async fn carry_out(&self) -> Result<Option<String>> {
        match self.action.kind {
            Kind::Deploy | Kind::Redeploy | Kind::Rollback | Kind::SecretRotate => {
                self.replace().await
            }
            Kind::Start => self.start().await,
            Kind::Stop => self.stop().await,
            Kind::Restart => {
                self.refuse_present_secrets(&self.agent().await?).await?;
                self.stop().await?;
                self.write_step(Step::Starting).await?;
                self.start().await
            }
            Kind::Pause => self.pause().await,
            Kind::Resume => self.resume().await,
            Kind::Remove => self.remove().await,
            Kind::Adopt => match self.adopt().await {
                Err(error) => {
                    self.unlist().await?;
                    Err(error)
                }
                adopted => adopted,
            },
            Kind::FleetAdd => self.move_fleet().await,
            _ => Err(unfit(self.action)),
        }
    }

    /// The agent as the database has it.
    pub(super) async fn agent(&self) -> Result<Agent> {
        let gone = || Error::NotFound(format!("`{}` was removed meanwhile.", self.target.name));
        self.ops
            .store
            .agent(self.guard.agent())
            .await?
            .ok_or_else(gone)
    }

    pub(super) async fn container(&self) -> Result<ContainerId> {
        let none = || {
            Error::Invalid(format!(
                "`{0}` has no container. `/redeploy agent:{0}` makes one.",
                self.target.name
            ))
        };
        self.agent().await?.container.ok_or_else(none)
    }

    /// Writes down where a later start is to go on from.
    async fn write_step(&self, step: Step) -> Result<()> {
        let mut tx = self.ops.store.begin().await?;
        rows::set_step(&mut tx, self.action.id, self.guard.agent(), step).await?;
        Ok(tx.commit().await?)
    }

    /// Tells followers how far it is. Few steps are written down: only what a later start must know.
    pub(super) fn step(&self, step: Step) {
        let agent = self.guard.agent();
        self.ops.alter(self.action.id, |live| {
            if let Some(target) = live.targets.iter_mut().find(|target| target.agent == agent) {
                target.step = step;
            }
        });
    }

    pub(super) async fn start(&self) -> Result<Option<String>> {
        let container = self.container().await?;
        self.step(Step::Starting);
        match self.ops.engine.observe(&container).await? {
            None => return self.replace().await,
            Some(seen) if seen.phase == Phase::Paused => {
                self.reach(&container, self.ops.engine.unpause(&container), is_running)
                    .await?;
            }
            Some(seen) if seen.phase == Phase::Running => {}
            Some(_) => {
                self.lay_out_present_secrets(&self.agent().await?).await?;
                self.reach(&container, self.ops.engine.start(&container), is_running)
                    .await?;
            }
        }
        self.ops.observe(&container).await?;
        Ok(None)
    }

    pub(super) async fn stop(&self) -> Result<Option<String>> {
        let container = self.container().await?;
        self.step(Step::Stopping);
        let stopping = self.ops.engine.stop(&container, self.grace());
        match self
            .reach(&container, stopping, |seen| !seen.phase.is_up())
            .await
        {
            Ok(()) => self.ops.observe(&container).await?,
            // It runs no more, which is what was wanted.
            Err(Error::Invalid(_)) if self.ops.engine.observe(&container).await?.is_none() => {}
            Err(error) => return Err(error),
        }
        self.ops.clear_secrets(&self.guard)?;
        Ok(None)
    }

    async fn pause(&self) -> Result<Option<String>> {
        let container = self.container().await?;
        let paused = |seen: &Observation| seen.phase == Phase::Paused;
        self.reach(&container, self.ops.engine.pause(&container), paused)
            .await?;
        self.ops.observe(&container).await?;
        Ok(None)
    }

    async fn resume(&self) -> Result<Option<String>> {
        let container = self.container().await?;
        self.reach(&container, self.ops.engine.unpause(&container), is_running)
            .await?;
        self.ops.observe(&container).await?;
        Ok(None)
    }

    async fn remove(&self) -> Result<Option<String>> {
        let agent = self.agent().await?;
        if let Some(container) = &agent.container {
            self.step(Step::Stopping);
            self.retire(container).await?;
        }
        self.ops.clear_secrets(&self.guard)?;
        let mut left = None;
        if self.action.details.volumes {
            self.ops.drop_volumes(&self.guard).await?;
            left = self.left_behind(&agent).await?;
        }
        self.unlist().await?;
        Ok(left)
    }

    /// Others may use the volumes that it came with.
    async fn left_behind(&self, agent: &Agent) -> Result<Option<String>> {
        let version = self.ops.store.version(agent.id, agent.version).await?;
        let taken_over = version.filter(|version| version.spec.was_taken_over());
        let volumes = taken_over.iter().flat_map(|version| version.spec.volumes());
        let volumes: Vec<String> = volumes.map(|name| format!("`{name}`")).collect();
        Ok((!volumes.is_empty()).then(|| {
            format!(
                "The volumes that it came with stay: {}.",
                volumes.join(", ")
            )
        }))
    }

    /// Takes a container over as it is, without touching it.
    async fn adopt(&self) -> Result<Option<String>> {
        let Some(container) = &self.action.details.container else {
            return Err(unfit(self.action));
        };
        self.ops.refuse_ourselves(container).await?;
        let mut described = self.ops.engine.describe(container).await?;
        let observed = self.ops.engine.observe(container).await?;
        let observed = observed.ok_or_else(|| {
            Error::NotFound(format!("The container `{}` is gone.", container.short()))
        })?;
        let image = self.ops.names_of(&observed.image).await?;
        let mut tx = self.ops.store.begin().await?;
        self.seal_environment(&mut tx, &mut described.spec, &image)
            .await?;
        let body = (&described.spec, &observed.image, &self.target.arguments);
        agents::swap(
            &mut tx,
            self.guard.agent(),
            &observed.container,
            body,
            self.ops.now(),
        )
        .await
        .map_err(|error| taken(error, container.short()))?;
        if observed.phase.is_up() {
            agents::set_desired(&mut tx, self.guard.agent(), Desired::Running).await?;
        }
        tx.commit().await?;
        self.ops.load_secrets().await?;
        self.ops.refresh(self.guard.agent()).await?;
        self.ops.observe(&observed.container).await?;
        Ok((!described.unsaid.is_empty()).then(|| {
            let unsaid = described.unsaid.join(", ");
            format!("A redeploy would drop what Yardarm cannot say: {unsaid}.")
        }))
    }

    /// What was to be an agent is none: its name is free again.
    pub(super) async fn unlist(&self) -> Result<()> {
        let mut tx = self.ops.store.begin().await?;
        agents::remove(&mut tx, self.guard.agent(), self.ops.now()).await?;
        Ok(tx.commit().await?)
    }

    async fn move_fleet(&self) -> Result<Option<String>> {
        let (Some(fleet), Some(name)) = (self.action.details.fleet, &self.action.details.name)
        else {
            return Err(unfit(self.action));
        };
        let gone = || {
            Error::NotFound(format!(
                "The fleet `{name}` was deleted meanwhile. `{}` stays where it was.",
                self.target.name
            ))
        };
        if self
            .ops
            .roster
            .read(|board| board.fleet_by_id(fleet).is_none())
        {
            return Err(gone());
        }
        let view = self.ops.roster.view_of(self.guard.agent());
        let from = view.map(|view| view.fleet.clone());
        self.change_network(from.as_ref(), name).await?;
        let mut tx = self.ops.store.begin().await?;
        let moved = agents::set_fleet(&mut tx, self.guard.agent(), fleet).await?;
        tx.commit().await?;
        if moved {
            return Ok(None);
        }
        if let Some(from) = &from {
            self.change_network(Some(name), from).await?;
        }
        Err(gone())
    }

    /// Stops a container and removes it; that it is gone already is fine.
    pub(super) async fn retire(&self, container: &ContainerId) -> Result<()> {
        match self.ops.engine.stop(container, self.grace()).await {
            Ok(()) | Err(EngineError::NotFound(_)) => {}
            // Removal ends what would not stop.
            Err(error) if error.outcome_is_unknown() => {}
            Err(error) => return Err(error.into()),
        }
        match self.ops.engine.remove(container).await {
            Err(error)
                if error.outcome_is_unknown()
                    && self.ops.engine.observe(container).await?.is_none() =>
            {
                Ok(())
            }
            answer => Ok(answer?),
        }
    }

    /// Calls the engine. If the answer is lost, or it is so already, what is observed decides; the call is never
    /// repeated.
    pub(super) async fn reach(
        &self,
        container: &ContainerId,
        call: impl Future<Output = engine::Result<()>>,
        reached: fn(&Observation) -> bool,
    ) -> Result<()> {
        match call.await {
            Err(error)
                if error.outcome_is_unknown() || matches!(error, EngineError::Conflict(_)) =>
            {
                let seen = self.ops.engine.observe(container).await?;
                if seen.as_ref().is_some_and(reached) {
                    Ok(())
                } else {
                    Err(error.into())
                }
            }
            answer => Ok(answer?),
        }
    }

    fn grace(&self) -> std::time::Duration {
        if self.ops.freeze_of(self.guard.agent()).is_some() {
            // To ask it to end, the engine would let it run.
            return std::time::Duration::ZERO;
        }
        let view = self.ops.roster.view_of(self.guard.agent());
        let seconds = view
            .and_then(|view| view.version.clone())
            .map_or(10, |version| version.spec.stop_grace_s);
        std::time::Duration::from_secs(seconds.into())
    }
}

fn is_running(seen: &Observation) -> bool {
    seen.phase == Phase::Running
}
