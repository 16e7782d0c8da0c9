//! `/grant`: who may do what.

use chrono::TimeDelta;
use poise::{ChoiceParameter, serenity_prelude as serenity};

use super::{
    super::{Answer, Context, Result, autocomplete, render},
    answer, carry_out, sight,
};
use crate::{
    domain::{
        grant::{self, Grant, Holder, Source},
        ids::{RoleId, UserId},
        pattern::Pattern,
    },
    ops::sight::Sight,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum Level {
    #[name = "viewer"]
    Viewer,
    #[name = "operator"]
    Operator,
    #[name = "maintainer"]
    Maintainer,
    #[name = "owner"]
    Owner,
}

impl From<Level> for grant::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Viewer => Self::Viewer,
            Level::Operator => Self::Operator,
            Level::Maintainer => Self::Maintainer,
            Level::Owner => Self::Owner,
        }
    }
}

/// Who may do what: levels on fleets for people, roles and teams
#[poise::command(
    slash_command,
    subcommands("add", "remove", "list"),
    subcommand_required
)]
#[expect(
    clippy::unused_async,
    reason = "poise asks for it; Discord never sends a group by itself"
)]
pub(super) async fn grant(_: Context<'_>) -> Result {
    Ok(())
}

/// Let a person, a role or a team do more
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
async fn add(
    ctx: Context<'_>,
    #[description = "What they may do"] level: Level,
    #[description = "Where: a fleet, a pattern such as prod-*, or * for everything"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: String,
    #[description = "A person"] user: Option<serenity::User>,
    #[description = "Everybody who has this role"] role: Option<serenity::Role>,
    #[description = "A team"]
    #[autocomplete = "autocomplete::team"]
    team: Option<String>,
    #[description = "Ends after so many hours; never if left out"]
    #[min = 1]
    #[max = 8760]
    hours: Option<u32>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let sight = sight(ctx);
    let wanted = Grant {
        id: None,
        holder: holder(&sight, (user, role, team))?,
        level: level.into(),
        fleets: pattern(&fleet)?,
        until: hours.map(|hours| sight.now() + TimeDelta::hours(hours.into())),
        source: Source::Chat,
        granted_by: None,
        created_at: None,
    };
    carry_out(ctx, sight.request_grant(wanted)?, reason).await
}

/// Take a grant back
#[poise::command(slash_command)]
async fn remove(
    ctx: Context<'_>,
    #[description = "Which one, by its number in the list"]
    #[autocomplete = "autocomplete::grant"]
    grant: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let request = sight(ctx).request_revoke(&grant).await?;
    carry_out(ctx, request, reason).await
}

/// All grants, and what approvals allow for a while, with who gave them and when they end
#[poise::command(slash_command)]
async fn list(ctx: Context<'_>) -> Result {
    let sight = sight(ctx);
    let allowances = sight.allowances_seen().await?;
    let list = render::grants::list(&allowances, &sight.grants_seen(), sight.now());
    answer(ctx, &list).await
}

fn holder(
    sight: &Sight<'_>,
    whom: (
        Option<serenity::User>,
        Option<serenity::Role>,
        Option<String>,
    ),
) -> Result<Holder> {
    match whom {
        (Some(user), None, None) if user.bot => Err(Answer::Invalid(
            "That is a program. Yardarm takes orders from people only.".to_owned(),
        )
        .into()),
        (Some(user), None, None) => Ok(Holder::User(UserId(user.id.get()))),
        (None, Some(role), None) => Ok(Holder::Role(RoleId(role.id.get()))),
        (None, None, Some(team)) => Ok(Holder::Team(sight.team(&team)?.name)),
        _ => Err(Answer::Invalid(
            "Say for whom, one of these: `user:`, `role:` or `team:`.".to_owned(),
        )
        .into()),
    }
}

pub(super) fn pattern(text: &str) -> Result<Pattern> {
    Ok(Pattern::parse(text.trim()).map_err(|error| Answer::Invalid(format!("{error}.")))?)
}
