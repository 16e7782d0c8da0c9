//! What changes while the server runs: messages, interactions, commands, gateway sessions.

mod command;
mod file;
mod interaction;
mod message;
mod saved;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

pub(crate) use self::{
    command::{Commands, Scope},
    file::File,
    interaction::{Answer, Interaction, Kind, Place},
    message::{EPHEMERAL, LOADING, Message, Notice, time},
    saved::Saved,
};
use crate::{gateway::Sessions, guild::World, ids::Id, objects};

#[derive(Debug, Default)]
pub(crate) struct State {
    last_id: Id,
    pub(crate) commands: Commands,
    pub(crate) interactions: HashMap<Id, Interaction>,
    pub(crate) files: HashMap<Id, File>,
    pub(crate) sessions: Sessions,
    /// By channel, then by age.
    messages: BTreeMap<(Id, Id), Message>,
}

impl State {
    /// A state with the messages of an earlier server.
    pub(crate) fn with_messages(saved: Vec<Message>) -> Self {
        let mut state = Self::default();
        for message in saved {
            state.last_id = state.last_id.max(message.id);
            state.insert(message);
        }
        state
    }

    /// What is kept for a later server: neither files nor what only one person saw.
    fn kept(&self) -> Vec<Message> {
        let messages = self.messages.values();
        let kept = messages.filter(|message| !message.is_ephemeral()).cloned();
        kept.map(|message| Message {
            attachments: Vec::new(),
            ..message
        })
        .collect()
    }

    /// A new id, above all that were given out before.
    pub(crate) fn next_id(&mut self, now: DateTime<Utc>) -> Id {
        self.last_id = self.last_id.next().max(Id::at(now));
        self.last_id
    }

    pub(crate) fn interaction_by_token(&self, token: &str) -> Option<&Interaction> {
        let id = Interaction::id_in_token(token)?;
        self.interactions
            .get(&id)
            .filter(|interaction| interaction.token == token)
    }

    pub(crate) fn insert(&mut self, message: Message) {
        self.messages.insert((message.channel, message.id), message);
    }

    pub(crate) fn message(&self, channel: Id, id: Id) -> Option<&Message> {
        self.messages.get(&(channel, id))
    }

    /// Forgets a channel with all that stands in it.
    pub(crate) fn clear(&mut self, channel: Id) {
        self.messages.retain(|(place, _), _| *place != channel);
    }

    pub(crate) fn remove(&mut self, channel: Id, id: Id) -> Option<Message> {
        self.messages.remove(&(channel, id))
    }

    /// A message as bots get it: with the one it replies to, whose author it mentions unless it says otherwise.
    pub(crate) fn shown(&self, message: &Message, world: &World) -> Value {
        let mut object = message.to_json(world);
        let Some(target) = message.replies_to else {
            return object;
        };
        let target = self.message(message.channel, target);
        object["referenced_message"] = json!(target.map(|target| target.to_json(world)));
        let author = target.filter(|_| message.pings_reply());
        let author = author.and_then(|target| world.user(target.author));
        if let (Some(author), Some(mentions)) = (author, object["mentions"].as_array_mut())
            && !mentions.iter().any(|user| user["id"] == json!(author.id))
        {
            mentions.push(objects::user(author));
        }
        object
    }

    /// A channel's messages, oldest first.
    pub(crate) fn channel(&self, channel: Id) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages
            .range((channel, Id::default())..=(channel, Id::LAST))
            .map(|(_, message)| message)
    }

    /// The message sent with this nonce, if Discord would still remember it.
    pub(crate) fn sent_with_nonce(
        &self,
        channel: Id,
        author: Id,
        nonce: &Value,
        now: DateTime<Utc>,
    ) -> Option<&Message> {
        let since = now - message::NONCE_MEMORY;
        let recent = self
            .channel(channel)
            .rev()
            .take_while(|message| message.created >= since);
        recent
            .filter(|message| message.author == author)
            .find(|message| message.nonce.as_ref() == Some(nonce))
    }
}
