//! Names that people type become ids, and the objects that Discord sends along with them.

use serde_json::{Value, json};

use super::Refused;
use crate::{
    guild::{Guild, World},
    ids::Id,
    model::Place,
    objects,
};

/// What an option or a select may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    User,
    Role,
    Channel,
    Mentionable,
}

/// Collects the `resolved` part of an interaction's data.
pub(super) struct Resolver<'a> {
    world: &'a World,
    guild: Option<&'a Guild>,
    pub(super) resolved: Value,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(world: &'a World, place: Place) -> Self {
        Self {
            world,
            guild: place.guild.and_then(|id| world.guild(id)),
            resolved: json!({}),
        }
    }

    pub(super) fn find(&mut self, target: Target, name: &str) -> Result<Id, Refused> {
        let name = name
            .trim_start_matches(['<', '@', '!', '&', '#'])
            .trim_end_matches('>');
        let found = match target {
            Target::User => self.user(name),
            Target::Role => self.role(name),
            Target::Channel => self.channel(name),
            Target::Mentionable => self.user(name).or_else(|| self.role(name)),
        };
        found.ok_or_else(|| {
            Refused::new(format!("there is no {target:?} `{name}` here").to_lowercase())
        })
    }

    pub(super) fn add(&mut self, part: &str, id: Id, object: Value) {
        self.resolved[part][id.to_string()] = object;
    }

    fn user(&mut self, name: &str) -> Option<Id> {
        let bot = &self.world.bot;
        let is_bot = bot.name == name || bot.id.to_string() == name;
        let user = if is_bot {
            bot
        } else {
            self.world.person(name)?
        };
        self.add("users", user.id, objects::user(user));
        if let Some(guild) = self
            .guild
            .filter(|guild| guild.members.contains_key(&user.id))
        {
            let mut member = objects::member(guild, &Value::Null, user.id);
            member["permissions"] = json!(guild.permissions_of(user.id));
            if let Some(member) = member.as_object_mut() {
                // Inside an interaction the user stands beside the member, not in it.
                for name in ["user", "mute", "deaf"] {
                    member.remove(name);
                }
            }
            self.add("members", user.id, member);
        }
        Some(user.id)
    }

    fn role(&mut self, name: &str) -> Option<Id> {
        let guild = self.guild?;
        let role = guild.role(name)?;
        let position = guild.position(role.id);
        self.add("roles", role.id, objects::role(role, position));
        Some(role.id)
    }

    fn channel(&mut self, name: &str) -> Option<Id> {
        let guild = self.guild?;
        let channel = guild.channel(name)?;
        let mut object = objects::channel(self.world, channel);
        object["permissions"] = json!(guild.permissions_of(self.world.bot.id));
        self.add("channels", channel.id, object);
        Some(channel.id)
    }
}
