//! `/fleet`: groups of agents with a network of their own.

use poise::serenity_prelude as serenity;

use super::{
    super::{Context, Result, autocomplete, render},
    answer, carry_out, selection, sight,
};
use crate::domain::ids::ChannelId;

/// Groups of agents: one private network each, deployed and stopped together
#[poise::command(
    slash_command,
    subcommands("create", "list", "add", "remove", "delete"),
    subcommand_required
)]
#[expect(
    clippy::unused_async,
    reason = "poise asks for it; Discord never sends a group by itself"
)]
pub(super) async fn fleet(_: Context<'_>) -> Result {
    Ok(())
}

/// Make a fleet
#[poise::command(slash_command)]
async fn create(
    ctx: Context<'_>,
    #[description = "a–z, 0–9, - and _"] name: String,
    #[description = "Where its people are told"]
    #[channel_types("Text")]
    channel: Option<serenity::GuildChannel>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let channel = channel.map(|channel| ChannelId(channel.id.get()));
    carry_out(
        ctx,
        sight(ctx).request_fleet_create(&name, channel)?,
        reason,
    )
    .await
}

/// All fleets and who is in them
#[poise::command(slash_command)]
async fn list(ctx: Context<'_>) -> Result {
    let members = sight(ctx).fleets();
    answer(ctx, &render::fleets::list(&members)).await
}

/// Move agents into a fleet; they keep running
#[poise::command(slash_command)]
async fn add(
    ctx: Context<'_>,
    #[description = "Which fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: String,
    #[description = "Name or pattern, such as scout-*"]
    #[autocomplete = "autocomplete::agent"]
    agent: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let request = sight(ctx).request_fleet_add(&fleet, selection(Some(&agent), None))?;
    carry_out(ctx, request, reason).await
}

/// Move agents out of a fleet, into the default one
#[poise::command(slash_command)]
async fn remove(
    ctx: Context<'_>,
    #[description = "Which fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: String,
    #[description = "Name or pattern, such as scout-*"]
    #[autocomplete = "autocomplete::agent"]
    agent: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let ops = sight(ctx);
    let default = ops.settings().agents.default_fleet.to_string();
    let request = ops.request_fleet_add(&default, selection(Some(&agent), Some(&fleet)))?;
    carry_out(ctx, request, reason).await
}

/// Delete a fleet that is empty
#[poise::command(slash_command)]
async fn delete(
    ctx: Context<'_>,
    #[description = "Which fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    carry_out(ctx, sight(ctx).request_fleet_delete(&fleet)?, reason).await
}
