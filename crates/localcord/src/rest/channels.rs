use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::Value;

use super::{Answer, Failure, PREFIX, Payload, Shared, threads};
use crate::{
    discord::Discord,
    guild::Channel,
    ids::Id,
    objects,
    permissions::{MANAGE_CHANNELS, Permissions, VIEW_CHANNEL},
};

pub(super) async fn read(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    let channel = reach(&discord, id, VIEW_CHANNEL)?;
    Ok(Json(objects::channel(&discord.world(), &channel)))
}

pub(super) async fn edit(
    State(discord): Shared,
    Path(id): Path<Id>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    let channel = reach(&discord, id, VIEW_CHANNEL)?;
    match &channel.thread {
        Some(thread) => threads::edit(&discord, (id, thread), &payload.json),
        None => Err(not_a_thread(&discord, &channel, "PATCH")),
    }
}

pub(super) async fn delete(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    let channel = reach(&discord, id, VIEW_CHANNEL)?;
    match &channel.thread {
        Some(_) => threads::delete(&discord, id),
        None => Err(not_a_thread(&discord, &channel, "DELETE")),
    }
}

/// Channels stand in the guild file. Who might change them at Discord meets a route that is not here.
fn not_a_thread(discord: &Discord, channel: &Channel, method: &str) -> Failure {
    if !discord.bot_may(channel, MANAGE_CHANNELS) {
        return Failure::MISSING_PERMISSIONS;
    }
    let route = format!("{method} {PREFIX}/channels/{}", channel.id);
    discord.record.unknown_route(route);
    Failure::NOT_FOUND
}

pub(super) async fn typing(
    State(discord): Shared,
    Path(id): Path<Id>,
) -> Result<StatusCode, Failure> {
    reach(&discord, id, VIEW_CHANNEL)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn open_direct(
    State(discord): Shared,
    Extension(payload): Extension<Payload>,
) -> Answer {
    let id = Id::read(&payload.json["recipient_id"]);
    let world = discord.world();
    let person = id
        .and_then(|id| world.user(id))
        .ok_or(Failure::UNKNOWN_USER)?;
    let object: Value = objects::channel(&world, &world.direct(person.id));
    Ok(Json(object))
}

/// A channel in which the bot may do this.
pub(super) fn reach(discord: &Discord, id: Id, needed: Permissions) -> Result<Channel, Failure> {
    let channel = discord
        .world()
        .channel(id)
        .ok_or(Failure::UNKNOWN_CHANNEL)?;
    let held = discord
        .world()
        .permissions(discord.world().bot.id, &channel);
    if !held.contains(VIEW_CHANNEL) {
        return Err(Failure::MISSING_ACCESS);
    }
    let needed = if channel.thread.is_some() {
        needed.in_threads()
    } else {
        needed
    };
    if !held.contains(needed) {
        return Err(Failure::MISSING_PERMISSIONS);
    }
    Ok(channel)
}
