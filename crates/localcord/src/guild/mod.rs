//! The people, guilds, roles and channels, read from a small TOML file. Members and roles may change.

mod file;

use std::collections::BTreeMap;

use crate::{
    ids::Id,
    permissions::{self, Permissions},
};

/// The guild file used when no other is named.
pub const DEFAULT_GUILD: &str = include_str!("../../guild.toml");

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) bot: User,
    pub(crate) people: Vec<User>,
    pub(crate) guilds: Vec<Guild>,
    pub(crate) privileged_intents: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) bot: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Guild {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) owner: Id,
    pub(crate) roles: Vec<Role>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) members: BTreeMap<Id, Vec<Id>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) colour: u32,
    pub(crate) permissions: Permissions,
    /// The role that Discord makes for a bot when it is invited.
    pub(crate) of_bot: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: Id,
    /// `None` for the direct messages between a person and the bot.
    pub(crate) guild: Option<Id>,
    pub(crate) name: String,
    pub(crate) topic: Option<String>,
    pub(crate) overwrites: Vec<Overwrite>,
    pub(crate) recipient: Option<Id>,
}

#[derive(Clone, Debug)]
pub(crate) struct Overwrite {
    pub(crate) target: Id,
    pub(crate) member: bool,
    pub(crate) allow: Permissions,
    pub(crate) deny: Permissions,
}

impl World {
    pub(crate) fn user(&self, id: Id) -> Option<&User> {
        self.people
            .iter()
            .chain([&self.bot])
            .find(|user| user.id == id)
    }

    /// A person by name or id.
    pub(crate) fn person(&self, name: &str) -> Option<&User> {
        let name = name.trim_start_matches('@');
        self.people
            .iter()
            .find(|user| user.name == name || user.id.to_string() == name)
    }

    pub(crate) fn guild(&self, id: Id) -> Option<&Guild> {
        self.guilds.iter().find(|guild| guild.id == id)
    }

    /// The guild that tests and scripts mean when they name none.
    pub(crate) fn home(&self) -> &Guild {
        // `parse` refuses a file without a guild.
        &self.guilds[0]
    }

    pub(crate) fn channel(&self, id: Id) -> Option<Channel> {
        let mut channels = self.guilds.iter().flat_map(|guild| &guild.channels);
        channels
            .find(|channel| channel.id == id)
            .cloned()
            .or_else(|| {
                self.people
                    .iter()
                    .map(|person| self.direct(person.id))
                    .find(|channel| channel.id == id)
            })
    }

    /// The channel of direct messages between a person and the bot.
    pub(crate) fn direct(&self, person: Id) -> Channel {
        Channel {
            id: Id::named(&format!("dm/{person}")),
            guild: None,
            name: self
                .user(person)
                .map(|user| user.name.clone())
                .unwrap_or_default(),
            topic: None,
            overwrites: Vec::new(),
            recipient: Some(person),
        }
    }

    /// What `user` may do in `channel`, computed as Discord does: owner, roles, overwrites.
    pub(crate) fn permissions(&self, user: Id, channel: &Channel) -> Permissions {
        match channel.guild.and_then(|id| self.guild(id)) {
            Some(guild) => guild.permissions_in(user, channel),
            None if channel.recipient == Some(user) || user == self.bot.id => permissions::direct(),
            None => Permissions::default(),
        }
    }
}

impl Guild {
    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        let name = name.trim_start_matches('@');
        self.roles
            .iter()
            .find(|role| role.name.trim_start_matches('@') == name || role.id.to_string() == name)
    }

    /// A channel by name or id.
    pub(crate) fn channel(&self, name: &str) -> Option<&Channel> {
        let name = name.trim_start_matches('#');
        self.channels
            .iter()
            .find(|channel| channel.name == name || channel.id.to_string() == name)
    }

    /// What a member may do before any channel is looked at.
    pub(crate) fn permissions_of(&self, user: Id) -> Permissions {
        let Some(held) = self.members.get(&user) else {
            return Permissions::default();
        };
        if user == self.owner {
            return permissions::all();
        }
        let counts = |role: &&Role| role.id == self.id || held.contains(&role.id);
        let sum = self
            .roles
            .iter()
            .filter(counts)
            .fold(Permissions::default(), |sum, role| sum | role.permissions);
        if sum.contains(permissions::ADMINISTRATOR) {
            permissions::all()
        } else {
            sum
        }
    }

    fn permissions_in(&self, user: Id, channel: &Channel) -> Permissions {
        let base = self.permissions_of(user);
        if base.contains(permissions::ADMINISTRATOR) {
            return base;
        }
        let held = self
            .members
            .get(&user)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let everyone = |entry: &&Overwrite| entry.target == self.id;
        let roles = |entry: &&Overwrite| !entry.member && held.contains(&entry.target);
        let own = |entry: &&Overwrite| entry.member && entry.target == user;
        let overwrites = &channel.overwrites;
        let after_everyone = overwrites.iter().filter(everyone).fold(base, apply);
        let denied = overwrites
            .iter()
            .filter(roles)
            .fold(after_everyone, |sum, entry| sum - entry.deny);
        let after_roles = overwrites
            .iter()
            .filter(roles)
            .fold(denied, |sum, entry| sum | entry.allow);
        let sum = overwrites.iter().filter(own).fold(after_roles, apply);
        // Who cannot see a channel can do nothing in it.
        if sum.contains(permissions::VIEW_CHANNEL) {
            sum
        } else {
            Permissions::default()
        }
    }
}

fn apply(sum: Permissions, entry: &Overwrite) -> Permissions {
    (sum - entry.deny) | entry.allow
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_GUILD, World};
    use crate::permissions::{ADMINISTRATOR, SEND_MESSAGES, VIEW_CHANNEL};

    #[test]
    fn overwrites_decide_who_sees_a_channel() {
        let world = World::parse(DEFAULT_GUILD).unwrap();
        let person = |name| world.person(name).unwrap().id;
        let may = |user, channel, needed| {
            let channel = world.home().channel(channel).unwrap();
            world.permissions(user, channel).contains(needed)
        };
        assert!(may(person("olga"), "private", VIEW_CHANNEL | ADMINISTRATOR));
        assert!(!may(person("ravi"), "private", VIEW_CHANNEL));
        assert!(!may(world.bot.id, "private", VIEW_CHANNEL));
        assert!(may(world.bot.id, "notices", VIEW_CHANNEL));
        assert!(!may(world.bot.id, "notices", SEND_MESSAGES));
        assert!(may(person("mina"), "notices", SEND_MESSAGES));
    }
}
