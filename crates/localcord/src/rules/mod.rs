//! Discord's limits, and its words for who exceeds them. The numbers are from its documentation.

mod commands;
mod components;
mod embeds;
mod mentions;
mod shape;
mod threads;

use serde_json::Value;

use self::shape::Kind;
pub(crate) use self::{
    commands::{LARGEST, choices, command_counts, command_name, commands, is_same_command},
    components::modal,
    embeds::{is_key_of_embed, is_key_of_embed_part},
    threads::{new_thread, page, thread},
};
use crate::rest::{Failure, Form};

/// The flag of a message made of components alone.
const COMPONENTS_ALONE: u64 = 1 << 15;
const CONTENT: usize = 2000;
const NONCE: usize = 25;
const ATTACHMENTS: usize = 10;
/// For a guild without boosts, in bytes.
const FILE_SIZE: usize = 10 * 1024 * 1024;

const MESSAGE: [(&str, Kind); 9] = [
    ("content", Kind::Text),
    ("tts", Kind::Truth),
    ("flags", Kind::Whole),
    ("nonce", Kind::TextOrWhole),
    ("enforce_nonce", Kind::Truth),
    ("allowed_mentions", Kind::Object),
    ("message_reference", Kind::Object),
    ("sticker_ids", Kind::Nothing),
    ("poll", Kind::Nothing),
];
const REFERENCE: [(&str, Kind); 5] = [
    ("type", Kind::Within(0, 0)),
    ("message_id", Kind::Snowflake),
    ("channel_id", Kind::Snowflake),
    ("guild_id", Kind::Snowflake),
    ("fail_if_not_exists", Kind::Truth),
];
const ATTACHMENT: [(&str, Kind); 8] = [
    ("duration_secs", Kind::Number),
    ("waveform", Kind::UpTo(400)),
    ("is_spoiler", Kind::Truth),
    ("is_remix", Kind::Truth),
    ("id", Kind::Snowflake),
    ("filename", Kind::UpTo(1024)),
    ("title", Kind::UpTo(1024)),
    ("description", Kind::UpTo(1024)),
];

/// A message to be sent, or the parts of one to be changed.
pub(crate) fn message(body: &Value) -> Result<(), Failure> {
    let mut form = Form::default();
    if !body.is_object() && !body.is_null() {
        form.refuse(
            "_",
            "DICT_TYPE_CONVERT",
            "Only dictionaries may be used in a DictType",
        );
        return form.finish();
    }
    shape::check(&mut form, "", body, &MESSAGE);
    let flags = body["flags"].as_u64().unwrap_or_default();
    if flags & COMPONENTS_ALONE != 0 {
        let (code, message) = shape::NOT_HERE;
        form.refuse("flags", code, message);
    }
    form.length("content", &body["content"], 0, CONTENT);
    form.length("nonce", &body["nonce"], 0, NONCE);
    embeds::check(&mut form, &body["embeds"]);
    components::check(&mut form, &body["components"]);
    mentions::check(&mut form, &body["allowed_mentions"]);
    shape::check(
        &mut form,
        "message_reference",
        &body["message_reference"],
        &REFERENCE,
    );
    if body["message_reference"].is_object() && body["message_reference"]["message_id"].is_null() {
        form.require("message_reference.message_id");
    }
    let listed = form.list("attachments", &body["attachments"]);
    form.count("attachments", listed.len(), 0, ATTACHMENTS);
    for (index, entry) in listed.iter().enumerate() {
        let path = format!("attachments.{index}");
        if entry["id"].is_null() {
            form.require(&format!("{path}.id"));
        }
        shape::check(&mut form, &path, entry, &ATTACHMENT);
        form.length(&format!("{path}.filename"), &entry["filename"], 1, 1024);
    }
    form.finish()
}

/// The files that come with a message.
pub(crate) fn files(sizes: impl Iterator<Item = usize>) -> Result<(), Failure> {
    let sizes: Vec<usize> = sizes.collect();
    if sizes.iter().any(|size| *size > FILE_SIZE) {
        return Err(Failure::TOO_LARGE);
    }
    attachments(sizes.len())
}

/// How many files a message has.
pub(crate) fn attachments(count: usize) -> Result<(), Failure> {
    let mut form = Form::default();
    form.count("attachments", count, 0, ATTACHMENTS);
    form.finish()
}
