//! `/audit` and `/why`: what happened, and how an agent came to where it is.

use serenity::all::{ComponentInteraction, CreateInteractionResponse, User};

use super::{
    super::{
        Bot, Context, Result, autocomplete, render,
        reply::{self, Asker},
    },
    typed,
};
use crate::{
    domain::{
        action::Kind,
        audit::{
            What,
            search::{Search, parse_time},
        },
        ids::{InteractionId, UserId},
        nearest::did_you_mean,
        problem::capitalised,
    },
    error::Error as Answer,
};

/// What happened, by whom, and how it ended; the newest first
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
pub(super) async fn audit(
    ctx: Context<'_>,
    #[description = "About this agent"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "By this person"] by: Option<User>,
    #[description = "About this kind of action, such as stop"]
    #[autocomplete = "autocomplete::action"]
    action: Option<String>,
    #[description = "What happened, such as failed or refused"]
    #[autocomplete = "autocomplete::what"]
    what: Option<String>,
    #[description = "From this day or time on, in UTC: 2026-11-21"] since: Option<String>,
    #[description = "Before this day or time, in UTC: 2026-11-22"] until: Option<String>,
    #[description = "With these words in it"] text: Option<String>,
    #[description = "All of it as a file of JSON lines; for owners, and told"] export: Option<bool>,
) -> Result {
    let search = Search {
        agent,
        actor: by.map(|user| UserId(user.id.get())),
        kind: action.map(kind).transpose()?,
        what: what.map(word).transpose()?,
        since: since.as_deref().map(time).transpose()?,
        until: until.as_deref().map(time).transpose()?,
        text,
        through: None,
    };
    let (bot, asker) = (ctx.data(), Asker::from(ctx.interaction));
    asker.defer(bot, true).await?;
    let rendered = if export == Some(true) {
        let records = bot.ops.export_audit(&asker.caller, &search).await?;
        render::audit::file(&records)
    } else {
        let page = bot
            .ops
            .search_audit(asker.interaction, &asker.caller, search);
        render::audit::page(&page.await?)
    };
    reply::show(bot, &asker.token, &rendered).await?;
    Ok(())
}

/// How an agent came to be as it is: requests, approvals, what was done, ends and restarts, in order
#[poise::command(slash_command)]
pub(super) async fn why(
    ctx: Context<'_>,
    #[description = "Whose way"]
    #[autocomplete = "autocomplete::agent"]
    agent: String,
) -> Result {
    let view = super::sight(ctx).look_at(&agent)?;
    let (bot, asker) = (ctx.data(), Asker::from(ctx.interaction));
    asker.defer(bot, true).await?;
    let records = bot.ops.way_of(view.agent.id, &asker.caller).await?;
    reply::show(bot, &asker.token, &render::audit::way(&view, &records)).await?;
    Ok(())
}

/// The buttons below a page.
pub async fn turn(bot: &Bot, press: &ComponentInteraction, id: InteractionId, page: u32) -> Result {
    let asker = Asker::from(press);
    asker
        .respond(bot, CreateInteractionResponse::Acknowledge)
        .await?;
    let page = bot.ops.turn_audit(id, &asker.caller, page).await?;
    reply::show(bot, &asker.token, &render::audit::page(&page)).await?;
    Ok(())
}

fn kind(text: String) -> Result<String> {
    if Kind::parse(&text).is_some() {
        return Ok(text);
    }
    Err(unknown(&text, &Kind::ALL.map(Kind::as_str)))
}

fn word(text: String) -> Result<String> {
    if What::parse(&text).is_some() {
        return Ok(text);
    }
    let known: Vec<&str> = What::ALL.iter().map(|what| what.as_str()).collect();
    Err(unknown(&text, &known))
}

fn unknown(text: &str, known: &[&str]) -> super::super::Error {
    let hint = capitalised(&did_you_mean(text, known));
    Answer::Invalid(format!("{} is not known. {hint}", typed(text))).into()
}

fn time(text: &str) -> Result<chrono::DateTime<chrono::Utc>> {
    let wrong = || {
        Answer::Invalid(format!(
            "{} is no time. Write a day as `2026-11-21` or a time as `2026-11-21T10:00:00Z`, in UTC.",
            typed(text)
        ))
    };
    Ok(parse_time(text).ok_or_else(wrong)?)
}
