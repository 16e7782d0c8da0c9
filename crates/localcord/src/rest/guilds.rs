use axum::{
    Json,
    extract::{Path, State},
};

use super::{Answer, Failure, Shared};
use crate::{
    guild::{Guild, World},
    ids::Id,
    objects,
};

pub(super) async fn read(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    Ok(Json(objects::guild(find(&discord.world(), id)?)))
}

pub(super) async fn channels(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    let world = discord.world();
    let channels = find(&world, id)?.channels.iter();
    Ok(Json(
        channels
            .map(|channel| objects::channel(&world, channel))
            .collect(),
    ))
}

pub(super) async fn roles(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    Ok(Json(objects::roles(find(&discord.world(), id)?).into()))
}

pub(super) async fn member(State(discord): Shared, Path((guild, id)): Path<(Id, Id)>) -> Answer {
    let world = discord.world();
    let guild = find(&world, guild)?;
    let user = world.user(id).ok_or(Failure::UNKNOWN_USER)?;
    if !guild.members.contains_key(&id) {
        return Err(Failure::UNKNOWN_MEMBER);
    }
    Ok(Json(objects::member(guild, &objects::user(user), id)))
}

fn find(world: &World, id: Id) -> Result<&Guild, Failure> {
    world.guild(id).ok_or(Failure::UNKNOWN_GUILD)
}
