use super::{Error, Localcord, Reply};
use crate::{
    act::{self, Input, Slash},
    ids::Id,
    model::{Answer, Place},
};

/// A slash command being entered.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `send`"]
pub struct SlashCommand {
    cord: Localcord,
    entry: Slash,
}

impl SlashCommand {
    pub(super) fn new(cord: Localcord, (person, place): (Id, Place), command: &str) -> Self {
        // `fleet create` is the command `fleet` with its sub-command.
        let path = command.split_whitespace().map(str::to_owned).collect();
        Self {
            cord,
            entry: Slash {
                person,
                place,
                path,
                options: Vec::new(),
            },
        }
    }

    /// Goes on to a sub-command, or to a group and then to its sub-command.
    #[expect(
        clippy::should_implement_trait,
        reason = "sub-command is the word, and nobody subtracts commands"
    )]
    pub fn sub(mut self, name: &str) -> Self {
        self.entry.path.push(name.to_owned());
        self
    }

    /// Fills in an option.
    pub fn option(mut self, name: &str, value: impl Into<Input>) -> Self {
        self.entry.options.push((name.to_owned(), value.into()));
        self
    }

    /// Sends it and waits for the bot's first answer, or for the end of its three seconds.
    pub async fn send(self) -> Result<Reply, Error> {
        let id = act::slash(self.cord.discord(), &self.entry)?;
        Ok(Reply::receive(self.cord, id).await)
    }
}

/// A slash command being typed.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `send`"]
pub struct Autocomplete {
    command: SlashCommand,
    focus: (String, String),
}

/// Something that a bot offers while one types.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What the person sees.
    pub name: String,
    /// What the bot gets, as text.
    pub value: String,
}

impl Autocomplete {
    pub(super) fn new(command: SlashCommand) -> Self {
        Self {
            command,
            focus: Default::default(),
        }
    }

    /// Goes on to a sub-command.
    #[expect(
        clippy::should_implement_trait,
        reason = "sub-command is the word, and nobody subtracts commands"
    )]
    pub fn sub(mut self, name: &str) -> Self {
        self.command = self.command.sub(name);
        self
    }

    /// An option that is filled in already.
    pub fn option(mut self, name: &str, value: impl Into<Input>) -> Self {
        self.command = self.command.option(name, value);
        self
    }

    /// The option being typed, and what stands in it so far.
    pub fn focus(mut self, name: &str, typed: &str) -> Self {
        self.focus = (name.to_owned(), typed.to_owned());
        self
    }

    /// Asks the bot for choices.
    pub async fn send(self) -> Result<Vec<Choice>, Error> {
        let cord = self.command.cord;
        let focus = (self.focus.0.as_str(), self.focus.1.as_str());
        let id = act::autocomplete(cord.discord(), &self.command.entry, focus)?;
        let reply = Reply::receive(cord, id).await;
        match reply.answer() {
            Some(Answer::Choices(choices)) => Ok(choices.iter().map(Choice::read).collect()),
            _ => Err(Error::Unexpected(
                "the bot offered no choices in time".to_owned(),
            )),
        }
    }
}

impl Choice {
    fn read(choice: &serde_json::Value) -> Self {
        let value = &choice["value"];
        Self {
            name: choice["name"].as_str().unwrap_or_default().to_owned(),
            value: value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
        }
    }
}
