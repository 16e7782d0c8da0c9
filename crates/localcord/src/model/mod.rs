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

/// So many interactions are remembered, and all that can still be answered.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct State {
    last_id: Id,
    pub(crate) commands: Commands,
    /// By age.
    pub(crate) interactions: BTreeMap<Id, Interaction>,
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

    /// A new interaction. The oldest goes, with the files that came with it, once nobody can use its token any more.
    pub(crate) fn begin(&mut self, interaction: Interaction, now: DateTime<Utc>) {
        self.interactions.insert(interaction.id, interaction);
        while self.interactions.len() > REMEMBERED
            && let Some(oldest) = self.interactions.first_entry()
            && oldest.get().is_expired(now)
        {
            for file in oldest.remove().uploads {
                self.files.remove(&file);
            }
        }
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
        let ids: Vec<Id> = self.channel(channel).map(|message| message.id).collect();
        for id in ids {
            self.remove(channel, id);
        }
    }

    /// Forgets a message and its files.
    pub(crate) fn remove(&mut self, channel: Id, id: Id) -> Option<Message> {
        let message = self.messages.remove(&(channel, id))?;
        self.drop_files(&message.attachments);
        Some(message)
    }

    /// Forgets the files of these attachments.
    pub(crate) fn drop_files(&mut self, attachments: &[Value]) {
        for id in attachments
            .iter()
            .filter_map(|entry| Id::read(&entry["id"]))
        {
            self.files.remove(&id);
        }
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

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{File, Interaction, Kind, Place, REMEMBERED, State};
    use crate::ids::Id;

    fn begin(state: &mut State, now: DateTime<Utc>) -> Id {
        let place = Place {
            guild: None,
            channel: Id::default(),
        };
        let id = state.next_id(now);
        let mut interaction = Interaction::new(id, Kind::Command, Id::default(), place, now);
        let file = state.next_id(now);
        let kept = File {
            name: String::new(),
            content_type: String::new(),
            bytes: Bytes::new(),
            key: String::new(),
        };
        state.files.insert(file, kept);
        interaction.uploads = vec![file];
        state.begin(interaction, now);
        id
    }

    #[test]
    fn old_interactions_go_with_their_files_once_their_tokens_are_worth_nothing() {
        let (mut state, now) = (
            State::default(),
            DateTime::UNIX_EPOCH + TimeDelta::days(20_000),
        );
        let first = begin(&mut state, now);
        for _ in 0..REMEMBERED {
            begin(&mut state, now);
        }
        assert!(state.interactions.contains_key(&first));
        begin(&mut state, now + TimeDelta::minutes(16));
        assert!(!state.interactions.contains_key(&first));
        assert_eq!(state.interactions.len(), REMEMBERED);
        assert_eq!(state.files.len(), REMEMBERED);
    }
}
