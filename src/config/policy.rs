//! `[[policy]]`: rules that come before those of the preset.

use std::{collections::BTreeSet, fmt, ops::RangeInclusive, str::FromStr};

use chrono::{Duration, NaiveTime, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::snowflake::Snowflake;
use crate::domain::{
    action::{Kind, Origin},
    agent::Name,
    grant::{Level, Team},
    ids::{ChannelId, RoleId, UserId},
    nearest::did_you_mean,
    pattern::Pattern,
    policy::{Approvers, Ask, EXPIRES, Effect, Match, Policy, Window},
    problem::{Problem, shown},
    zone,
};

/// One rule. What it does not mention, it is not particular about.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// What the rule is called in answers and in the audit.
    name: String,
    /// What is asked for: `stop`, `secret set` …
    #[serde(default)]
    actions: Vec<String>,
    /// Names of fleets, with `*` for any characters.
    #[serde(default)]
    fleets: Vec<String>,
    /// Names of agents, with `*` for any characters.
    #[serde(default)]
    agents: Vec<String>,
    /// Names of templates, with `*` for any characters.
    #[serde(default)]
    templates: Vec<String>,
    /// The level of whoever asks, exactly.
    #[serde(default)]
    levels: Vec<Level>,
    /// Where it comes from: `chat`, `schedule`, `converge`, `recovery`, `host`.
    #[serde(default)]
    origins: Vec<String>,
    /// Whether it gives an agent more than it had.
    loosens: Option<bool>,
    /// Whether it is about more than one agent.
    several: Option<bool>,
    /// Whether whoever asks is the only owner.
    sole_owner: Option<bool>,
    /// When it counts.
    window: Option<Times>,
    effect: Verdict,
    /// What people are told: with `deny`.
    reason: Option<String>,
    /// Whom to ask: with `ask`.
    ask: Option<Asked>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// It is done at once.
    Allow,
    /// It is refused, with `reason`.
    Deny,
    /// The requester types the agent's name.
    Confirm,
    /// Other people decide.
    Ask,
}

/// Who must agree, and within what time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    /// How many people must say yes.
    #[schemars(range(min = 1, max = 20))]
    approvals: u32,
    /// The least level of those people; without it, the least level of the action.
    level: Option<Level>,
    /// If any user, role or team is named, only those count.
    users: Vec<Snowflake>,
    roles: Vec<Snowflake>,
    teams: Vec<String>,
    /// Seconds until the question lapses.
    #[schemars(range(min = 60, max = 2_592_000))]
    expires_s: u32,
    /// Whether the requester may be one of those who say yes.
    requester_counts: bool,
    /// Whether the requester must give a reason.
    reason_required: bool,
    /// Seconds for which whoever says yes may allow the same again; without it that is not offered. With one approval only.
    #[schemars(range(min = 60, max = 604_800))]
    allow_for_s: Option<u32>,
    /// The id of the channel where it is asked; without it, the ops channel of the fleet.
    channel: Option<Snowflake>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            approvals: 1,
            level: None,
            users: Vec::new(),
            roles: Vec::new(),
            teams: Vec::new(),
            expires_s: u32::try_from(EXPIRES.num_seconds()).unwrap_or(u32::MAX),
            requester_counts: false,
            reason_required: false,
            allow_for_s: None,
            channel: None,
        }
    }
}

/// Times of the week. If `to` is not after `from`, it is on the next day.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Times {
    /// `Mon` to `Sun`; without it every day.
    #[serde(default)]
    days: Vec<String>,
    /// `HH:MM`
    from: String,
    /// `HH:MM`
    to: String,
    /// Such as `Europe/Berlin`.
    zone: String,
}

/// The rules of the file, or all that is wrong with them.
pub(super) fn settle(rules: &[Rule], teams: &[Team]) -> Result<Vec<Policy>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let mut policies = Vec::new();
    for (position, rule) in rules.iter().enumerate() {
        let mut reader = Reader {
            key: format!("policy[{position}]"),
            teams,
            problems: &mut problems,
        };
        if !names.insert(&rule.name) {
            let message = format!("{} is the name of another rule too", shown(&rule.name));
            reader.refuse("name", message, "give each rule a name of its own");
        }
        policies.push(reader.policy(rule));
    }
    if problems.is_empty() {
        Ok(policies)
    } else {
        Err(problems)
    }
}

/// Reads on after a problem, so that all are told at once.
pub(super) struct Reader<'a> {
    /// The key of the rule.
    key: String,
    teams: &'a [Team],
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// For what names no teams.
    pub(super) const fn new(key: String, problems: &'a mut Vec<Problem>) -> Self {
        Self {
            key,
            teams: &[],
            problems,
        }
    }
}

impl Reader<'_> {
    fn policy(&mut self, rule: &Rule) -> Policy {
        if rule.name.trim().is_empty() || rule.name.chars().count() > 60 {
            let message = format!("{} does not fit", shown(&rule.name));
            self.refuse("name", message, "use 1 to 60 characters");
        }
        Policy {
            name: rule.name.clone(),
            when: self.matching(rule),
            effect: self.effect(rule),
        }
    }

    fn matching(&mut self, rule: &Rule) -> Match {
        let kinds = Kind::ALL.map(Kind::as_str);
        let origins = Origin::ALL.map(Origin::as_str);
        Match {
            actions: self.words("actions", &rule.actions, &kinds, Kind::parse),
            fleets: self.patterns("fleets", &rule.fleets),
            agents: self.patterns("agents", &rule.agents),
            templates: self.patterns("templates", &rule.templates),
            levels: rule.levels.clone(),
            origins: self.words("origins", &rule.origins, &origins, Origin::parse),
            loosens: rule.loosens,
            several: rule.several,
            sole_owner: rule.sole_owner,
            window: rule.window.as_ref().and_then(|times| self.window(times)),
        }
    }

    fn effect(&mut self, rule: &Rule) -> Effect {
        if rule.ask.is_some() && rule.effect != Verdict::Ask {
            self.refuse("ask", "belongs to another effect", "set `effect = \"ask\"`");
        }
        if rule.reason.is_some() && rule.effect != Verdict::Deny {
            let hint = "set `effect = \"deny\"`, or `ask.reason_required` if people must give one";
            self.refuse("reason", "belongs to another effect", hint);
        }
        match rule.effect {
            Verdict::Allow => Effect::Allow,
            Verdict::Confirm => Effect::Confirm,
            Verdict::Ask => Effect::Ask(self.ask(&rule.ask.clone().unwrap_or_default())),
            Verdict::Deny => {
                let reason = rule.reason.clone().unwrap_or_default();
                if reason.trim().is_empty() {
                    let hint = "say why, and what people can do instead";
                    self.refuse("reason", "is missing", hint);
                }
                Effect::Deny { reason }
            }
        }
    }

    fn ask(&mut self, asked: &Asked) -> Ask {
        let seconds = |seconds: u32| Duration::seconds(seconds.into());
        self.within("ask.approvals", asked.approvals, 1..=20);
        self.within("ask.expires_s", asked.expires_s, 60..=2_592_000);
        if let Some(allow_for) = asked.allow_for_s {
            self.within("ask.allow_for_s", allow_for, 60..=604_800);
            if asked.approvals > 1 {
                let hint = "leave one of them out: whoever answers last would waive for all";
                self.refuse("ask.allow_for_s", "needs `approvals = 1`", hint);
            }
        }
        Ask {
            approvals: asked.approvals,
            by: Approvers {
                level: asked.level,
                users: asked.users.iter().map(|id| UserId(id.0)).collect(),
                roles: asked.roles.iter().map(|id| RoleId(id.0)).collect(),
                teams: self.teams(&asked.teams),
            },
            expires: seconds(asked.expires_s),
            requester_counts: asked.requester_counts,
            reason_required: asked.reason_required,
            allow_for: asked.allow_for_s.map(seconds),
            channel: asked.channel.map(|id| ChannelId(id.0)),
        }
    }

    fn teams(&mut self, names: &[String]) -> Vec<Name> {
        let teams = self.teams;
        let known: Vec<&str> = teams.iter().map(|team| team.name.as_str()).collect();
        let named = |text: &str| teams.iter().find(|team| team.name.as_str() == text);
        self.words("ask.teams", names, &known, |text| {
            named(text).map(|team| team.name.clone())
        })
    }

    pub(super) fn window(&mut self, times: &Times) -> Option<Window> {
        let day = |text: &str| {
            let unknown = |_| format!("{} is no day: use `Mon` to `Sun`", shown(text));
            Weekday::from_str(text).map_err(unknown)
        };
        let days = self.each("window.days", &times.days, day);
        let from = self.time("window.from", &times.from);
        let to = self.time("window.to", &times.to);
        let zone = zone::parse(&times.zone).map_err(|unknown| {
            self.refuse("window.zone", unknown.message(), &unknown.advice);
        });
        Some(Window {
            days,
            from: from?,
            to: to?,
            zone: zone.ok()?,
        })
    }

    fn time(&mut self, key: &str, text: &str) -> Option<NaiveTime> {
        NaiveTime::parse_from_str(text, "%H:%M")
            .map_err(|_| {
                let message = format!("{} is no time of day", shown(text));
                self.refuse(key, message, "use `HH:MM`, from `00:00` to `23:59`");
            })
            .ok()
    }

    pub(super) fn patterns(&mut self, key: &str, texts: &[String]) -> Vec<Pattern> {
        self.each(key, texts, Pattern::parse)
    }

    /// Words of which all are known.
    fn words<T>(
        &mut self,
        key: &str,
        texts: &[String],
        known: &[&str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for (position, text) in texts.iter().enumerate() {
            match parse(text) {
                Some(word) => found.push(word),
                None => self.refuse(
                    &format!("{key}[{position}]"),
                    format!("unknown value {}", shown(text)),
                    &did_you_mean(text, known),
                ),
            }
        }
        found
    }

    /// Texts that each follow a rule; its error ends in `: use …`.
    fn each<T, E: fmt::Display>(
        &mut self,
        key: &str,
        texts: &[String],
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for (position, text) in texts.iter().enumerate() {
            match parse(text) {
                Ok(item) => found.push(item),
                Err(error) => self.problems.push(Problem::from_serde(
                    format!("{}.{key}[{position}]", self.key),
                    &error.to_string(),
                )),
            }
        }
        found
    }

    pub(super) fn within(&mut self, key: &str, value: u32, allowed: RangeInclusive<u32>) {
        if !allowed.contains(&value) {
            let at = format!("{}.{key}", self.key);
            self.problems
                .push(Problem::out_of_range(at, value, &allowed));
        }
    }

    pub(super) fn refuse(&mut self, key: &str, message: impl Into<String>, hint: &str) {
        let at = format!("{}.{key}", self.key);
        self.problems.push(Problem::new(at, message, hint));
    }
}
