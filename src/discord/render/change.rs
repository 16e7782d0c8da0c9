//! What an action changes beside agents, a line each: so that whoever approves it sees what that is.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};

use super::text::code;
use crate::domain::{
    action::{Action, Details, Kind, TeamChange},
    freeze::Mode,
    grant::Team,
    schedule::{Missed, Order},
};

/// Room for one value of what is changed; all of it is in the plan.
const VALUE_MAX: usize = 200;

/// Nothing where the headline says it all.
pub(super) fn lines(action: &Action) -> Vec<String> {
    let details = &action.details;
    match details {
        Details {
            team: Some(change), ..
        } => team(change),
        Details {
            schedule: Some(change),
            ..
        } => schedule(&change.order),
        Details {
            template: Some(body),
            ..
        } => template(body),
        _ => small(action.kind, details),
    }
}

fn small(kind: Kind, details: &Details) -> Vec<String> {
    let channel = details.channel.filter(|_| kind == Kind::FleetCreate);
    let channel = channel.map(|channel| format!("ops channel <#{channel}>"));
    let mode = details.mode.map(|mode| {
        let words = match mode {
            Mode::Pause => "their processes stand still",
            Mode::Cut => "they run on and reach nobody",
        };
        format!("{}: {words}", mode.as_str())
    });
    let repost = details.repost_after;
    let repost = repost.map(|count| format!("posted anew after {count} messages"));
    [channel, mode, repost].into_iter().flatten().collect()
}

/// Who comes and who goes, and which fleets.
fn team(TeamChange { was, to }: &TeamChange) -> Vec<String> {
    let empty = Team::named(to.name.clone());
    let was = was.as_ref().unwrap_or(&empty);
    let mut lines = difference(&was.users, &to.users, |user| format!("<@{user}>"));
    lines.extend(difference(&was.roles, &to.roles, |role| {
        format!("<@&{role}>")
    }));
    lines.extend(difference(&was.owns, &to.owns, |fleets| {
        format!("owns `{fleets}`")
    }));
    if lines.is_empty() {
        lines.push("a team without anybody".to_owned());
    }
    lines
}

fn difference<T: Ord>(
    was: &BTreeSet<T>,
    to: &BTreeSet<T>,
    words: impl Fn(&T) -> String,
) -> Vec<String> {
    let new = to.difference(was).map(|one| format!("+ {}", words(one)));
    let gone = was.difference(to).map(|one| format!("− {}", words(one)));
    new.chain(gone).collect()
}

fn schedule(order: &Order) -> Vec<String> {
    let mut lines = vec![
        order.does(),
        format!("at `{}` in {}", order.cron, order.zone),
    ];
    let set = order.set.iter();
    lines.extend(set.map(|(name, value)| format!("`{name}` is {}", shown(value))));
    lines.extend(match order.missed {
        Missed::Skip => None,
        Missed::Once => Some("a missed run is made up for".to_owned()),
        Missed::All => Some(format!("up to {} missed runs are made up for", order.up_to)),
    });
    let until = order.until;
    lines.extend(until.map(|until| format!("until <t:{}:f>", until.timestamp())));
    lines
}

/// Its body as it is written, key by key.
fn template(body: &str) -> Vec<String> {
    let keys: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    let keys = keys.into_iter();
    keys.map(|(key, value)| format!("{key} {}", shown(value)))
        .collect()
}

fn shown(value: impl fmt::Display) -> String {
    code(&value.to_string(), VALUE_MAX)
}
