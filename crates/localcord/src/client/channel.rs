use super::{Error, Localcord, Message};
use crate::{act, discord::Discord, ids::Id, model, permissions};

/// A channel of the first guild, seen by nobody in particular: without what is ephemeral.
#[derive(Clone, Debug)]
pub struct Channel {
    cord: Localcord,
    id: Id,
}

impl Channel {
    pub(super) fn new(cord: Localcord, id: Id) -> Self {
        Self { cord, id }
    }

    /// Its id.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Sets what a role or member, by name, may and may not do in it from now on; empty lists leave what the roles say.
    pub fn set_permissions(&self, whom: &str, allow: &[&str], deny: &[&str]) -> Result<(), Error> {
        let parse = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            permissions::parse(&names)
        };
        let entry = (parse(allow)?, parse(deny)?);
        Ok(act::set_overwrite(self.discord(), self.id, whom, entry)?)
    }

    pub(super) fn cord(&self) -> &Localcord {
        &self.cord
    }

    pub(super) fn discord(&self) -> &Discord {
        self.cord.discord()
    }

    /// Its messages, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        let state = |state: &model::State| self.shown(state).cloned().collect::<Vec<_>>();
        let messages = self.cord.discord().read(state);
        messages
            .into_iter()
            .map(|message| Message::new(self.cord.clone(), message))
            .collect()
    }

    /// What stands in it, one text per message.
    pub fn texts(&self) -> Vec<String> {
        self.messages().iter().map(Message::text).collect()
    }

    /// Waits for a message, now or later, of which this is true.
    pub async fn wait_for(
        &self,
        mut is_meant: impl FnMut(&Message) -> bool,
    ) -> Result<Message, Error> {
        let found = self.cord.wait(|| {
            self.messages()
                .into_iter()
                .find(|message| is_meant(message))
        });
        found.await.ok_or_else(|| self.timed_out("a message"))
    }

    /// Waits for a message, now or later, whose text contains this.
    pub async fn wait_for_text(&self, text: &str) -> Result<Message, Error> {
        self.wait_for(|message| message.text().contains(text)).await
    }

    /// Waits until this is true of all messages together.
    pub async fn until(
        &self,
        mut is_true: impl FnMut(&[Message]) -> bool,
    ) -> Result<Vec<Message>, Error> {
        let found = self.cord.wait(|| {
            let messages = self.messages();
            is_true(&messages).then_some(messages)
        });
        found
            .await
            .ok_or_else(|| self.timed_out("the channel's messages"))
    }

    /// Deletes a message, as a moderator could.
    pub fn delete(&self, message: &Message) {
        let discord = self.discord();
        discord.change(|state| {
            if let Some(message) = state.remove(self.id, message.id()) {
                discord.shrink_thread(&message);
            }
        });
    }

    fn shown<'a>(&self, state: &'a model::State) -> impl Iterator<Item = &'a model::Message> {
        state
            .channel(self.id)
            .filter(|message| !message.is_ephemeral())
    }

    fn timed_out(&self, wanted: &str) -> Error {
        Error::TimedOut {
            wanted: wanted.to_owned(),
            seen: format!("{:?}", self.texts()),
        }
    }
}
