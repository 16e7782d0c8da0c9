//! The bot itself, and its commands.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{Answer, Failure, Payload, Shared};
use crate::{
    discord::Discord,
    ids::Id,
    model::{Scope, State as Now},
    objects, rules,
};

const SHARDS: u32 = 1;
const SESSIONS_A_DAY: u32 = 1000;

pub(super) async fn gateway(State(discord): Shared) -> Json<Value> {
    Json(json!({ "url": discord.gateway_url() }))
}

pub(super) async fn gateway_bot(State(discord): Shared) -> Json<Value> {
    let limit = json!({ "total": SESSIONS_A_DAY, "remaining": SESSIONS_A_DAY, "reset_after": 0, "max_concurrency": 1 });
    Json(json!({ "url": discord.gateway_url(), "shards": SHARDS, "session_start_limit": limit }))
}

pub(super) async fn current_user(State(discord): Shared) -> Json<Value> {
    Json(objects::current_user(&discord.world().bot))
}

pub(super) async fn current_guilds(State(discord): Shared) -> Json<Value> {
    let world = &discord.world();
    let guilds = world.guilds.iter().map(|guild| {
        json!({
            "id": guild.id, "name": guild.name, "icon": null, "banner": null, "features": [],
            "owner": guild.owner == world.bot.id,
            "permissions": guild.permissions_of(world.bot.id),
        })
    });
    Json(guilds.collect())
}

pub(super) async fn user(State(discord): Shared, Path(id): Path<Id>) -> Answer {
    discord
        .world()
        .user(id)
        .map(objects::user)
        .map(Json)
        .ok_or(Failure::UNKNOWN_USER)
}

pub(super) async fn application(State(discord): Shared) -> Json<Value> {
    Json(objects::application(&discord.world()))
}

pub(super) async fn list_global(State(discord): Shared, Path(app): Path<Id>) -> Answer {
    list(&discord, app, Scope::Global)
}

pub(super) async fn list_guild(
    State(discord): Shared,
    Path((app, guild)): Path<(Id, Id)>,
) -> Answer {
    list(&discord, app, Scope::Guild(guild))
}

pub(super) async fn replace_global(
    State(discord): Shared,
    Path(app): Path<Id>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    replace(&discord, app, Scope::Global, &payload.json)
}

pub(super) async fn replace_guild(
    State(discord): Shared,
    Path((app, guild)): Path<(Id, Id)>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    replace(&discord, app, Scope::Guild(guild), &payload.json)
}

pub(super) async fn create_global(
    State(discord): Shared,
    Path(app): Path<Id>,
    Extension(payload): Extension<Payload>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    create(&discord, app, Scope::Global, &payload.json)
}

pub(super) async fn create_guild(
    State(discord): Shared,
    Path((app, guild)): Path<(Id, Id)>,
    Extension(payload): Extension<Payload>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    create(&discord, app, Scope::Guild(guild), &payload.json)
}

pub(super) async fn read_global(State(discord): Shared, Path((app, id)): Path<(Id, Id)>) -> Answer {
    read(&discord, app, Scope::Global, id)
}

pub(super) async fn read_guild(
    State(discord): Shared,
    Path((app, guild, id)): Path<(Id, Id, Id)>,
) -> Answer {
    read(&discord, app, Scope::Guild(guild), id)
}

pub(super) async fn edit_global(
    State(discord): Shared,
    Path((app, id)): Path<(Id, Id)>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    edit(&discord, app, Scope::Global, (id, payload.json))
}

pub(super) async fn edit_guild(
    State(discord): Shared,
    Path((app, guild, id)): Path<(Id, Id, Id)>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    edit(&discord, app, Scope::Guild(guild), (id, payload.json))
}

pub(super) async fn delete_global(
    State(discord): Shared,
    Path((app, id)): Path<(Id, Id)>,
) -> Result<StatusCode, Failure> {
    delete(&discord, app, Scope::Global, id)
}

pub(super) async fn delete_guild(
    State(discord): Shared,
    Path((app, guild, id)): Path<(Id, Id, Id)>,
) -> Result<StatusCode, Failure> {
    delete(&discord, app, Scope::Guild(guild), id)
}

fn permit(discord: &Discord, app: Id, scope: Scope) -> Result<(), Failure> {
    if app != discord.world().bot.id {
        return Err(Failure::UNKNOWN_APPLICATION);
    }
    match scope {
        Scope::Guild(id) if discord.world().guild(id).is_none() => Err(Failure::MISSING_ACCESS),
        _ => Ok(()),
    }
}

fn list(discord: &Discord, app: Id, scope: Scope) -> Answer {
    permit(discord, app, scope)?;
    Ok(Json(discord.read(|state| {
        state.commands.list(scope).iter().cloned().collect()
    })))
}

fn read(discord: &Discord, app: Id, scope: Scope, id: Id) -> Answer {
    permit(discord, app, scope)?;
    let found = discord.read(|state| find(state, scope, id).cloned());
    found.map(Json).ok_or(Failure::UNKNOWN_COMMAND)
}

fn replace(discord: &Discord, app: Id, scope: Scope, body: &Value) -> Answer {
    permit(discord, app, scope)?;
    rules::commands(body)?;
    let sent = objects::list(body);
    rules::command_counts(sent)?;
    Ok(Json(discord.change(|state| {
        let registered = sent
            .iter()
            .map(|sent| registered(discord, state, scope, sent));
        let commands: Vec<Value> = registered.collect();
        state.commands.replace(scope, commands.clone());
        Value::Array(commands)
    })))
}

fn create(
    discord: &Discord,
    app: Id,
    scope: Scope,
    body: &Value,
) -> Result<(StatusCode, Json<Value>), Failure> {
    permit(discord, app, scope)?;
    rules::commands(&json!([body])).map_err(Failure::of_only_item)?;
    discord.change(|state| {
        let command = registered(discord, state, scope, body);
        let mut commands = state.commands.list(scope).to_vec();
        let before = commands.len();
        commands.retain(|other| other["id"] != command["id"]);
        let status = if commands.len() < before {
            StatusCode::OK
        } else {
            StatusCode::CREATED
        };
        commands.push(command.clone());
        rules::command_counts(&commands)?;
        state.commands.replace(scope, commands);
        Ok((status, Json(command)))
    })
}

fn edit(discord: &Discord, app: Id, scope: Scope, (id, body): (Id, Value)) -> Answer {
    permit(discord, app, scope)?;
    discord.change(|state| {
        let old = find(state, scope, id).ok_or(Failure::UNKNOWN_COMMAND)?;
        let merged = objects::merged(old.clone(), body);
        rules::commands(&json!([merged])).map_err(Failure::of_only_item)?;
        let others = state.commands.list(scope).iter();
        rules::command_name(&merged, others.filter(|other| other["id"] != json!(id)))?;
        let registered = registered(discord, state, scope, &merged);
        let command = objects::merged(registered, json!({ "id": id }));
        let mut commands = state.commands.list(scope).to_vec();
        let edited = commands.iter_mut().filter(|other| other["id"] == json!(id));
        edited.for_each(|other| other.clone_from(&command));
        state.commands.replace(scope, commands);
        Ok(Json(command))
    })
}

fn delete(discord: &Discord, app: Id, scope: Scope, id: Id) -> Result<StatusCode, Failure> {
    permit(discord, app, scope)?;
    discord.change(|state| {
        find(state, scope, id).ok_or(Failure::UNKNOWN_COMMAND)?;
        let mut commands = state.commands.list(scope).to_vec();
        commands.retain(|command| command["id"] != json!(id));
        state.commands.replace(scope, commands);
        Ok(StatusCode::NO_CONTENT)
    })
}

fn find(state: &Now, scope: Scope, id: Id) -> Option<&Value> {
    state
        .commands
        .list(scope)
        .iter()
        .find(|command| command["id"] == json!(id))
}

/// The id of the command of the same kind and name, as at Discord; a new one is derived from them, so that it is the
/// same after a restart, unless a command that was renamed has it.
fn id_of(state: &Now, scope: Scope, sent: &Value, version: Id) -> Value {
    let mut commands = state.commands.list(scope).iter();
    if let Some(known) = commands.find(|other| rules::is_same_command(other, sent)) {
        return known["id"].clone();
    }
    let kind = sent["type"].as_u64().unwrap_or(1);
    let name = sent["name"].as_str().unwrap_or_default();
    let derived = Id::named(&format!("command/{scope:?}/{kind}/{name}"));
    let taken = find(state, scope, derived).is_some();
    json!(if taken { version } else { derived })
}

/// A command as Discord lists it.
fn registered(discord: &Discord, state: &mut Now, scope: Scope, sent: &Value) -> Value {
    let version = state.next_id(discord.now());
    let kind = sent["type"].as_u64().unwrap_or(1);
    let name = sent["name"].as_str().unwrap_or_default();
    let mut command = json!({
        "id": id_of(state, scope, sent, version),
        "application_id": discord.world().bot.id,
        "version": version,
        "type": kind,
        "name": name,
        "description": sent["description"].as_str().unwrap_or_default(),
        "default_member_permissions": permissions(&sent["default_member_permissions"]),
        "nsfw": sent["nsfw"].as_bool().unwrap_or_default(),
        "name_localizations": sent["name_localizations"],
        "description_localizations": sent["description_localizations"],
    });
    let options = objects::list(&sent["options"]);
    if !options.is_empty() {
        command["options"] = options.iter().map(option).collect();
    }
    match scope {
        Scope::Guild(guild) => command["guild_id"] = json!(guild),
        Scope::Global => command["contexts"] = sent["contexts"].clone(),
    }
    command
}

/// Libraries send text or a number; Discord gives text back.
fn permissions(sent: &Value) -> Value {
    sent.as_u64()
        .map_or_else(|| sent.clone(), |number| json!(number.to_string()))
}

/// An option as Discord lists it: without what says nothing.
fn option(sent: &Value) -> Value {
    let mut option = sent.clone();
    let Some(object) = option.as_object_mut() else {
        return option;
    };
    object.retain(|_, value| !value.is_null() && *value != json!([]) && *value != json!(false));
    if let Some(nested) = object.get("options").cloned() {
        let nested = objects::list(&nested).iter().map(self::option).collect();
        object.insert("options".to_owned(), nested);
    }
    option
}
