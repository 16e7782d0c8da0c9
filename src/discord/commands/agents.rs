//! Changing agents that exist. Each command is a kind of action on a selection.

use super::{
    super::{Context, Result, autocomplete},
    arguments, carry_out, selection, sight,
};
use crate::domain::action::Kind;

/// Replace agents by new containers of their templates, and keep the old ones until the new are proven
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
pub(super) async fn redeploy(
    ctx: Context<'_>,
    #[description = "Name or pattern, such as scout-*"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "All agents of a fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "Other arguments than before: key=value key=\"two words\""]
    #[autocomplete = "autocomplete::set"]
    set: Option<String>,
    #[description = "Fetch the image even if it is present"] pull: Option<bool>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let given = arguments(set.as_deref())?;
    let request = sight(ctx).request_redeploy(
        selection(agent.as_ref(), fleet.as_ref()),
        &given,
        pull.unwrap_or(false),
    )?;
    carry_out(ctx, request, reason).await
}

/// Return to what an agent was made from before
#[poise::command(slash_command)]
pub(super) async fn rollback(
    ctx: Context<'_>,
    #[description = "Its name"]
    #[autocomplete = "autocomplete::agent"]
    agent: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    carry_out(ctx, sight(ctx).request_rollback(&agent)?, reason).await
}

macro_rules! change {
    ($(#[$doc:meta])* $name:ident: $kind:expr) => {
        $(#[$doc])*
        #[poise::command(slash_command)]
        pub(super) async fn $name(
            ctx: Context<'_>,
            #[description = "Name or pattern, such as scout-*"]
            #[autocomplete = "autocomplete::agent"]
            agent: Option<String>,
            #[description = "All agents of a fleet"]
            #[autocomplete = "autocomplete::fleet"]
            fleet: Option<String>,
            #[description = "Why, for the record"] reason: Option<String>,
        ) -> Result {
            carry_out(ctx, sight(ctx).request_change($kind, selection(agent.as_ref(), fleet.as_ref()))?, reason).await
        }
    };
}

change!(
    /// Start agents that are stopped
    start: Kind::Start
);
change!(
    /// Stop agents; they stay stopped until somebody starts them
    stop: Kind::Stop
);
change!(
    /// Stop and start agents
    restart: Kind::Restart
);
change!(
    /// Make agents stand still, without ending them
    pause: Kind::Pause
);
change!(
    /// Let paused agents go on
    resume: Kind::Resume
);

/// Delete agents, and their data if you say so; asks first
#[poise::command(slash_command)]
pub(super) async fn remove(
    ctx: Context<'_>,
    #[description = "Name or pattern, such as scout-*"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "All agents of a fleet"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "The data in their volumes, too"] data: Option<bool>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let mut request = sight(ctx).request_remove(selection(agent.as_ref(), fleet.as_ref()))?;
    request.details.volumes = data.unwrap_or(false);
    carry_out(ctx, request, reason).await
}
