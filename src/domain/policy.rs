//! Rules that decide for an action: allow it, deny it, have its requester confirm it, or ask others.
//!
//! For each agent the first rule that matches counts, as people read a list from the top. An action on
//! several agents is decided once, so what counts for it satisfies the rules of each of them.

mod preset;
mod seconds;
#[cfg(test)]
mod tests;
mod trial;
mod window;

use std::{collections::BTreeSet, fmt};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

pub use self::{
    preset::Preset,
    trial::{Explanation, Trial},
    window::Window,
};
use super::{
    action::{Kind, Origin},
    agent::Name,
    grant::Level,
    ids::{ChannelId, RoleId, UserId},
    pattern::Pattern,
};

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub name: String,
    pub when: Match,
    pub effect: Effect,
}

/// What a rule is about. What is empty or None matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    pub actions: Vec<Kind>,
    pub fleets: Vec<Pattern>,
    pub agents: Vec<Pattern>,
    pub templates: Vec<Pattern>,
    /// The level of whoever asks. Yardarm itself has none.
    pub levels: Vec<Level>,
    pub origins: Vec<Origin>,
    pub loosens: Option<bool>,
    /// Whether more than one agent is concerned.
    pub several: Option<bool>,
    /// Whether whoever asks is the only owner there is.
    pub sole_owner: Option<bool>,
    pub window: Option<Window>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny {
        /// For the person who is denied.
        reason: String,
    },
    /// The requester types the agent's name.
    Confirm,
    Ask(Ask),
}

/// A question to people. Kept as JSON with what it decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Distinct people who must say yes; at least 1.
    pub approvals: u32,
    pub by: Approvers,
    #[serde(with = "seconds")]
    pub expires: Duration,
    pub requester_counts: bool,
    pub reason_required: bool,
    /// How long "approve and allow" may allow the same again.
    #[serde(default, with = "seconds::maybe")]
    pub allow_for: Option<Duration>,
    /// Where the question is put; None: the ops channel of the fleet.
    pub channel: Option<ChannelId>,
}

/// Who may answer a question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvers {
    /// The least level; None: the least level of the action itself.
    pub level: Option<Level>,
    /// If any user, role or team is named, only those.
    pub users: Vec<UserId>,
    pub roles: Vec<RoleId>,
    pub teams: Vec<Name>,
}

/// What rules are asked about.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub kind: Kind,
    /// Empty if the action concerns neither agent nor fleet.
    pub subjects: &'a [Subject<'a>],
    /// Whether more than one agent is concerned: one that is moved is a subject in either fleet.
    pub several: bool,
    /// The level of whoever asks; None: Yardarm itself.
    pub level: Option<Level>,
    pub origin: Origin,
    pub loosens: bool,
    pub sole_owner: bool,
    pub now: DateTime<Utc>,
}

/// What an action concerns, by names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subject<'a> {
    pub agent: Option<&'a str>,
    pub fleet: Option<&'a str>,
    pub template: Option<&'a str>,
}

/// What counts, and by which rule: several names if it had to satisfy several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub effect: Effect,
    pub rule: String,
}

/// One rule on the way to a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    pub rule: String,
    pub matched: bool,
    pub why: String,
}

/// The first thing about a question that a rule does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mismatch {
    Action,
    Fleet,
    Agent,
    Template,
    Level,
    Origin,
    Loosens,
    Several,
    SoleOwner,
    Window,
}

/// What counts for an action.
pub fn decide(policies: &[Policy], question: &Question<'_>) -> Decision {
    let nothing = [Subject::default()];
    let subjects = if question.subjects.is_empty() {
        &nothing
    } else {
        question.subjects
    };
    let matching = |subject: &Subject<'_>| {
        policies
            .iter()
            .position(|policy| policy.when.mismatch(question, subject).is_none())
    };
    let rules: BTreeSet<Option<usize>> = subjects.iter().map(matching).collect();
    rules
        .into_iter()
        .map(
            |rule| match rule.and_then(|position| policies.get(position)) {
                Some(policy) => Decision::by(policy),
                None => Decision::by_nobody(),
            },
        )
        .reduce(|one, other| one.and(other, question.kind.level()))
        .unwrap_or_else(Decision::by_nobody)
}

/// How [`decide`] comes to its decision on one subject: every rule up to the one that matches.
pub fn consider(
    policies: &[Policy],
    question: &Question<'_>,
    subject: &Subject<'_>,
) -> Vec<Considered> {
    let mut considered = Vec::new();
    for policy in policies {
        let mismatch = policy.when.mismatch(question, subject);
        considered.push(Considered {
            rule: policy.name.clone(),
            matched: mismatch.is_none(),
            why: match mismatch {
                Some(mismatch) => policy.when.why(mismatch, question, subject),
                None => policy.effect.to_string(),
            },
        });
        if mismatch.is_none() {
            break;
        }
    }
    considered
}

impl Decision {
    fn by(policy: &Policy) -> Self {
        Self {
            effect: policy.effect.clone(),
            rule: policy.name.clone(),
        }
    }

    /// Silence gives nobody anything.
    fn by_nobody() -> Self {
        let reason = "No rule says anything about this. An owner can add a `[[policy]]` to the settings and run `/reload`.";
        Self {
            effect: Effect::Deny {
                reason: reason.to_owned(),
            },
            rule: "no rule".to_owned(),
        }
    }

    /// What satisfies both.
    fn and(self, other: Self, least: Level) -> Self {
        let (Effect::Ask(one), Effect::Ask(two)) = (&self.effect, &other.effect) else {
            return if other.effect.strictness() > self.effect.strictness() {
                other
            } else {
                self
            };
        };
        let effect = one.and(two, least).map_or_else(
            || Effect::Deny {
                reason: format!(
                    "Different people are asked for these agents (rules `{}` and `{}`). Send one command for each of the groups.",
                    self.rule, other.rule
                ),
            },
            Effect::Ask,
        );
        Self {
            effect,
            rule: format!("{}, {}", self.rule, other.rule),
        }
    }
}

impl Effect {
    const fn strictness(&self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::Confirm => 1,
            Self::Ask(_) => 2,
            Self::Deny { .. } => 3,
        }
    }
}

/// How long a question stays open if nothing else is said.
pub const EXPIRES: Duration = Duration::hours(24);

impl Ask {
    /// `approvals` other people of the action's own level, within a day.
    pub const fn of(approvals: u32) -> Self {
        Self {
            approvals,
            by: Approvers {
                level: None,
                users: Vec::new(),
                roles: Vec::new(),
                teams: Vec::new(),
            },
            expires: EXPIRES,
            requester_counts: false,
            reason_required: false,
            allow_for: None,
            channel: None,
        }
    }

    /// For how long whoever approves may allow the same again. Not where several have to approve, as two rules together
    /// may want: one of them would waive for all.
    pub fn allowable(&self) -> Option<Duration> {
        self.allow_for.filter(|_| self.approvals == 1)
    }

    /// The question whose answers satisfy both; None if nobody could.
    fn and(&self, other: &Self, least: Level) -> Option<Self> {
        Some(Self {
            approvals: self.approvals.max(other.approvals),
            by: self.by.and(&other.by, least)?,
            expires: self.expires.min(other.expires),
            requester_counts: self.requester_counts && other.requester_counts,
            reason_required: self.reason_required || other.reason_required,
            allow_for: self
                .allow_for
                .zip(other.allow_for)
                .map(|(one, two)| one.min(two)),
            channel: self.channel.or(other.channel),
        })
    }
}

impl Approvers {
    /// Whether it is said by name who may answer.
    pub const fn is_named(&self) -> bool {
        !(self.users.is_empty() && self.roles.is_empty() && self.teams.is_empty())
    }

    fn and(&self, other: &Self, least: Level) -> Option<Self> {
        let level = self.level.unwrap_or(least);
        let stricter = level.max(other.level.unwrap_or(least));
        let named = if self.is_named() { self } else { other };
        let differ =
            (&self.users, &self.roles, &self.teams) != (&other.users, &other.roles, &other.teams);
        if self.is_named() && other.is_named() && differ {
            return None;
        }
        Some(Self {
            level: Some(stricter),
            ..named.clone()
        })
    }
}

impl Match {
    fn mismatch(&self, question: &Question<'_>, subject: &Subject<'_>) -> Option<Mismatch> {
        let unlike = |wanted: Option<bool>, is: bool| wanted.is_some_and(|wanted| wanted != is);
        [
            (Mismatch::Action, lacks(&self.actions, Some(question.kind))),
            (Mismatch::Level, lacks(&self.levels, question.level)),
            (
                Mismatch::Origin,
                lacks(&self.origins, Some(question.origin)),
            ),
            (Mismatch::Loosens, unlike(self.loosens, question.loosens)),
            (Mismatch::Several, unlike(self.several, question.several)),
            (
                Mismatch::SoleOwner,
                unlike(self.sole_owner, question.sole_owner),
            ),
        ]
        .into_iter()
        .find_map(|(mismatch, is)| is.then_some(mismatch))
        .or_else(|| self.mismatch_of(subject))
        .or_else(|| {
            let window = self.window.as_ref()?;
            (!window.contains(question.now)).then_some(Mismatch::Window)
        })
    }

    fn mismatch_of(&self, subject: &Subject<'_>) -> Option<Mismatch> {
        if unnamed(&self.fleets, subject.fleet) {
            Some(Mismatch::Fleet)
        } else if unnamed(&self.agents, subject.agent) {
            Some(Mismatch::Agent)
        } else if unnamed(&self.templates, subject.template) {
            Some(Mismatch::Template)
        } else {
            None
        }
    }

    fn why(&self, mismatch: Mismatch, question: &Question<'_>, subject: &Subject<'_>) -> String {
        match mismatch {
            Mismatch::Action => format!("it is about {}", list(&self.actions)),
            Mismatch::Fleet => not_like("fleet", subject.fleet, &self.fleets),
            Mismatch::Agent => not_like("agent", subject.agent, &self.agents),
            Mismatch::Template => not_like("template", subject.template, &self.templates),
            Mismatch::Level => match question.level {
                Some(level) => format!("{level} is not {}", list(&self.levels)),
                None => format!("Yardarm itself is not {}", list(&self.levels)),
            },
            Mismatch::Origin => {
                format!("{} is not {}", question.origin, list(&self.origins))
            }
            Mismatch::Loosens if question.loosens => "it loosens something".to_owned(),
            Mismatch::Loosens => "it loosens nothing".to_owned(),
            Mismatch::Several if question.several => "it is about several".to_owned(),
            Mismatch::Several => "it is not about several".to_owned(),
            Mismatch::SoleOwner if question.sole_owner => "there is no other owner".to_owned(),
            Mismatch::SoleOwner => "the requester is not the only owner".to_owned(),
            Mismatch::Window => self.window.as_ref().map_or_else(String::new, |window| {
                format!("{} is outside of {window}", window.local(question.now))
            }),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("allow"),
            Self::Deny { reason } => write!(f, "deny: {reason}"),
            Self::Confirm => f.write_str("the requester confirms by typing the name"),
            Self::Ask(ask) => ask.fmt(f),
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let people = if self.approvals == 1 {
            "person"
        } else {
            "people"
        };
        let other = if self.requester_counts { "" } else { "other " };
        write!(f, "ask {} {other}{people}", self.approvals)?;
        if let Some(level) = self.by.level {
            write!(f, ", {level} or above")?;
        }
        if self.by.is_named() {
            let users = self.by.users.iter().map(|user| format!("user {user}"));
            let roles = self.by.roles.iter().map(|role| format!("role {role}"));
            let teams = self.by.teams.iter().map(|team| format!("team {team}"));
            let named: Vec<String> = users.chain(roles).chain(teams).collect();
            write!(f, ", of {}", named.join(", "))?;
        }
        if self.reason_required {
            f.write_str(", with a reason")?;
        }
        Ok(())
    }
}

/// Whether a list that says something does not say this.
fn lacks<T: PartialEq>(list: &[T], item: Option<T>) -> bool {
    !list.is_empty() && item.is_none_or(|item| !list.contains(&item))
}

fn unnamed(patterns: &[Pattern], name: Option<&str>) -> bool {
    let named = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
    !patterns.is_empty() && !name.is_some_and(named)
}

fn not_like(what: &str, name: Option<&str>, patterns: &[Pattern]) -> String {
    let patterns = list(patterns);
    match name {
        Some(name) => format!("{what} `{name}` is not {patterns}"),
        None => format!("it has no {what}, and needs {patterns}"),
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    items.join(" or ")
}
