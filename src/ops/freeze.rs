//! Freezing and thawing. What is frozen is committed first and done afterwards, again and again: a container that
//! comes up in a frozen fleet, by whatever way, is stilled when it is seen.
//!
//! Stilling takes no guard. Whoever holds it may be what must be stopped, and a pause, or a network that is left,
//! disturbs nobody's work but that of the agent itself. Thawing takes each agent's guard like any other change.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use futures::{StreamExt as _, future::join_all, stream};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    Ops,
    actions::Request,
    execute::{Work, ending},
    recover::has_moved,
    resolve::change_of,
    sight::Sight,
};
use crate::{
    domain::{
        action::{Action, Details, Kind, State},
        agent::{Desired, Name, Phase},
        audit::{Entry, Origin, What},
        event::Event,
        fleet::Fleet,
        freeze::{Freeze, Held, Mode},
        grant::{Caller, Holder, Need},
        ids::{AgentId, ContainerId, FleetId, FreezeId, InteractionId, UserId},
        spec::Network,
        view::View,
    },
    engine::{self, EngineError},
    error::{Error, Result},
    store::{actions::Ending, audit, freezes},
};

/// Agents restored at the same time; more gains nothing.
const RESTORED_AT_ONCE: usize = 8;

/// Questions in memory; older ones are read from the database.
const IN_MEMORY: usize = 64;

/// Work that a freeze ends in the middle, by agent.
#[derive(Debug, Default)]
pub(super) struct Interrupts(Mutex<HashMap<AgentId, CancellationToken>>);

/// What somebody is asked before it is frozen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    /// None: everything.
    pub fleet: Option<Name>,
    pub mode: Mode,
    pub reason: String,
    pub author: UserId,
}

#[derive(Debug, Default)]
pub(super) struct Questions(Mutex<BTreeMap<InteractionId, Question>>);

impl Interrupts {
    /// To be asked before the work looks whether its agent is frozen: so none slips through between both.
    fn begin(&self, agent: AgentId) -> CancellationToken {
        let token = CancellationToken::new();
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(agent, token.clone());
        token
    }

    fn end(&self, agent: AgentId) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.remove(&agent);
    }

    fn interrupt(&self, is_frozen: impl Fn(AgentId) -> bool) {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (agent, token) in &*tokens {
            if is_frozen(*agent) {
                token.cancel();
            }
        }
    }
}

impl Ops {
    /// Why nobody could end that freeze by the present grants and rules; None if somebody could.
    pub async fn no_way_back(&self, freeze: &Request) -> Option<String> {
        let end = Request {
            kind: Kind::Unfreeze,
            ..freeze.clone()
        };
        let need = self.need_for(&end);
        let mut why = format!("nobody is {} there.", need.level);
        for holder in self.rights().holders(need.level, &need.on, self.now()) {
            match self.foresee(&end, &self.bearing(&holder)).await {
                Ok(()) => return None,
                Err(refusal) => why = refusal.to_string(),
            }
        }
        Some(why)
    }

    /// Somebody who has what this holder has. Whoever has a role is nobody in particular.
    fn bearing(&self, holder: &Holder) -> Caller {
        let (user, roles) = match holder {
            Holder::User(user) => (*user, Vec::new()),
            Holder::Role(role) => (UserId(0), vec![*role]),
            Holder::Team(_) => (UserId(0), Vec::new()),
        };
        Caller {
            user,
            bot: false,
            guild: Some(self.settings().discord.guild),
            roles,
        }
    }
}

impl Sight<'_> {
    /// One fleet, or everything.
    pub fn request_freeze(&self, fleet: Option<&str>, mode: Mode) -> Result<Request> {
        let fleet = self.fleet_to(Kind::Freeze, fleet)?;
        if let Some(freeze) = self.frozen(fleet.as_ref().map(|fleet| fleet.id)) {
            return Err(Error::Invalid(format!("{freeze} It stays so.")));
        }
        Ok(about(Kind::Freeze, fleet, Some(mode)))
    }

    /// One fleet, or all that is frozen.
    pub fn request_unfreeze(&self, fleet: Option<&str>) -> Result<Request> {
        let fleet = self.fleet_to(Kind::Unfreeze, fleet)?;
        let none = match &fleet {
            Some(fleet) => format!("`{}` is not frozen.", fleet.name),
            None => "Nothing is frozen.".to_owned(),
        };
        let wanted = fleet.as_ref().map(|fleet| fleet.id);
        match self.frozen(wanted) {
            Some(freeze) if wanted.is_some() && freeze.fleet.is_none() => {
                let hint = "`/unfreeze` without a fleet lets all go on.";
                Err(Error::Invalid(format!("{freeze} {hint}")))
            }
            None if wanted.is_some() || self.frozen_fleets().is_empty() => {
                Err(Error::Invalid(none))
            }
            _ => Ok(about(Kind::Unfreeze, fleet, None)),
        }
    }

    /// The fleet it is about, or everything; refused before anything is said of what is frozen.
    fn fleet_to(&self, kind: Kind, name: Option<&str>) -> Result<Option<Fleet>> {
        let Some(name) = name else {
            self.permit(&Need::everything(kind.level()))?;
            return Ok(None);
        };
        let fleet = self.fleet(name)?;
        self.permit_in(kind, &fleet)?;
        Ok(Some(fleet))
    }
}

impl Ops {
    /// How many agents a freeze would still now.
    pub fn run_in(&self, fleet: Option<&Name>) -> usize {
        self.roster.read(|board| {
            let within = board
                .views()
                .filter(|view| fleet.is_none_or(|fleet| view.fleet == *fleet));
            within.filter(|view| runs(view)).count()
        })
    }

    /// What holds a fleet, or everything.
    pub fn frozen(&self, fleet: Option<FleetId>) -> Option<Freeze> {
        self.frozen_fleets().into_iter().find(|freeze| match fleet {
            Some(fleet) => freeze.covers(fleet),
            None => freeze.fleet.is_none(),
        })
    }

    fn frozen_fleets(&self) -> Vec<Freeze> {
        self.roster.read(|board| board.frozen().cloned().collect())
    }

    pub(super) fn freeze_of(&self, agent: AgentId) -> Option<Freeze> {
        let fleet = self
            .roster
            .read(|board| board.by_id(agent).map(|view| view.agent.fleet))?;
        self.frozen(Some(fleet))
    }

    /// Refuses what would begin something in a frozen fleet; from memory.
    pub fn refuse_frozen(&self, request: &Request) -> Result<()> {
        if !request.kind.is_held_by_freeze() {
            return Ok(());
        }
        let into = request.newcomer.as_ref().map(|newcomer| newcomer.fleet);
        self.refuse_frozen_any(
            request.targets.iter().map(|target| target.agent),
            into.or(request.details.fleet),
        )
    }

    /// The same for what was accepted before it was frozen, where that is no matter of a single agent.
    pub(super) fn refuse_frozen_whole(&self, action: &Action) -> Result<()> {
        if matches!(action.kind, Kind::SecretRotate | Kind::FleetDelete) {
            self.refuse_frozen_action(action)
        } else {
            Ok(())
        }
    }

    /// The same for what was asked about: the question stays open.
    pub(super) fn refuse_frozen_action(&self, action: &Action) -> Result<()> {
        if !action.kind.is_held_by_freeze() {
            return Ok(());
        }
        self.refuse_frozen_any(
            action.targets.iter().map(|target| target.agent),
            self.comes_into(action).or(action.details.fleet),
        )
    }

    fn refuse_frozen_any(
        &self,
        mut agents: impl Iterator<Item = AgentId>,
        fleet: Option<FleetId>,
    ) -> Result<()> {
        let held = agents.find_map(|agent| self.freeze_of(agent));
        match held.or_else(|| fleet.and_then(|fleet| self.frozen(Some(fleet)))) {
            Some(freeze) => Err(Error::Denied(freeze.refusal())),
            None => Ok(()),
        }
    }

    /// Takes over what the database says.
    pub(super) async fn refresh_freezes(&self) -> Result<Vec<Freeze>> {
        let freezes = self.store.freezes().await?;
        self.roster.put_freezes(freezes.clone(), self.now());
        self.publish(Event::Resynced);
        Ok(freezes)
    }

    /// Commits the freeze, ends what is under way, and stills what runs, in this order.
    pub(super) async fn freeze(&self, action: &Action) -> Result<Option<String>> {
        let _turn = self.stilling.begin(action.id);
        let known = self.store.freezes().await?;
        if !known.iter().any(|freeze| freeze.action == action.id) {
            self.commit_freeze(action).await?;
        }
        let freezes = self.refresh_freezes().await?;
        self.interrupts
            .interrupt(|agent| self.freeze_of(agent).is_some());
        let ours = freezes
            .into_iter()
            .find(|freeze| freeze.action == action.id);
        let Some(freeze) = ours.filter(|freeze| !freeze.thawing) else {
            return Ok(Some("It was thawed again meanwhile.".to_owned()));
        };
        let held = self.store.held_by(freeze.id).await?;
        let failures = self.still(&held).await;
        let stilled = match freeze.mode {
            Mode::Pause => "paused",
            Mode::Cut => "cut off",
        };
        let done = held.len() - failures.len();
        let count = format!("Agents {stilled}: {done} of {}.", held.len());
        Ok(Some([vec![count], failures].concat().join(" ")))
    }

    async fn commit_freeze(&self, action: &Action) -> Result<()> {
        let (fleet, mode) = (
            action.details.fleet,
            action.details.mode.unwrap_or_default(),
        );
        if let Some(freeze) = self.frozen(fleet) {
            return Err(Error::Invalid(format!("{freeze} It stays so.")));
        }
        let running: Vec<Held> = self.roster.read(|board| {
            let within = board
                .views()
                .filter(|view| fleet.is_none_or(|fleet| view.agent.fleet == fleet));
            within
                .filter(|view| runs(view) || is_coming(view))
                .map(|view| held(view, mode))
                .collect()
        });
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let freeze = freezes::insert(&mut tx, (fleet, mode), action.id, now).await?;
        for held in &running {
            freezes::hold(&mut tx, freeze, held).await?;
        }
        audit::append(&mut tx, &entry(What::Frozen, action), now).await?;
        Ok(tx.commit().await?)
    }

    /// Stills all of them at once, without anybody's leave; one sentence for each that would not.
    async fn still(&self, held: &[Held]) -> Vec<String> {
        let stilled = join_all(held.iter().map(|held| self.still_one(held))).await;
        let failures = held.iter().zip(stilled).filter_map(|(held, stilled)| {
            let error = stilled.err()?;
            let name = self.roster.view_of(held.agent)?.agent.name;
            tracing::warn!(agent.name = name.as_str(), error = %error, "a frozen agent could not be stilled; trying again");
            Some(format!("`{name}` not yet: {error}; it is tried again."))
        });
        failures.collect()
    }

    async fn still_one(&self, held: &Held) -> engine::Result<()> {
        let view = self.roster.view_of(held.agent);
        let Some((container, network)) = view.and_then(|view| self.reach_of(&view)) else {
            return Ok(());
        };
        if held.cut
            && let Some(network) = network
        {
            tolerate(self.engine.disconnect(&container, &network).await)?;
        }
        if held.paused {
            tolerate(self.engine.pause(&container).await)?;
        }
        self.observe(&container).await
    }

    /// Its container, and the network it is reached by.
    fn reach_of(&self, view: &View) -> Option<(ContainerId, Option<String>)> {
        let spec = view.version.as_ref().map(|version| &version.spec);
        let network = spec
            .filter(|_| is_in_our_network(view))
            .map(|spec| self.network_name(view.fleet.as_str(), spec.internet));
        Some((view.agent.container.clone()?, network))
    }

    /// Stills what came up in a frozen fleet, and goes on with what was being thawed. With `all`, looks after what was
    /// frozen before this start too.
    /// False if something would not, and is to be tried again.
    pub async fn keep_frozen(&self, all: bool) -> Result<bool> {
        let mut done = true;
        if self.roster.read(|board| board.freezes.is_empty()) {
            return Ok(done);
        }
        for freeze in self.store.freezes().await? {
            if self.stilling.contains(freeze.action) {
                done = false;
                continue;
            }
            if freeze.thawing {
                done &= self.restore(&freeze).await?.is_empty();
                continue;
            }
            let known = self.store.held_by(freeze.id).await?;
            let mut todo = self.stray(&freeze, &known).await?;
            if all {
                todo.extend(known);
            }
            done &= self.still(&todo).await.is_empty();
        }
        Ok(done)
    }

    /// What runs in a frozen fleet and should stand still; it is noted before anything is done to it.
    async fn stray(&self, freeze: &Freeze, known: &[Held]) -> Result<Vec<Held>> {
        let is_still = |held: &Held| {
            known.iter().any(|known| {
                let is_same = known.agent == held.agent && known.container == held.container;
                is_same && known.cut && !known.paused
            })
        };
        let stray: Vec<Held> = self.roster.read(|board| {
            let within = board.views().filter(|view| freeze.covers(view.agent.fleet));
            let running = within.filter(|view| runs(view));
            let held = running.map(|view| held(view, freeze.mode));
            held.filter(|held| !is_still(held)).collect()
        });
        if stray.is_empty() {
            return Ok(stray);
        }
        let mut tx = self.store.begin().await?;
        for held in &stray {
            freezes::hold(&mut tx, freeze.id, held).await?;
        }
        tx.commit().await?;
        Ok(stray)
    }

    /// Holds nothing any more, and restores what ran.
    pub(super) async fn unfreeze(&self, action: &Action) -> Result<Option<String>> {
        let wanted = action.details.fleet;
        let freezes: Vec<Freeze> = self
            .store
            .freezes()
            .await?
            .into_iter()
            .filter(|freeze| wanted.is_none() || freeze.fleet.as_ref().map(|(id, _)| *id) == wanted)
            .collect();
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let mut is_first = false;
        for freeze in &freezes {
            is_first |= freezes::thaw(&mut tx, freeze.id).await?;
        }
        // Otherwise it was told before this very action was cut off.
        if is_first {
            audit::append(&mut tx, &entry(What::Unfrozen, action), now).await?;
        }
        tx.commit().await?;
        self.refresh_freezes().await?;
        let mut note = String::new();
        for freeze in &freezes {
            note.push_str(&self.restore(freeze).await?);
        }
        Ok((!note.is_empty()).then_some(note))
    }

    /// Lets everything a freeze held go on; one sentence for each that did not, which is tried again.
    async fn restore(&self, freeze: &Freeze) -> Result<String> {
        let held = self.store.held_by(freeze.id).await?;
        let restored: Vec<Result<()>> = stream::iter(held)
            .map(|held| self.restore_one(freeze.id, held))
            .buffer_unordered(RESTORED_AT_ONCE)
            .collect()
            .await;
        let failures: Vec<String> = restored
            .into_iter()
            .filter_map(Result::err)
            .map(|error| format!("{error} It is tried again. "))
            .collect();
        let mut tx = self.store.begin().await?;
        freezes::end(&mut tx, freeze.id).await?;
        tx.commit().await?;
        self.refresh_freezes().await?;
        Ok(failures.concat())
    }

    /// What was paused goes on, what was cut off is reached again, and what died meanwhile is started, unless somebody
    /// wanted it otherwise meanwhile.
    async fn restore_one(&self, freeze: FreezeId, held: Held) -> Result<()> {
        let _guard = self.locks.lock(held.agent).await;
        if !self.store.held_by(freeze).await?.contains(&held) {
            // The worker and the action came to it at once.
            return Ok(());
        }
        let view = self.roster.view_of(held.agent);
        let reach = view.as_ref().and_then(|view| self.reach_of(view));
        if let (Some(view), Some((container, network))) = (view, reach)
            && let Some(seen) = self.engine.observe(&container).await?
        {
            if held.cut
                && let Some(network) = network
            {
                let alias = view.agent.name.as_str();
                tolerate(self.engine.connect(&container, &network, alias).await)?;
            }
            let desired = view.agent.desired;
            if held.paused && seen.phase == Phase::Paused && desired != Desired::Paused {
                tolerate(self.engine.unpause(&container).await)?;
            }
            self.observe(&container).await?;
            if !seen.phase.is_up() && desired != Desired::Stopped {
                self.start_again(held.agent, "it ran when it was frozen")
                    .await?;
            }
        }
        let mut tx = self.store.begin().await?;
        freezes::release(&mut tx, freeze, held.agent).await?;
        Ok(tx.commit().await?)
    }

    /// Remembers a question at once; [`Self::keep_question`] makes that last.
    pub fn remember_question(&self, id: InteractionId, question: Question) {
        let questions = self.questions.0.lock();
        let mut questions = questions.unwrap_or_else(PoisonError::into_inner);
        questions.insert(id, question);
        if questions.len() > IN_MEMORY {
            // Interaction ids grow with time.
            questions.pop_first();
        }
    }

    fn question_in_memory(&self, id: InteractionId) -> Option<Question> {
        let questions = self.questions.0.lock();
        let questions = questions.unwrap_or_else(PoisonError::into_inner);
        questions.get(&id).cloned()
    }

    /// To be called once the person was answered, so that the button works after a restart too.
    pub async fn keep_question(&self, id: InteractionId) -> Result<()> {
        let Some(question) = self.question_in_memory(id) else {
            return Ok(());
        };
        let body = serde_json::to_string(&question).map_err(anyhow::Error::new)?;
        Ok(self.store.put_draft(id, &body, self.now()).await?)
    }

    pub async fn question(&self, id: InteractionId) -> Result<Question> {
        if let Some(question) = self.question_in_memory(id) {
            return Ok(question);
        }
        let lapsed =
            || Error::NotFound("This question has lapsed. Send `/freeze` again.".to_owned());
        let body = self.store.draft(id).await?.ok_or_else(lapsed)?;
        Ok(serde_json::from_str(&body).map_err(anyhow::Error::new)?)
    }
}

impl Work<'_> {
    /// Carries the work out, unless its agent is frozen or becomes so in the middle of it.
    pub(super) async fn carry_out_unless_frozen(&self) -> Ending {
        if !self.action.kind.is_held_by_freeze() {
            return ending(self.action, self.carry_out().await);
        }
        let agent = self.guard.agent();
        let interrupt = self.ops.interrupts.begin(agent);
        let ended = if let Some(freeze) = self.ops.freeze_of(agent) {
            self.back_out(&freeze, false).await
        } else {
            tokio::select! {
                biased;
                () = interrupt.cancelled() => match self.ops.freeze_of(agent) {
                    Some(freeze) => self.back_out(&freeze, true).await,
                    // Thawed within this moment.
                    None => ending(self.action, self.carry_out().await),
                },
                outcome = self.carry_out() => ending(self.action, outcome),
            }
        };
        self.ops.interrupts.end(agent);
        ended
    }

    /// Leaves the agent as it was, and starts nothing: what runs all the same is stilled when it is seen.
    async fn back_out(&self, freeze: &Freeze, begun: bool) -> Ending {
        match self.undo_frozen().await {
            Ok(false) if !begun => Ending {
                state: State::Cancelled,
                note: Some(freeze.refusal()),
            },
            Ok(is_done) => self.backed_out(freeze, is_done),
            Err(error) => Ending {
                state: State::Cancelled,
                note: Some(format!(
                    "{freeze} What was begun could not be put back yet: {error} It is tidied up later."
                )),
            },
        }
    }

    /// How work ends that a freeze met in the middle.
    pub(super) fn backed_out(&self, freeze: &Freeze, is_done: bool) -> Ending {
        if is_done {
            return Ending {
                state: State::Succeeded,
                note: Some(format!("Frozen right after it. {freeze}")),
            };
        }
        let fate = match self.action.kind {
            Kind::Deploy => "Nothing of it is left.",
            Kind::Adopt => "The container is nobody's, as before.",
            _ => {
                "Its container is the one it was, and runs again after the `/unfreeze` if it should."
            }
        };
        Ending {
            state: State::Cancelled,
            note: Some(format!("{freeze} This was ended in the middle. {fate}")),
        }
    }

    /// True if it had come too far to be undone.
    pub(super) async fn undo_frozen(&self) -> Result<bool> {
        // Whose future was dropped in the middle of a commit has committed all the same: only the next writer comes after that.
        self.ops.store.begin().await?.rollback().await?;
        let now = self.ops.action(self.action.id).await?;
        let agent = self.guard.agent();
        let target = now.targets.into_iter().find(|target| target.agent == agent);
        let (Some(target), Some(agent)) = (target, self.ops.store.agent(agent).await?) else {
            return Ok(false);
        };
        if has_moved(self.action.kind, target.step, &agent) {
            return Ok(true);
        }
        self.undo(&agent, false).await?;
        Ok(false)
    }
}

fn about(kind: Kind, fleet: Option<Fleet>, mode: Option<Mode>) -> Request {
    let details = Details {
        fleet: fleet.as_ref().map(|fleet| fleet.id),
        name: fleet.map(|fleet| fleet.name),
        mode,
        ..Details::default()
    };
    change_of(kind, details)
}

fn entry(what: What, action: &Action) -> Entry {
    let details = &action.details;
    let mut entry = Entry::new(what, Origin::Request(action.origin));
    entry.actor = action.actor;
    entry.action = Some(action.id);
    entry.kind = Some(action.kind);
    entry.fleet = details.fleet.zip(details.name.clone());
    entry.text.clone_from(&action.reason);
    entry
}

fn runs(view: &View) -> bool {
    let phase = view.observed.as_ref().map(|seen| seen.phase);
    matches!(phase, Some(Phase::Running | Phase::Restarting))
}

/// Something is at work on it that would have it run.
fn is_coming(view: &View) -> bool {
    view.busy.is_some() && view.agent.desired == Desired::Running
}

/// How an agent is held; what is in no network of ours can only be paused.
fn held(view: &View, mode: Mode) -> Held {
    let cut = mode == Mode::Cut && is_in_our_network(view);
    Held {
        agent: view.agent.id,
        container: view.agent.container.clone(),
        paused: !cut,
        cut,
    }
}

fn is_in_our_network(view: &View) -> bool {
    let version = view.version.as_ref();
    !view.agent.adopted && version.is_some_and(|version| version.spec.network == Network::Fleet)
}

/// It is so already, or gone: that is what was wanted.
fn tolerate(answer: engine::Result<()>) -> engine::Result<()> {
    match answer {
        Err(EngineError::Conflict(_) | EngineError::NotFound(_)) => Ok(()),
        answer => answer,
    }
}
