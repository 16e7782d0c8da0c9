use serde_json::Value;

use super::{
    Autocomplete, Error, Forged, Localcord, Message, Reply, SlashCommand, Thread, error::known,
};
use crate::{
    act::{self, On, Pick, Refused},
    guild::Guild,
    ids::Id,
    model::{self, Kind, Place},
};

/// A person in a channel: at first in the first channel of the first guild.
#[derive(Clone, Debug)]
pub struct Person {
    cord: Localcord,
    id: Id,
    place: Place,
}

impl Person {
    pub(super) fn new(cord: Localcord, id: Id) -> Self {
        let place = first_place(cord.discord().world().home());
        Self { cord, id, place }
    }

    /// The person's id.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The same person in another channel of the same guild, by name or id.
    #[must_use]
    pub fn in_channel(&self, name: &str) -> Self {
        let world = self.cord.discord().world();
        let guild = self.place.guild.and_then(|id| world.guild(id));
        let channel = known("channel", name, guild.and_then(|guild| guild.channel(name)));
        Self {
            place: Place {
                channel: channel.id,
                ..self.place
            },
            ..self.clone()
        }
    }

    /// The same person in the first channel of another guild.
    #[must_use]
    pub fn in_guild(&self, name: &str) -> Self {
        Self {
            place: first_place(&self.cord.find_guild(name)),
            ..self.clone()
        }
    }

    /// The same person in direct messages with the bot.
    #[must_use]
    pub fn dm(&self) -> Self {
        let channel = self.cord.discord().world().direct(self.id);
        Self {
            place: Place {
                guild: None,
                channel: channel.id,
            },
            ..self.clone()
        }
    }

    /// Begins a slash command.
    pub fn slash(&self, command: &str) -> SlashCommand {
        SlashCommand::new(self.cord.clone(), (self.id, self.place), command)
    }

    /// Begins to type a slash command.
    pub fn autocomplete(&self, command: &str) -> Autocomplete {
        Autocomplete::new(self.slash(command))
    }

    /// Uses a command from somebody's menu, and waits for the bot's first answer.
    pub async fn on_user(&self, command: &str, name: &str) -> Result<Reply, Error> {
        self.on(command, &On::User(name.to_owned())).await
    }

    /// Uses a command from a message's menu, and waits for the bot's first answer.
    pub async fn on_message(&self, command: &str, message: &Message) -> Result<Reply, Error> {
        self.on(command, &On::Message(message.id())).await
    }

    async fn on(&self, command: &str, on: &On) -> Result<Reply, Error> {
        let id = act::menu(self.cord.discord(), (self.id, self.place), command, on)?;
        Ok(Reply::receive(self.cord.clone(), id).await)
    }

    /// Writes a plain message.
    pub fn says(&self, text: &str) -> Result<Message, Error> {
        self.write(text, None)
    }

    /// Replies to a message.
    pub fn replies(&self, message: &Message, text: &str) -> Result<Message, Error> {
        self.write(text, Some(message.id()))
    }

    fn write(&self, text: &str, reply_to: Option<Id>) -> Result<Message, Error> {
        let id = act::say(self.cord.discord(), (self.id, self.place), text, reply_to)?;
        let message = self
            .cord
            .discord()
            .read(|state| state.message(self.place.channel, id).cloned());
        let message =
            message.ok_or_else(|| Error::Unexpected("the message is gone already".to_owned()))?;
        Ok(Message::new(self.cord.clone(), message))
    }

    /// Starts a thread from a message.
    pub fn starts_thread(&self, message: &Message, name: &str) -> Result<Thread, Error> {
        let place = Place {
            channel: message.channel_id(),
            ..self.place
        };
        let id = act::start_thread(self.cord.discord(), self.id, (place, message.id()), name)?;
        Ok(Thread::new(self.cord.clone(), id))
    }

    /// Archives a thread, or takes it up again.
    pub fn archives(&self, thread: &Thread, archived: bool) -> Result<(), Error> {
        let discord = self.cord.discord();
        Ok(act::archive_thread(
            discord,
            self.id,
            thread.id(),
            archived,
        )?)
    }

    /// The same person in a thread.
    #[must_use]
    pub fn in_thread(&self, thread: &Thread) -> Self {
        let place = Place {
            channel: thread.id(),
            ..self.place
        };
        Self {
            place,
            ..self.clone()
        }
    }

    /// Presses a button, by label or custom id, on a message.
    pub async fn press(&self, message: &Message, button: &str) -> Result<Reply, Error> {
        self.pick(message, Pick::Press(button.to_owned())).await
    }

    /// Chooses in a select, by placeholder or custom id.
    pub async fn choose<T: Into<String>>(
        &self,
        message: &Message,
        select: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Result<Reply, Error> {
        let values = values.into_iter().map(Into::into).collect();
        self.pick(message, Pick::Choose(select.to_owned(), values))
            .await
    }

    /// Sends the press of a button that the message does not have, as a forged client would.
    pub async fn forge(&self, message: &Message, custom_id: &str) -> Result<Reply, Error> {
        self.pick(message, Pick::Forge(custom_id.to_owned())).await
    }

    /// Sends a choice in a select that the message does not have.
    pub async fn forge_choice(
        &self,
        message: &Message,
        custom_id: &str,
        values: &[&str],
    ) -> Result<Reply, Error> {
        let values = values.iter().map(ToString::to_string).collect();
        self.pick(message, Pick::ForgeChoice(custom_id.to_owned(), values))
            .await
    }

    /// Submits a modal that the bot never opened, with fields by custom id.
    pub async fn forge_modal(
        &self,
        custom_id: &str,
        fields: &[(&str, &str)],
    ) -> Result<Reply, Error> {
        self.fill(self.place, (custom_id, None), fields).await
    }

    /// As [`Self::forge_modal`], as if a component of that message had opened it.
    pub async fn forge_modal_on(
        &self,
        message: &Message,
        custom_id: &str,
        fields: &[(&str, &str)],
    ) -> Result<Reply, Error> {
        let place = Place {
            channel: message.channel_id(),
            ..self.place
        };
        self.fill(place, (custom_id, Some(message.id())), fields)
            .await
    }

    /// Sends an interaction of Discord's type 2 to 5 with data of any shape, as if a component of that message had led
    /// to it. Returns at once.
    pub fn forge_interaction(
        &self,
        message: &Message,
        kind: u8,
        data: &Value,
    ) -> Result<Forged, Error> {
        let unknown = || Refused::new(format!("there is no interaction of type {kind}"));
        let kind = Kind::of(kind).ok_or_else(unknown)?;
        let place = Place {
            channel: message.channel_id(),
            ..self.place
        };
        let forged = (kind, Some(message.id()));
        let id = act::forge(self.cord.discord(), (self.id, place), forged, data)?;
        Ok(Forged::new(self.cord.clone(), id))
    }

    async fn fill(
        &self,
        place: Place,
        modal: (&str, Option<Id>),
        fields: &[(&str, &str)],
    ) -> Result<Reply, Error> {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let id = act::forge_modal(self.cord.discord(), (self.id, place), modal, &fields)?;
        Ok(Reply::receive(self.cord.clone(), id).await)
    }

    /// Holds exactly these roles from now on, in the guild where the person is; who had left joins again.
    pub fn set_roles(&self, roles: &[&str]) -> Result<(), Error> {
        let roles: Vec<_> = roles.iter().map(ToString::to_string).collect();
        let guild = self.guild()?;
        Ok(act::set_roles(self.cord.discord(), guild, self.id, &roles)?)
    }

    /// Leaves the guild, and loses all roles there.
    pub fn leave(&self) -> Result<(), Error> {
        Ok(act::leave(self.cord.discord(), self.guild()?, self.id)?)
    }

    fn guild(&self) -> Result<Id, Error> {
        let guild = self.place.guild;
        guild.ok_or_else(|| Error::Unexpected("there are no members in direct messages".to_owned()))
    }

    /// The channel's messages as this person sees them, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        let seen = |state: &model::State| {
            let messages = state
                .channel(self.place.channel)
                .filter(|message| message.is_visible_to(self.id));
            messages.cloned().collect::<Vec<_>>()
        };
        if !act::sees(self.cord.discord(), self.id, self.place.channel) {
            return Vec::new();
        }
        let messages = self.cord.discord().read(seen);
        messages
            .into_iter()
            .map(|message| Message::new(self.cord.clone(), message))
            .collect()
    }

    async fn pick(&self, message: &Message, pick: Pick) -> Result<Reply, Error> {
        let place = (message.channel_id(), message.id());
        let id = act::use_component(self.cord.discord(), self.id, place, &pick)?;
        Ok(Reply::receive(self.cord.clone(), id).await)
    }
}

fn first_place(guild: &Guild) -> Place {
    let channel = known("channel", "first", guild.channels.first());
    Place {
        guild: Some(guild.id),
        channel: channel.id,
    }
}
