//! What people do with threads, and with who may be where.

use super::{Refused, may_write};
use crate::{
    discord::Discord,
    guild::{Overwrite, Thread},
    ids::Id,
    model::Place,
    objects,
    permissions::{CREATE_PUBLIC_THREADS, MANAGE_THREADS, Permissions, VIEW_CHANNEL},
};

const LONGEST_NAME: usize = 100;

/// A person starts a thread from a message.
pub(crate) fn start_thread(
    discord: &Discord,
    person: Id,
    (place, message): (Place, Id),
    name: &str,
) -> Result<Id, Refused> {
    let world = discord.world();
    let channel = world
        .channel(place.channel)
        .filter(|channel| channel.thread.is_none())
        .ok_or_else(|| Refused::new("no thread can be started there"))?;
    let held = world.permissions(person, &channel);
    if !held.contains(VIEW_CHANNEL | CREATE_PUBLIC_THREADS) {
        return Err(Refused::new("you may not start threads there"));
    }
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Refused::new("a thread's name has 1 to 100 characters"));
    }
    let now = discord.now();
    discord.change(|state| {
        let found = state
            .message(place.channel, message)
            .ok_or_else(|| Refused::new("there is no such message"))?;
        if found.thread(&discord.world()).is_some() {
            return Err(Refused::new("the message has a thread already"));
        }
        let thread = Thread::new(place.channel, person, now);
        let opened = discord.open_thread(state, name, thread, Some(message));
        opened
            .map(|thread| thread.id)
            .ok_or_else(|| Refused::new("there is no such channel"))
    })
}

/// A person archives a thread, or takes it up again.
pub(crate) fn archive_thread(
    discord: &Discord,
    person: Id,
    id: Id,
    archived: bool,
) -> Result<(), Refused> {
    let world = discord.world();
    let channel = may_write(discord, person, id)?;
    let manages = world.permissions(person, &channel).contains(MANAGE_THREADS);
    let thread = channel
        .thread
        .ok_or_else(|| Refused::new("that is no thread"))?;
    if archived && thread.owner != person && !manages {
        return Err(Refused::new("you may not archive that thread"));
    }
    let now = discord.now();
    discord.change(|state| {
        discord.change_thread(state, id, |channel| {
            channel
                .thread
                .iter_mut()
                .for_each(|thread| thread.archive(archived, now));
        })
    });
    Ok(())
}

/// Sets what somebody may and may not do in a channel: a role or a member, by name.
pub(crate) fn set_overwrite(
    discord: &Discord,
    channel: Id,
    whom: &str,
    (allow, deny): (Permissions, Permissions),
) -> Result<(), Refused> {
    let before = discord
        .world()
        .channel(channel)
        .filter(|place| place.guild.is_some() && place.thread.is_none())
        .ok_or_else(|| Refused::new("there is no such channel"))?;
    let (target, member) = target(discord, before.guild, whom)?;
    let saw = discord.bot_may(&before, VIEW_CHANNEL);
    let entry = Overwrite {
        target,
        member,
        allow,
        deny,
    };
    discord.change_world(|world| {
        let mut channels = world
            .guilds
            .iter_mut()
            .flat_map(|guild| &mut guild.channels);
        if let Some(place) = channels.find(|place| place.id == channel) {
            place.overwrites.retain(|other| other.target != target);
            place.overwrites.push(entry);
        }
    });
    let world = discord.world();
    let Some(place) = world.channel(channel) else {
        return Ok(());
    };
    discord.change(|state| {
        if discord.bot_may(&place, VIEW_CHANNEL) {
            let object = objects::channel(&world, &place);
            discord.dispatch(state, "CHANNEL_UPDATE", &object);
            if !saw {
                discord.sync_threads(state, &place);
            }
        }
    });
    Ok(())
}

/// A bot's role bears the bot's name; the member is meant.
fn target(discord: &Discord, guild: Option<Id>, name: &str) -> Result<(Id, bool), Refused> {
    let world = discord.world();
    let guild = guild.and_then(|id| world.guild(id));
    let role = guild.and_then(|guild| guild.role(name).filter(|role| !role.of_bot));
    if let Some(role) = role {
        return Ok((role.id, false));
    }
    let bot = (world.bot.name == name).then_some(&world.bot);
    let user = bot.or_else(|| world.person(name));
    user.map(|user| (user.id, true))
        .ok_or_else(|| Refused::new(format!("there is neither role nor person `{name}`")))
}
