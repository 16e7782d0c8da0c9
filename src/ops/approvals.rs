//! People decide: answers are taken, counted and followed, and what was approved is looked at again before it is done.
//!
//! Who somebody is and may do is asked of Discord when it counts. While Discord does not tell, nothing is decided and
//! nothing is done. Which of two last answers decides, the one statement that moves the action's state says.

use std::collections::BTreeMap;

use chrono::Duration;
use futures::future::try_join_all;

use super::{
    Ops,
    actions::{close, tell},
    sight::Sight,
};
use crate::{
    domain::{
        action::{Action, State},
        agent::Name,
        approval::{Answer, Approval, Asked, Tally, Vote, allowable_for, deciders, may_answer},
        event::Event,
        grant::{Caller, Holder, Level, Scope},
        ids::{ActionId, AgentId, ChannelId, MessageId, UserId},
        outbox::Subject,
        plan::Plan,
        policy::Effect,
    },
    error::{Error, Result},
    store::{
        Tx,
        actions::{self as rows, Ending},
        allowances, approvals, is_taken, outbox,
    },
};

/// Somebody's answer to a question.
#[derive(Clone, Debug)]
pub struct Ballot {
    pub user: UserId,
    pub answer: Answer,
    pub reason: Option<String>,
    /// Approve, and allow the requester the same for as long as the policy permits.
    pub allow: bool,
}

impl Sight<'_> {
    /// A question that the caller can answer: refused before they write down why.
    pub async fn own_decision(&self, id: ActionId) -> Result<Action> {
        self.look_at_action(id).await?;
        let action = self.open_question(id).await?;
        if let Some(caller) = self.caller() {
            self.refuse_voter(&action, caller)?;
        }
        Ok(action)
    }
}

impl Ops {
    /// Takes an answer, in place of an earlier one of the same person, and acts on it if it is the deciding one.
    pub async fn vote(&self, id: ActionId, ballot: Ballot) -> Result<Action> {
        let action = self.open_question(id).await?;
        let voter = self.member_now(ballot.user).await?;
        self.refuse_voter(&action, &voter)?;
        if ballot.answer == Answer::Approve {
            self.refuse_frozen_action(&action)?;
        }
        if ballot.answer == Answer::Approve
            && let Some(why) = self.why_void(&action).await?
        {
            if !self.void(&action, State::Asked, &why).await? {
                // Somebody decided within this moment.
                return self.open_question(id).await;
            }
            return Err(Error::AlreadyDecided(format!(
                "Action {id} is void: {why}. Nothing was changed. Whoever still wants it sends the command again."
            )));
        }
        self.count(&action, ballot).await
    }

    /// A question that can still be answered; whoever is late learns who decided and when.
    pub async fn open_question(&self, id: ActionId) -> Result<Action> {
        let action = self.action(id).await?;
        let Some(approval) = action.approval.as_deref() else {
            return Err(Error::Invalid(format!(
                "Nobody is asked to approve action {id}. `/approve` lists what waits for you."
            )));
        };
        if action.state != State::Asked || approval.expires_at <= self.now() {
            return Err(decided_before(&action, approval));
        }
        Ok(action)
    }

    async fn count(&self, action: &Action, ballot: Ballot) -> Result<Action> {
        let Some(approval) = action.approval.as_deref() else {
            return Ok(action.clone());
        };
        let vote = Vote {
            user: ballot.user,
            answer: ballot.answer,
            reason: ballot.reason,
            at: self.now(),
        };
        let mut voters: Vec<UserId> = approval.votes.iter().map(|vote| vote.user).collect();
        voters.push(vote.user);
        loop {
            let people = self.members_now(&voters).await?;
            let _accepting = self.accepting.read().await;
            let mut tx = self.store.begin().await?;
            if !approvals::vote(&mut tx, action.id, &vote).await? {
                drop(tx);
                let action = self.action(action.id).await?;
                return Err(decided_before(&action, approval));
            }
            let votes = approvals::votes(&mut tx, action.id).await?;
            voters = votes.iter().map(|vote| vote.user).collect();
            if voters.iter().any(|user| !people.contains_key(user)) {
                // Somebody answered meanwhile: who they are has to be asked first.
                continue;
            }
            let counted = Approval {
                votes,
                ..approval.clone()
            };
            for stale in &counted.votes {
                if !self.counts(action, &counted, &people, stale.user) {
                    approvals::drop_vote(&mut tx, action.id, stale.user, vote.at).await?;
                }
            }
            let tally = counted.tally(|user| self.counts(action, &counted, &people, user));
            self.decide(tx, action, (tally, &vote, ballot.allow))
                .await?;
            self.publish(Event::Outbox);
            return self.accepted(action.id).await;
        }
    }

    async fn decide(
        &self,
        mut tx: Tx,
        action: &Action,
        (tally, vote, allow): (Tally, &Vote, bool),
    ) -> Result<()> {
        let now = self.now();
        match tally {
            Tally::Open(_) => {}
            Tally::Approved => {
                let agents: Vec<AgentId> = action.targets.iter().map(|one| one.agent).collect();
                match rows::advance(&mut tx, action.id, State::Asked, State::Pending, now).await {
                    Ok(_) => {}
                    Err(error) if is_taken(&error) => {
                        return Err(self.busy(&mut tx, &agents).await?);
                    }
                    Err(error) => return Err(error.into()),
                }
                approvals::decided(&mut tx, action.id, (vote.user, vote.answer), now).await?;
                if let Some(length) = allowable_for(action).filter(|_| allow) {
                    self.allow(&mut tx, action, vote.user, length).await?;
                }
            }
            Tally::Denied => {
                approvals::decided(&mut tx, action.id, (vote.user, vote.answer), now).await?;
                let ending = Ending {
                    state: State::Denied,
                    note: vote.reason.clone(),
                };
                close(&mut tx, action, (State::Asked, &ending), now).await?;
            }
        }
        tell(&mut tx, action, now).await?;
        tx.commit().await?;
        match (tally, &action.approval) {
            (Tally::Approved, Some(approval)) => self.note_decision(approval, "approved"),
            (Tally::Denied, _) => self.closed(action).await?,
            _ => {}
        }
        Ok(())
    }

    /// Ends an action that must not be done any more, and says why on its cards; false if somebody was first.
    pub(super) async fn void(&self, action: &Action, from: State, why: &str) -> Result<bool> {
        let now = self.now();
        let ending = Ending {
            state: State::Void,
            note: Some(why.to_owned()),
        };
        let mut tx = self.store.begin().await?;
        if !close(&mut tx, action, (from, &ending), now).await? {
            return Ok(false);
        }
        tx.commit().await?;
        self.closed(action).await?;
        Ok(true)
    }

    /// What is in the way of an approved action now; an error if nobody can tell yet.
    pub(super) async fn why_not_now(&self, action: &Action) -> Result<Option<String>> {
        let Some(approval) = &action.approval else {
            return Ok(None);
        };
        if let Some(why) = self.why_void(action).await? {
            return Ok(Some(why));
        }
        let voters: Vec<UserId> = approval.votes.iter().map(|vote| vote.user).collect();
        let people = self.members_now(&voters).await?;
        let tally = approval.tally(|user| self.counts(action, approval, &people, user));
        Ok((tally != Tally::Approved)
            .then(|| "somebody who approved it may not approve it any more".to_owned()))
    }

    /// Why nobody should do this any more, if so: who asked, unless it was Yardarm itself, the plan and the policy are
    /// looked at again.
    async fn why_void(&self, action: &Action) -> Result<Option<String>> {
        let mut requester = None;
        if let Some(actor) = action.actor {
            requester = self.member(actor).await?;
            if let Some(why) = self.requester_lacks(action, (actor, requester.as_ref())) {
                return Ok(Some(why));
            }
        }
        self.why_outdated(action, requester.as_ref()).await
    }

    /// What has changed in plan or rules since it was asked for, if anything has.
    pub(super) async fn why_outdated(
        &self,
        action: &Action,
        requester: Option<&Caller>,
    ) -> Result<Option<String>> {
        if let Some(drift) = self.drifted(action).await? {
            return Ok(Some(drift));
        }
        Ok(self.policy_objects(action, requester))
    }

    fn requester_lacks(
        &self,
        action: &Action,
        (actor, requester): (UserId, Option<&Caller>),
    ) -> Option<String> {
        let Some(requester) = requester else {
            return Some(format!("<@{actor}> has left the server"));
        };
        let why = self.permit_action(requester, action).err()?;
        Some(format!("<@{actor}> may not ask for it any more: {why}"))
    }

    /// What has changed since the action was planned, if anything has.
    async fn drifted(&self, action: &Action) -> Result<Option<String>> {
        let Some(planned) = &action.plan else {
            return Ok(None);
        };
        let today = match self.plan_action(action).await {
            Ok(plan) => plan,
            Err(Error::NotFound(why)) => return Ok(Some(why)),
            Err(error) => return Err(error),
        };
        let drift = planned.drift(&today);
        Ok((!drift.is_empty()).then(|| format!("the plan has changed: {}", drift.join("; "))))
    }

    /// The rules may have changed since it was asked for.
    fn policy_objects(&self, action: &Action, requester: Option<&Caller>) -> Option<String> {
        let plan = action.plan.as_deref()?;
        let who = (requester, self.need_of(action).on);
        let decision = self.judge((action.kind, action.origin), plan, who);
        let asked = action.approval.as_ref().map(|approval| &approval.ask);
        match decision.effect {
            Effect::Deny { reason } => Some(format!(
                "the policy `{}` denies it now: {reason}",
                decision.rule
            )),
            Effect::Ask(ask) if asked != Some(&ask) => Some(format!(
                "the policy `{}` asks otherwise by now",
                decision.rule
            )),
            _ => None,
        }
    }

    /// Refuses who may not answer a question.
    fn refuse_voter(&self, action: &Action, voter: &Caller) -> Result<()> {
        let Some(approval) = &action.approval else {
            return Ok(());
        };
        may_answer(
            &approval.ask,
            &self.asked(action),
            voter,
            (&self.rights(), self.now()),
        )
        .map_err(|why| Error::Denied(why.to_string()))
    }

    fn counts(
        &self,
        action: &Action,
        approval: &Approval,
        people: &BTreeMap<UserId, Option<Caller>>,
        user: UserId,
    ) -> bool {
        let Some(Some(person)) = people.get(&user) else {
            return false;
        };
        may_answer(
            &approval.ask,
            &self.asked(action),
            person,
            (&self.rights(), self.now()),
        )
        .is_ok()
    }

    async fn allow(
        &self,
        tx: &mut Tx,
        action: &Action,
        by: UserId,
        length: Duration,
    ) -> Result<()> {
        let Some(user) = action.actor else {
            return Ok(());
        };
        let ends_at = self.now() + length;
        for fleet in self.fleets_of(action.plan.as_deref()) {
            let new = allowances::NewAllowance {
                action: action.id,
                user,
                kind: action.kind,
                fleet,
                given_by: by,
                ends_at,
            };
            allowances::insert(tx, &new, self.now()).await?;
        }
        Ok(())
    }

    /// An action, as far as it matters who answers.
    fn asked(&self, action: &Action) -> Asked {
        Asked {
            requester: action.actor,
            need: self.need_of(action),
        }
    }

    /// Those who can answer the question about an action now.
    pub fn deciders(&self, action: &Action) -> Vec<Holder> {
        let ask = action.approval.as_ref().map(|approval| &approval.ask);
        ask.map_or_else(Vec::new, |ask| {
            deciders(ask, &self.asked(action), (&self.rights(), self.now()))
        })
    }

    /// Those who may decide everything.
    pub fn owners(&self) -> Vec<Holder> {
        self.rights()
            .holders(Level::Owner, &Scope::Everything, self.now())
    }

    /// The message in a channel that asks about an action, once it was sent.
    pub async fn card_of(&self, id: ActionId, channel: ChannelId) -> Result<Option<MessageId>> {
        let subject = Subject::Approval(id);
        Ok(self.store.outbox_message(subject, channel).await?)
    }

    /// Reminds of open questions at half time, once.
    pub async fn remind(&self) -> Result<()> {
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let due = approvals::remind(&mut tx, now).await?;
        if due.is_empty() {
            return Ok(());
        }
        for id in due {
            let action = self.action(id).await?;
            if let Some(channel) = action
                .approval
                .as_ref()
                .and_then(|approval| approval.channel)
            {
                outbox::tell(&mut tx, (Subject::Reminder(id), channel), now).await?;
            }
        }
        tx.commit().await?;
        self.publish(Event::Outbox);
        Ok(())
    }

    /// Open questions that `voter` may answer, oldest first.
    pub async fn waiting_for(&self, voter: &Caller) -> Result<Vec<Action>> {
        let mut waiting = Vec::new();
        for id in self.store.open_approvals().await? {
            let action = self.action(id).await?;
            if self.refuse_voter(&action, voter).is_ok() {
                waiting.push(action);
            }
        }
        Ok(waiting)
    }

    async fn member(&self, user: UserId) -> Result<Option<Caller>> {
        self.members.member(user).await.map_err(|error| {
            Error::Unavailable(format!(
                "Discord did not say which roles <@{user}> has ({error}). Nothing was decided or done; try again in a moment."
            ))
        })
    }

    async fn member_now(&self, user: UserId) -> Result<Caller> {
        let left = || Error::Denied("You are not a member of this server any more.".to_owned());
        self.member(user).await?.ok_or_else(left)
    }

    async fn members_now(&self, users: &[UserId]) -> Result<BTreeMap<UserId, Option<Caller>>> {
        let ask = users
            .iter()
            .map(|user| async { Ok::<_, Error>((*user, self.member(*user).await?)) });
        Ok(try_join_all(ask).await?.into_iter().collect())
    }
}

/// What a late answer learns: who decided, how and when.
fn decided_before(action: &Action, approval: &Approval) -> Error {
    let now = action.approval.as_deref().unwrap_or(approval);
    Error::AlreadyDecided(match (now.decided, action.state) {
        (Some((by, at)), state) => format!(
            "This was decided already, by <@{by}> <t:{}:R>: it is {}.",
            at.timestamp(),
            state.as_str()
        ),
        (None, State::Asked | State::Expired) => format!(
            "This question lapsed <t:{}:R>. Whoever still wants it sends the command again.",
            now.expires_at.timestamp()
        ),
        (None, state) => format!("This question is closed: it is {}.", state.as_str()),
    })
}

/// The names of the fleets a plan touches; none if it is about no agent.
pub(super) fn fleets(plan: Option<&Plan>) -> Vec<Name> {
    let parts = plan.map_or(&[][..], |plan| &plan.parts);
    let mut fleets: Vec<Name> = parts.iter().map(|part| part.fleet.clone()).collect();
    fleets.sort();
    fleets.dedup();
    fleets
}
