//! The people, guilds, roles and channels, read from a small TOML file and never changed afterwards.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::{
    ids::Id,
    permissions::{self, Permissions},
};

/// The guild file used when no other is named.
pub const DEFAULT_GUILD: &str = include_str!("../guild.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bot: BotEntry,
    person: Vec<Named>,
    guild: Vec<GuildEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BotEntry {
    name: String,
    /// Whether the bot may see members, presences and what people write.
    #[serde(default)]
    privileged_intents: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GuildEntry {
    name: String,
    owner: String,
    everyone: Vec<String>,
    bot: Vec<String>,
    members: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    role: Vec<RoleEntry>,
    channel: Vec<ChannelEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleEntry {
    name: String,
    colour: Option<String>,
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelEntry {
    name: String,
    topic: Option<String>,
    #[serde(default)]
    allow: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    deny: BTreeMap<String, Vec<String>>,
}

#[derive(Debug)]
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

#[derive(Debug)]
pub(crate) struct Guild {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) owner: Id,
    pub(crate) roles: Vec<Role>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) members: BTreeMap<Id, Vec<Id>>,
}

#[derive(Debug)]
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
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text).context("read the guild file")?;
        ensure!(!file.guild.is_empty(), "the guild file has no [[guild]]");
        let bot = User {
            id: Id::named(&format!("bot/{}", file.bot.name)),
            name: file.bot.name,
            bot: true,
        };
        let people: Vec<User> = file.person.into_iter().map(User::person).collect();
        let users: Vec<&User> = people.iter().chain([&bot]).collect();
        let guilds = file
            .guild
            .into_iter()
            .map(|entry| Guild::build(entry, &users))
            .collect::<Result<_>>()?;
        Ok(Self {
            bot,
            people,
            guilds,
            privileged_intents: file.bot.privileged_intents,
        })
    }

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

impl User {
    fn person(entry: Named) -> Self {
        Self {
            id: Id::named(&format!("person/{}", entry.name)),
            name: entry.name,
            bot: false,
        }
    }
}

impl Guild {
    fn build(entry: GuildEntry, users: &[&User]) -> Result<Self> {
        let id = Id::named(&format!("guild/{}", entry.name));
        let find = |name: &str| {
            let user = users.iter().find(|user| user.name == name);
            user.map(|user| user.id)
                .with_context(|| format!("guild `{}` names `{name}`, who is nobody", entry.name))
        };
        let owner = find(&entry.owner)?;
        let mut roles = vec![Role::build(id, "@everyone", &entry.everyone)?];
        for role in &entry.role {
            let colour = role.colour.as_deref().map_or(Ok(0), parse_colour)?;
            roles.push(Role {
                colour,
                ..Role::build(id, &role.name, &role.permissions)?
            });
        }
        let mut members = BTreeMap::new();
        for user in users.iter().filter(|user| user.bot) {
            let role = Role {
                of_bot: true,
                ..Role::build(id, &user.name, &entry.bot)?
            };
            members.insert(user.id, vec![role.id]);
            roles.push(role);
        }
        for (name, names) in &entry.members {
            let found = names
                .iter()
                .map(|role| role_named(&roles, role).map(|role| role.id));
            members.insert(find(name)?, found.collect::<Result<_>>()?);
        }
        let channels = entry
            .channel
            .iter()
            .map(|channel| Channel::build(id, channel, &roles, &find))
            .collect::<Result<_>>()?;
        Ok(Self {
            id,
            owner,
            roles,
            channels,
            members,
            name: entry.name,
        })
    }

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

impl Role {
    fn build(guild: Id, name: &str, names: &[String]) -> Result<Self> {
        // Discord gives @everyone the id of its guild.
        let id = if name == "@everyone" {
            guild
        } else {
            Id::named(&format!("role/{guild}/{name}"))
        };
        let permissions = permissions::parse(names)?;
        Ok(Self {
            id,
            name: name.to_owned(),
            colour: 0,
            permissions,
            of_bot: false,
        })
    }
}

impl Channel {
    fn build(
        guild: Id,
        entry: &ChannelEntry,
        roles: &[Role],
        find: &impl Fn(&str) -> Result<Id>,
    ) -> Result<Self> {
        let mut overwrites: BTreeMap<&str, Overwrite> = BTreeMap::new();
        for name in entry.allow.keys().chain(entry.deny.keys()) {
            // A bot's role bears the bot's name; the member is meant.
            let role = roles.iter().find(|role| role.name == *name && !role.of_bot);
            let target = role.map_or_else(|| find(name), |role| Ok(role.id))?;
            let allow =
                permissions::parse(entry.allow.get(name).map(Vec::as_slice).unwrap_or_default())?;
            let deny =
                permissions::parse(entry.deny.get(name).map(Vec::as_slice).unwrap_or_default())?;
            overwrites.insert(
                name,
                Overwrite {
                    target,
                    member: role.is_none(),
                    allow,
                    deny,
                },
            );
        }
        Ok(Self {
            id: Id::named(&format!("channel/{guild}/{}", entry.name)),
            guild: Some(guild),
            name: entry.name.clone(),
            topic: entry.topic.clone(),
            overwrites: overwrites.into_values().collect(),
            recipient: None,
        })
    }
}

fn role_named<'a>(roles: &'a [Role], name: &str) -> Result<&'a Role> {
    roles
        .iter()
        .find(|role| role.name == name)
        .with_context(|| format!("there is no role `{name}`"))
}

fn parse_colour(text: &str) -> Result<u32> {
    let Some(digits) = text.strip_prefix('#') else {
        bail!("`{text}` is not a colour such as `#30a0e0`")
    };
    u32::from_str_radix(digits, 16)
        .with_context(|| format!("`{text}` is not a colour such as `#30a0e0`"))
}
