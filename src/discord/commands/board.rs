//! `/board`: the live picture of a fleet in a channel.

use serenity::all::{ComponentInteraction, Permissions};

use super::{
    super::{Answer, Bot, Context, Result, autocomplete, render, reply::Asker},
    carry_out, sight,
};
use crate::domain::ids::{AgentId, ChannelId};

/// The live picture of a fleet, one message in a channel
#[poise::command(slash_command, subcommands("here", "remove"), subcommand_required)]
#[expect(
    clippy::unused_async,
    reason = "poise asks for it; Discord never sends a group by itself"
)]
pub(super) async fn board(_: Context<'_>) -> Result {
    Ok(())
}

/// Put the board of a fleet, or of all, into this channel
#[poise::command(slash_command)]
async fn here(
    ctx: Context<'_>,
    #[description = "Only this fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "Post it anew once so many messages stand below it; never if left out"]
    #[min = 1]
    #[max = 100]
    repost: Option<u8>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    refuse_mute(ctx)?;
    let sight = sight(ctx);
    let request = sight.request_board(channel(ctx), fleet.as_deref(), repost);
    carry_out(ctx, request.await?, reason).await
}

/// End the board of this channel
#[poise::command(slash_command)]
async fn remove(
    ctx: Context<'_>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let request = sight(ctx).request_board_remove(channel(ctx)).await?;
    carry_out(ctx, request, reason).await
}

fn channel(ctx: Context<'_>) -> ChannelId {
    ChannelId(ctx.interaction.channel_id.get())
}

/// Commands are answered anywhere, but a message of its own takes rights in the channel.
fn refuse_mute(ctx: Context<'_>) -> Result {
    let needed = Permissions::VIEW_CHANNEL | Permissions::EMBED_LINKS;
    let speaking = Permissions::SEND_MESSAGES | Permissions::SEND_MESSAGES_IN_THREADS;
    let held = ctx.interaction.app_permissions;
    if held.is_none_or(|held| held.contains(needed) && held.intersects(speaking)) {
        return Ok(());
    }
    Err(Answer::Invalid(
        "Yardarm may not write here by itself. Give it View Channel, Send Messages and Embed Links in this channel, then send the command again.".to_owned(),
    )
    .into())
}

/// An agent was chosen on a board or on an alert: its card, by the rights of who chose it.
pub async fn open(bot: &Bot, press: &ComponentInteraction, chosen: &str) -> Result {
    let asker = Asker::from(press);
    let gone = || Answer::NotFound("That agent is gone. `/status` shows who is there.".to_owned());
    let id = chosen.parse().map(AgentId).map_err(|_| gone())?;
    let sight = bot.ops.sight(asker.caller.clone());
    let view = sight.look_at_id(id)?;
    let freeze = sight.frozen(Some(view.agent.fleet));
    let card = render::agent::card(&view, freeze.as_ref(), bot.ops.now());
    asker.answer(bot, &card).await
}
