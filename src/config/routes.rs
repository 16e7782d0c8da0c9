//! `[[route]]` and `[[maintenance]]`: who is told what when, and when nobody is.

use std::collections::BTreeSet;

use chrono::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    policy::{Reader, Times},
    snowflake::Snowflake,
};
use crate::domain::{
    ids::{ChannelId, RoleId, UserId},
    incident::{Kind, Severity},
    nearest::did_you_mean,
    problem::{Problem, shown},
    squelch::{Destination, Escalation, GroupBy, Maintenance, Matcher, Pace, Route, Rules},
};

/// Which way alerts take. What it does not mention, it is not particular about; the first one that matches decides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteEntry {
    /// What it is called in answers.
    name: String,
    #[serde(default)]
    severities: Vec<Severity>,
    #[serde(default)]
    kinds: Vec<Kind>,
    /// Names of fleets, with `*` for any characters; what concerns no fleet matches none.
    #[serde(default)]
    fleets: Vec<String>,
    /// Names of agents, with `*` for any characters.
    #[serde(default)]
    agents: Vec<String>,
    /// When it counts.
    window: Option<Times>,
    /// The ids of channels; without any channel or target, the ops channel of the fleet.
    #[serde(default)]
    channels: Vec<Snowflake>,
    /// The names of `[[notify]]` entries.
    #[serde(default)]
    notify: Vec<String>,
    /// The ids of those who are notified by the message.
    #[serde(default)]
    users: Vec<Snowflake>,
    #[serde(default)]
    roles: Vec<Snowflake>,
    /// Whether what follows a message is told in a thread of it, instead of in replies.
    #[serde(default)]
    thread: bool,
    /// What shares a message: what happens in one `fleet`, whatever takes this `route`, or nothing (`incident`).
    #[serde(default = "by_fleet")]
    group_by: GroupBy,
    /// Seconds, instead of those of `[alerts]`.
    #[schemars(range(max = 3600))]
    group_wait_s: Option<u32>,
    #[schemars(range(max = 86_400))]
    group_interval_s: Option<u32>,
    #[schemars(range(min = 60, max = 604_800))]
    repeat_interval_s: Option<u32>,
    /// Who else is told if nobody acknowledges: a ladder, rung by rung.
    #[serde(default)]
    escalate: Vec<EscalationEntry>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EscalationEntry {
    /// Seconds from the message, or from what was told before, to this, and from one time to the next.
    #[schemars(range(min = 60, max = 604_800))]
    after_s: u32,
    /// The ids of channels; without any channel or target, those of the route.
    #[serde(default)]
    channels: Vec<Snowflake>,
    /// The names of `[[notify]]` entries.
    #[serde(default)]
    notify: Vec<String>,
    /// So often at most, before the next rung.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 20))]
    most: u32,
}

/// A time of the week in which nobody is told of these, and nothing is restarted by itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MaintenanceEntry {
    name: String,
    #[serde(default)]
    fleets: Vec<String>,
    #[serde(default)]
    agents: Vec<String>,
    window: Times,
}

/// Rungs of one ladder: whoever stands higher would hear of it days later.
const RUNGS_MAX: usize = 8;

const fn by_fleet() -> GroupBy {
    GroupBy::Fleet
}

const fn once() -> u32 {
    1
}

/// Puts routes and maintenance into the rules, or tells all that is wrong with them.
pub(super) fn settle(
    mut rules: Rules,
    (routes, maintenance): (&[RouteEntry], &[MaintenanceEntry]),
    targets: &[&str],
) -> Result<Rules, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let pace = rules
        .routes
        .last()
        .map_or_else(Pace::default, |route| route.pace);
    let mut read = Vec::new();
    for (position, entry) in routes.iter().enumerate() {
        let mut reader = Reader::new(format!("route[{position}]"), &mut problems);
        if !names.insert(&entry.name) || entry.name == "ops" || entry.name.trim().is_empty() {
            let message = format!("{} is taken or empty", shown(&entry.name));
            reader.refuse(
                "name",
                message,
                "give each route a name of its own, other than `ops`",
            );
        }
        refuse_unknown(&mut reader, entry, targets);
        read.push(route(&mut reader, entry, pace));
    }
    rules.routes.splice(0..0, read);
    for (position, entry) in maintenance.iter().enumerate() {
        let mut reader = Reader::new(format!("maintenance[{position}]"), &mut problems);
        let matcher = Matcher {
            fleets: reader.patterns("fleets", &entry.fleets),
            agents: reader.patterns("agents", &entry.agents),
            ..Matcher::default()
        };
        if let Some(window) = reader.window(&entry.window) {
            let name = entry.name.clone();
            rules.maintenance.push(Maintenance {
                name,
                matcher,
                window,
            });
        }
    }
    if problems.is_empty() {
        Ok(rules)
    } else {
        Err(problems)
    }
}

fn route(reader: &mut Reader<'_>, entry: &RouteEntry, usual: Pace) -> Route {
    Route {
        name: entry.name.clone(),
        matcher: Matcher {
            severities: entry.severities.clone(),
            kinds: entry.kinds.clone(),
            fleets: reader.patterns("fleets", &entry.fleets),
            agents: reader.patterns("agents", &entry.agents),
        },
        window: entry.window.as_ref().and_then(|times| reader.window(times)),
        to: destinations(&entry.channels, &entry.notify),
        users: entry.users.iter().map(|id| UserId(id.0)).collect(),
        roles: entry.roles.iter().map(|id| RoleId(id.0)).collect(),
        thread: entry.thread,
        group_by: entry.group_by,
        pace: pace(reader, entry, usual),
        escalation: escalation(reader, entry),
    }
}

fn pace(reader: &mut Reader<'_>, entry: &RouteEntry, usual: Pace) -> Pace {
    let mut seconds = |key: &str, given: Option<u32>, allowed, usual| match given {
        Some(given) => {
            reader.within(key, given, allowed);
            Duration::seconds(given.into())
        }
        None => usual,
    };
    Pace {
        group_wait: seconds(
            "group_wait_s",
            entry.group_wait_s,
            0..=3600,
            usual.group_wait,
        ),
        group_interval: seconds(
            "group_interval_s",
            entry.group_interval_s,
            0..=86_400,
            usual.group_interval,
        ),
        repeat_interval: seconds(
            "repeat_interval_s",
            entry.repeat_interval_s,
            60..=604_800,
            usual.repeat_interval,
        ),
        repeats: usual.repeats,
    }
}

fn escalation(reader: &mut Reader<'_>, entry: &RouteEntry) -> Vec<Escalation> {
    if entry.escalate.len() > RUNGS_MAX {
        let hint = format!("use {RUNGS_MAX} rungs at most");
        reader.refuse("escalate", "is too long".to_owned(), &hint);
    }
    let rungs = entry.escalate.iter().enumerate();
    rungs
        .map(|(position, one)| rung(reader, entry, (position, one)))
        .collect()
}

fn rung(
    reader: &mut Reader<'_>,
    entry: &RouteEntry,
    (position, one): (usize, &EscalationEntry),
) -> Escalation {
    let key = |key: &str| format!("escalate[{position}].{key}");
    reader.within(&key("after_s"), one.after_s, 60..=604_800);
    reader.within(&key("most"), one.most, 1..=20);
    let to = if one.channels.is_empty() && one.notify.is_empty() {
        destinations(&entry.channels, &entry.notify)
    } else {
        destinations(&one.channels, &one.notify)
    };
    Escalation {
        after: Duration::seconds(one.after_s.into()),
        to,
        most: one.most,
    }
}

fn destinations(channels: &[Snowflake], targets: &[String]) -> Vec<Destination> {
    if channels.is_empty() && targets.is_empty() {
        return vec![Destination::Ops];
    }
    let channels = channels.iter().map(|id| ChannelId(id.0));
    let targets = targets.iter().cloned().map(Destination::Target);
    channels.map(Destination::Channel).chain(targets).collect()
}

fn refuse_unknown(reader: &mut Reader<'_>, entry: &RouteEntry, targets: &[&str]) {
    let later = entry.escalate.iter().enumerate();
    let later = later.map(|(position, one)| (format!("escalate[{position}].notify"), &one.notify));
    let named = std::iter::once(("notify".to_owned(), &entry.notify)).chain(later);
    for (key, names) in named {
        for name in names {
            if !targets.contains(&name.as_str()) {
                let message = format!("there is no `[[notify]]` entry {}", shown(name));
                reader.refuse(&key, message, &did_you_mean(name, targets));
            }
        }
    }
}
