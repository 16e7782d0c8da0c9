//! `/alerts`, and the buttons of the cards about what is wrong.

use chrono::TimeDelta;
use serenity::all::{ComponentInteraction, CreateInteractionResponse};

use super::{
    super::{Bot, Context, Result, autocomplete, render, reply::Asker},
    sight,
};
use crate::domain::ids::AlertId;

/// How far back the list goes if nobody says.
const HOURS: u32 = 24;

/// What is wrong now, and what was lately
#[poise::command(slash_command)]
pub(super) async fn alerts(
    ctx: Context<'_>,
    #[description = "Only this fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "How many hours back (24)"]
    #[min = 1]
    #[max = 720]
    hours: Option<u32>,
) -> Result {
    let (bot, sight) = (ctx.data(), sight(ctx));
    let asker = Asker::from(ctx.interaction);
    let back = TimeDelta::hours(hours.unwrap_or(HOURS).into());
    let incidents = sight.incidents(fleet.as_deref(), back).await?;
    asker
        .answer(bot, &render::alert::list(&incidents, back))
        .await
}

/// Acknowledge was pressed: the card shows it.
pub async fn acknowledge(bot: &Bot, press: &ComponentInteraction, id: AlertId) -> Result {
    let asker = Asker::from(press);
    bot.ops.acknowledge(id, &asker.caller).await?;
    asker
        .respond(bot, CreateInteractionResponse::Acknowledge)
        .await
}
