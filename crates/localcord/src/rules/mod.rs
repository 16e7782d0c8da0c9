//! Discord's limits, and its words for who exceeds them. The numbers are from its documentation.

mod commands;
mod components;
mod embeds;
mod threads;

use serde_json::Value;

pub(crate) use self::{
    commands::{choices, commands},
    components::modal,
    threads::{new_thread, page, thread},
};
use crate::rest::{Failure, Form};

const CONTENT: usize = 2000;
const ATTACHMENTS: usize = 10;

/// A message to be sent, or the parts of one to be changed.
pub(crate) fn message(body: &Value) -> Result<(), Failure> {
    let mut form = Form::default();
    if !body.is_object() && !body.is_null() {
        form.refuse(
            "_",
            "DICT_TYPE_CONVERT",
            "Only dictionaries may be used in a DictType",
        );
    }
    form.text("content", &body["content"]);
    form.length("content", &body["content"], 0, CONTENT);
    embeds::check(&mut form, &body["embeds"]);
    components::check(&mut form, &body["components"]);
    if let Some(listed) = body["attachments"].as_array() {
        form.count("attachments", listed.len(), 0, ATTACHMENTS);
    }
    form.finish()
}
