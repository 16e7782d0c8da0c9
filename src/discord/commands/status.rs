use super::{
    super::{Context, Result, autocomplete, render},
    answer, sight,
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
    let ops = sight(ctx);
    if let Some(agent) = agent {
        let view = ops.look_at(&agent)?;
        let freeze = ops.frozen(Some(view.agent.fleet));
        let trend = ops.trend(view.agent.id).await?;
        let card = render::agent::card(&view, freeze.as_ref(), ops.now());
        let card = render::agent::with_trend(card, trend.as_ref());
        return answer(ctx, &card).await;
    }
    let fleet = fleet.map(|name| ops.look_into(&name)).transpose()?;
    let glance = ops.glance(fleet.as_ref().map(|fleet| &fleet.name), 0);
    answer(ctx, &render::status::fleet(&glance, ops.now())).await
}
