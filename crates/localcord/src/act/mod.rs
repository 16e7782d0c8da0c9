//! What people do: their client checks it as Discord's own does, then the bot hears of it.

mod component;
mod envelope;
mod forge;
mod members;
mod menu;
mod modal;
mod options;
mod resolve;
mod slash;
mod threads;

use axum::body::Bytes;

pub(crate) use self::{
    component::{Pick, use_component},
    forge::forge,
    members::{add_role, delete_role, invite, leave, set_roles},
    menu::{On, menu},
    modal::{forge_modal, submit},
    slash::{Slash, autocomplete, may_use, slash},
    threads::{archive_thread, set_overwrite, start_thread},
};
use crate::{
    discord::Discord,
    guild::Channel,
    ids::Id,
    model::{Message, Place},
    permissions::{MANAGE_THREADS, SEND_MESSAGES, VIEW_CHANNEL},
};

/// The client would not have let this happen: nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub(crate) String);

impl Refused {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// What a person enters for an option of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Text; names or ids of users, roles and channels; numbers as typed.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A file to upload.
    File {
        /// Its name.
        name: String,
        /// Its content.
        bytes: Bytes,
    },
}

impl Input {
    /// A file to upload.
    pub fn file(name: &str, bytes: impl Into<Bytes>) -> Self {
        Self::File {
            name: name.to_owned(),
            bytes: bytes.into(),
        }
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Input {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i32> for Input {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u32> for Input {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<i64> for Input {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Input {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Input {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

/// A person writes in a channel, perhaps in reply to a message there.
pub(crate) fn say(
    discord: &Discord,
    (person, place): (Id, Place),
    text: &str,
    reply_to: Option<Id>,
) -> Result<Id, Refused> {
    may_write(discord, person, place.channel)?;
    if text.trim().is_empty() || text.chars().count() > 2000 {
        return Err(Refused::new("a message has 1 to 2000 characters"));
    }
    let now = discord.now();
    discord.change(|state| {
        let answered = |id| {
            let found = state.message(place.channel, id);
            found.is_some_and(|message| !message.is_ephemeral())
        };
        if reply_to.is_some_and(|id| !answered(id)) {
            return Err(Refused::new("nobody can reply to that message"));
        }
        let mut message = Message::new(state.next_id(now), place.channel, person, now);
        message.guild = place.guild;
        message.replies_to = reply_to;
        text.clone_into(&mut message.content);
        let id = message.id;
        discord.post(state, message);
        Ok(id)
    })
}

/// The channel or thread, if the person may write there.
pub(crate) fn may_write(discord: &Discord, person: Id, channel: Id) -> Result<Channel, Refused> {
    let world = discord.world();
    let channel = world
        .channel(channel)
        .ok_or_else(|| Refused::new("there is no such channel"))?;
    let held = world.permissions(person, &channel);
    let (needed, locked) = match &channel.thread {
        Some(thread) => (
            SEND_MESSAGES.in_threads(),
            thread.locked && !held.contains(MANAGE_THREADS),
        ),
        None => (SEND_MESSAGES, false),
    };
    if !held.contains(VIEW_CHANNEL | needed) || locked {
        let name = &channel.name;
        return Err(Refused::new(format!("you may not write in #{name}")));
    }
    Ok(channel)
}

/// Whether a person sees a channel at all.
pub(crate) fn sees(discord: &Discord, person: Id, channel: Id) -> bool {
    let channel = discord.world().channel(channel);
    channel.is_some_and(|channel| {
        discord
            .world()
            .permissions(person, &channel)
            .contains(VIEW_CHANNEL)
    })
}
