//! The people, guilds, roles and channels, read from a small TOML file. Members and roles may change.

mod file;
mod thread;

use std::collections::BTreeMap;

pub(crate) use self::thread::{Privacy, SavedThread, Thread};

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
    /// @everyone, then the highest one first.
    pub(crate) roles: Vec<Role>,
    pub(crate) channels: Vec<Channel>,
    /// Oldest first, the archived ones too.
    pub(crate) threads: BTreeMap<Id, Channel>,
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
    /// What a thread has besides. Its overwrites are its parent's.
    pub(crate) thread: Option<Thread>,
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
        let known = self.guilds.iter().find_map(|guild| guild.by_id(id));
        known.cloned().or_else(|| {
            let mut direct = self.people.iter().map(|person| self.direct(person.id));
            direct.find(|channel| channel.id == id)
        })
    }

    /// A thread, to be changed.
    pub(crate) fn thread_mut(&mut self, id: Id) -> Option<&mut Channel> {
        self.guilds
            .iter_mut()
            .find_map(|guild| guild.threads.get_mut(&id))
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
            thread: None,
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

    /// Where a role stands among the others: the one named first is the highest, and @everyone is below all.
    pub(crate) fn position(&self, role: Id) -> usize {
        let place = self.roles.iter().position(|other| other.id == role);
        place
            .filter(|place| *place > 0)
            .map_or(0, |place| self.roles.len() - place)
    }

    /// A channel or thread by name or id.
    pub(crate) fn channel(&self, name: &str) -> Option<&Channel> {
        let name = name.trim_start_matches('#');
        self.channels
            .iter()
            .chain(self.threads.values())
            .find(|channel| channel.name == name || channel.id.to_string() == name)
    }

    fn by_id(&self, id: Id) -> Option<&Channel> {
        let channel = self.channels.iter().find(|channel| channel.id == id);
        channel.or_else(|| self.threads.get(&id))
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
        let home = channel.thread.as_ref().map(|thread| thread.parent);
        let home = home.and_then(|parent| self.by_id(parent));
        let overwrites = &home.unwrap_or(channel).overwrites;
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
        let thread = channel.thread.as_ref();
        let hidden = thread.is_some_and(|thread| thread.is_hidden_from(user, sum));
        // Who cannot see a channel can do nothing in it.
        if sum.contains(permissions::VIEW_CHANNEL) && !hidden {
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
