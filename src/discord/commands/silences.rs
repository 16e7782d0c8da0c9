//! `/silence` and `/silences`: what nobody wants to hear of, for a while.

use poise::ChoiceParameter;
use serenity::all::ComponentInteraction;

use super::{
    super::{
        Bot, Context, Result, autocomplete, render,
        reply::{self, Asker},
    },
    alerts::Severity,
    carry_out, sight,
};
use crate::domain::{
    ids::{AlertId, SilenceId},
    incident,
};

/// What the button on a card gives.
const HOURS: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum Kind {
    #[name = "down"]
    Down,
    #[name = "unhealthy"]
    Unhealthy,
    #[name = "waiting"]
    Waiting,
    #[name = "blocked"]
    Blocked,
    #[name = "resources"]
    Resources,
    #[name = "engine"]
    Engine,
    #[name = "host"]
    Host,
    #[name = "loop"]
    Loop,
}

impl From<Kind> for incident::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Down => Self::Down,
            Kind::Unhealthy => Self::Unhealthy,
            Kind::Waiting => Self::Waiting,
            Kind::Blocked => Self::Blocked,
            Kind::Resources => Self::Resources,
            Kind::Engine => Self::Engine,
            Kind::Host => Self::Host,
            Kind::Loop => Self::Loop,
        }
    }
}

/// Hear nothing of an agent, a fleet or everything for a while
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
pub(super) async fn silence(
    ctx: Context<'_>,
    #[description = "Why; everybody who looks reads it"] reason: String,
    #[description = "How many hours"]
    #[min = 1]
    #[max = 720]
    hours: u32,
    #[description = "Only this agent, or those that a pattern such as scout-* matches"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "Only this fleet; everything if both are left out"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "Only this kind of problem"] kind: Option<Kind>,
    #[description = "Only what is this grave: what gets worse is told"] severity: Option<Severity>,
) -> Result {
    let whose = (agent.as_deref(), fleet.as_deref());
    let what = (kind.map(Into::into), severity.map(Into::into));
    let request = sight(ctx).request_silence(whose, what, hours)?;
    carry_out(ctx, request, Some(reason)).await
}

/// What nobody hears of now: by whom, why and until when; and end it
#[poise::command(slash_command)]
pub(super) async fn silences(ctx: Context<'_>) -> Result {
    let asker = Asker::from(ctx.interaction);
    let all = sight(ctx).silences_seen().await?;
    asker
        .answer(ctx.data(), &render::alert::silences(&all))
        .await
}

/// Silence was pressed on a card.
pub async fn silence_press(bot: &Bot, press: &ComponentInteraction, id: AlertId) -> Result {
    let asker = Asker::from(press);
    let sight = bot.ops.sight(asker.caller.clone());
    let request = sight.request_silence_of(id, HOURS).await?;
    let reason = Some(format!("from the card of alert {id}"));
    reply::carry_out(bot, &asker, request, reason).await
}

/// End was pressed in the list.
pub async fn end_press(bot: &Bot, press: &ComponentInteraction, id: SilenceId) -> Result {
    let asker = Asker::from(press);
    let request = bot
        .ops
        .sight(asker.caller.clone())
        .request_silence_end(id)
        .await?;
    reply::carry_out(bot, &asker, request, None).await
}
