//! `/freeze` and `/unfreeze`: the one stop for everything.

use poise::ChoiceParameter;
use serenity::all::ComponentInteraction;

use super::{
    super::{
        Answer, Bot, Context, Result, autocomplete, render,
        reply::{self, Asker},
    },
    answer, carry_out, sight,
};
use crate::{
    domain::{
        agent::Name,
        freeze::Mode,
        ids::{InteractionId, UserId},
    },
    ops::freeze::Question,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum How {
    #[name = "pause"]
    Pause,
    #[name = "cut"]
    Cut,
}

/// Stop everything at once: agents stand still, and nothing is begun until somebody unfreezes
#[poise::command(slash_command)]
pub(super) async fn freeze(
    ctx: Context<'_>,
    #[description = "Why; everybody who is refused meanwhile reads it"] reason: String,
    #[description = "Only this fleet; everything if left out"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "pause: processes stand still. cut: they run on and reach nobody"] mode: Option<
        How,
    >,
) -> Result {
    let ops = &ctx.data().ops;
    let mode = match mode {
        Some(How::Cut) => Mode::Cut,
        Some(How::Pause) | None => Mode::Pause,
    };
    let asker = Asker::from(ctx.interaction);
    let request = sight(ctx).request_freeze(fleet.as_deref(), mode)?;
    ops.permit(&asker.caller, &request)?;
    let no_way_back = ops.no_way_back(&request).await;
    let question = Question {
        fleet: request.details.name,
        mode,
        reason,
        author: asker.caller.user,
    };
    let running = ops.run_in(question.fleet.as_ref());
    let rendered = render::freeze::question(
        (question.fleet.as_ref(), mode, running),
        no_way_back.as_deref(),
        asker.interaction,
    );
    ops.remember_question(asker.interaction, question);
    answer(ctx, &rendered).await?;
    Ok(ops.keep_question(asker.interaction).await?)
}

/// Let what is frozen go on as it was
#[poise::command(slash_command)]
pub(super) async fn unfreeze(
    ctx: Context<'_>,
    #[description = "Only this fleet; all that is frozen if left out"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let request = sight(ctx).request_unfreeze(fleet.as_deref())?;
    carry_out(ctx, request, reason).await
}

/// The button below the question.
pub async fn go(bot: &Bot, press: &ComponentInteraction, id: InteractionId) -> Result {
    let question = bot.ops.question(id).await?;
    let asker = Asker::from(press);
    if question.author != UserId(press.user.id.get()) {
        let mine = "This question is somebody else's. Send `/freeze` for one of your own.";
        return Err(Answer::Denied(mine.to_owned()).into());
    }
    let fleet = question.fleet.as_ref();
    let sight = bot.ops.sight(asker.caller.clone());
    let request = sight.request_freeze(fleet.map(Name::as_str), question.mode)?;
    reply::carry_out(bot, &asker, request, Some(question.reason)).await
}
