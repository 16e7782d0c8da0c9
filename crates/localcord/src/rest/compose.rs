//! What sending, answering and following up have in common: a body becomes a message.

use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Failure, Payload, Upload};
use crate::{
    discord::Discord,
    ids::Id,
    model::{File, Message, State},
    objects,
    permissions::{ATTACH_FILES, EMBED_LINKS, Permissions},
    random, rules,
};

/// Checks a body against Discord's limits before anything is changed.
pub(super) fn check_new(payload: &Payload) -> Result<(), Failure> {
    check_edit(payload)?;
    let body = &payload.json;
    let empty = |name: &str| objects::list(&body[name]).is_empty();
    let text = body["content"].as_str().unwrap_or_default().trim();
    if text.is_empty() && empty("embeds") && empty("components") && payload.files.is_empty() {
        return Err(Failure::EMPTY_MESSAGE);
    }
    Ok(())
}

/// Checks what an edit would leave of a message.
fn check_rest(message: &Message, payload: &Payload) -> Result<(), Failure> {
    let files = kept(&message.attachments, &payload.json).0.len() + payload.files.len();
    rules::attachments(files)?;
    let mut edited = message.clone();
    edited.fill(&payload.json);
    if edited.says_nothing() && files == 0 {
        return Err(Failure::EMPTY_MESSAGE);
    }
    Ok(())
}

pub(super) fn check_edit(payload: &Payload) -> Result<(), Failure> {
    rules::message(&payload.json)?;
    rules::files(payload.files.iter().map(|file| file.bytes.len()))
}

/// What a message holds decides what its author must be allowed.
pub(super) fn needed(payload: &Payload) -> Permissions {
    let mut needed = Permissions::default();
    if !payload.files.is_empty() {
        needed = needed | ATTACH_FILES;
    }
    if !objects::list(&payload.json["embeds"]).is_empty() {
        needed = needed | EMBED_LINKS;
    }
    needed
}

/// Puts a body into a message that is not in the channel yet.
pub(super) fn fill(discord: &Discord, state: &mut State, message: &mut Message, payload: &Payload) {
    message.fill(&payload.json);
    let now = discord.now();
    let (stay, go) = kept(&message.attachments, &payload.json);
    state.drop_files(&go);
    message.attachments = stay;
    for upload in &payload.files {
        let attachment = store(discord, state, message, upload, now);
        message.attachments.push(objects::merged(
            attachment,
            described(&payload.json, upload.number),
        ));
    }
}

/// Puts a new message into its channel and tells the gateway.
pub(super) fn post(discord: &Discord, state: &mut State, message: Message) -> Value {
    let object = state.shown(&message, &discord.world());
    discord.post(state, message);
    object
}

/// Changes a message in place. Filling a deferred answer is no edit that people see.
pub(super) fn edit(
    discord: &Discord,
    state: &mut State,
    (channel, id): (Id, Id),
    payload: &Payload,
) -> Result<Value, Failure> {
    let mut message = state
        .message(channel, id)
        .ok_or(Failure::UNKNOWN_MESSAGE)?
        .clone();
    check_rest(&message, payload)?;
    let thinking = message.is_loading();
    message.edited = if thinking {
        message.edited
    } else {
        Some(discord.now())
    };
    message.flags &= !crate::model::LOADING;
    fill(discord, state, &mut message, payload);
    let object = state.shown(&message, &discord.world());
    let answers = message.origin.as_ref().map(|origin| origin.interaction);
    if let Some(interaction) = answers.and_then(|id| state.interactions.get_mut(&id)) {
        interaction.changed = Some(interaction.sent.elapsed());
    }
    state.insert(message);
    discord.announce(state, "MESSAGE_UPDATE", channel, id);
    Ok(object)
}

pub(super) fn delete(
    discord: &Discord,
    state: &mut State,
    (channel, id): (Id, Id),
) -> Result<(), Failure> {
    let message = state.remove(channel, id).ok_or(Failure::UNKNOWN_MESSAGE)?;
    if !message.is_ephemeral() {
        discord.shrink_thread(&message);
        discord.announce_deleted(state, channel, id, message.guild);
    }
    Ok(())
}

/// What stays and what goes: `attachments` in a body lists what stays, and without it everything does.
fn kept(attachments: &[Value], body: &Value) -> (Vec<Value>, Vec<Value>) {
    let listed = body["attachments"].as_array();
    let stays = |old: &Value| {
        let id = Id::read(&old["id"]);
        listed.is_none_or(|listed| listed.iter().any(|entry| Id::read(&entry["id"]) == id))
    };
    attachments.iter().cloned().partition(stays)
}

/// What a body says about the n-th file.
fn described(body: &Value, number: usize) -> Value {
    let listed = objects::list(&body["attachments"]);
    let entry = listed
        .iter()
        .find(|entry| entry["id"] == json!(number) || entry["id"] == json!(number.to_string()));
    let mut described = json!({});
    for name in ["description", "title"] {
        if let Some(text) = entry
            .map(|entry| &entry[name])
            .filter(|text| text.is_string())
        {
            described[name] = text.clone();
        }
    }
    if let Some(name) = entry
        .map(|entry| &entry["filename"])
        .filter(|name| name.is_string())
    {
        described["filename"] = name.clone();
    }
    described
}

fn store(
    discord: &Discord,
    state: &mut State,
    message: &Message,
    upload: &Upload,
    now: DateTime<Utc>,
) -> Value {
    let id = state.next_id(now);
    let (file, mut attachment) = attached(discord, (message.channel, id), upload);
    state.files.insert(id, file);
    if message.is_ephemeral() {
        attachment["ephemeral"] = json!(true);
    }
    attachment
}

/// An uploaded file, and its attachment object.
pub(crate) fn attached(
    discord: &Discord,
    (channel, id): (Id, Id),
    upload: &Upload,
) -> (File, Value) {
    let key = random::letters(32);
    let name = utf8_percent_encode(&upload.name, NON_ALPHANUMERIC);
    let url = format!(
        "http://{}/cdn/attachments/{channel}/{id}/{name}?hm={key}",
        discord.people_addr
    );
    let content_type = upload
        .content_type
        .clone()
        .unwrap_or_else(|| "application/octet-stream".to_owned());
    let attachment = json!({
        "id": id,
        "filename": upload.name,
        "size": upload.bytes.len(),
        "content_type": content_type,
        "url": url,
        "proxy_url": url,
    });
    let file = File {
        name: upload.name.clone(),
        content_type,
        bytes: upload.bytes.clone(),
        key,
    };
    (file, attachment)
}
