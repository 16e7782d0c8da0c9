//! `/templates`: what agents are made from.

use super::{
    super::{Context, Result, autocomplete, render},
    answer, carry_out, sight,
};

/// What agents are made from
#[poise::command(
    slash_command,
    subcommands("list", "show", "save", "delete"),
    subcommand_required
)]
#[expect(
    clippy::unused_async,
    reason = "poise asks for it; Discord never sends a group by itself"
)]
pub(super) async fn templates(_: Context<'_>) -> Result {
    Ok(())
}

/// All templates
#[poise::command(slash_command)]
async fn list(ctx: Context<'_>) -> Result {
    let all = ctx.data().ops.catalog.all();
    answer(
        ctx,
        &render::templates::list(all.values().map(|entry| &entry.template)),
    )
    .await
}

/// One template: its parameters, limits and secrets
#[poise::command(slash_command)]
async fn show(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "autocomplete::template"]
    template: String,
) -> Result {
    let entry = ctx.data().ops.template(&template)?;
    answer(ctx, &render::templates::card(&entry.template)).await
}

/// Save what an agent is made from as a template
#[poise::command(slash_command)]
async fn save(
    ctx: Context<'_>,
    #[description = "Whose"]
    #[autocomplete = "autocomplete::agent"]
    agent: String,
    #[description = "The template's name"] name: String,
    #[description = "One line for people"] description: Option<String>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let description = description.unwrap_or_else(|| format!("saved from {agent}"));
    let request = sight(ctx).request_template_save(&name, &agent, &description)?;
    carry_out(ctx, request, reason).await
}

/// Delete a template that was saved from chat
#[poise::command(slash_command)]
async fn delete(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "autocomplete::template"]
    template: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    carry_out(ctx, sight(ctx).request_template_delete(&template)?, reason).await
}
