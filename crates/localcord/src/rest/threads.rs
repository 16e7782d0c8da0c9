//! Threads: from a message or from nothing, their members, and what is listed.

use std::collections::BTreeSet;

use axum::{
    Extension, Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Failure, Payload, Shared, channels::reach};
use crate::{
    discord::Discord,
    guild::{Channel, Privacy, Thread, World},
    ids::Id,
    objects,
    permissions::{
        CREATE_PRIVATE_THREADS, CREATE_PUBLIC_THREADS, MANAGE_THREADS, READ_MESSAGE_HISTORY,
        SEND_MESSAGES, VIEW_CHANNEL,
    },
    rules,
    threads::own_memberships,
};

const PUBLIC: u64 = 11;
const PAGE: usize = 50;
const LONGEST_PAGE: usize = 100;

type Created = Result<(StatusCode, Json<Value>), Failure>;

pub(super) async fn start_from_message(
    State(discord): Shared,
    Path((channel, id)): Path<(Id, Id)>,
    Extension(payload): Extension<Payload>,
) -> Created {
    let parent = reach(&discord, channel, CREATE_PUBLIC_THREADS)?;
    may_hold_threads(&parent)?;
    rules::new_thread(&payload.json)?;
    discord.change(|state| {
        let message = state
            .message(channel, id)
            .filter(|message| !message.is_ephemeral());
        let message = message.ok_or(Failure::UNKNOWN_MESSAGE)?;
        if message.thread(&discord.world()).is_some() {
            return Err(Failure::HAS_THREAD);
        }
        let thread = described(&discord, channel, &payload.json);
        let thread = discord.open_thread(state, name(&payload.json), thread, Some(id));
        created(&discord, thread)
    })
}

/// Without a type it is a private one, as at Discord.
pub(super) async fn start(
    State(discord): Shared,
    Path(channel): Path<Id>,
    Extension(payload): Extension<Payload>,
) -> Created {
    let public = payload.json["type"].as_u64() == Some(PUBLIC);
    let needed = if public {
        CREATE_PUBLIC_THREADS
    } else {
        CREATE_PRIVATE_THREADS
    };
    let invitable = payload.json["invitable"].as_bool().unwrap_or(true);
    let privacy = if public {
        Privacy::Public
    } else {
        Privacy::Private { invitable }
    };
    may_hold_threads(&reach(&discord, channel, needed)?)?;
    rules::new_thread(&payload.json)?;
    discord.change(|state| {
        let thread = Thread {
            privacy,
            ..described(&discord, channel, &payload.json)
        };
        let thread = discord.open_thread(state, name(&payload.json), thread, None);
        created(&discord, thread)
    })
}

fn may_hold_threads(channel: &Channel) -> Result<(), Failure> {
    if channel.guild.is_none() || channel.thread.is_some() {
        return Err(Failure::CHANNEL_TYPE);
    }
    Ok(())
}

fn described(discord: &Discord, parent: Id, body: &Value) -> Thread {
    let mut thread = Thread::new(parent, discord.world().bot.id, discord.now());
    fill(&mut thread, body);
    thread
}

fn name(body: &Value) -> &str {
    body["name"].as_str().unwrap_or_default()
}

fn fill(thread: &mut Thread, body: &Value) {
    if let Some(minutes) = body["auto_archive_duration"].as_u64() {
        thread.auto_archive = minutes;
    }
    if let Some(seconds) = body["rate_limit_per_user"].as_u64() {
        thread.slow_mode = seconds;
    }
}

fn created(discord: &Discord, thread: Option<Channel>) -> Created {
    let thread = thread.ok_or(Failure::UNKNOWN_CHANNEL)?;
    let object = objects::channel(&discord.world(), &thread);
    Ok((StatusCode::CREATED, Json(object)))
}

/// Renaming, archiving, taking up again and locking. Its owner may do that, except to lock.
pub(super) fn edit(discord: &Discord, (id, entry): (Id, &Thread), body: &Value) -> Answer {
    let place = reach(discord, id, VIEW_CHANNEL)?;
    rules::thread(body)?;
    let taken_up = body["archived"] == json!(false);
    let manages = discord.bot_may(&place, MANAGE_THREADS);
    let only_taken_up = body.as_object().is_some_and(|body| body.len() == 1) && taken_up;
    let writes = discord.bot_may(&place, SEND_MESSAGES.in_threads());
    let owns = entry.owner == discord.world().bot.id && !entry.locked && body["locked"].is_null();
    if !(manages || owns || (only_taken_up && writes && !entry.locked)) {
        return Err(Failure::MISSING_PERMISSIONS);
    }
    if entry.archived && !taken_up {
        return Err(Failure::ARCHIVED);
    }
    let now = discord.now();
    let object = discord
        .change(|state| discord.change_thread(state, id, |thread| change(thread, body, now)));
    object.map(Json).ok_or(Failure::UNKNOWN_CHANNEL)
}

fn change(channel: &mut Channel, body: &Value, now: DateTime<Utc>) {
    if let Some(name) = body["name"].as_str() {
        name.clone_into(&mut channel.name);
    }
    let Some(thread) = &mut channel.thread else {
        return;
    };
    fill(thread, body);
    if let Some(locked) = body["locked"].as_bool() {
        thread.locked = locked;
    }
    if let (true, Some(invitable)) = (thread.is_private(), body["invitable"].as_bool()) {
        thread.privacy = Privacy::Private { invitable };
    }
    if let Some(archived) = body["archived"].as_bool() {
        thread.archive(archived, now);
    }
}

pub(super) fn delete(discord: &Discord, id: Id) -> Answer {
    reach(discord, id, MANAGE_THREADS)?;
    let object = discord.change(|state| discord.delete_thread(state, id));
    object.map(Json).ok_or(Failure::UNKNOWN_CHANNEL)
}

pub(super) async fn members(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    let (_, thread) = find(&discord, id)?;
    let members = thread.members.iter();
    let listed = members.map(|(user, since)| objects::thread_member(id, *user, *since));
    Ok(Json(listed.collect()))
}

pub(super) async fn member(State(discord): Shared, Path((id, user)): Path<(Id, Id)>) -> Answer {
    let (_, thread) = find(&discord, id)?;
    let since = thread.members.get(&user).ok_or(Failure::UNKNOWN_MEMBER)?;
    Ok(Json(objects::thread_member(id, user, *since)))
}

pub(super) async fn join(
    State(discord): Shared,
    Path(id): Path<Id>,
) -> Result<StatusCode, Failure> {
    find_open(&discord, id)?;
    Ok(add(&discord, id, discord.world().bot.id))
}

pub(super) async fn add_member(
    State(discord): Shared,
    Path((id, user)): Path<(Id, Id)>,
) -> Result<StatusCode, Failure> {
    find_open(&discord, id)?;
    reach(&discord, id, SEND_MESSAGES)?;
    if discord.world().user(user).is_none() {
        return Err(Failure::UNKNOWN_USER);
    }
    Ok(add(&discord, id, user))
}

fn add(discord: &Discord, id: Id, user: Id) -> StatusCode {
    discord.change(|state| discord.join_thread(state, id, &BTreeSet::from([user])));
    StatusCode::NO_CONTENT
}

pub(super) async fn leave(
    State(discord): Shared,
    Path(id): Path<Id>,
) -> Result<StatusCode, Failure> {
    find_open(&discord, id)?;
    remove(&discord, id, discord.world().bot.id)
}

pub(super) async fn remove_member(
    State(discord): Shared,
    Path((id, user)): Path<(Id, Id)>,
) -> Result<StatusCode, Failure> {
    let (place, thread) = find_open(&discord, id)?;
    let owns = thread.is_private() && thread.owner == discord.world().bot.id;
    if !owns && !discord.bot_may(&place, MANAGE_THREADS) {
        return Err(Failure::MISSING_PERMISSIONS);
    }
    remove(&discord, id, user)
}

fn remove(discord: &Discord, id: Id, user: Id) -> Result<StatusCode, Failure> {
    if discord.change(|state| discord.leave_thread(state, id, user)) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Failure::UNKNOWN_MEMBER)
    }
}

fn find(discord: &Discord, id: Id) -> Result<(Channel, Thread), Failure> {
    let place = reach(discord, id, VIEW_CHANNEL)?;
    let thread = place.thread.clone().ok_or(Failure::CHANNEL_TYPE)?;
    Ok((place, thread))
}

fn find_open(discord: &Discord, id: Id) -> Result<(Channel, Thread), Failure> {
    let (place, thread) = find(discord, id)?;
    if thread.archived {
        return Err(Failure::ARCHIVED);
    }
    Ok((place, thread))
}

/// All of a guild that are not archived.
pub(super) async fn active(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    let world = discord.world();
    let guild = world.guild(id).ok_or(Failure::UNKNOWN_GUILD)?;
    let threads: Vec<&Channel> = objects::active_threads(&world, guild).collect();
    Ok(Json(listed(&world, &threads, false)))
}

#[derive(Debug, Deserialize)]
pub(super) struct Window {
    before: Option<DateTime<Utc>>,
    limit: Option<usize>,
}

impl Window {
    /// What cannot be read is refused as an impossible limit.
    const UNREADABLE: Self = Self {
        before: None,
        limit: Some(0),
    };
}

type Asked = Result<Query<Window>, QueryRejection>;

pub(super) async fn archived_public(
    State(discord): Shared,
    Path(id): Path<Id>,
    window: Asked,
) -> Answer {
    reach(&discord, id, READ_MESSAGE_HISTORY)?;
    archived(&discord, id, window, |thread| !thread.is_private())
}

pub(super) async fn archived_private(
    State(discord): Shared,
    Path(id): Path<Id>,
    window: Asked,
) -> Answer {
    reach(&discord, id, READ_MESSAGE_HISTORY | MANAGE_THREADS)?;
    archived(&discord, id, window, Thread::is_private)
}

/// Those archived last come first.
fn archived(
    discord: &Discord,
    parent: Id,
    window: Asked,
    is_meant: impl Fn(&Thread) -> bool,
) -> Answer {
    let window = window.map_or(Window::UNREADABLE, |Query(window)| window);
    let limit = window.limit.unwrap_or(PAGE);
    rules::page(limit, LONGEST_PAGE)?;
    let world = discord.world();
    let mut found: Vec<(DateTime<Utc>, &Channel)> = world
        .guilds
        .iter()
        .flat_map(|guild| guild.threads.values())
        .filter_map(|place| Some((place.thread.as_ref()?, place)))
        .filter(|(thread, _)| thread.parent == parent && thread.archived && is_meant(thread))
        .map(|(thread, place)| (thread.turned, place))
        .filter(|(turned, _)| window.before.is_none_or(|before| *turned < before))
        .collect();
    found.sort_by_key(|(turned, place)| std::cmp::Reverse((*turned, place.id)));
    let more = found.len() > limit;
    let page: Vec<&Channel> = found
        .into_iter()
        .take(limit)
        .map(|(_, place)| place)
        .collect();
    Ok(Json(listed(&world, &page, more)))
}

fn listed(world: &World, threads: &[&Channel], more: bool) -> Value {
    let objects: Vec<Value> = threads
        .iter()
        .map(|place| objects::channel(world, place))
        .collect();
    json!({ "threads": objects, "members": own_memberships(world, threads), "has_more": more })
}
