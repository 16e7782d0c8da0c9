use axum::{
    Json,
    extract::{Path, State},
};

use super::{Answer, Failure, Shared};
use crate::{discord::Discord, guild::Guild, ids::Id, objects};

pub(super) async fn read(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    Ok(Json(objects::guild(find(&discord, id)?)))
}

pub(super) async fn channels(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    let guild = find(&discord, id)?;
    Ok(Json(
        guild
            .channels
            .iter()
            .map(|channel| objects::channel(&discord.world, channel))
            .collect(),
    ))
}

pub(super) async fn roles(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    Ok(Json(objects::roles(find(&discord, id)?).into()))
}

pub(super) async fn member(State(discord): Shared, Path((guild, id)): Path<(Id, Id)>) -> Answer {
    let guild = find(&discord, guild)?;
    let user = discord.world.user(id).ok_or(Failure::UNKNOWN_USER)?;
    if !guild.members.contains_key(&id) {
        return Err(Failure::UNKNOWN_MEMBER);
    }
    Ok(Json(objects::member(guild, &objects::user(user), id)))
}

fn find(discord: &Discord, id: Id) -> Result<&Guild, Failure> {
    discord.world.guild(id).ok_or(Failure::UNKNOWN_GUILD)
}
