//! `/backup`: a copy of the database.

use super::{
    super::{Context, Result},
    carry_out,
};
use crate::{domain::action::Kind, ops::actions::Request};

/// Copy the database into the backup folder now
#[poise::command(slash_command)]
pub(super) async fn backup(
    ctx: Context<'_>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    carry_out(ctx, Request::plain(Kind::Backup), reason).await
}
