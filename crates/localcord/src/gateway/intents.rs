//! Which events a bot asked for when it identified.

/// `GUILD_MEMBERS`, `GUILD_PRESENCES` and `MESSAGE_CONTENT` need Discord's consent.
pub(super) const PRIVILEGED: u64 = GUILD_MEMBERS | 1 << 8 | MESSAGE_CONTENT;
pub(super) const ALL: u64 = (1 << 26) - 1;

pub(super) const GUILDS: u64 = 1;
pub(super) const GUILD_MEMBERS: u64 = 1 << 1;
pub(super) const MESSAGE_CONTENT: u64 = 1 << 15;
const GUILD_MESSAGES: u64 = 1 << 9;
const GUILD_REACTIONS: u64 = 1 << 10;
const GUILD_TYPING: u64 = 1 << 11;
const DIRECT_MESSAGES: u64 = 1 << 12;
const DIRECT_REACTIONS: u64 = 1 << 13;
const DIRECT_TYPING: u64 = 1 << 14;

/// The intents of which a session needs one to be sent this event; 0 if every session gets it.
pub(super) fn needed(event: &str, in_guild: bool) -> u64 {
    let by_place = |guild: u64, direct: u64| if in_guild { guild } else { direct };
    match event {
        "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK" => {
            by_place(GUILD_MESSAGES, DIRECT_MESSAGES)
        }
        "TYPING_START" => by_place(GUILD_TYPING, DIRECT_TYPING),
        _ if event.starts_with("MESSAGE_REACTION_") => by_place(GUILD_REACTIONS, DIRECT_REACTIONS),
        "THREAD_MEMBERS_UPDATE" => GUILD_MEMBERS,
        _ if event.starts_with("GUILD_MEMBER_") => GUILD_MEMBERS,
        _ if ["GUILD_", "CHANNEL_", "THREAD_"]
            .iter()
            .any(|family| event.starts_with(family)) =>
        {
            GUILDS
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{DIRECT_MESSAGES, GUILD_MEMBERS, GUILDS, needed};

    #[test]
    fn an_event_belongs_to_its_intent() {
        assert_eq!(needed("GUILD_MEMBER_ADD", true), GUILD_MEMBERS);
        assert_eq!(needed("GUILD_ROLE_CREATE", true), GUILDS);
        assert_eq!(needed("THREAD_CREATE", true), GUILDS);
        assert_eq!(needed("MESSAGE_UPDATE", false), DIRECT_MESSAGES);
        assert_eq!(needed("INTERACTION_CREATE", true), 0);
    }
}
