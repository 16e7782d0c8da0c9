//! `/secret`: values that agents are given. A value is typed into a form and nowhere else.

use secrecy::SecretString;
use serenity::all::{CreateInteractionResponse, ModalInteraction};

use super::{
    super::{
        Bot, Context, Result, autocomplete, render,
        reply::{self, Asker},
    },
    answer, carry_out, sight,
};
use crate::{domain::secret::Subject, ops::resolve::secrets::Whose};

/// Values that agents are given, such as keys: kept sealed, and never shown
#[poise::command(
    slash_command,
    subcommands("set", "rotate", "list", "delete"),
    subcommand_required
)]
#[expect(
    clippy::unused_async,
    reason = "poise asks for it; Discord never sends a group by itself"
)]
pub(super) async fn secret(_: Context<'_>) -> Result {
    Ok(())
}

/// Set a secret; agents get it with their next deployment
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
async fn set(
    ctx: Context<'_>,
    #[description = "As the template calls it"]
    #[autocomplete = "autocomplete::secret"]
    name: String,
    #[description = "Only for this agent"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "For the agents of this fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "For all agents"] all: Option<bool>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let whose = whose(agent.as_ref(), fleet.as_ref(), all);
    let subject = sight(ctx).secret_subject(&name, whose)?;
    ask(ctx, (subject, false), reason.as_deref()).await
}

/// Replace a secret, and make the running agents that use it anew
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
async fn rotate(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "autocomplete::secret"]
    name: String,
    #[description = "That of this agent"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "That of this fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "That of all agents"] all: Option<bool>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let whose = whose(agent.as_ref(), fleet.as_ref(), all);
    let subject = sight(ctx).known_secret(&name, whose)?;
    ask(ctx, (subject, true), reason.as_deref()).await
}

/// The secrets of what you see: names, for whom, since when, and who uses them
#[poise::command(slash_command)]
async fn list(ctx: Context<'_>) -> Result {
    answer(ctx, &render::secrets::list(&sight(ctx).secrets_seen())).await
}

/// Delete a secret; agents that run keep what they were given
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
async fn delete(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "autocomplete::secret"]
    name: String,
    #[description = "That of this agent"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "That of this fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "That of all agents"] all: Option<bool>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let ops = sight(ctx);
    let subject = ops.known_secret(&name, whose(agent.as_ref(), fleet.as_ref(), all))?;
    carry_out(ctx, ops.request_secret_delete(subject), reason).await
}

/// The form for the value. What is wrong already is said before.
async fn ask(ctx: Context<'_>, (subject, rotate): (Subject, bool), reason: Option<&str>) -> Result {
    let asker = Asker::from(ctx.interaction);
    let ops = &ctx.data().ops;
    ops.foresee_secret((&subject, rotate), &asker.caller)
        .await?;
    let modal = render::secrets::modal(&subject, rotate, reason);
    asker
        .respond(ctx.data(), CreateInteractionResponse::Modal(modal))
        .await
}

/// The form came back.
pub async fn fill(
    bot: &Bot,
    modal: &ModalInteraction,
    (subject, rotate): (Subject, bool),
    (value, reason): (SecretString, Option<String>),
) -> Result {
    let request = if rotate {
        bot.ops.request_secret_rotate(subject, &value)?
    } else {
        bot.ops.request_secret_set(subject, &value)?
    };
    reply::carry_out(bot, &Asker::from(modal), request, reason).await
}

fn whose<'a>(agent: Option<&'a String>, fleet: Option<&'a String>, all: Option<bool>) -> Whose<'a> {
    Whose {
        agent: agent.map(String::as_str),
        fleet: fleet.map(String::as_str),
        all: all.unwrap_or(false),
    }
}
