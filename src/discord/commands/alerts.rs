//! `/alerts`, and the buttons of the cards about what is wrong.

use chrono::TimeDelta;
use poise::ChoiceParameter;
use serenity::all::{ComponentInteraction, CreateInteractionResponse};

use super::{
    super::{
        Bot, Context, Result, autocomplete,
        render::{self, Rendered},
        reply::Asker,
    },
    sight,
    silences::Kind,
};
use crate::domain::{ids::AlertId, incident};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum Severity {
    #[name = "info"]
    Info,
    #[name = "warning"]
    Warning,
    #[name = "critical"]
    Critical,
}

impl From<Severity> for incident::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }
}

/// How far back the list goes if nobody says.
const HOURS: u32 = 24;

/// What is wrong, and who is told
#[poise::command(slash_command, subcommands("list", "test"), subcommand_required)]
#[expect(
    clippy::unused_async,
    reason = "poise asks for it; Discord never sends a group by itself"
)]
pub(super) async fn alerts(_: Context<'_>) -> Result {
    Ok(())
}

/// What is wrong now, and what was lately
#[poise::command(slash_command)]
async fn list(
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

/// Which way an alert would take, and what would keep it quiet; nobody is told
#[poise::command(slash_command)]
async fn test(
    ctx: Context<'_>,
    #[description = "What would be wrong"] kind: Kind,
    #[description = "How grave (warning)"] severity: Option<Severity>,
    #[description = "With which agent"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "In which fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
) -> Result {
    let asker = Asker::from(ctx.interaction);
    let severity = severity.unwrap_or(Severity::Warning);
    let whose = (agent.as_deref(), fleet.as_deref());
    let told = sight(ctx)
        .try_alert((kind.into(), severity.into()), whose)
        .await?;
    asker.answer(ctx.data(), &Rendered::text(told)).await
}

/// Acknowledge was pressed: the card shows it.
pub async fn acknowledge(bot: &Bot, press: &ComponentInteraction, id: AlertId) -> Result {
    let asker = Asker::from(press);
    asker
        .respond(bot, CreateInteractionResponse::Acknowledge)
        .await?;
    Ok(bot.ops.acknowledge(id, &asker.caller).await?)
}
