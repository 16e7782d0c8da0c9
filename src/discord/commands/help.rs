use super::{
    super::{Context, Result, render},
    answer,
};

/// All commands, a line each
#[poise::command(slash_command)]
pub(super) async fn help(ctx: Context<'_>) -> Result {
    let commands = &ctx.framework.options().commands;
    let lines = commands.iter().map(|command| {
        (
            &*command.name,
            command.description.as_deref().unwrap_or_default(),
        )
    });
    answer(ctx, &render::help::list(lines)).await
}
