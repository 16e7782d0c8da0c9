//! What those who run a guild change: who is in it, and which roles there are.

use super::Refused;
use crate::{
    discord::Discord,
    guild::{Guild, Role, User},
    ids::Id,
    permissions::Permissions,
};

/// Somebody new, person or bot, in the first guild. Whoever was there before is there again.
pub(crate) fn invite(discord: &Discord, name: &str, bot: bool) -> Id {
    discord.change_world(|world| {
        let known = world.person(name).map(|user| user.id);
        let id = known.unwrap_or_else(|| {
            let user = User::person(name, bot);
            world.people.push(user.clone());
            user.id
        });
        world.guilds[0].members.entry(id).or_default();
        id
    })
}

/// Gives exactly these roles, by name or id. Who was no member joins.
pub(crate) fn set_roles(
    discord: &Discord,
    guild: Id,
    person: Id,
    names: &[String],
) -> Result<(), Refused> {
    change(discord, guild, |guild| {
        let found = names.iter().map(|name| {
            let role = guild.role(name).filter(|role| role.id != guild.id);
            role.map(|role| role.id)
                .ok_or_else(|| Refused::new(format!("there is no role `{name}`")))
        });
        let roles = found.collect::<Result<_, _>>()?;
        guild.members.insert(person, roles);
        Ok(())
    })
}

/// Who leaves loses all roles, and gets none back by joining again.
pub(crate) fn leave(discord: &Discord, guild: Id, person: Id) -> Result<(), Refused> {
    change(discord, guild, |guild| {
        if guild.owner == person {
            return Err(Refused::new("the owner cannot leave"));
        }
        let left = guild.members.remove(&person);
        left.map(|_| ()).ok_or_else(|| Refused::new("is no member"))
    })
}

/// A role that is made again is another role: it has an id of its own.
pub(crate) fn add_role(discord: &Discord, guild: Id, name: &str) -> Result<Id, Refused> {
    let now = discord.now();
    let id = discord.change(|state| state.next_id(now));
    change(discord, guild, |guild| {
        if guild.role(name).is_some() {
            return Err(Refused::new(format!("there is a role `{name}` already")));
        }
        guild.roles.push(Role {
            id,
            name: name.to_owned(),
            colour: 0,
            permissions: Permissions::default(),
            of_bot: false,
        });
        Ok(id)
    })
}

/// Whoever holds the role loses it.
pub(crate) fn delete_role(discord: &Discord, guild: Id, name: &str) -> Result<(), Refused> {
    change(discord, guild, |guild| {
        let fixed = |role: &&Role| role.id == guild.id || role.of_bot;
        let role = guild.role(name).filter(|role| !fixed(role));
        let role = role.ok_or_else(|| Refused::new(format!("no role `{name}` can be deleted")))?;
        let id = role.id;
        guild.roles.retain(|role| role.id != id);
        for held in guild.members.values_mut() {
            held.retain(|role| *role != id);
        }
        Ok(())
    })
}

fn change<T>(
    discord: &Discord,
    id: Id,
    change: impl FnOnce(&mut Guild) -> Result<T, Refused>,
) -> Result<T, Refused> {
    discord.change_world(|world| {
        let guild = world.guilds.iter_mut().find(|guild| guild.id == id);
        change(guild.ok_or_else(|| Refused::new("there is no such guild"))?)
    })
}
