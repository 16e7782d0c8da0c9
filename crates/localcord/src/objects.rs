//! Discord's objects as it would send them.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    guild::{Channel, Guild, Privacy, Role, Thread, User, World},
    ids::Id,
    model::time,
    permissions::VIEW_CHANNEL,
    rules,
};

const JOINED: &str = "2022-01-01T00:00:00+00:00";
const GUILD_TEXT: u8 = 0;
const DIRECT: u8 = 1;
const PUBLIC_THREAD: u8 = 11;
const PRIVATE_THREAD: u8 = 12;
/// From here on Discord counts no further members of a thread.
const COUNTED_MEMBERS: usize = 50;

pub(crate) fn user(user: &User) -> Value {
    let mut object = json!({
        "id": user.id,
        "username": user.name,
        "discriminator": if user.bot { "0001" } else { "0" },
        "global_name": null,
        "avatar": null,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": null,
    });
    if user.bot {
        object["bot"] = Value::Bool(true);
    }
    object
}

/// The bot about itself.
pub(crate) fn current_user(bot: &User) -> Value {
    merged(
        user(bot),
        json!({ "mfa_enabled": true, "locale": "en-US", "verified": true, "email": null }),
    )
}

pub(crate) fn member(guild: &Guild, user_object: &Value, id: Id) -> Value {
    json!({
        "user": user_object,
        "roles": guild.members.get(&id),
        "nick": null,
        "avatar": null,
        "banner": null,
        "flags": 0,
        "joined_at": JOINED,
        "pending": false,
        "premium_since": null,
        "communication_disabled_until": null,
        "mute": false,
        "deaf": false,
    })
}

/// A member beside its user, as interactions and messages carry it.
pub(crate) fn bare_member(guild: &Guild, id: Id) -> Value {
    let mut member = member(guild, &Value::Null, id);
    if let Some(member) = member.as_object_mut() {
        member.remove("user");
    }
    member
}

pub(crate) fn role(role: &Role, position: usize) -> Value {
    let mut object = json!({
        "id": role.id,
        "name": role.name,
        "permissions": role.permissions,
        "position": position,
        "color": role.colour,
        "colors": { "primary_color": role.colour, "secondary_color": null, "tertiary_color": null },
        "hoist": role.colour != 0,
        "managed": role.of_bot,
        "mentionable": false,
        "icon": null,
        "unicode_emoji": null,
        "flags": 0,
    });
    if role.of_bot {
        object["tags"] = json!({});
    }
    object
}

pub(crate) fn roles(guild: &Guild) -> Vec<Value> {
    let each = guild.roles.iter();
    each.map(|entry| role(entry, guild.position(entry.id)))
        .collect()
}

/// The number by which Discord tells kinds of channels.
pub(crate) fn channel_type(channel: &Channel) -> u8 {
    match (&channel.thread, channel.guild) {
        (Some(thread), _) => thread_type(thread),
        (None, Some(_)) => GUILD_TEXT,
        (None, None) => DIRECT,
    }
}

pub(crate) fn channel(world: &World, channel: &Channel) -> Value {
    let Some(guild) = channel.guild else {
        return direct(world, channel);
    };
    if let Some(entry) = &channel.thread {
        return thread(world, (guild, channel), entry);
    }
    let home = world
        .guild(guild)
        .map(|guild| guild.channels.as_slice())
        .unwrap_or_default();
    let overwrites = channel.overwrites.iter().map(|entry| {
        json!({ "id": entry.target, "type": u8::from(entry.member), "allow": entry.allow, "deny": entry.deny })
    });
    json!({
        "id": channel.id,
        "type": GUILD_TEXT,
        "guild_id": guild,
        "name": channel.name,
        "topic": channel.topic,
        "position": home.iter().position(|other| other.id == channel.id),
        "permission_overwrites": overwrites.collect::<Vec<_>>(),
        "parent_id": null,
        "last_message_id": null,
        "rate_limit_per_user": 0,
        "nsfw": false,
        "flags": 0,
    })
}

/// A thread as the bot gets it: with its own membership, if it is in it.
fn thread(world: &World, (guild, channel): (Id, &Channel), entry: &Thread) -> Value {
    let mut object = json!({
        "id": channel.id,
        "type": thread_type(entry),
        "guild_id": guild,
        "parent_id": entry.parent,
        "owner_id": entry.owner,
        "name": channel.name,
        "last_message_id": entry.last_message,
        "rate_limit_per_user": entry.slow_mode,
        "message_count": entry.messages,
        "total_message_sent": entry.ever_sent,
        "member_count": entry.members.len().min(COUNTED_MEMBERS),
        "flags": 0,
        "thread_metadata": {
            "archived": entry.archived,
            "archive_timestamp": time(entry.turned),
            "auto_archive_duration": entry.auto_archive,
            "locked": entry.locked,
            "create_timestamp": time(entry.created),
        },
    });
    if let Privacy::Private { invitable } = entry.privacy {
        object["thread_metadata"]["invitable"] = json!(invitable);
    }
    if let Some(since) = entry.members.get(&world.bot.id) {
        object["member"] = thread_member(channel.id, world.bot.id, *since);
    }
    object
}

pub(crate) fn thread_type(entry: &Thread) -> u8 {
    if entry.is_private() {
        PRIVATE_THREAD
    } else {
        PUBLIC_THREAD
    }
}

pub(crate) fn thread_member(thread: Id, user: Id, since: DateTime<Utc>) -> Value {
    json!({ "id": thread, "user_id": user, "join_timestamp": time(since), "flags": 0 })
}

/// The threads of a guild that are not archived, as far as the bot sees them.
pub(crate) fn active_threads<'a>(
    world: &'a World,
    guild: &'a Guild,
) -> impl Iterator<Item = &'a Channel> {
    let active = |place: &&Channel| place.thread.as_ref().is_some_and(|entry| !entry.archived);
    let seen = |place: &&Channel| {
        let held = world.permissions(world.bot.id, place);
        held.contains(VIEW_CHANNEL)
    };
    guild.threads.values().filter(active).filter(seen)
}

fn direct(world: &World, channel: &Channel) -> Value {
    let recipient = channel.recipient.and_then(|id| world.user(id)).map(user);
    json!({
        "id": channel.id,
        "type": DIRECT,
        "recipients": recipient.into_iter().collect::<Vec<_>>(),
        "last_message_id": null,
        "flags": 0,
    })
}

pub(crate) fn guild(guild: &Guild) -> Value {
    let identity = json!({
        "id": guild.id,
        "name": guild.name,
        "owner_id": guild.owner,
        "roles": roles(guild),
        "icon": null, "description": null, "home_header": null, "splash": null, "discovery_splash": null,
        "banner": null, "application_id": null, "features": [], "emojis": [], "stickers": [],
    });
    let settings = json!({
        "region": "deprecated", "preferred_locale": "en-US", "vanity_url_code": null,
        "afk_channel_id": null, "afk_timeout": 300, "system_channel_id": null, "system_channel_flags": 0,
        "widget_enabled": false, "widget_channel_id": null, "rules_channel_id": null,
        "safety_alerts_channel_id": null, "public_updates_channel_id": null,
        "verification_level": 0, "default_message_notifications": 0, "mfa_level": 0, "explicit_content_filter": 0,
        "max_presences": null, "max_members": 500_000, "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25, "premium_tier": 0, "premium_subscription_count": 0,
        "premium_progress_bar_enabled": false, "nsfw": false, "nsfw_level": 0, "incidents_data": null,
    });
    merged(identity, settings)
}

/// What `GUILD_CREATE` adds to a guild. Of its members a bot without the intent for them sees only itself.
pub(crate) fn guild_with_members(world: &World, entry: &Guild, everybody: bool) -> Value {
    let shown = |id: &&Id| everybody || **id == world.bot.id;
    let members = entry.members.keys().filter(shown);
    let members = members.filter_map(|id| world.user(*id));
    let members: Vec<Value> = members
        .map(|person| member(entry, &user(person), person.id))
        .collect();
    let seen = entry.channels.iter().filter(|place| {
        world
            .permissions(world.bot.id, place)
            .contains(VIEW_CHANNEL)
    });
    let extra = json!({
        "joined_at": JOINED,
        "large": false,
        "unavailable": false,
        "member_count": entry.members.len(),
        "members": members,
        "channels": seen.map(|place| channel(world, place)).collect::<Vec<_>>(),
        "threads": active_threads(world, entry).map(|place| channel(world, place)).collect::<Vec<_>>(),
        "voice_states": [], "presences": [], "stage_instances": [],
        "guild_scheduled_events": [], "soundboard_sounds": [],
    });
    merged(guild(entry), extra)
}

pub(crate) fn application(world: &World) -> Value {
    json!({
        "id": world.bot.id,
        "name": world.bot.name,
        "description": "",
        "icon": null,
        "type": null,
        "bot": user(&world.bot),
        "bot_public": true,
        "bot_require_code_grant": false,
        "verify_key": "0".repeat(64),
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "interactions_endpoint_url": null,
        "role_connections_verification_url": null,
        "owner": world.user(world.home().owner).map(user),
        "approximate_guild_count": world.guilds.len(),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": null,
        "eligible_oauth2_scopes": [],
    })
}

/// An embed as Discord gives it back: without what it does not know.
pub(crate) fn embed(sent: &Value) -> Value {
    let mut embed = without_nulls(sent);
    keep(&mut embed, rules::is_key_of_embed);
    for (_, part) in embed.as_object_mut().into_iter().flatten() {
        keep(part, rules::is_key_of_embed_part);
    }
    embed["type"] = json!("rich");
    for field in embed
        .get_mut("fields")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(field) = field.as_object_mut() {
            field.entry("inline").or_insert(Value::Bool(false));
        }
    }
    embed
}

fn keep(value: &mut Value, is_known: fn(&str) -> bool) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, _| is_known(key));
    }
}

/// Bots may send `null` for what they leave out; Discord does not give it back.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                kept.map(|(name, value)| (name.clone(), without_nulls(value)))
                    .collect(),
            )
        }
        Value::Array(entries) => entries.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Components as Discord gives them back: each has a number of its own.
pub(crate) fn numbered(components: &[Value]) -> Vec<Value> {
    let mut number = 0;
    components
        .iter()
        .map(|component| number_one(component, &mut number))
        .collect()
}

fn number_one(component: &Value, number: &mut u32) -> Value {
    let mut component = without_nulls(component);
    *number += 1;
    if let Some(object) = component.as_object_mut() {
        object.entry("id").or_insert_with(|| json!(*number));
        if matches!(object.get("type").and_then(Value::as_u64), Some(3 | 5..=8)) {
            object.entry("min_values").or_insert_with(|| json!(1));
            object.entry("max_values").or_insert_with(|| json!(1));
        }
        if let Some(children) = object.get("components").cloned() {
            let children: Vec<Value> = list(&children)
                .iter()
                .map(|child| number_one(child, number))
                .collect();
            object.insert("components".to_owned(), Value::Array(children));
        }
    }
    component
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(crate) fn merged(mut object: Value, extra: Value) -> Value {
    if let (Some(object), Value::Object(extra)) = (object.as_object_mut(), extra) {
        object.extend(extra);
    }
    object
}

#[derive(Debug, Default)]
pub(crate) struct Mentions {
    pub(crate) users: Vec<Id>,
    pub(crate) roles: Vec<Id>,
    pub(crate) everyone: bool,
}

/// Whom a text really mentions, after `allowed_mentions`.
pub(crate) fn mentions(text: &str, allowed: Option<&Value>) -> Mentions {
    let may = |kind: &str, id: Option<Id>| match allowed {
        None | Some(Value::Null) => true,
        Some(allowed) => {
            let kinds = list(&allowed["parse"]).iter().any(|entry| entry == kind);
            kinds
                || id.is_some()
                    && list(&allowed[kind])
                        .iter()
                        .any(|entry| Id::read(entry) == id)
        }
    };
    let mut found = Mentions::default();
    for part in text.split('<').skip(1) {
        let Some((tag, _)) = part.split_once('>') else {
            continue;
        };
        let role = tag.strip_prefix("@&").and_then(|id| id.parse().ok());
        let user = tag
            .strip_prefix('@')
            .and_then(|id| id.trim_start_matches('!').parse().ok());
        match (role, user) {
            (Some(id), _) if may("roles", Some(id)) => found.roles.push(id),
            (_, Some(id)) if may("users", Some(id)) => found.users.push(id),
            _ => {}
        }
    }
    // Each is mentioned once, however often it is named.
    for ids in [&mut found.roles, &mut found.users] {
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(*id));
    }
    found.everyone =
        may("everyone", None) && (text.contains("@everyone") || text.contains("@here"));
    found
}
