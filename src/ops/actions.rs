//! The one door for changing anything: `submit`, and the requester's `confirm` or `cancel`.

use chrono::{DateTime, Duration, Utc};
use secrecy::SecretString;

use super::Ops;
use crate::{
    domain::{
        action::{Action, Arguments, Details, Kind, Origin, Reply, State},
        agent::{Desired, Name},
        event::Event,
        grant::Caller,
        ids::{ActionId, AgentId, FleetId, ImageId, MessageId, UserId},
        outbox::Subject,
        spec::Spec,
    },
    error::{Error, Result},
    store::{
        self, Tx,
        actions::{self, NewAction, NewTarget},
        agents, is_taken,
        outbox::{self, Notice},
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
        Self {
            kind: Kind::Reload,
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

impl Ops {
    /// Writes the action. It is asked about first if it is grave, and waits for its turn otherwise.
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
        let request = self.look_up_rollback(request).await?;
        let _accepting = self.accepting.read().await;
        let asks = requester.origin == Origin::Chat && request.kind.asks(request.targets.len());
        let id = self
            .write(
                request,
                requester,
                if asks { State::Asked } else { State::Pending },
            )
            .await?;
        self.accepted(id).await
    }

    async fn write(
        &self,
        request: Request,
        requester: Requester,
        state: State,
    ) -> Result<ActionId> {
        let now = self.now();
        let mut tx = self.store.begin().await?;
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
            details: request.details,
            state,
            expires_at: (state == State::Asked).then(|| now + ASK_FOR),
            reply: requester.reply,
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
        if state == State::Pending {
            desire(&mut tx, request.kind, &agents).await?;
        }
        tx.commit().await?;
        Ok(id)
    }

    /// The requester says yes, to a removal perhaps with the `volumes`. The second yes learns what became of the first.
    pub async fn confirm(&self, id: ActionId, by: &Caller, volumes: bool) -> Result<Action> {
        let action = self.asked_by(id, by.user).await?;
        self.permit_action(by, &action)?;
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
        if volumes {
            let details = Details {
                volumes,
                ..action.details
            };
            actions::set_details(&mut tx, id, &details, self.now()).await?;
        }
        desire(&mut tx, action.kind, &agents).await?;
        tx.commit().await?;
        self.accepted(id).await
    }

    /// The requester thinks better of it.
    pub async fn cancel(&self, id: ActionId, by: UserId) -> Result<Action> {
        self.asked_by(id, by).await?;
        let mut tx = self.store.begin().await?;
        if !actions::advance(&mut tx, id, State::Asked, State::Cancelled, self.now()).await? {
            drop(tx);
            return Err(self.too_late(id).await?);
        }
        tx.commit().await?;
        self.publish(Event::Action(id));
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
        for id in overdue {
            actions::advance(&mut tx, id, State::Asked, State::Expired, now).await?;
            notify(&mut tx, &self.action(id).await?, now, Duration::zero()).await?;
        }
        tx.commit().await?;
        self.publish(Event::Outbox);
        Ok(())
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

    async fn accepted(&self, id: ActionId) -> Result<Action> {
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

    async fn asked_by(&self, id: ActionId, by: UserId) -> Result<Action> {
        let action = self.action(id).await?;
        match action.actor {
            Some(actor) if actor != by => Err(Error::Denied(format!(
                "Only <@{actor}> can answer this: it is their request."
            ))),
            _ => Ok(action),
        }
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

    async fn busy(&self, tx: &mut Tx, agents: &[AgentId]) -> Result<Error> {
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
            target.spec = Some(Box::new(previous.spec));
            target.arguments = previous.arguments;
            target.image = Some(previous.image);
        }
        Ok(request)
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

/// What is wanted counts from acceptance on; a new container's agent is wanted once that container is proven.
async fn desire(tx: &mut Tx, kind: Kind, agents: &[AgentId]) -> Result<()> {
    let desired = match kind {
        Kind::Start | Kind::Restart | Kind::Resume => Desired::Running,
        Kind::Pause => Desired::Paused,
        Kind::Stop | Kind::Remove => Desired::Stopped,
        _ => return Ok(()),
    };
    for agent in agents {
        agents::set_desired(tx, *agent, desired).await?;
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
