//! At the start: what the last end cut off is finished or undone, and told. And always: what should run is started.

use chrono::{DateTime, Duration, Utc};
use futures::future::join_all;
use serde_json::json;

use super::{
    Ops,
    actions::{Requester, close, newcomers},
    execute::{Work, ending},
};
use crate::{
    domain::{
        action::{Action, Details, Kind, Origin, State, Step, Target},
        agent::{self, Agent, Desired},
        audit::{self, Entry, What},
        event::Event,
        ids::{ActionId, AgentId},
        incident::{self, About},
        outbox::Subject,
        recovery::Reason,
        view::EngineState,
    },
    error::{Error, Result},
    store::{
        actions::{self as rows, Ending},
        outbox, process,
    },
};

/// An action accepted this long ago and never begun is not begun any more: its requester has moved on.
const STALE: Duration = Duration::minutes(15);
/// Once Docker has answered for so long, a container for which it does not keeps its agent busy no longer.
const PATIENCE: Duration = Duration::minutes(15);
/// What was started by itself so recently and is down again is in trouble.
const A_MOMENT: Duration = Duration::minutes(5);

impl Ops {
    /// Notes this start and what the last end cut off. Reads and writes the database only.
    pub async fn note_start(&self) -> Result<Start> {
        let now = self.now();
        let cut_off = self.store.actions_in(State::Running).await?;
        let stale = self.stale(now).await?;
        let mut tx = self.store.begin().await?;
        let number = process::note_start(&mut tx, json!(self.fingerprints().0), now).await?;
        let by = Entry::new(What::Started, audit::Origin::Yardarm);
        self.tell_changes(&mut tx, &self.settings(), &by).await?;
        for action in &stale {
            let ending = Ending {
                state: State::Expired,
                note: None,
            };
            close(&mut tx, action, (State::Pending, &ending), now).await?;
        }
        for id in &cut_off {
            rows::note_found(&mut tx, *id, number).await?;
        }
        tx.commit().await?;
        for action in &stale {
            for agent in newcomers(action) {
                self.refresh(agent).await?;
            }
        }
        for id in self.store.actions_in(State::Pending).await? {
            self.accepted(id).await?;
        }
        for id in &cut_off {
            let action = self.action(*id).await?;
            self.show(&action);
            for target in action
                .targets
                .iter()
                .filter(|target| target.state == State::Running)
            {
                self.mark_busy(&action, target.agent);
            }
        }
        Ok(Start { number, cut_off })
    }

    /// Notes the end in good order.
    pub async fn note_stop(&self, drained: bool) -> Result<()> {
        let mut tx = self.store.begin().await?;
        process::note_stop(&mut tx, drained, self.now()).await?;
        Ok(tx.commit().await?)
    }

    async fn stale(&self, now: DateTime<Utc>) -> Result<Vec<Action>> {
        let mut stale = Vec::new();
        for id in self.store.actions_in(State::Pending).await? {
            let action = self.action(id).await?;
            // What people approved is looked at again and done, up to the end of the question.
            let until = action.approval.as_ref().map(|approval| approval.expires_at);
            if until.unwrap_or(action.created_at + STALE) < now {
                stale.push(action);
            }
        }
        Ok(stale)
    }

    /// Finishes or undoes what was cut off, and has it told. Needs the engine; an error means: try again. What cannot be
    /// settled yet keeps nothing else from it.
    pub async fn settle(&self, start: &Start) -> Result<()> {
        all(start.cut_off.iter().map(|id| self.settle_action(*id))).await?;
        if !start.cut_off.is_empty() {
            // What they left is theirs no more.
            self.resync().await?;
        }
        self.report(start).await
    }

    async fn settle_action(&self, id: ActionId) -> Result<()> {
        let action = self.action(id).await?;
        if action.state != State::Running {
            return Ok(());
        }
        if action.targets.is_empty() {
            let ending = self.settle_whole(&action).await?;
            return self.finish(action.id, &ending, Duration::zero()).await;
        }
        let running = |target: &&Target| target.state == State::Running;
        let targets = action.targets.iter().filter(running);
        all(targets.map(|target| self.settle_target(&action, target))).await?;
        let states: Vec<State> = self
            .action(action.id)
            .await?
            .targets
            .iter()
            .map(|target| target.state)
            .collect();
        // Nobody follows it any more.
        self.finish(action.id, &worst(&states), Duration::zero())
            .await
    }

    async fn settle_target(&self, action: &Action, target: &Target) -> Result<()> {
        let work = Work {
            ops: self,
            action,
            target,
            guard: self.locks.lock(target.agent).await,
        };
        let settled = match work.settle().await {
            Err(Error::Unavailable(why)) if self.may_settle_later() => {
                return Err(Error::Unavailable(why));
            }
            Err(error) => ending(action, Err(error)),
            Ok(ending) => ending,
        };
        self.end_target(&work, &settled).await;
        Ok(())
    }

    fn may_settle_later(&self) -> bool {
        let long_ago = self.now() - PATIENCE;
        self.roster.read(|board| match board.engine {
            EngineState::Answers { since, .. } => since > long_ago,
            _ => true,
        })
    }

    /// One that is about no agent: it was in force already, may be done again, or was not begun.
    async fn settle_whole(&self, action: &Action) -> Result<Ending> {
        if self.store.is_in_force(action.id).await? {
            let left = match &action.details.name {
                Some(fleet) if action.kind == Kind::FleetDelete => {
                    self.drop_networks(fleet.as_str()).await?
                }
                _ => None,
            };
            return Ok(finished(left));
        }
        if !action.kind.is_idempotent() {
            return Ok(Ending {
                state: State::Interrupted,
                note: Some(
                    "Yardarm was ended before it was done. Nothing was changed; send the command again."
                        .to_owned(),
                ),
            });
        }
        let outcome = match self.put_secret_in_force(action).await {
            Ok(()) => self.apply(action).await,
            Err(error) => Err(error),
        };
        Ok(ending(action, outcome))
    }

    /// Tells the ops channel what was cut off, in one message.
    async fn report(&self, start: &Start) -> Result<()> {
        let Some(channel) = self
            .settings()
            .discord
            .ops_channel
            .filter(|_| !start.cut_off.is_empty())
        else {
            return Ok(());
        };
        let now = self.now();
        let mut tx = self.store.begin().await?;
        outbox::tell(&mut tx, (Subject::Start(start.number), channel), now).await?;
        tx.commit().await?;
        self.publish(Event::Outbox);
        Ok(())
    }

    /// Submits a start for everything that should run and does not. What ended before our eyes is `recovery`'s, and so is
    /// what was started a moment ago and is down again, and what may not be started or only once people say yes: it is told.
    pub async fn converge(&self) -> Result<()> {
        let down: Vec<AgentId> = self.roster.read(|board| {
            let wanted = board.views().filter(|view| {
                view.state == agent::State::Down
                    && view.busy.is_none()
                    && !board.is_frozen(view.agent.fleet)
                    && view.agent.desired == Desired::Running
                    && !view.agent.adopted
            });
            wanted.map(|view| view.agent.id).collect()
        });
        for agent in down {
            let about = About::Agent(agent);
            let is_incident = self.ended.contains(agent)
                || self
                    .store
                    .open_incident(&about, incident::Kind::Down)
                    .await?
                    .is_some();
            if is_incident {
                continue;
            }
            let now = self.now();
            let moment = (now - A_MOMENT, now);
            let past = self.store.past_of(agent, Reason::Own, moment).await?;
            let is_told = past.attempts > 0 || past.asked;
            if is_told || !self.start_again(agent, "it should run and did not").await? {
                self.ended.note(agent);
                self.publish(Event::Agent(agent));
            }
        }
        Ok(())
    }

    pub(super) async fn start_again(&self, agent: AgentId, reason: &str) -> Result<bool> {
        let requester = Requester::own(Origin::Converge, reason.to_owned());
        self.submit_own(agent, (Kind::Start, Details::default()), requester)
            .await
    }
}

/// Does everything at once and to its end, and tells the first error.
async fn all(work: impl Iterator<Item = impl Future<Output = Result<()>>>) -> Result<()> {
    join_all(work).await.into_iter().collect()
}

/// One start of the process.
#[derive(Clone, Debug)]
pub struct Start {
    pub number: i64,
    pub cut_off: Vec<ActionId>,
}

impl Work<'_> {
    /// One target that was cut off: finished if the registry had moved, repeated if that is safe, undone otherwise.
    async fn settle(&self) -> Result<Ending> {
        let (kind, step) = (self.action.kind, self.target.step);
        if kind.is_held_by_freeze()
            && let Some(freeze) = self.ops.freeze_of(self.guard.agent())
        {
            return Ok(self.backed_out(&freeze, self.undo_frozen().await?));
        }
        let Some(agent) = self.ops.store.agent(self.guard.agent()).await? else {
            return Ok(if kind == Kind::Remove {
                finished(None)
            } else {
                interrupted(self.action, self.target)
            });
        };
        if has_moved(kind, step, &agent) {
            return Ok(finished(None));
        }
        if kind == Kind::Restart && step == Step::Starting {
            return Ok(finished(Box::pin(self.start()).await?));
        }
        if kind == Kind::Restart || kind.is_idempotent() {
            self.discard_made(&agent).await?;
            return Ok(finished(Box::pin(self.carry_out()).await?));
        }
        self.undo(&agent, agent.desired == Desired::Running).await?;
        Ok(interrupted(self.action, self.target))
    }
}

/// Whether the registry says that the agent is what the action was to make of it: nothing of that is undone any more.
pub(super) fn has_moved(kind: Kind, step: Step, agent: &Agent) -> bool {
    step == Step::Swapped || (kind == Kind::Adopt && agent.container.is_some())
}

fn finished(note: Option<String>) -> Ending {
    let mut text = "Finished after Yardarm was restarted.".to_owned();
    if let Some(note) = note {
        text = format!("{note} {text}");
    }
    Ending {
        state: State::Succeeded,
        note: Some(text),
    }
}

fn interrupted(action: &Action, target: &Target) -> Ending {
    let name = &target.name;
    let fate = if action.kind == Kind::Deploy {
        format!("Nothing of `{name}` is left")
    } else {
        format!("`{name}` is what it was before")
    };
    Ending {
        state: State::Interrupted,
        note: Some(format!(
            "Yardarm was ended in the middle of it. {fate}; send the command again."
        )),
    }
}

/// An action is what became of its unluckiest target.
fn worst(states: &[State]) -> Ending {
    let has = |state: State| states.contains(&state);
    let state = match () {
        () if has(State::Interrupted) => State::Interrupted,
        () if has(State::Failed) => State::Failed,
        () if has(State::Cancelled) => State::Cancelled,
        () if has(State::Void) => State::Void,
        () => State::Succeeded,
    };
    Ending { state, note: None }
}
