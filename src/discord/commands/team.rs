//! `/team`: named sets of people and roles.

use poise::serenity_prelude as serenity;

use super::{
    super::{Answer, Context, Result, autocomplete, render},
    answer, carry_out,
    grant::pattern,
    sight,
};
use crate::domain::{
    grant::Team,
    ids::{RoleId, UserId},
    pattern::Pattern,
};

/// Named sets of people and roles, which hold grants and own fleets
#[poise::command(
    slash_command,
    subcommands("create", "add", "remove", "delete", "list", "activity"),
    subcommand_required
)]
#[expect(
    clippy::unused_async,
    reason = "poise asks for it; Discord never sends a group by itself"
)]
pub(super) async fn team(_: Context<'_>) -> Result {
    Ok(())
}

/// Make a team
#[poise::command(slash_command)]
async fn create(
    ctx: Context<'_>,
    #[description = "a–z, 0–9, - and _"] name: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    carry_out(ctx, sight(ctx).request_team_create(&name)?, reason).await
}

/// Add a person or a role to a team, or a fleet that it owns
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
async fn add(
    ctx: Context<'_>,
    #[description = "Which team"]
    #[autocomplete = "autocomplete::team"]
    team: String,
    #[description = "A person"] user: Option<serenity::User>,
    #[description = "Everybody who has this role"] role: Option<serenity::Role>,
    #[description = "A fleet or a pattern: the team maintains it and is asked first"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let part = Part::of(user, role, fleet.as_deref())?;
    let request = sight(ctx).request_team_change(&team, |team| part.put_into(team))?;
    carry_out(ctx, request, reason).await
}

/// Take a person, a role or a fleet out of a team
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
async fn remove(
    ctx: Context<'_>,
    #[description = "Which team"]
    #[autocomplete = "autocomplete::team"]
    team: String,
    #[description = "A person"] user: Option<serenity::User>,
    #[description = "A role"] role: Option<serenity::Role>,
    #[description = "A fleet or a pattern that it owns"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let part = Part::of(user, role, fleet.as_deref())?;
    let request = sight(ctx).request_team_change(&team, |team| part.take_out_of(team))?;
    carry_out(ctx, request, reason).await
}

/// Delete a team and all it was granted
#[poise::command(slash_command)]
async fn delete(
    ctx: Context<'_>,
    #[description = "Which team"]
    #[autocomplete = "autocomplete::team"]
    team: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    carry_out(ctx, sight(ctx).request_team_delete(&team)?, reason).await
}

/// The teams you may know of: who is in them and what they own
#[poise::command(slash_command)]
async fn list(ctx: Context<'_>) -> Result {
    let seen = sight(ctx).teams_seen();
    answer(ctx, &render::grants::teams(seen.iter())).await
}

/// What the people of a team asked for lately
#[poise::command(slash_command)]
async fn activity(
    ctx: Context<'_>,
    #[description = "Which team"]
    #[autocomplete = "autocomplete::team"]
    team: String,
) -> Result {
    let sight = sight(ctx);
    let team = sight.team(&team)?;
    let actions = sight.activity(&team).await?;
    answer(ctx, &render::grants::activity(&team, &actions)).await
}

/// What is put into a team or taken out of it.
enum Part {
    User(UserId),
    Role(RoleId),
    Fleet(Pattern),
}

impl Part {
    fn of(
        user: Option<serenity::User>,
        role: Option<serenity::Role>,
        fleet: Option<&str>,
    ) -> Result<Self> {
        match (user, role, fleet) {
            (Some(user), None, None) => Ok(Self::User(UserId(user.id.get()))),
            (None, Some(role), None) => Ok(Self::Role(RoleId(role.id.get()))),
            (None, None, Some(fleet)) => Ok(Self::Fleet(pattern(fleet)?)),
            _ => Err(Answer::Invalid(
                "Say what, one of these: `user:`, `role:` or `fleet:`.".to_owned(),
            )
            .into()),
        }
    }

    fn put_into(self, team: &mut Team) -> bool {
        match self {
            Self::User(id) => team.users.insert(id),
            Self::Role(id) => team.roles.insert(id),
            Self::Fleet(pattern) => team.owns.insert(pattern),
        }
    }

    fn take_out_of(self, team: &mut Team) -> bool {
        match self {
            Self::User(id) => team.users.remove(&id),
            Self::Role(id) => team.roles.remove(&id),
            Self::Fleet(pattern) => team.owns.remove(&pattern),
        }
    }
}
