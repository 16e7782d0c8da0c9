//! `/claim`: how the first owner becomes one. The only command for somebody without rights.

use serenity::all::{CreateInteractionResponse, ModalInteraction};

use super::super::{Bot, Context, Result, render, reply::Asker};

/// Become the first owner, with the code that `yardarm claim` printed on the host
#[poise::command(slash_command)]
pub(super) async fn claim(ctx: Context<'_>) -> Result {
    let (bot, asker) = (ctx.data(), Asker::from(ctx.interaction));
    bot.ops.may_claim(&asker.caller)?;
    let modal = CreateInteractionResponse::Modal(render::grants::claim());
    asker.respond(bot, modal).await
}

/// The form came back.
pub async fn fill(bot: &Bot, modal: &ModalInteraction, code: &str) -> Result {
    let asker = Asker::from(modal);
    bot.ops.claim(&asker.caller, code).await?;
    asker.answer(bot, &render::grants::claimed()).await
}
