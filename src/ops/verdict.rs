//! What the policy says to a request: go, let its requester confirm, ask people, or no.

use super::{
    Ops,
    actions::{Request, Requester},
    concern::Concern,
    plan::unmade,
    schedules::refuse_typing,
};
use crate::{
    domain::{
        action::{Details, Kind, Origin},
        approval::{Allowance, Asked, can_be_met, covering, deciders},
        grant::{Caller, Holder, Level, Need, Scope},
        ids::{ChannelId, UserId},
        plan::Plan,
        policy::{Ask, Decision, Effect, Question, Subject, decide},
    },
    error::{Error, Result},
    store::approvals::NewApproval,
};

/// What becomes of a request.
pub(super) enum Verdict {
    Go,
    /// Somebody allowed its requester not to ask again for a while.
    Allowed(Vec<Allowance>),
    /// Its requester types what it is about.
    Confirm,
    Ask(NewApproval),
}

impl Ops {
    pub(super) async fn verdict(
        &self,
        request: &Request,
        requester: &Requester,
        plan: &Plan,
    ) -> Result<Verdict> {
        if request.details.break_glass {
            return Ok(Verdict::Go);
        }
        let caller = requester.caller.as_ref();
        let who = (caller, self.need_for(request).on);
        let decision = self.judge((request.kind, requester.origin), plan, who);
        match decision.effect {
            Effect::Allow | Effect::Confirm if request.details.proposed => {
                let ask = (Ask::of(1), "a proposal is for people to decide".to_owned());
                self.ask(ask, requester, request, plan)
            }
            Effect::Allow => Ok(Verdict::Go),
            Effect::Deny { reason } => Err(denied(&decision.rule, &reason)),
            Effect::Confirm => {
                refuse_typing(&decision, requester.origin)?;
                Ok(Verdict::Confirm)
            }
            Effect::Ask(ask) => {
                let allowed = self.allowed(&ask, (request.kind, caller), plan).await?;
                if allowed.is_empty() {
                    self.ask((ask, decision.rule), requester, request, plan)
                } else {
                    Ok(Verdict::Allowed(allowed))
                }
            }
        }
    }

    /// Refuses what would be refused at once however it is filled in, before somebody fills it in. For what makes no
    /// container: that much is in memory.
    pub(super) async fn foresee(&self, request: &Request, caller: &Caller) -> Result<()> {
        let plan = self
            .plan_request(request, (Some(caller.user), false))
            .await?;
        let who = (Some(caller), self.need_for(request).on);
        let decision = self.judge((request.kind, Origin::Chat), &plan, who);
        match &decision.effect {
            Effect::Deny { reason } => Err(denied(&decision.rule, reason)),
            // Whether its requester was allowed not to ask stands in the database.
            Effect::Ask(ask) if ask.allowable().is_none() => {
                self.refuse_unmet((ask, &decision.rule), Some(caller.user), request)
            }
            Effect::Ask(_) | Effect::Allow | Effect::Confirm => Ok(()),
        }
    }

    /// For what is answered at once: nobody can be asked about it, and nothing be typed.
    pub(super) fn refuse_unless_allowed(&self, kind: Kind, caller: &Caller) -> Result<()> {
        let plan = Plan {
            kind: kind.as_str().to_owned(),
            parts: Vec::new(),
            details: Details::default(),
        };
        let who = (Some(caller), Scope::Everything);
        let decision = self.judge((kind, Origin::Chat), &plan, who);
        match decision.effect {
            Effect::Allow => Ok(()),
            Effect::Deny { reason } => Err(denied(&decision.rule, &reason)),
            Effect::Confirm | Effect::Ask(_) => Err(denied(
                &decision.rule,
                "it would have it asked about, and this is answered at once or not at all.",
            )),
        }
    }

    /// What the rules say to this plan of somebody who has their level `on` what it touches.
    pub(super) fn judge(
        &self,
        (kind, origin): (Kind, Origin),
        plan: &Plan,
        (caller, on): (Option<&Caller>, Scope),
    ) -> Decision {
        let concerns = self.concerns(kind, plan);
        let subjects: Vec<Subject<'_>> = concerns.iter().map(Concern::subject).collect();
        let (now, rights) = (self.now(), self.rights());
        let level = Level::Viewer;
        let need = Need { level, on };
        let question = Question {
            kind,
            subjects: &subjects,
            several: plan.parts.len() > 1,
            level: caller.and_then(|caller| rights.authorise(caller, &need, now).ok()),
            origin,
            loosens: !plan.loosens().is_empty(),
            sole_owner: caller.is_some_and(|caller| {
                rights.holders(Level::Owner, &Scope::Everything, now) == [Holder::User(caller.user)]
            }),
            now,
        };
        decide(&self.policies(), &question)
    }

    fn ask(
        &self,
        (ask, rule): (Ask, String),
        requester: &Requester,
        request: &Request,
        plan: &Plan,
    ) -> Result<Verdict> {
        if ask.reason_required
            && requester
                .reason
                .as_deref()
                .is_none_or(|why| why.trim().is_empty())
        {
            return Err(Error::Invalid(format!(
                "The policy `{rule}` wants to know why. Send the command again with `reason:`."
            )));
        }
        let by = requester.caller.as_ref().map(|caller| caller.user);
        self.refuse_unmet((&ask, &rule), by, request)?;
        let expires_at = self.now() + ask.expires;
        let channel = ask.channel.or_else(|| self.channel_of(request.kind, plan));
        let channel = channel.or_else(|| requester.reply.as_ref().map(|reply| reply.channel));
        Ok(Verdict::Ask(NewApproval {
            ask,
            rule,
            channel,
            expires_at,
        }))
    }

    /// A question that the present grants cannot answer is not asked.
    fn refuse_unmet(
        &self,
        (ask, rule): (&Ask, &str),
        requester: Option<UserId>,
        request: &Request,
    ) -> Result<()> {
        let asked = Asked {
            requester,
            need: self.need_for(request),
        };
        let deciders = deciders(ask, &asked, (&self.rights(), self.now()));
        if can_be_met(ask, &deciders) {
            return Ok(());
        }
        let level = ask.by.level.unwrap_or(asked.need.level);
        let others = if ask.approvals == 1 {
            "another person".to_owned()
        } else {
            format!("{} other people", ask.approvals)
        };
        Err(Error::Denied(format!(
            "The policy `{rule}` wants {others} to approve this, and the present grants name {}. An owner can grant `{level}` to somebody (`/grant add`); who works alone sets `access.preset = \"solo\"` on the host.",
            deciders.len()
        )))
    }

    /// The ops channel of the fleet it is about, or of the instance.
    pub(super) fn channel_of(&self, kind: Kind, plan: &Plan) -> Option<ChannelId> {
        let first = self.concerns(kind, plan).into_iter().next();
        let fleet = first.and_then(|concern| concern.fleet);
        let own = fleet.and_then(|fleet| {
            self.roster
                .read(|board| board.fleet(&fleet).and_then(|fleet| fleet.channel))
        });
        own.or(self.settings().discord.ops_channel)
    }

    /// By what nobody has to be asked, as long as the rule that asks leaves room for that.
    async fn allowed(
        &self,
        ask: &Ask,
        (kind, caller): (Kind, Option<&Caller>),
        plan: &Plan,
    ) -> Result<Vec<Allowance>> {
        let Some(caller) = caller.filter(|_| ask.allowable().is_some()) else {
            return Ok(Vec::new());
        };
        let live = self.store.allowances(self.now()).await?;
        Ok(covering(&live, (caller.user, kind), plan))
    }
}

fn denied(rule: &str, reason: &str) -> Error {
    Error::Denied(format!("The policy `{rule}` denies this: {reason}"))
}

/// People cannot approve an image that nobody knows.
pub(super) fn refuse_unplanned(plan: &Plan) -> Result<()> {
    let unknown = plan
        .parts
        .iter()
        .filter_map(|part| part.then.as_ref())
        .find(|made| made.image.is_none());
    let Some(made) = unknown else {
        return Ok(());
    };
    let untold = || {
        Error::Unavailable(format!(
            "Others have to approve this, and nobody can say which image `{}` is: it is not on the host and its registry did not tell. Nothing was changed; check the reference, or pull it on the host.",
            made.spec.image
        ))
    };
    Err(unmade(&made.spec).unwrap_or_else(untold))
}
