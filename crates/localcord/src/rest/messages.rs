//! Messages in channels.

use axum::{
    Extension, Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Failure, Form, Payload, Shared, channels::reach, compose};
use crate::{
    guild::Channel,
    ids::Id,
    model::Message,
    permissions::{
        ATTACH_FILES, MANAGE_MESSAGES, MANAGE_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES,
        VIEW_CHANNEL,
    },
};

const PAGE: usize = 50;
const LONGEST_PAGE: usize = 100;
const LONGEST_NONCE: usize = 25;

#[derive(Debug, Deserialize)]
pub(super) struct Window {
    limit: Option<usize>,
    before: Option<Id>,
    after: Option<Id>,
    around: Option<Id>,
}

/// Newest first, as Discord gives it.
pub(super) async fn history(
    State(discord): Shared,
    Path(id): Path<Id>,
    window: Result<Query<Window>, QueryRejection>,
) -> Answer {
    let window = window.map_or(Window::UNREADABLE, |Query(window)| window);
    let limit = window.limit.unwrap_or(PAGE);
    let mut form = Form::default();
    if !(1..=LONGEST_PAGE).contains(&limit) {
        form.refuse(
            "limit",
            "NUMBER_TYPE_MAX",
            "int value should be between 1 and 100.",
        );
    }
    form.finish()?;
    let channel = reach(&discord, id, VIEW_CHANNEL)?;
    // Without the permission Discord shows an empty channel.
    if !discord
        .world()
        .permissions(discord.world().bot.id, &channel)
        .contains(READ_MESSAGE_HISTORY)
    {
        return Ok(Json(Value::Array(Vec::new())));
    }
    discord.read(|state| {
        let messages: Vec<&Message> = state
            .channel(id)
            .filter(|message| !message.is_ephemeral())
            .collect();
        let page = window.of(&messages, limit).iter().rev();
        Ok(Json(
            page.map(|message| message.to_json(&discord.world()))
                .collect(),
        ))
    })
}

impl Window {
    /// What cannot be read is refused as an impossible limit.
    const UNREADABLE: Self = Self {
        limit: Some(0),
        before: None,
        after: None,
        around: None,
    };

    /// A part of what stands oldest first.
    fn of<'a>(&self, messages: &'a [&'a Message], limit: usize) -> &'a [&'a Message] {
        let count = messages.len();
        let older = |id: Id| messages.partition_point(|message| message.id < id);
        let newer = |id: Id| messages.partition_point(|message| message.id <= id);
        let (start, end) = if let Some(id) = self.around {
            let start = older(id).saturating_sub(limit / 2);
            (start, (start + limit).min(count))
        } else if let Some(id) = self.after {
            (newer(id), (newer(id) + limit).min(count))
        } else {
            let end = self.before.map_or(count, older);
            (end.saturating_sub(limit), end)
        };
        messages.get(start..end).unwrap_or_default()
    }
}

pub(super) async fn read(State(discord): Shared, Path((channel, id)): Path<(Id, Id)>) -> Answer {
    reach(&discord, channel, READ_MESSAGE_HISTORY)?;
    discord.read(|state| {
        let message = state
            .message(channel, id)
            .filter(|message| !message.is_ephemeral());
        message
            .map(|message| Json(message.to_json(&discord.world())))
            .ok_or(Failure::UNKNOWN_MESSAGE)
    })
}

pub(super) async fn create(
    State(discord): Shared,
    Path(id): Path<Id>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    let needed = if payload.files.is_empty() {
        SEND_MESSAGES
    } else {
        SEND_MESSAGES | ATTACH_FILES
    };
    let channel = reach(&discord, id, needed)?;
    let locked = channel.thread.as_ref().is_some_and(|thread| thread.locked);
    if locked && !discord.bot_may(&channel, MANAGE_THREADS) {
        return Err(Failure::LOCKED);
    }
    compose::check_new(&payload)?;
    check_nonce(&payload.json["nonce"])?;
    let now = discord.now();
    let bot = discord.world().bot.id;
    discord.change(|state| {
        let nonce = Some(payload.json["nonce"].clone()).filter(|nonce| !nonce.is_null());
        if let (Some(nonce), true) = (&nonce, payload.json["enforce_nonce"] == true)
            && let Some(message) = state.sent_with_nonce(id, bot, nonce, now)
        {
            return Ok(Json(message.to_json(&discord.world())));
        }
        let mut message = Message::new(state.next_id(now), id, bot, now);
        message.guild = channel.guild;
        message.nonce = nonce;
        message.replies_to =
            replied_to(&payload.json)?.filter(|target| state.message(id, *target).is_some());
        compose::fill(&discord, state, &mut message, &payload);
        Ok(Json(compose::post(&discord, state, message)))
    })
}

/// What stands in an archived thread stays as it is.
fn not_archived(place: &Channel) -> Result<(), Failure> {
    match &place.thread {
        Some(thread) if thread.archived => Err(Failure::ARCHIVED),
        _ => Ok(()),
    }
}

fn replied_to(body: &Value) -> Result<Option<Id>, Failure> {
    let reference = &body["message_reference"]["message_id"];
    let mut form = Form::default();
    let id = reference.as_str().map(str::parse).transpose();
    if id.is_err() {
        form.refuse(
            "message_reference.message_id",
            "NUMBER_TYPE_COERCE",
            "Value is not snowflake.",
        );
    }
    form.finish()?;
    Ok(id.unwrap_or_default())
}

fn check_nonce(nonce: &Value) -> Result<(), Failure> {
    let mut form = Form::default();
    form.length("nonce", nonce, 0, LONGEST_NONCE);
    form.finish()
}

pub(super) async fn edit(
    State(discord): Shared,
    Path((channel, id)): Path<(Id, Id)>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    not_archived(&reach(&discord, channel, VIEW_CHANNEL)?)?;
    compose::check_edit(&payload)?;
    discord.change(|state| {
        let message = state
            .message(channel, id)
            .filter(|message| !message.is_ephemeral());
        let message = message.ok_or(Failure::UNKNOWN_MESSAGE)?;
        if message.author != discord.world().bot.id {
            return Err(Failure::NOT_THE_AUTHOR);
        }
        compose::edit(&discord, state, (channel, id), &payload).map(Json)
    })
}

pub(super) async fn delete(
    State(discord): Shared,
    Path((channel, id)): Path<(Id, Id)>,
) -> Result<StatusCode, Failure> {
    let place = reach(&discord, channel, VIEW_CHANNEL)?;
    not_archived(&place)?;
    discord.change(|state| {
        let message = state
            .message(channel, id)
            .filter(|message| !message.is_ephemeral());
        let own = message.ok_or(Failure::UNKNOWN_MESSAGE)?.author == discord.world().bot.id;
        let may = discord
            .world()
            .permissions(discord.world().bot.id, &place)
            .contains(MANAGE_MESSAGES);
        if !own && !may {
            return Err(Failure::MISSING_PERMISSIONS);
        }
        compose::delete(&discord, state, (channel, id))?;
        Ok(StatusCode::NO_CONTENT)
    })
}
