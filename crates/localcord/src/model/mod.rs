//! What changes while the server runs: messages, interactions, commands, gateway sessions.

mod command;
mod file;
mod interaction;
mod message;

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

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
    /// A state with the messages of an earlier server.
    pub(crate) fn with_messages(saved: Option<&str>) -> Result<Self> {
        let mut state = Self::default();
        let saved: Vec<Message> = saved
            .map(serde_json::from_str)
            .transpose()
            .context("read saved messages")?
            .unwrap_or_default();
        for message in saved {
            state.last_id = state.last_id.max(message.id);
            state.insert(message);
        }
        Ok(state)
    }

    pub(crate) fn messages_json(&self) -> String {
        let kept = self
            .messages
            .values()
            .filter(|message| !message.is_ephemeral());
        json!(
            kept.map(|message| Message {
                attachments: Vec::new(),
                ..message.clone()
            })
            .collect::<Vec<_>>()
        )
        .to_string()
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
