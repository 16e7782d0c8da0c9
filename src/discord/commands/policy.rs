//! `/policy`: what the rules say.

use super::{
    super::{Context, Result, autocomplete, render},
    answer, sight, typed,
};
use crate::{
    domain::{
        action::{Kind, Origin},
        grant::Level,
        nearest::did_you_mean,
        policy::Trial,
    },
    error::Error as Answer,
};

/// Rules that say what is allowed, denied or asked
#[poise::command(slash_command, subcommands("test"), subcommand_required)]
#[expect(
    clippy::unused_async,
    reason = "poise asks for it; Discord never sends a group by itself"
)]
pub(super) async fn policy(_: Context<'_>) -> Result {
    Ok(())
}

/// Which rule would decide an action, and why; nothing is done
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "poise makes an option of each argument"
)]
async fn test(
    ctx: Context<'_>,
    #[description = "What is asked for"]
    #[autocomplete = "autocomplete::action"]
    action: String,
    #[description = "On which agent"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "In which fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "From which template"]
    #[autocomplete = "autocomplete::template"]
    template: Option<String>,
    #[description = "The level of whoever asks: viewer, operator, maintainer, owner"] level: Option<
        String,
    >,
    #[description = "Where it comes from: chat, schedule, converge, recovery, host"] origin: Option<
        String,
    >,
    #[description = "It gives an agent more than it had"] loosens: Option<bool>,
    #[description = "It is about more than one agent"] several: Option<bool>,
) -> Result {
    let ops = sight(ctx);
    let level = level.map(|text| word(&text, &Level::ALL.map(Level::as_str), Level::parse));
    let origin = origin.map(|text| word(&text, &Origin::ALL.map(Origin::as_str), Origin::parse));
    let trial = ops.complete(Trial {
        kind: word(&action, &Kind::ALL.map(Kind::as_str), Kind::parse)?,
        agent,
        fleet,
        fleets: Vec::new(),
        template,
        level: level.transpose()?,
        origin: origin.transpose()?.unwrap_or(Origin::Chat),
        loosens: loosens.unwrap_or_default(),
        several: several.unwrap_or_default(),
        sole_owner: false,
        now: ops.now(),
    });
    answer(ctx, &render::policy::explanation(&ops.explain(&trial))).await
}

/// A typed word of which all are known.
fn word<T>(text: &str, known: &[&str], parse: impl Fn(&str) -> Option<T>) -> Result<T> {
    let unknown = || {
        let advice = did_you_mean(text, known);
        Answer::Invalid(format!("{} is unknown: {advice}", typed(text)))
    };
    Ok(parse(text).ok_or_else(unknown)?)
}
