//! Choices while somebody types: from memory, never from the engine. Discord takes 25.

#![expect(clippy::unused_async, reason = "poise awaits what completes a name")]

use poise::serenity_prelude::{AutocompleteChoice, CreateAutocompleteResponse, ResolvedValue};

use super::{Context, reply::Asker};
use crate::{
    domain::{
        action::{Action, Kind},
        agent::Name,
        approval::Allowance,
        audit::What,
        schedule::Job,
        template::{LIMIT_NAMES, Parameter, ParameterKind},
        zone,
    },
    ops::{roster::Board, sight::Sight},
};

const CHOICES: usize = 25;
/// Discord's limit for the text and the value of a choice.
const CHOICE_MAX: usize = 100;

fn respond(choices: impl IntoIterator<Item = (String, String)>) -> CreateAutocompleteResponse {
    let fits = |(_, value): &(String, String)| value.chars().count() <= CHOICE_MAX;
    let choices = choices.into_iter().filter(fits).take(CHOICES);
    let choices = choices.map(|(label, value)| {
        AutocompleteChoice::new(super::render::text::clip(&label, CHOICE_MAX), value)
    });
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}

/// Those that begin with what was typed, then those that contain it.
fn rank(partial: &str, names: Vec<(String, String)>) -> Vec<(String, String)> {
    let typed = partial.trim().to_lowercase();
    let (first, rest): (Vec<_>, Vec<_>) = names
        .into_iter()
        .partition(|(_, name)| name.to_lowercase().starts_with(&typed));
    first
        .into_iter()
        .chain(
            rest.into_iter()
                .filter(|(_, name)| name.to_lowercase().contains(&typed)),
        )
        .collect()
}

/// Living agents, with what they are doing.
pub async fn agent(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let label = |view: &crate::domain::view::View| {
        let name = view.agent.name.to_string();
        (
            format!("{name} · {} · {}", view.fleet, view.state.as_str()),
            name,
        )
    };
    let sight = sight(ctx);
    let seen = |view: &&crate::domain::view::View| sight.sees(&view.fleet);
    let read = |board: &Board| board.views().filter(seen).map(label).collect();
    respond(rank(partial, sight.roster.read(read)))
}

fn sight(ctx: Context<'_>) -> Sight<'_> {
    ctx.data().ops.sight(Asker::from(ctx.interaction).caller)
}

pub async fn fleet(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let names =
        |fleet: &crate::domain::fleet::Fleet| (fleet.name.to_string(), fleet.name.to_string());
    let sight = sight(ctx);
    let seen = |fleet: &&crate::domain::fleet::Fleet| sight.sees(&fleet.name);
    let read = |board: &Board| board.fleets().filter(seen).map(names).collect();
    respond(rank(partial, sight.roster.read(read)))
}

/// Grants and allowances that can be taken back: what a file says is changed there.
pub async fn grant(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let label = |grant: &crate::domain::grant::Grant| {
        let id = grant.id?.to_string();
        let (level, fleets) = (grant.level, &grant.fleets);
        Some((format!("#{id} {level} on {fleets}"), id))
    };
    let allowance = |one: Allowance| {
        let label = one.label();
        (
            format!("{label} {} in {} for a while", one.kind, one.fleet_name),
            label,
        )
    };
    let sight = sight(ctx);
    let allowances = sight.allowances_seen().await.unwrap_or_default();
    let allowances = allowances.into_iter().map(allowance);
    let grants = sight.grants_seen();
    let all = allowances.chain(grants.iter().filter_map(label));
    respond(rank(partial, all.collect()))
}

pub async fn team(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let seen = sight(ctx).teams_seen();
    let names = seen.iter();
    let names = names.map(|team| (team.name.to_string(), team.name.to_string()));
    respond(rank(partial, names.collect()))
}

/// What can be asked for.
pub async fn action(_: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let names = Kind::ALL.map(|kind| (kind.to_string(), kind.to_string()));
    respond(rank(partial, names.to_vec()))
}

/// What can be scheduled.
pub async fn job(_: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let names = Job::OFFERED.map(|job| (job.to_string(), job.to_string()));
    respond(rank(partial, names.to_vec()))
}

pub async fn schedule(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let seen = sight(ctx).schedule_names();
    let label = |(name, does): (Name, String)| (format!("{name} · {does}"), name.to_string());
    respond(rank(partial, seen.into_iter().map(label).collect()))
}

/// Time zones: the one of the settings first.
pub async fn zone(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let own = ctx.data().ops.settings().schedules.zone;
    let names = zone::names().filter(|name| *name != own.name());
    let names = std::iter::once(own.name()).chain(names);
    respond(rank(
        partial,
        names
            .map(|name| (name.to_owned(), name.to_owned()))
            .collect(),
    ))
}

/// What the audit tells of.
pub async fn what(_: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let words = What::ALL.iter().map(|what| what.as_str().to_owned());
    respond(rank(
        partial,
        words.map(|word| (word.clone(), word)).collect(),
    ))
}

pub async fn template(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let all = ctx.data().ops.catalog.all();
    let label = |entry: &crate::ops::catalog::Entry| {
        let name = entry.template.name.to_string();
        (
            format!("{name} · {}", entry.template.body.description),
            name,
        )
    };
    respond(rank(partial, all.values().map(label).collect()))
}

/// Those that are set where the caller sees, and those that templates ask for.
pub async fn secret(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let names = sight(ctx).secret_names();
    respond(rank(
        partial,
        names.into_iter().map(|name| (name.clone(), name)).collect(),
    ))
}

/// `key=value` after `key=value`: the keys of the template, then the values of the key.
pub async fn set(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let Some(entry) = chosen_template(ctx).and_then(|name| ctx.data().ops.catalog.get(&name))
    else {
        return respond([]);
    };
    let (before, last) = partial
        .rsplit_once(' ')
        .map_or(("", partial), |(before, last)| (before, last));
    let whole = |tail: String| {
        let text = if before.is_empty() {
            tail
        } else {
            format!("{before} {tail}")
        };
        (text.clone(), text)
    };
    let parameters = &entry.template.body.parameters;
    let offers: Vec<String> = match last.split_once('=') {
        None => {
            let names = parameters.iter().map(|parameter| parameter.name.as_str());
            let fitting = names
                .chain(LIMIT_NAMES)
                .filter(|name| name.starts_with(last));
            fitting.map(|name| format!("{name}=")).collect()
        }
        Some((key, value)) => parameters
            .iter()
            .find(|parameter| parameter.name == key)
            .map_or_else(Vec::new, |parameter| {
                let fitting = values(parameter)
                    .into_iter()
                    .filter(|offer| offer.starts_with(value));
                fitting.map(|offer| format!("{key}={offer}")).collect()
            }),
    };
    respond(offers.into_iter().map(whole))
}

fn values(parameter: &Parameter) -> Vec<String> {
    match parameter.kind {
        ParameterKind::Boolean => vec!["true".to_owned(), "false".to_owned()],
        ParameterKind::Choice => parameter.choices.clone(),
        ParameterKind::String | ParameterKind::Integer => parameter
            .default
            .as_ref()
            .map(ToString::to_string)
            .into_iter()
            .collect(),
    }
}

/// The template typed beside, or that of the agent typed beside.
fn chosen_template(ctx: Context<'_>) -> Option<String> {
    let text = |name: &str| {
        ctx.args
            .iter()
            .find(|option| option.name == name)
            .and_then(|option| match option.value {
                ResolvedValue::String(text) => Some(text.to_owned()),
                _ => None,
            })
    };
    let of_agent = |agent: String| {
        let view = ctx.data().ops.roster.view(&agent)?;
        let seen = sight(ctx).sees(&view.fleet).then_some(view)?;
        seen.version?.spec.template.clone()
    };
    text("template").or_else(|| text("agent").and_then(of_agent))
}

/// Requests that wait for the one who types, oldest first.
pub async fn waiting(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let caller = Asker::from(ctx.interaction).caller;
    let waiting = ctx.data().ops.waiting_for(&caller).await;
    let label = |action: Action| {
        (
            format!("{} · {} {}", action.id, action.kind, action.phrase()),
            action.id,
        )
    };
    let choices = waiting.unwrap_or_default().into_iter().map(label);
    let fits = choices.filter(|(label, _)| label.contains(partial.trim()));
    let choices = fits.take(CHOICES).map(|(label, id)| {
        AutocompleteChoice::new(super::render::text::clip(&label, CHOICE_MAX), id.0)
    });
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}
