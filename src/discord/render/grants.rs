//! Grants and teams, and the form for the first owner.

use chrono::{DateTime, Utc};
use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{Rendered, text::clip};
use crate::{
    discord::press::Press,
    domain::{
        action::Action,
        approval::Allowance,
        grant::{Grant, Holder, Source, Team},
    },
};

/// The field of the form.
pub const CODE: &str = "code";
/// Room for one line.
const LINE_MAX: usize = 180;

pub fn claim() -> CreateModal {
    let code = CreateInputText::new(InputTextStyle::Short, "Code", CODE)
        .placeholder("as `yardarm claim` printed it on the host")
        .max_length(80)
        .required(true);
    CreateModal::new(Press::Claim.to_string(), "Become the first owner")
        .components(vec![CreateActionRow::InputText(code)])
}

pub fn claimed() -> Rendered {
    Rendered::text(
        "⚓ You own this Yardarm now. `/grant add` lets others in, `/deploy` makes the first agent, `/help` lists all.",
    )
}

/// What ends soonest stands first.
pub fn list(allowances: &[Allowance], grants: &[Grant], now: DateTime<Utc>) -> Rendered {
    if allowances.is_empty() && grants.is_empty() {
        return Rendered::text("Nothing is granted that you may see.");
    }
    let line = |grant: &Grant| {
        let number = grant
            .id
            .map_or_else(|| "file".to_owned(), |id| format!("#{id}"));
        let by = match (grant.source, grant.granted_by) {
            (Source::File, _) => String::new(),
            (source, Some(by)) => format!(", {} by <@{by}>", source.as_str()),
            (source, None) => format!(", {}", source.as_str()),
        };
        let ended = if grant.is_live(now) { "" } else { " (ended)" };
        clip(&format!("`{number}` {grant}{by}{ended}"), LINE_MAX)
    };
    let allowed = |one: &Allowance| {
        let (label, by, action) = (one.label(), one.given_by, one.action);
        clip(
            &format!("`{label}` {one}, approved by <@{by}> with action {action}"),
            LINE_MAX,
        )
    };
    let allowances = allowances.iter().map(allowed);
    let lines: Vec<String> = allowances.chain(grants.iter().map(line)).collect();
    Rendered::listed(&lines, "grants.txt")
}

pub fn teams<'a>(teams: impl Iterator<Item = &'a Team>) -> Rendered {
    let line = |team: &Team| {
        let members: Vec<String> = team
            .members()
            .map(|holder| Holder::to_string(&holder))
            .collect();
        let owns: Vec<String> = team.owns.iter().map(|fleet| format!("`{fleet}`")).collect();
        let members = if members.is_empty() {
            "nobody".to_owned()
        } else {
            members.join(", ")
        };
        let owns = if owns.is_empty() {
            String::new()
        } else {
            format!("; owns {}", owns.join(", "))
        };
        let file = if team.source == Source::File {
            " (file)"
        } else {
            ""
        };
        clip(
            &format!("**{}**{file}: {members}{owns}", team.name),
            LINE_MAX,
        )
    };
    let lines: Vec<String> = teams.map(line).collect();
    if lines.is_empty() {
        return Rendered::text("There is no team. `/team create` makes one.");
    }
    Rendered::listed(&lines, "teams.txt")
}

pub fn activity(team: &Team, actions: &[Action]) -> Rendered {
    if actions.is_empty() {
        return Rendered::text(format!(
            "Nobody of `{}` has asked for anything lately. Only people who are listed by name are known.",
            team.name
        ));
    }
    let line = |action: &Action| {
        let names: Vec<&str> = action
            .targets
            .iter()
            .map(|target| target.name.as_str())
            .chain(
                action
                    .details
                    .name
                    .as_ref()
                    .map(crate::domain::agent::Name::as_str),
            )
            .collect();
        let by = action
            .actor
            .map_or_else(String::new, |actor| format!(" by <@{actor}>"));
        let line = format!(
            "<t:{}:R> {} {}: {}{by}",
            action.created_at.timestamp(),
            action.kind,
            names.join(", "),
            action.state.as_str()
        );
        clip(&line, LINE_MAX)
    };
    let lines: Vec<String> = actions.iter().map(line).collect();
    Rendered::listed(&lines, "activity.txt")
}
