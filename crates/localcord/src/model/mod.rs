//! What changes while the server runs: messages, interactions, commands, gateway sessions.

mod command;
mod file;
mod interaction;
mod message;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::Value;

pub(crate) use self::{
    command::{Commands, Scope},
    file::File,
    interaction::{Answer, Interaction, Kind, Place},
    message::{EPHEMERAL, LOADING, Message},
};
use crate::{gateway::Sessions, ids::Id};

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

    pub(crate) fn message_mut(&mut self, channel: Id, id: Id) -> Option<&mut Message> {
        self.messages.get_mut(&(channel, id))
    }

    pub(crate) fn remove(&mut self, channel: Id, id: Id) -> Option<Message> {
        self.messages.remove(&(channel, id))
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
