//! Which objects of Discord's `OpenAPI` file stand in a dispatch, and where.
//!
//! The gateway is no part of the file: its events are checked by the objects they carry.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::objects::merged;

/// A place in an event, `*` for each entry there, and the component schema of what stands in it.
type Part = (&'static str, &'static str);

/// A channel of any kind: its type says by which schema.
const ANY_CHANNEL: &str = "any channel";
/// A member whose user stands beside it, not in it.
const BARE_MEMBER: &str = "bare member";
const MEMBER_SCHEMA: &str = "GuildMemberResponse";

const CHANNEL: &[Part] = &[("", "GuildChannelResponse")];
const MEMBER: &[Part] = &[("", MEMBER_SCHEMA)];
const MESSAGE: &[Part] = &[("", "MessageResponse"), ("/member", BARE_MEMBER)];
const ROLE: &[Part] = &[("/role", "GuildRoleResponse")];
const THREAD: &[Part] = &[("", "ThreadResponse")];

const INTERACTION: &[Part] = &[
    ("/user", "UserResponse"),
    ("/member", MEMBER_SCHEMA),
    ("/channel", ANY_CHANNEL),
    ("/message", "MessageResponse"),
    ("/data/resolved/users/*", "UserResponse"),
    ("/data/resolved/members/*", BARE_MEMBER),
    ("/data/resolved/channels/*", ANY_CHANNEL),
    ("/data/resolved/roles/*", "GuildRoleResponse"),
    ("/data/resolved/messages/*", "MessageResponse"),
    ("/data/resolved/attachments/*", "MessageAttachmentResponse"),
];

fn parts(event: &str) -> &'static [Part] {
    match event {
        "READY" => &[("/user", "UserPIIResponse")],
        "GUILD_CREATE" => &[
            ("", "GuildResponse"),
            ("/channels/*", "GuildChannelResponse"),
            ("/members/*", MEMBER_SCHEMA),
            ("/threads/*", "ThreadResponse"),
        ],
        "GUILD_MEMBER_ADD" | "GUILD_MEMBER_UPDATE" => MEMBER,
        "GUILD_MEMBER_REMOVE" => &[("/user", "UserResponse")],
        "GUILD_MEMBERS_CHUNK" => &[("/members/*", MEMBER_SCHEMA)],
        "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" => ROLE,
        "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "CHANNEL_DELETE" => CHANNEL,
        "THREAD_CREATE" | "THREAD_UPDATE" => THREAD,
        "THREAD_LIST_SYNC" => &[
            ("/threads/*", "ThreadResponse"),
            ("/members/*", "ThreadMemberResponse"),
        ],
        "THREAD_MEMBERS_UPDATE" => &[("/added_members/*", "ThreadMemberResponse")],
        "MESSAGE_CREATE" | "MESSAGE_UPDATE" => MESSAGE,
        "TYPING_START" => &[("/member", MEMBER_SCHEMA)],
        "INTERACTION_CREATE" => INTERACTION,
        _ => &[],
    }
}

/// An object in an event: its JSON pointer, its component schema, and itself.
type Found<'a> = (String, &'static str, Cow<'a, Value>);

/// The objects in an event, each as the file describes it.
pub(crate) fn objects<'a>(event: &str, object: &'a Value) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for (place, component) in parts(event) {
        match place.strip_suffix("/*") {
            None => {
                let there = object.pointer(place);
                let user = &object["author"];
                found.extend(
                    there.map(|value| described((*place).to_owned(), component, value, user)),
                );
            }
            Some(list) => {
                let entries = object.pointer(list).map(entries).unwrap_or_default();
                found.extend(entries.into_iter().map(|(key, value)| {
                    let user = &object["data"]["resolved"]["users"][&key];
                    described(format!("{list}/{key}"), component, value, user)
                }));
            }
        }
    }
    found
}

/// What has no schema of its own, by the one that is closest.
fn described<'a>(
    place: String,
    component: &'static str,
    value: &'a Value,
    user: &Value,
) -> Found<'a> {
    match component {
        ANY_CHANNEL => (place, channel_schema(value), Cow::Borrowed(value)),
        BARE_MEMBER => {
            let whole = json!({ "user": user, "mute": false, "deaf": false });
            let whole = merged(whole, value.clone());
            (place, MEMBER_SCHEMA, Cow::Owned(whole))
        }
        named => (place, named, Cow::Borrowed(value)),
    }
}

fn channel_schema(channel: &Value) -> &'static str {
    match channel["type"].as_u64() {
        Some(1) => "PrivateChannelResponse",
        Some(10..=12) => "ThreadResponse",
        _ => "GuildChannelResponse",
    }
}

fn entries(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (index.to_string(), entry))
            .collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, entry)| (key.clone(), entry))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::objects;

    #[test]
    fn every_object_in_an_event_is_found_with_its_place() {
        let event = json!({
            "member": { "user": { "id": "1" } },
            "channel": { "type": 1 },
            "data": { "resolved": {
                "users": { "7": { "id": "7" } },
                "members": { "7": { "roles": [] } },
                "channels": { "9": { "type": 11 }, "10": { "type": 0 } },
            } },
        });
        let found = objects("INTERACTION_CREATE", &event);
        let places: Vec<_> = found
            .iter()
            .map(|(at, schema, _)| (at.as_str(), *schema))
            .collect();
        assert_eq!(
            places,
            [
                ("/member", "GuildMemberResponse"),
                ("/channel", "PrivateChannelResponse"),
                ("/data/resolved/users/7", "UserResponse"),
                ("/data/resolved/members/7", "GuildMemberResponse"),
                ("/data/resolved/channels/10", "GuildChannelResponse"),
                ("/data/resolved/channels/9", "ThreadResponse"),
            ]
        );
        // The user stands beside a member; the file has it inside.
        assert_eq!(found[3].2["user"]["id"], "7");
        assert!(objects("RESUMED", &json!({})).is_empty());
    }
}
