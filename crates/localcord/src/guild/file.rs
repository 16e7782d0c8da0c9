//! The guild file: TOML into the world.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use super::{Channel, Guild, Overwrite, Role, User, World};
use crate::{ids::Id, permissions};

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
    /// Another bot, of somebody else.
    #[serde(default)]
    bot: bool,
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

impl World {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text).context("read the guild file")?;
        ensure!(!file.guild.is_empty(), "the guild file has no [[guild]]");
        let bot = User {
            id: Id::named(&format!("bot/{}", file.bot.name)),
            name: file.bot.name,
            bot: true,
        };
        let people = file.person.into_iter();
        let people: Vec<User> = people
            .map(|entry| User::person(&entry.name, entry.bot))
            .collect();
        let users: Vec<&User> = people.iter().chain([&bot]).collect();
        let guilds = file
            .guild
            .into_iter()
            .map(|entry| Guild::build(entry, &users, &bot))
            .collect::<Result<_>>()?;
        Ok(Self {
            bot,
            people,
            guilds,
            privileged_intents: file.bot.privileged_intents,
        })
    }
}

impl User {
    pub(crate) fn person(name: &str, bot: bool) -> Self {
        Self {
            id: Id::named(&format!("person/{name}")),
            name: name.to_owned(),
            bot,
        }
    }
}

impl Guild {
    fn build(entry: GuildEntry, users: &[&User], bot: &User) -> Result<Self> {
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
        let role = Role {
            of_bot: true,
            ..Role::build(id, &bot.name, &entry.bot)?
        };
        let mut members = BTreeMap::from([(bot.id, vec![role.id])]);
        roles.push(role);
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
            threads: BTreeMap::new(),
            name: entry.name,
        })
    }
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
            thread: None,
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

#[cfg(test)]
mod tests {
    use super::{super::DEFAULT_GUILD, World};

    #[test]
    fn a_file_that_names_nobody_is_refused() {
        let file = DEFAULT_GUILD.replace("mina = [\"guest\"]", "nemo = [\"guest\"]");
        let told = World::parse(&file).unwrap_err().to_string();
        assert_eq!(told, "guild `harbour` names `nemo`, who is nobody");
    }

    #[test]
    fn unknown_permissions_and_keys_are_refused() {
        let file = DEFAULT_GUILD.replace("\"ADMINISTRATOR\"", "\"EVERYTHING\"");
        assert!(
            World::parse(&file)
                .unwrap_err()
                .to_string()
                .contains("`EVERYTHING`")
        );
        let file = DEFAULT_GUILD.replace("topic =", "subject =");
        assert!(World::parse(&file).is_err());
    }
}
