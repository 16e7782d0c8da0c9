//! What those who run a guild change: who is in it, and which roles there are.

use serde_json::json;

use super::Refused;
use crate::{
    discord::Discord,
    guild::{Guild, Role, User},
    ids::Id,
    objects,
    permissions::Permissions,
};

/// Somebody new, person or bot, in the first guild. Whoever was there before is there again.
pub(crate) fn invite(discord: &Discord, name: &str, bot: bool) -> Id {
    let (id, joined) = discord.change_world(|world| {
        let known = world.person(name).map(|user| user.id);
        let id = known.unwrap_or_else(|| {
            let user = User::person(name, bot);
            world.people.push(user.clone());
            user.id
        });
        let members = &mut world.guilds[0].members;
        let joined = !members.contains_key(&id);
        members.entry(id).or_default();
        (id, joined)
    });
    if joined {
        let guild = discord.world().home().id;
        tell_member(discord, "GUILD_MEMBER_ADD", guild, id);
    }
    id
}

/// Gives exactly these roles, by name or id. Who was no member joins.
pub(crate) fn set_roles(
    discord: &Discord,
    guild: Id,
    person: Id,
    names: &[String],
) -> Result<(), Refused> {
    let before = change(discord, guild, |guild| {
        let found = names.iter().map(|name| {
            let role = guild.role(name).filter(|role| role.id != guild.id);
            role.map(|role| role.id)
                .ok_or_else(|| Refused::new(format!("there is no role `{name}`")))
        });
        let roles = found.collect::<Result<_, _>>()?;
        Ok(guild.members.insert(person, roles))
    })?;
    let event = match before {
        Some(_) => "GUILD_MEMBER_UPDATE",
        None => "GUILD_MEMBER_ADD",
    };
    tell_member(discord, event, guild, person);
    Ok(())
}

/// Who leaves loses all roles, and gets none back by joining again.
pub(crate) fn leave(discord: &Discord, guild: Id, person: Id) -> Result<(), Refused> {
    change(discord, guild, |guild| {
        if guild.owner == person {
            return Err(Refused::new("the owner cannot leave"));
        }
        let left = guild.members.remove(&person);
        left.map(|_| ()).ok_or_else(|| Refused::new("is no member"))
    })?;
    let user = discord.world().user(person).map(objects::user);
    let object = json!({ "guild_id": guild, "user": user });
    discord.change(|state| discord.dispatch(state, "GUILD_MEMBER_REMOVE", &object));
    Ok(())
}

/// A role that is made again is another role: it has an id of its own.
pub(crate) fn add_role(discord: &Discord, guild: Id, name: &str) -> Result<Id, Refused> {
    let now = discord.now();
    let id = discord.change(|state| state.next_id(now));
    let role = change(discord, guild, |guild| {
        if guild.role(name).is_some() {
            return Err(Refused::new(format!("there is a role `{name}` already")));
        }
        let role = Role {
            id,
            name: name.to_owned(),
            colour: 0,
            permissions: Permissions::default(),
            of_bot: false,
        };
        guild.roles.push(role.clone());
        Ok(objects::role(&role, guild.position(id)))
    })?;
    let object = json!({ "guild_id": guild, "role": role });
    discord.change(|state| discord.dispatch(state, "GUILD_ROLE_CREATE", &object));
    Ok(id)
}

/// Whoever holds the role loses it.
pub(crate) fn delete_role(discord: &Discord, guild: Id, name: &str) -> Result<(), Refused> {
    let (id, holders) = change(discord, guild, |guild| {
        let fixed = |role: &&Role| role.id == guild.id || role.of_bot;
        let role = guild.role(name).filter(|role| !fixed(role));
        let role = role.ok_or_else(|| Refused::new(format!("no role `{name}` can be deleted")))?;
        let id = role.id;
        guild.roles.retain(|role| role.id != id);
        let mut holders = Vec::new();
        for (person, held) in &mut guild.members {
            if held.contains(&id) {
                holders.push(*person);
            }
            held.retain(|role| *role != id);
        }
        Ok((id, holders))
    })?;
    let object = json!({ "guild_id": guild, "role_id": id });
    discord.change(|state| discord.dispatch(state, "GUILD_ROLE_DELETE", &object));
    for person in holders {
        tell_member(discord, "GUILD_MEMBER_UPDATE", guild, person);
    }
    Ok(())
}

/// Tells bots with the intent for members what a member is now.
fn tell_member(discord: &Discord, event: &str, guild: Id, person: Id) {
    let world = discord.world();
    let (Some(place), Some(user)) = (world.guild(guild), world.user(person)) else {
        return;
    };
    let member = objects::member(place, &objects::user(user), person);
    let object = objects::merged(member, json!({ "guild_id": guild }));
    discord.change(|state| discord.dispatch(state, event, &object));
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
