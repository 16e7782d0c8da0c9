//! What people see: pure functions from what is known and `now` to a message. The same input gives the same bytes.

pub mod action;
pub mod agent;
pub mod alert;
pub mod approval;
pub mod audit;
pub mod board;
mod change;
pub mod deploy;
pub mod fleets;
pub mod freeze;
pub mod grants;
pub mod help;
pub mod logs;
pub mod policy;
pub mod report;
pub mod schedules;
pub mod secrets;
pub mod start;
pub mod stats;
pub mod status;
pub mod templates;
#[cfg(test)]
mod tests;
pub mod text;

use std::collections::BTreeSet;

use serenity::all::{
    ButtonStyle, CreateActionRow, CreateAllowedMentions, CreateAttachment, CreateButton,
    CreateEmbed, CreateInteractionResponseFollowup, CreateInteractionResponseMessage,
    CreateMessage, EditInteractionResponse, EditMessage,
};

use self::text::clip;
use crate::domain::{
    grant::Holder,
    ids::{RoleId, UserId},
};

/// Discord's limit for a message's text, in UTF-16 units.
pub const CONTENT_MAX: usize = 2000;
/// People and roles that one message notifies. Discord notifies whom the text names, and the text has room for so many;
/// of an `allowed_mentions` with more than 100 it takes none.
const MENTIONED_MAX: usize = 20;

/// Lines of a list, if it is not cut off before.
const LISTED: usize = 20;

/// A whole message. It notifies those in `mentions` and nobody else.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    pub content: String,
    /// Lines below it that are never cut off: whom the message notifies, and the mark that it is found again by.
    pub foot: String,
    pub embeds: Vec<CreateEmbed>,
    pub rows: Vec<CreateActionRow>,
    pub files: Vec<File>,
    pub mentions: Mentions,
}

/// Who is notified when the message is sent; an edit notifies nobody. Discord takes no message that names one twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    pub users: BTreeSet<UserId>,
    pub roles: BTreeSet<RoleId>,
}

impl Mentions {
    /// Discord notifies people and roles; a team is named by both. Of many it notifies the first.
    pub fn of(holders: &[Holder]) -> Self {
        let mut mentions = Self::default();
        for holder in holders.iter().take(MENTIONED_MAX) {
            match holder {
                Holder::User(user) => _ = mentions.users.insert(*user),
                Holder::Role(role) => _ = mentions.roles.insert(*role),
                Holder::Team(_) => {}
            }
        }
        mentions
    }

    /// The line that names them, without which Discord notifies nobody.
    fn line(&self) -> Option<String> {
        let users = self.users.iter().copied().map(Holder::User);
        let all = users.chain(self.roles.iter().copied().map(Holder::Role));
        let all: Vec<String> = all.map(|holder| holder.to_string()).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    fn allowed(&self) -> CreateAllowedMentions {
        CreateAllowedMentions::new()
            .users(self.users.iter().map(|user| user.0).collect::<Vec<_>>())
            .roles(self.roles.iter().map(|role| role.0).collect::<Vec<_>>())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Rendered {
    pub fn text(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            ..Self::default()
        }
    }

    /// As many lines as there is room for. If some are left out, all of them come as a file.
    fn listed(lines: &[String], file: &str) -> Self {
        let mut room = CONTENT_MAX - 100;
        let mut fits = |line: &&String| {
            let length = line.encode_utf16().count() + 1;
            let fits = length <= room;
            room = room.saturating_sub(length);
            fits
        };
        let shown = lines.iter().take(LISTED).take_while(|line| fits(line));
        let mut shown: Vec<String> = shown.cloned().collect();
        let more = lines.len() - shown.len();
        if more == 0 {
            return Self::text(shown.join("\n"));
        }
        shown.push(format!("… and {more} more: `{file}` has all"));
        Self {
            content: shown.join("\n"),
            files: vec![File {
                name: file.to_owned(),
                bytes: lines.join("\n").into_bytes(),
            }],
            ..Self::default()
        }
    }

    /// The same, if its files did not get through.
    #[must_use]
    pub fn without_files(&self) -> Self {
        let lost = self.files.iter().map(|file| {
            let size = text::bytes(file.bytes.len() as u64);
            format!(
                "⚠️ `{}` ({size}) could not be sent. Ask for less of it.",
                file.name
            )
        });
        Self {
            content: self.content(),
            foot: lost.collect::<Vec<_>>().join("\n"),
            files: Vec::new(),
            ..self.clone()
        }
    }

    /// The whole text, as it is sent.
    fn content(&self) -> String {
        if self.foot.is_empty() {
            return clip(&self.content, CONTENT_MAX);
        }
        let room = CONTENT_MAX.saturating_sub(self.foot.encode_utf16().count() + 1);
        format!("{}\n{}", clip(&self.content, room), self.foot)
    }

    fn attachments(&self) -> Vec<CreateAttachment> {
        self.files
            .iter()
            .map(|file| CreateAttachment::bytes(file.bytes.clone(), &file.name))
            .collect()
    }

    /// As the answer in the callback itself.
    pub fn response(&self, ephemeral: bool) -> CreateInteractionResponseMessage {
        CreateInteractionResponseMessage::new()
            .content(self.content())
            .embeds(self.embeds.clone())
            .components(self.rows.clone())
            .files(self.attachments())
            .allowed_mentions(CreateAllowedMentions::new())
            .ephemeral(ephemeral)
    }

    /// As the new state of an answer given before.
    pub fn edit_response(&self) -> EditInteractionResponse {
        let edit = EditInteractionResponse::new()
            .content(self.content())
            .embeds(self.embeds.clone())
            .components(self.rows.clone())
            .allowed_mentions(CreateAllowedMentions::new());
        self.attachments()
            .into_iter()
            .fold(edit, EditInteractionResponse::new_attachment)
    }

    /// As one more message to an interaction.
    pub fn followup(&self, ephemeral: bool) -> CreateInteractionResponseFollowup {
        CreateInteractionResponseFollowup::new()
            .content(self.content())
            .embeds(self.embeds.clone())
            .components(self.rows.clone())
            .files(self.attachments())
            .allowed_mentions(CreateAllowedMentions::new())
            .ephemeral(ephemeral)
    }

    /// As a message of its own.
    pub fn message(&self) -> CreateMessage {
        CreateMessage::new()
            .content(self.content())
            .embeds(self.embeds.clone())
            .components(self.rows.clone())
            .files(self.attachments())
            .allowed_mentions(self.mentions.allowed())
    }

    /// As the new state of a message of its own.
    pub fn edit_message(&self) -> EditMessage {
        EditMessage::new()
            .content(self.content())
            .embeds(self.embeds.clone())
            .components(self.rows.clone())
            .allowed_mentions(CreateAllowedMentions::new())
    }
}

fn button(id: impl Into<String>, label: &str, style: ButtonStyle) -> CreateButton {
    CreateButton::new(id).label(label).style(style)
}

fn row(buttons: Vec<CreateButton>) -> CreateActionRow {
    CreateActionRow::Buttons(buttons)
}
