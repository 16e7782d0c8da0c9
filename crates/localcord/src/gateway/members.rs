use serde_json::{Value, json};

use crate::{guild::World, ids::Id, objects};

/// What opcode 8 asks for, in one piece. Nothing without a guild, nor everybody without the intent for it.
pub(super) fn chunk(world: &World, asked: &Value, sees_all: bool) -> Option<Value> {
    let guild = asked["guild_id"].as_str()?.parse().ok()?;
    let guild = world.guild(guild)?;
    let wanted: Option<Vec<Id>> = match &asked["user_ids"] {
        Value::Null => None,
        Value::Array(ids) => Some(ids.iter().filter_map(id).collect()),
        one => Some(id(one).into_iter().collect()),
    };
    let query = asked["query"].as_str().unwrap_or_default();
    if wanted.is_none() && query.is_empty() && !sees_all {
        return None;
    }
    let is_meant = |id: &Id, name: &str| match &wanted {
        Some(ids) => ids.contains(id),
        None => name.starts_with(query),
    };
    let limit = match asked["limit"].as_u64() {
        None | Some(0) => usize::MAX,
        Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let members = guild.members.keys().filter_map(|id| world.user(*id));
    let members = members
        .filter(|user| is_meant(&user.id, &user.name))
        .take(limit);
    let members = members.map(|user| objects::member(guild, &objects::user(user), user.id));
    let missing = wanted.iter().flatten();
    let missing = missing.filter(|id| !guild.members.contains_key(id));
    let mut chunk = json!({
        "guild_id": guild.id,
        "members": members.collect::<Vec<_>>(),
        "not_found": missing.collect::<Vec<_>>(),
        "chunk_index": 0,
        "chunk_count": 1,
    });
    if asked["nonce"].is_string() {
        chunk["nonce"] = asked["nonce"].clone();
    }
    Some(chunk)
}

fn id(value: &Value) -> Option<Id> {
    value.as_str()?.parse().ok()
}
