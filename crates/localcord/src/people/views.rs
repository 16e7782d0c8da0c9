//! What people see, over HTTP.

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Problem, Shared};
use crate::{
    act,
    discord::Discord,
    guild::{Channel, Guild},
    ids::Id,
    model::Place,
    objects,
};

/// Who looks, and where. Without a channel it is the first one; `dm` means the direct messages with the bot.
#[derive(Debug, Deserialize)]
pub(super) struct Viewer {
    #[serde(rename = "as")]
    person: String,
    guild: Option<String>,
    channel: Option<String>,
}

pub(super) fn locate(discord: &Discord, viewer: &Viewer) -> Result<(Id, Place), Problem> {
    let world = &discord.world();
    let person = world
        .person(&viewer.person)
        .ok_or_else(|| Problem::unknown("person", &viewer.person))?
        .id;
    let direct = world.direct(person).id;
    let named = viewer.channel.as_deref();
    if named == Some("dm") || named == Some(direct.to_string().as_str()) {
        return Ok((
            person,
            Place {
                guild: None,
                channel: direct,
            },
        ));
    }
    let is_meant = |guild: &&Guild| match (&viewer.guild, named) {
        (Some(name), _) => guild.name == *name || guild.id.to_string() == *name,
        (None, Some(channel)) => guild.channel(channel).is_some(),
        (None, None) => true,
    };
    let guild = world.guilds.iter().find(is_meant);
    let channel = guild.and_then(|guild| match named {
        Some(name) => guild.channel(name),
        None => guild.channels.first(),
    });
    let channel = channel.ok_or_else(|| Problem::unknown("channel", named.unwrap_or_default()))?;
    Ok((
        person,
        Place {
            guild: channel.guild,
            channel: channel.id,
        },
    ))
}

/// People, guilds, roles and channels. Each channel says who sees it.
pub(super) async fn world(State(discord): Shared) -> Json<Value> {
    let world = &discord.world();
    let guilds = world.guilds.iter().map(|guild| {
        let show = |channel| show_channel(&discord, channel);
        json!({
            "id": guild.id,
            "name": guild.name,
            "owner": guild.owner,
            "roles": objects::roles(guild),
            "members": guild.members.iter().map(|(id, roles)| json!({ "id": id, "roles": roles })).collect::<Vec<_>>(),
            "channels": guild.channels.iter().map(show).collect::<Vec<_>>(),
            "threads": guild.threads.values().map(show).collect::<Vec<_>>(),
        })
    });
    let people = world.people.iter().map(
        |person| json!({ "id": person.id, "name": person.name, "bot": person.bot, "dm": world.direct(person.id).id }),
    );
    Json(json!({
        "people": people.collect::<Vec<_>>(),
        "bot": { "id": world.bot.id, "name": world.bot.name },
        "guilds": guilds.collect::<Vec<_>>(),
        "connected": discord.read(|state| state.sessions.connected()),
        "checked": discord.checker.is_some(),
        "now": discord.now().timestamp_millis(),
    }))
}

/// A channel or a thread, with the names of those who may see it and who may write there.
fn show_channel(discord: &Discord, channel: &Channel) -> Value {
    let who = |may: &dyn Fn(Id) -> bool| {
        let world = discord.world();
        let people = world.people.iter().filter(|person| may(person.id));
        people.map(|person| person.name.clone()).collect::<Vec<_>>()
    };
    let shown = json!({
        "id": channel.id,
        "name": channel.name,
        "topic": channel.topic,
        "seen_by": who(&|person| act::sees(discord, person, channel.id)),
        "written_by": who(&|person| act::may_write(discord, person, channel.id).is_ok()),
    });
    let Some(thread) = &channel.thread else {
        return shown;
    };
    let more = json!({
        "parent": thread.parent,
        "archived": thread.archived,
        "locked": thread.locked,
        "private": thread.is_private(),
        "messages": thread.messages,
    });
    objects::merged(shown, more)
}

/// The commands that a person is offered in a channel.
pub(super) async fn commands(
    State(discord): Shared,
    Query(viewer): Query<Viewer>,
) -> Result<Json<Value>, Problem> {
    let (person, place) = locate(&discord, &viewer)?;
    let usable = |command: &&Value| act::may_use(&discord, (person, place), command);
    Ok(Json(discord.read(|state| {
        let offered = state.commands.offered(place.guild).into_iter();
        offered.filter(usable).cloned().collect()
    })))
}

/// How far back somebody looks.
#[derive(Debug, Deserialize)]
pub(super) struct Depth {
    /// The newest so many; without it all.
    limit: Option<usize>,
}

/// A channel's messages as a person sees them, oldest first.
pub(super) async fn messages(
    State(discord): Shared,
    Query(viewer): Query<Viewer>,
    Query(depth): Query<Depth>,
) -> Result<Json<Value>, Problem> {
    let (person, place) = locate(&discord, &viewer)?;
    if !act::sees(&discord, person, place.channel) {
        return Ok(Json(json!([])));
    }
    let world = discord.world();
    let mut newest: Vec<Value> = discord.read(|state| {
        let seen = state.channel(place.channel).rev();
        let seen = seen.filter(|message| message.is_visible_to(person));
        seen.take(depth.limit.unwrap_or(usize::MAX))
            .map(|message| state.shown(message, &world))
            .collect()
    });
    newest.reverse();
    Ok(Json(json!(newest)))
}

/// What must not happen: unknown routes, violations of the `OpenAPI` file.
pub(super) async fn record(State(discord): Shared) -> Json<Value> {
    let violations = discord
        .record
        .violations()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    Json(json!({ "unknown_routes": discord.record.unknown_routes(), "violations": violations }))
}
