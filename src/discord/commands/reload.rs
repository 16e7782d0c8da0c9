use super::{
    super::{Context, Result},
    carry_out,
};
use crate::ops::actions::Request;

/// Read settings and templates again; if anything is wrong with them, nothing changes
#[poise::command(slash_command)]
pub(super) async fn reload(
    ctx: Context<'_>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    carry_out(ctx, Request::reload(), reason).await
}
