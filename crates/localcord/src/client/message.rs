use axum::body::Bytes;
use serde_json::Value;

use super::{Localcord, Thread};
use crate::{ids::Id, model, objects::list, text::readable};

/// A message as it was when it was looked at.
#[derive(Clone, Debug)]
pub struct Message {
    cord: Localcord,
    message: model::Message,
}

/// A button of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What stands on it.
    pub label: String,
    /// What the bot gets; empty for links.
    pub custom_id: String,
    /// Whether it can be pressed.
    pub enabled: bool,
}

/// A file of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its MIME type.
    pub content_type: String,
    /// Its content.
    pub bytes: Bytes,
}

impl Attachment {
    /// The content as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Message {
    pub(super) fn new(cord: Localcord, message: model::Message) -> Self {
        Self { cord, message }
    }

    /// Its id.
    pub fn id(&self) -> Id {
        self.message.id
    }

    /// The channel it is in.
    pub fn channel_id(&self) -> Id {
        self.message.channel
    }

    /// Content and embeds as one reads them, line by line.
    pub fn text(&self) -> String {
        readable(&self.json())
    }

    /// The plain content.
    pub fn content(&self) -> &str {
        &self.message.content
    }

    /// The message object as Discord sends it.
    pub fn json(&self) -> Value {
        self.message.to_json(&self.cord.discord().world())
    }

    /// The author's name.
    pub fn author(&self) -> String {
        let world = self.cord.discord().world();
        let author = world.user(self.message.author);
        author.map(|user| user.name.clone()).unwrap_or_default()
    }

    /// Whether only one person sees it.
    pub fn is_ephemeral(&self) -> bool {
        self.message.is_ephemeral()
    }

    /// Whether it shows "thinking…".
    pub fn is_deferred(&self) -> bool {
        self.message.is_loading()
    }

    /// Whether it shows "(edited)".
    pub fn is_edited(&self) -> bool {
        self.message.edited.is_some()
    }

    /// Whether Discord itself wrote it: that a thread began.
    pub fn is_notice(&self) -> bool {
        self.message.notice.is_some()
    }

    /// The thread that was started from it, as it is now.
    pub fn thread(&self) -> Option<Thread> {
        let world = self.cord.discord().world();
        let thread = self.message.thread(&world)?;
        Some(Thread::new(self.cord.clone(), thread.id))
    }

    /// `allowed_mentions` as the bot last gave it.
    pub fn allowed_mentions(&self) -> Option<&Value> {
        self.message.allowed_mentions.as_ref()
    }

    /// The buttons, in reading order.
    pub fn buttons(&self) -> Vec<Button> {
        let rows = self
            .message
            .components
            .iter()
            .flat_map(|row| list(&row["components"]));
        let buttons = rows.filter(|component| component["type"] == 2);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        buttons
            .map(|button| Button {
                label: text(&button["label"]),
                custom_id: text(&button["custom_id"]),
                enabled: button["disabled"] != true,
            })
            .collect()
    }

    /// The files.
    pub fn attachments(&self) -> Vec<Attachment> {
        let ids = self
            .message
            .attachments
            .iter()
            .filter_map(|entry| entry["id"].as_str()?.parse::<Id>().ok());
        let files = self.cord.discord().read(|state| {
            ids.filter_map(|id| state.files.get(&id).cloned())
                .collect::<Vec<_>>()
        });
        let attachment = |file: model::File| Attachment {
            name: file.name,
            content_type: file.content_type,
            bytes: file.bytes,
        };
        files.into_iter().map(attachment).collect()
    }
}
