//! The one door for changing anything: `submit`, and the requester's `confirm` or `cancel`.

use chrono::{DateTime, Duration, Utc};
use secrecy::SecretString;

use super::{
    Ops,
    verdict::{Verdict, refuse_unplanned},
};
use crate::{
    domain::{
        action::{Action, Arguments, Details, Kind, Origin, Reply, State},
        agent::Name,
        approval::Approval,
        event::Event,
        grant::Caller,
        ids::{ActionId, AgentId, FleetId, ImageId, MessageId, RunId},
        outbox::Subject,
        plan::Plan,
        spec::Spec,
    },
    error::{Error, Result},
    meters::Ended,
    store::{
        self, Tx,
        actions::{self, Ending, NewAction, NewTarget},
        agents, allowances, is_taken,
        outbox::{self, Notice},
        schedules,
    },
};

/// How long a question to the requester stays open. Discord's token for the answer lives as long.
pub const ASK_FOR: Duration = Duration::minutes(15);

/// A change somebody wants, validated from memory by [`super::resolve`].
#[derive(Clone, Debug)]
pub struct Request {
    pub kind: Kind,
    pub targets: Vec<NewTarget>,
    /// `deploy`, `adopt`: the agent that is to be.
    pub newcomer: Option<Newcomer>,
    pub details: Details,
    /// `secret set`, `secret rotate`: the value, until it is sealed.
    pub secret: Option<SecretString>,
}

impl Request {
    /// To read settings and templates again.
    pub fn reload() -> Self {
        Self::plain(Kind::Reload)
    }

    /// One that is about nothing in particular.
    pub fn plain(kind: Kind) -> Self {
        Self {
            kind,
            targets: Vec::new(),
            newcomer: None,
            secret: None,
            details: Details::default(),
        }
    }
}

/// An agent that does not exist yet.
#[derive(Clone, Debug)]
pub struct Newcomer {
    pub name: Name,
    pub fleet: FleetId,
    /// None for an adopted one: its container tells.
    pub spec: Option<Box<Spec>>,
    pub arguments: Arguments,
}

/// Who wants it, from where, and why.
#[derive(Clone, Debug)]
pub struct Requester {
    /// None when Yardarm itself wants it.
    pub caller: Option<Caller>,
    pub origin: Origin,
    pub reason: Option<String>,
    pub reply: Option<Reply>,
}

impl Requester {
    /// Yardarm itself.
    pub(super) const fn own(origin: Origin, reason: String) -> Self {
        Self {
            caller: None,
            origin,
            reason: Some(reason),
            reply: None,
        }
    }
}

impl Ops {
    /// Submits what Yardarm itself wants of one agent; false if it may not. If somebody is at it, nothing comes of it: the next
    /// look will tell.
    pub(super) async fn submit_own(
        &self,
        agent: AgentId,
        (kind, details): (Kind, Details),
        requester: Requester,
    ) -> Result<bool> {
        let request = Request {
            kind,
            targets: vec![NewTarget::as_it_is(agent)],
            newcomer: None,
            secret: None,
            details,
        };
        match self.submit(request, requester).await {
            Err(error @ (Error::Busy(_) | Error::Denied(_))) => {
                tracing::debug!(agent.id = agent.0, error = %error, "an agent stays as it is");
                Ok(matches!(error, Error::Busy(_)))
            }
            answer => answer.map(|_| true),
        }
    }

    /// Writes the action with its plan. The policy says whether it waits for its turn or for people, or is refused.
    /// An interaction that was delivered twice gets the action it made the first time.
    pub async fn submit(&self, request: Request, requester: Requester) -> Result<Action> {
        if let Some(reply) = &requester.reply
            && let Some(known) = self.store.action_of(reply.interaction).await?
        {
            return self.action(known).await;
        }
        if let Some(caller) = &requester.caller {
            self.permit(caller, &request)?;
        }
        self.refuse_frozen(&request)?;
        let request = self.look_up_rollback(request).await?;
        let by = requester.caller.as_ref().map(|caller| caller.user);
        let mut plan = self.plan_request(&request, (by, false)).await?;
        let verdict = self.verdict(&request, &requester, &plan).await?;
        if matches!(verdict, Verdict::Ask(_)) {
            plan = self.plan_request(&request, (by, true)).await?;
            refuse_unplanned(&plan)?;
        }
        let _accepting = self.accepting.read().await;
        let id = self.write(request, requester, (plan, verdict)).await?;
        self.accepted(id).await
    }

    async fn write(
        &self,
        request: Request,
        requester: Requester,
        (plan, verdict): (Plan, Verdict),
    ) -> Result<ActionId> {
        let now = self.now();
        let mut details = request.details;
        let (state, approval, expires_at) = match verdict {
            Verdict::Go => (State::Pending, None, None),
            Verdict::Allowed(allowed_by) => {
                details.allowed_by = allowed_by;
                (State::Pending, None, None)
            }
            Verdict::Confirm => (State::Asked, None, Some(now + ASK_FOR)),
            Verdict::Ask(approval) => {
                let expires_at = approval.expires_at;
                (State::Asked, Some(approval), Some(expires_at))
            }
        };
        let tells_owners = details.break_glass;
        let mut tx = self.store.begin().await?;
        self.refuse_revoked(&mut tx, &details).await?;
        let mut targets = request.targets;
        if let Some(newcomer) = request.newcomer {
            targets.push(enlist(&mut tx, newcomer, request.kind, now).await?);
        }
        let agents: Vec<AgentId> = targets.iter().map(|target| target.agent).collect();
        let new = NewAction {
            kind: request.kind,
            actor: requester.caller.map(|caller| caller.user),
            origin: requester.origin,
            reason: requester.reason,
            details,
            state,
            expires_at,
            reply: requester.reply,
            plan: Some(plan),
            approval,
            targets,
        };
        let id = match actions::insert(&mut tx, &new, now).await {
            Ok(id) => id,
            Err(error) if is_taken(&error) => return Err(self.busy(&mut tx, &agents).await?),
            Err(error) => return Err(error.into()),
        };
        if let (Some(subject), Some(value)) = (&new.details.secret, &request.secret) {
            self.propose_secret(&mut tx, subject, value, (id, new.actor))
                .await?;
        }
        begin_run(&mut tx, new.details.run, id).await?;
        self.announce(&mut tx, id, (&new, tells_owners)).await?;
        tx.commit().await?;
        if new.approval.is_some() || tells_owners {
            self.publish(Event::Outbox);
        }
        Ok(id)
    }

    /// What allowed it may have been taken back since the rules were asked.
    async fn refuse_revoked(&self, tx: &mut Tx, details: &Details) -> Result<()> {
        for allowance in &details.allowed_by {
            if !allowances::is_live(tx, allowance.id, self.now()).await? {
                return Err(Error::AlreadyDecided(
                    "What allowed this without asking ended at this moment. Send the command again: others are asked."
                        .to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// The card of the question, and what owners are told.
    async fn announce(
        &self,
        tx: &mut Tx,
        id: ActionId,
        (new, tells_owners): (&NewAction, bool),
    ) -> Result<()> {
        let asks = new.approval.as_ref().and_then(|approval| approval.channel);
        let owners = self.settings().discord.ops_channel;
        let owners = owners.or_else(|| new.reply.as_ref().map(|reply| reply.channel));
        let notices = [
            (Subject::Approval(id), asks),
            (Subject::BreakGlass(id), owners.filter(|_| tells_owners)),
        ];
        let now = self.now();
        for (subject, channel) in notices {
            let Some(channel) = channel else { continue };
            outbox::tell(tx, (subject, channel), now).await?;
        }
        Ok(())
    }

    /// A question that its requester can still answer.
    pub async fn own_question(&self, id: ActionId, by: &Caller) -> Result<Action> {
        let action = self.asked_by(id, by).await?;
        let lapsed = action.approval.is_none() && action.created_at + ASK_FOR <= self.now();
        if action.state != State::Asked || lapsed {
            return Err(self.too_late(id).await?);
        }
        self.refuse_frozen_action(&action)?;
        Ok(action)
    }

    /// The requester says yes by typing what it is about, to a removal perhaps with the `volumes`. The second yes
    /// learns what became of the first.
    pub async fn confirm(
        &self,
        id: ActionId,
        by: &Caller,
        (typed, volumes): (&str, bool),
    ) -> Result<Action> {
        let action = self.asked_by(id, by).await?;
        self.permit_action(by, &action)?;
        if action.approval.is_some() {
            return Err(Error::Denied(
                "Others are asked about this: see its card.".to_owned(),
            ));
        }
        if typed.trim() != action.phrase() {
            return Err(Error::Invalid(format!(
                "That is not what was to be typed: `{}`. Nothing was changed; press the button again.",
                action.phrase()
            )));
        }
        self.refuse_frozen_action(&action)?;
        if let Some(why) = self.why_outdated(&action, Some(by)).await? {
            if !self.void(&action, State::Asked, &why).await? {
                return Err(self.too_late(id).await?);
            }
            return Err(Error::AlreadyDecided(format!(
                "This is void: {why}. Nothing was changed. Send the command again."
            )));
        }
        let agents: Vec<AgentId> = action.targets.iter().map(|target| target.agent).collect();
        let _accepting = self.accepting.read().await;
        let mut tx = self.store.begin().await?;
        match actions::advance(&mut tx, id, State::Asked, State::Pending, self.now()).await {
            Ok(true) => {}
            Ok(false) => {
                drop(tx);
                return Err(self.too_late(id).await?);
            }
            Err(error) if is_taken(&error) => return Err(self.busy(&mut tx, &agents).await?),
            Err(error) => return Err(error.into()),
        }
        let details = Details {
            volumes: volumes || action.details.volumes,
            typed: true,
            ..action.details
        };
        actions::set_details(&mut tx, id, &details, self.now()).await?;
        tx.commit().await?;
        self.accepted(id).await
    }

    /// The requester thinks better of it.
    pub async fn cancel(&self, id: ActionId, by: &Caller) -> Result<Action> {
        let action = self.asked_by(id, by).await?;
        let ending = Ending {
            state: State::Cancelled,
            note: None,
        };
        let mut tx = self.store.begin().await?;
        if !close(&mut tx, &action, (State::Asked, &ending), self.now()).await? {
            drop(tx);
            return Err(self.too_late(id).await?);
        }
        tx.commit().await?;
        self.closed(&action).await?;
        self.action(id).await
    }

    /// Closes questions that nobody answered in time; their cards are edited by the outbox.
    pub async fn expire(&self) -> Result<()> {
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let overdue = actions::overdue(&mut tx, now).await?;
        if overdue.is_empty() {
            return Ok(());
        }
        let mut expired = Vec::new();
        for id in overdue {
            let action = self.action(id).await?;
            let ending = Ending {
                state: State::Expired,
                note: None,
            };
            close(&mut tx, &action, (State::Asked, &ending), now).await?;
            expired.push(action);
        }
        tx.commit().await?;
        for action in &expired {
            self.closed(action).await?;
        }
        Ok(())
    }

    /// What is to be known once an action has ended before it began: the names it kept are free again.
    pub(super) async fn closed(&self, action: &Action) -> Result<()> {
        for agent in newcomers(action) {
            self.refresh(agent).await?;
        }
        for target in &action.targets {
            self.mark_idle(action.id, target.agent);
        }
        let ended = self.action(action.id).await?;
        self.note_end(&ended);
        self.alter(action.id, |live| *live = ended);
        self.hide(action.id);
        self.publish(Event::Outbox);
        Ok(())
    }

    /// The one line in the log about each action, and its count: it is over, however that came.
    pub(super) fn note_end(&self, action: &Action) {
        let took = action.started_at.zip(action.finished_at);
        let took = took.and_then(|(from, to)| (to - from).to_std().ok());
        // A number of more bits would be written as a text.
        let duration_ms = took.and_then(|took| u64::try_from(took.as_millis()).ok());
        let agents: Vec<&str> = action
            .targets
            .iter()
            .map(|target| target.name.as_str())
            .collect();
        tracing::info!(
            action.id = action.id.0,
            action.kind = action.kind.as_str(),
            action.state = action.state.as_str(),
            action.origin = action.origin.as_str(),
            action.actor = action.actor.map(|actor| actor.0),
            action.agents = agents.join(" "),
            duration_ms,
            "action ended"
        );
        let ended = Ended {
            kind: action.kind.as_str(),
            origin: action.origin.as_str(),
            state: action.state.as_str(),
        };
        self.meters.ended(&ended, took);
        let closed = action
            .approval
            .as_deref()
            .filter(|approval| approval.decided.is_none() || action.state == State::Denied);
        if let Some(approval) = closed {
            self.note_decision(approval, action.state.as_str());
        }
    }

    /// A question to people was decided, or closed without that.
    pub(super) fn note_decision(&self, approval: &Approval, outcome: &'static str) {
        let waited = (self.now() - approval.asked_at).to_std();
        self.meters.decided(outcome, waited.unwrap_or_default());
    }

    /// Which message answers an action's interaction, as soon as Discord has told it.
    pub async fn answered_by(&self, id: ActionId, message: MessageId) -> Result<()> {
        let mut tx = self.store.begin().await?;
        actions::set_reply_message(&mut tx, id, message).await?;
        Ok(tx.commit().await?)
    }

    /// The action's end stands in that message: the outbox need not show it.
    pub async fn shown(&self, id: ActionId, message: MessageId) -> Result<()> {
        let mut tx = self.store.begin().await?;
        actions::set_reply_message(&mut tx, id, message).await?;
        outbox::shown(&mut tx, Subject::Action(id)).await?;
        tx.commit().await?;
        self.publish(Event::Backlog);
        Ok(())
    }

    /// What a start found cut off by the last end.
    pub async fn found_by(&self, start: i64) -> Result<Vec<ActionId>> {
        Ok(self.store.actions_found_by(start).await?)
    }

    pub async fn action(&self, id: ActionId) -> Result<Action> {
        let missing = || Error::NotFound(format!("There is no action {id}."));
        self.store.action(id).await?.ok_or_else(missing)
    }

    pub(super) async fn accepted(&self, id: ActionId) -> Result<Action> {
        let action = self.action(id).await?;
        if action.is_live() {
            self.show(&action);
            for target in &action.targets {
                self.refresh(target.agent).await?;
                self.mark_busy(&action, target.agent);
            }
            self.work.notify_one();
        }
        Ok(action)
    }

    /// An action of the caller's own; what Yardarm itself asked for is everybody's who might ask for it.
    async fn asked_by(&self, id: ActionId, by: &Caller) -> Result<Action> {
        let action = self.sight(by.clone()).look_at_action(id).await?;
        match action.actor {
            Some(actor) if actor == by.user => {}
            Some(actor) => {
                return Err(Error::Denied(format!(
                    "Only <@{actor}> can answer this: it is their request."
                )));
            }
            None => self.permit_action(by, &action)?,
        }
        Ok(action)
    }

    async fn too_late(&self, id: ActionId) -> Result<Error> {
        let action = self.action(id).await?;
        Ok(Error::AlreadyDecided(
            match (action.state, action.finished_at) {
                (State::Asked | State::Expired, _) => {
                    "This question has lapsed: it waited 15 minutes. Send the command again."
                        .to_owned()
                }
                (state, Some(at)) => format!(
                    "This was decided already: {} <t:{}:R>.",
                    state.as_str(),
                    at.timestamp()
                ),
                (state, None) => format!("This was decided already: it is {}.", state.as_str()),
            },
        ))
    }

    pub(super) async fn busy(&self, tx: &mut Tx, agents: &[AgentId]) -> Result<Error> {
        for agent in agents {
            if let Some(action) = actions::busy_with(tx, *agent).await? {
                let name = self.roster.view_of(*agent).map_or_else(
                    || "That agent".to_owned(),
                    |view| format!("`{}`", view.agent.name),
                );
                return Ok(Error::Busy(format!(
                    "{name} is busy with action {action}. Wait for it, then send the command again."
                )));
            }
        }
        Ok(Error::Busy("This was asked for already.".to_owned()))
    }

    /// The version before the present one, bound to the very image of then.
    async fn look_up_rollback(&self, mut request: Request) -> Result<Request> {
        if request.kind != Kind::Rollback {
            return Ok(request);
        }
        for target in &mut request.targets {
            let agent = self.store.agent(target.agent).await?;
            let Some(agent) = agent else { continue };
            let previous = self.store.version(agent.id, agent.version - 1).await?;
            let previous = previous.ok_or_else(|| {
                Error::Invalid(format!(
                    "`{}` has no earlier version to return to.",
                    agent.name
                ))
            })?;
            self.refuse_unpermitted(&previous.spec)?;
            target.spec = Some(Box::new(previous.spec));
            target.arguments = previous.arguments;
            target.image = Some(previous.image);
        }
        Ok(request)
    }
}

/// The action that does a run of a schedule: the run has no other.
async fn begin_run(tx: &mut Tx, run: Option<RunId>, id: ActionId) -> Result<()> {
    match run {
        Some(run) if !schedules::submitted(tx, run, id).await? => Err(Error::AlreadyDecided(
            "This run has its action, or was left out.".to_owned(),
        )),
        _ => Ok(()),
    }
}

async fn enlist(
    tx: &mut Tx,
    newcomer: Newcomer,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<NewTarget> {
    let adopted = kind == Kind::Adopt;
    match agents::insert(tx, &newcomer.name, newcomer.fleet, adopted, now).await {
        Ok(agent) => Ok(NewTarget {
            agent,
            spec: newcomer.spec,
            arguments: newcomer.arguments,
            image: None::<ImageId>,
        }),
        Err(error) if is_taken(&error) => Err(Error::Invalid(format!(
            "`{}` is taken. Choose another name, or `/redeploy` that agent.",
            newcomer.name
        ))),
        Err(error) => Err(error.into()),
    }
}

/// Ends an action before it began, with its cards; false if it was not in state `from` any more.
pub(super) async fn close(
    tx: &mut Tx,
    action: &Action,
    (from, ending): (State, &Ending),
    now: DateTime<Utc>,
) -> store::Result<bool> {
    if !actions::close(tx, action.id, (from, ending), now).await? {
        return Ok(false);
    }
    for agent in newcomers(action) {
        agents::remove(tx, agent, now).await?;
    }
    tell(tx, action, now).await?;
    Ok(true)
}

/// The agents that were to be: they never came to be if the action ends before it began.
pub(super) fn newcomers(action: &Action) -> Vec<AgentId> {
    if !matches!(action.kind, Kind::Deploy | Kind::Adopt) {
        return Vec::new();
    }
    action.targets.iter().map(|target| target.agent).collect()
}

/// Has every card about an action edited.
pub(super) async fn tell(tx: &mut Tx, action: &Action, now: DateTime<Utc>) -> store::Result<()> {
    notify(tx, action, now, Duration::zero()).await?;
    let channel = action
        .approval
        .as_ref()
        .and_then(|approval| approval.channel);
    let Some(channel) = channel else {
        return Ok(());
    };
    outbox::tell(tx, (Subject::Approval(action.id), channel), now).await
}

/// People were asked: its question shows the end, and a reply to that tells it.
pub(super) async fn tell_result(
    tx: &mut Tx,
    action: &Action,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let channel = action
        .approval
        .as_ref()
        .and_then(|approval| approval.channel);
    let Some(channel) = channel else {
        return Ok(());
    };
    for subject in [Subject::Approval(action.id), Subject::Result(action.id)] {
        outbox::tell(tx, (subject, channel), now).await?;
    }
    Ok(())
}

/// Writes the outbox row of an action's card, if anybody waits for it.
pub(super) async fn notify(
    tx: &mut Tx,
    action: &Action,
    now: DateTime<Utc>,
    after: Duration,
) -> store::Result<()> {
    let Some(reply) = &action.reply else {
        return Ok(());
    };
    let notice = Notice {
        subject: Subject::Action(action.id),
        channel: reply.channel,
        message: reply.message,
        due: now + after,
    };
    outbox::put(tx, &notice, now).await
}
