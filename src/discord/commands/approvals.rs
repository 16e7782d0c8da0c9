//! Answers to questions: by the buttons of a card, or by `/approve` where there are none.

use serenity::all::{
    ComponentInteraction, CreateInteractionResponse, Message, MessageFlags, ModalInteraction,
};

use super::super::{
    Bot, Context, Result, autocomplete, render,
    reply::{self, Asker},
};
use crate::{
    domain::{approval, ids::ActionId},
    ops::approvals::Ballot,
};

/// What people say to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
pub enum Decision {
    #[name = "approve"]
    Approve,
    #[name = "deny"]
    Deny,
}

/// What waits for you, oldest first; or answer one request
#[poise::command(slash_command)]
pub(super) async fn approve(
    ctx: Context<'_>,
    #[description = "Which request; left out: list all that wait for you"]
    #[autocomplete = "autocomplete::waiting"]
    id: Option<i64>,
    #[description = "Your answer"] decision: Option<Decision>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let (bot, asker) = (ctx.data(), Asker::from(ctx.interaction));
    let Some(id) = id.map(ActionId) else {
        let waiting = bot.ops.waiting_for(&asker.caller).await?;
        return asker
            .answer(bot, &render::approval::list(&waiting, bot.ops.now()))
            .await;
    };
    asker.defer(bot, true).await?;
    bot.ops
        .sight(asker.caller.clone())
        .look_at_action(id)
        .await?;
    let answer = match decision.unwrap_or(Decision::Approve) {
        Decision::Approve => approval::Answer::Approve,
        Decision::Deny => approval::Answer::Deny,
    };
    let action = bot.ops.vote(id, ballot(&asker, answer, reason)).await?;
    let counted = render::approval::counted(&action);
    reply::show(bot, &asker.token, &counted).await.map(drop)
}

/// Approve was pressed: the card shows it, and so does the list if it was there.
pub async fn approve_press(
    bot: &Bot,
    press: &ComponentInteraction,
    (id, allow): (ActionId, bool),
) -> Result {
    let asker = Asker::from(press);
    asker
        .respond(bot, CreateInteractionResponse::Acknowledge)
        .await?;
    bot.ops
        .sight(asker.caller.clone())
        .look_at_action(id)
        .await?;
    let ballot = Ballot {
        allow,
        ..ballot(&asker, approval::Answer::Approve, None)
    };
    bot.ops.vote(id, ballot).await?;
    if is_list(&press.message) {
        show_list(bot, &asker).await?;
    }
    Ok(())
}

/// Deny was pressed: why?
pub async fn ask_why(bot: &Bot, asker: &Asker, id: ActionId) -> Result {
    let action = bot.ops.sight(asker.caller.clone()).own_decision(id).await?;
    let modal = render::approval::denial(&action);
    asker
        .respond(bot, CreateInteractionResponse::Modal(modal))
        .await
}

/// The reason came back.
pub async fn deny(bot: &Bot, modal: &ModalInteraction, id: ActionId, reason: String) -> Result {
    let asker = Asker::from(modal);
    asker
        .respond(bot, CreateInteractionResponse::Acknowledge)
        .await?;
    bot.ops
        .sight(asker.caller.clone())
        .look_at_action(id)
        .await?;
    let reason = Some(reason).filter(|reason| !reason.trim().is_empty());
    let ballot = ballot(&asker, approval::Answer::Deny, reason);
    bot.ops.vote(id, ballot).await?;
    if modal.message.as_deref().is_some_and(is_list) {
        show_list(bot, &asker).await?;
    }
    Ok(())
}

/// Cards are public; the list is the asker's own.
fn is_list(message: &Message) -> bool {
    let flags = message.flags.unwrap_or_default();
    flags.contains(MessageFlags::EPHEMERAL)
}

async fn show_list(bot: &Bot, asker: &Asker) -> Result {
    let waiting = bot.ops.waiting_for(&asker.caller).await?;
    let list = render::approval::list(&waiting, bot.ops.now());
    reply::show(bot, &asker.token, &list).await.map(drop)
}

/// The whole plan, for whoever pressed and may see it.
pub async fn details(bot: &Bot, asker: &Asker, id: ActionId) -> Result {
    let action = bot
        .ops
        .sight(asker.caller.clone())
        .look_at_action(id)
        .await?;
    asker.answer(bot, &render::approval::details(&action)).await
}

fn ballot(asker: &Asker, answer: approval::Answer, reason: Option<String>) -> Ballot {
    Ballot {
        user: asker.caller.user,
        answer,
        reason,
        allow: false,
    }
}
