use std::{fmt, time::Duration};

use serde_json::Value;

use super::{Attachment, Error, Localcord, Message, Person};
use crate::{
    act,
    ids::Id,
    model::{self, Answer, Interaction, State},
    objects::list,
    text::readable,
};

/// What Discord's client shows when a bot is too late.
const NO_RESPONSE: &str = "The application did not respond";

/// A bot's answer to what a person did. It is a live handle: its text is what the person sees now.
#[derive(Clone)]
pub struct Reply {
    cord: Localcord,
    interaction: Id,
}

impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Reply({})", self.seen())
    }
}

impl Reply {
    /// Waits for the callback, or for the moment when it is too late.
    pub(super) async fn receive(cord: Localcord, interaction: Id) -> Self {
        cord.discord().until_answered(interaction).await;
        Self { cord, interaction }
    }

    /// What the person reads: content and embeds, line by line. Empty while the bot is "thinking…".
    pub fn text(&self) -> String {
        self.cord.discord().read(|state| self.text_in(state))
    }

    /// The first answer's message, or the message whose component was used if the bot chose to update that.
    pub fn message(&self) -> Option<Message> {
        let message = self
            .cord
            .discord()
            .read(|state| self.message_in(state).cloned());
        message.map(|message| Message::new(self.cord.clone(), message))
    }

    /// That message as Discord sends it; `Null` if there is none.
    pub fn json(&self) -> Value {
        self.message()
            .map(|message| message.json())
            .unwrap_or_default()
    }

    /// The follow-ups, oldest first.
    pub fn followups(&self) -> Vec<Message> {
        let messages = self.cord.discord().read(|state| {
            let Some(interaction) = state.interactions.get(&self.interaction) else {
                return Vec::new();
            };
            let place = interaction.place.channel;
            let ids = interaction.followups.iter();
            ids.filter_map(|id| state.message(place, *id).cloned())
                .collect::<Vec<_>>()
        });
        messages
            .into_iter()
            .map(|message| Message::new(self.cord.clone(), message))
            .collect()
    }

    /// Whether only the person sees it.
    pub fn is_ephemeral(&self) -> bool {
        self.message().is_some_and(|message| message.is_ephemeral())
    }

    /// Whether the bot is still "thinking…".
    pub fn is_deferred(&self) -> bool {
        self.message().is_some_and(|message| message.is_deferred())
    }

    /// Whether the bot did not answer within its three seconds.
    pub fn is_failed(&self) -> bool {
        let now = self.cord.now();
        self.look(|interaction| interaction.is_dead(now))
    }

    /// How long the bot took for its first answer.
    pub fn acknowledged_after(&self) -> Option<Duration> {
        self.look(|interaction| interaction.acknowledged)
    }

    /// How long it took until the answer was as it is now.
    pub fn changed_after(&self) -> Option<Duration> {
        self.look(|interaction| interaction.changed.or(interaction.acknowledged))
    }

    /// The files of the answer.
    pub fn attachments(&self) -> Vec<Attachment> {
        self.message()
            .map(|message| message.attachments())
            .unwrap_or_default()
    }

    /// Waits until the text is as wanted. Nothing is polled: it looks again whenever something changed.
    pub async fn until(&self, mut is_wanted: impl FnMut(&str) -> bool) -> Result<Self, Error> {
        let found = self
            .cord
            .wait(|| is_wanted(&self.text()).then_some(()))
            .await;
        found
            .map(|()| self.clone())
            .ok_or_else(|| self.timed_out("the reply's text"))
    }

    /// Waits until the text contains this.
    pub async fn until_text(&self, part: &str) -> Result<Self, Error> {
        self.until(|text| text.contains(part)).await
    }

    /// Waits for a follow-up whose text is as wanted.
    pub async fn until_followup(
        &self,
        mut is_wanted: impl FnMut(&str) -> bool,
    ) -> Result<Message, Error> {
        let found = self.cord.wait(|| {
            self.followups()
                .into_iter()
                .find(|message| is_wanted(&message.text()))
        });
        found.await.ok_or_else(|| self.timed_out("a follow-up"))
    }

    /// The text once the bot is not "thinking…" any more.
    pub async fn final_text(&self) -> Result<String, Error> {
        let settled = self
            .cord
            .wait(|| (!self.is_deferred()).then(|| self.text()));
        settled
            .await
            .ok_or_else(|| self.timed_out("the end of \"thinking…\""))
    }

    /// The modal that the bot opened.
    pub fn modal(&self) -> Result<Modal, Error> {
        match self.answer() {
            Some(Answer::Modal(json)) => Ok(Modal {
                reply: self.clone(),
                json,
                values: Vec::new(),
            }),
            _ => Err(Error::Unexpected(format!(
                "a modal was expected; seen: {}",
                self.seen()
            ))),
        }
    }

    /// Presses a button of the answer, by label or custom id.
    pub async fn press(&self, button: &str) -> Result<Self, Error> {
        self.person().press(&self.some_message()?, button).await
    }

    /// Chooses in a select of the answer, by placeholder or custom id.
    pub async fn choose<T: Into<String>>(
        &self,
        select: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Result<Self, Error> {
        self.person()
            .choose(&self.some_message()?, select, values)
            .await
    }

    pub(super) fn answer(&self) -> Option<Answer> {
        self.look(|interaction| interaction.answer.clone())
    }

    fn person(&self) -> Person {
        Person::new(
            self.cord.clone(),
            self.look(|interaction| interaction.person),
        )
    }

    fn some_message(&self) -> Result<Message, Error> {
        self.message().ok_or_else(|| {
            Error::Unexpected(format!("the reply has no message; seen: {}", self.seen()))
        })
    }

    #[expect(
        clippy::expect_used,
        reason = "a reply exists only for an interaction, and those are never removed"
    )]
    fn look<T>(&self, look: impl FnOnce(&Interaction) -> T) -> T {
        self.cord.discord().read(|state| {
            look(
                state
                    .interactions
                    .get(&self.interaction)
                    .expect("an interaction"),
            )
        })
    }

    fn message_in<'a>(&self, state: &'a State) -> Option<&'a model::Message> {
        let interaction = state.interactions.get(&self.interaction)?;
        state.message(interaction.place.channel, interaction.message?)
    }

    fn text_in(&self, state: &State) -> String {
        let now = self.cord.now();
        if state
            .interactions
            .get(&self.interaction)
            .is_some_and(|interaction| interaction.is_dead(now))
        {
            return NO_RESPONSE.to_owned();
        }
        let message = self.message_in(state);
        message
            .map(|message| readable(&message.to_json(&self.cord.discord().world())))
            .unwrap_or_default()
    }

    fn seen(&self) -> String {
        let followups: Vec<String> = self.followups().iter().map(Message::text).collect();
        format!(
            "{:?}, text {:?}, follow-ups {followups:?}",
            self.answer(),
            self.text()
        )
    }

    fn timed_out(&self, wanted: &str) -> Error {
        Error::TimedOut {
            wanted: wanted.to_owned(),
            seen: self.seen(),
        }
    }
}

/// A modal that a bot opened, being filled in.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `submit`"]
pub struct Modal {
    reply: Reply,
    json: Value,
    values: Vec<(String, String)>,
}

impl Modal {
    /// Its title.
    pub fn title(&self) -> &str {
        self.json["title"].as_str().unwrap_or_default()
    }

    /// The labels of its fields, from top to bottom.
    pub fn fields(&self) -> Vec<String> {
        let inputs = list(&self.json["components"])
            .iter()
            .flat_map(|row| list(&row["components"]));
        inputs
            .map(|input| input["label"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// The modal as the bot sent it.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Fills in a field, by label or custom id.
    pub fn fill(mut self, field: &str, value: &str) -> Self {
        self.values.push((field.to_owned(), value.to_owned()));
        self
    }

    /// Submits it and waits for the bot's first answer.
    pub async fn submit(self) -> Result<Reply, Error> {
        let id = act::submit(
            self.reply.cord.discord(),
            self.reply.interaction,
            &self.values,
        )?;
        Ok(Reply::receive(self.reply.cord, id).await)
    }
}
