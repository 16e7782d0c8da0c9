use super::{
    super::{Context, Result, autocomplete, render},
    answer,
};

/// The fleet at a glance, or one agent
#[poise::command(slash_command)]
pub(super) async fn status(
    ctx: Context<'_>,
    #[description = "One agent's card"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "Only this fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
) -> Result {
    let ops = &ctx.data().ops;
    if let Some(agent) = agent {
        let view = ops.agent(&agent)?;
        return answer(ctx, &render::agent::card(&view, ops.now())).await;
    }
    let fleet = fleet.map(|name| ops.fleet(&name)).transpose()?;
    let glance = ops
        .roster
        .glance(fleet.as_ref().map(|fleet| &fleet.name), 0);
    answer(ctx, &render::status::fleet(&glance, ops.now())).await
}
