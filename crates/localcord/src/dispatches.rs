//! Which objects of Discord's `OpenAPI` file stand in a dispatch, and where.
//!
//! The gateway is no part of the file: its events are checked by the objects they carry.

use serde_json::Value;

/// A place in an event, `*` for each entry there, and the component schema of what stands in it.
type Part = (&'static str, &'static str);

const CHANNEL: &[Part] = &[("", "GuildChannelResponse")];
const MEMBER: &[Part] = &[("", "GuildMemberResponse")];
const MESSAGE: &[Part] = &[("", "MessageResponse")];
const ROLE: &[Part] = &[("/role", "GuildRoleResponse")];
const THREAD: &[Part] = &[("", "ThreadResponse")];

const INTERACTION: &[Part] = &[
    ("/user", "UserResponse"),
    ("/member/user", "UserResponse"),
    ("/message", "MessageResponse"),
    ("/data/resolved/users/*", "UserResponse"),
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
            ("/members/*", "GuildMemberResponse"),
            ("/threads/*", "ThreadResponse"),
        ],
        "GUILD_MEMBER_ADD" | "GUILD_MEMBER_UPDATE" => MEMBER,
        "GUILD_MEMBER_REMOVE" => &[("/user", "UserResponse")],
        "GUILD_MEMBERS_CHUNK" => &[("/members/*", "GuildMemberResponse")],
        "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" => ROLE,
        "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "CHANNEL_DELETE" => CHANNEL,
        "THREAD_CREATE" | "THREAD_UPDATE" => THREAD,
        "THREAD_LIST_SYNC" => &[
            ("/threads/*", "ThreadResponse"),
            ("/members/*", "ThreadMemberResponse"),
        ],
        "THREAD_MEMBERS_UPDATE" => &[("/added_members/*", "ThreadMemberResponse")],
        "MESSAGE_CREATE" | "MESSAGE_UPDATE" => MESSAGE,
        "TYPING_START" => &[("/member", "GuildMemberResponse")],
        "INTERACTION_CREATE" => INTERACTION,
        _ => &[],
    }
}

/// The objects in an event, each with its JSON pointer and its component schema.
pub(crate) fn objects<'a>(
    event: &str,
    object: &'a Value,
) -> Vec<(String, &'static str, &'a Value)> {
    let mut found = Vec::new();
    for (place, component) in parts(event) {
        match place.strip_suffix("/*") {
            None => {
                let there = object.pointer(place);
                found.extend(there.map(|value| ((*place).to_owned(), *component, value)));
            }
            Some(list) => {
                let entries = object.pointer(list).map(entries).unwrap_or_default();
                found.extend(
                    entries
                        .into_iter()
                        .map(|(key, value)| (format!("{list}/{key}"), *component, value)),
                );
            }
        }
    }
    found
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
            "data": { "resolved": { "users": { "7": {}, "8": {} } } },
        });
        let found = objects("INTERACTION_CREATE", &event);
        let places: Vec<&str> = found.iter().map(|(at, _, _)| at.as_str()).collect();
        assert_eq!(
            places,
            [
                "/member/user",
                "/data/resolved/users/7",
                "/data/resolved/users/8"
            ]
        );
        assert!(objects("RESUMED", &json!({})).is_empty());
    }
}
