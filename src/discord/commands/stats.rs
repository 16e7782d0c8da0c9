//! `/stats`: a chart of what was used, and who used most.

use poise::ChoiceParameter;

use super::super::{
    Bot, Context, Result, autocomplete, errors,
    render::{self, Rendered},
    reply::{self, Asker},
};
use crate::{domain::history::Range, error::Result as OpsResult};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub(super) enum Time {
    #[name = "hour"]
    Hour,
    #[name = "day"]
    Day,
    #[name = "week"]
    Week,
}

/// A chart of CPU and memory, and which agents use most
#[poise::command(slash_command)]
pub(super) async fn stats(
    ctx: Context<'_>,
    #[description = "Only this agent"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "Only this fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "How far back (hour)"] range: Option<Time>,
) -> Result {
    let (bot, asker) = (ctx.data(), Asker::from(ctx.interaction));
    let sight = bot.ops.sight(asker.caller.clone());
    // What may not be seen is refused before anything is acknowledged.
    agent
        .as_deref()
        .map(|name| sight.look_at(name))
        .transpose()?;
    fleet
        .as_deref()
        .map(|name| sight.look_into(name))
        .transpose()?;
    let range = match range {
        None | Some(Time::Hour) => Range::Hour,
        Some(Time::Day) => Range::Day,
        Some(Time::Week) => Range::Week,
    };
    asker.defer(bot, true).await?;
    let rendered = match chart(bot, &asker, (agent.as_deref(), fleet.as_deref()), range).await {
        Ok(rendered) => rendered,
        Err(error) => Rendered::text(errors::advice(&asker, error)),
    };
    reply::show(bot, &asker.token, &rendered).await.map(drop)
}

async fn chart(
    bot: &Bot,
    asker: &Asker,
    of: (Option<&str>, Option<&str>),
    range: Range,
) -> OpsResult<Rendered> {
    let sight = bot.ops.sight(asker.caller.clone());
    let (figures, picture) = sight.figures(of, range).await?;
    let chart = if figures.known > 0 {
        Some(bot.ops.draw(picture).await?)
    } else {
        None
    };
    let host = bot.ops.roster.read(|board| board.host.clone());
    Ok(render::stats::answer(&figures, &host, chart))
}
