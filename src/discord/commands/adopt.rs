use super::super::{
    Context, Result, autocomplete,
    reply::{self, Asker},
};

/// Take over a container that runs already, without touching it
#[poise::command(slash_command)]
pub(super) async fn adopt(
    ctx: Context<'_>,
    #[description = "Its name or id in Docker"] container: String,
    #[description = "The agent's name; the container's own if left out"] name: Option<String>,
    #[description = "Into which fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let (bot, asker) = (ctx.data(), Asker::from(ctx.interaction));
    let sight = bot.ops.sight(asker.caller.clone());
    let fleet = sight.fleet_to_adopt_into(fleet.as_deref())?;
    let message = asker.defer(bot, false).await?;
    match sight
        .request_adopt(&container, name.as_deref(), &fleet)
        .await
    {
        Ok(request) => reply::submit(bot, (&asker, message), request, reason).await,
        Err(error) => reply::refuse(bot, &asker, error).await,
    }
}
