//! Members and roles, over HTTP.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Problem, Shared};
use crate::{act, discord::Discord, ids::Id};

#[derive(Debug, Deserialize)]
pub(super) struct Newcomer {
    name: String,
    /// Another bot, of somebody else.
    #[serde(default)]
    bot: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Membership {
    person: String,
    guild: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NewRole {
    name: String,
    guild: Option<String>,
}

/// The first guild, if none is named.
#[derive(Debug, Deserialize)]
pub(super) struct In {
    guild: Option<String>,
}

pub(super) async fn invite(State(discord): Shared, Json(newcomer): Json<Newcomer>) -> Json<Value> {
    Json(json!({ "id": act::invite(&discord, &newcomer.name, newcomer.bot) }))
}

pub(super) async fn set_roles(
    State(discord): Shared,
    Json(membership): Json<Membership>,
) -> Result<StatusCode, Problem> {
    let guild = guild(&discord, membership.guild.as_deref())?;
    let person = person(&discord, &membership.person)?;
    act::set_roles(&discord, guild, person, &membership.roles)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn leave(
    State(discord): Shared,
    Path(name): Path<String>,
    Query(place): Query<In>,
) -> Result<StatusCode, Problem> {
    let guild = guild(&discord, place.guild.as_deref())?;
    act::leave(&discord, guild, person(&discord, &name)?)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn add_role(
    State(discord): Shared,
    Json(role): Json<NewRole>,
) -> Result<Json<Value>, Problem> {
    let guild = guild(&discord, role.guild.as_deref())?;
    let id = act::add_role(&discord, guild, &role.name)?;
    Ok(Json(json!({ "id": id })))
}

pub(super) async fn delete_role(
    State(discord): Shared,
    Path(name): Path<String>,
    Query(place): Query<In>,
) -> Result<StatusCode, Problem> {
    let guild = guild(&discord, place.guild.as_deref())?;
    act::delete_role(&discord, guild, &name)?;
    Ok(StatusCode::NO_CONTENT)
}

fn person(discord: &Discord, name: &str) -> Result<Id, Problem> {
    let world = discord.world();
    let user = world.person(name);
    user.map(|user| user.id)
        .ok_or_else(|| Problem::unknown("person", name))
}

fn guild(discord: &Discord, name: Option<&str>) -> Result<Id, Problem> {
    let world = discord.world();
    let Some(name) = name else {
        return Ok(world.home().id);
    };
    let is_meant =
        |guild: &&crate::guild::Guild| guild.name == name || guild.id.to_string() == name;
    let guild = world.guilds.iter().find(is_meant);
    guild
        .map(|guild| guild.id)
        .ok_or_else(|| Problem::unknown("guild", name))
}
