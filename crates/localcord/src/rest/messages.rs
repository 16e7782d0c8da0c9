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
    model::{Message, State as Now},
    permissions::{
        MANAGE_MESSAGES, MANAGE_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES, VIEW_CHANNEL,
    },
};

const PAGE: usize = 50;
const LONGEST_PAGE: usize = 100;

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
            page.map(|message| state.shown(message, &discord.world()))
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
            .map(|message| Json(state.shown(message, &discord.world())))
            .ok_or(Failure::UNKNOWN_MESSAGE)
    })
}

pub(super) async fn create(
    State(discord): Shared,
    Path(id): Path<Id>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    let channel = reach(&discord, id, SEND_MESSAGES | compose::needed(&payload))?;
    let locked = channel.thread.as_ref().is_some_and(|thread| thread.locked);
    if locked && !discord.bot_may(&channel, MANAGE_THREADS) {
        return Err(Failure::LOCKED);
    }
    compose::check_new(&payload)?;
    let reply = Reply::read(&payload.json["message_reference"]);
    if reply.target.is_some() && !discord.bot_may(&channel, READ_MESSAGE_HISTORY) {
        return Err(Failure::UNREADABLE_REPLY);
    }
    let now = discord.now();
    let bot = discord.world().bot.id;
    discord.change(|state| {
        let nonce = Some(payload.json["nonce"].clone()).filter(|nonce| !nonce.is_null());
        if let (Some(nonce), true) = (&nonce, payload.json["enforce_nonce"] == true)
            && let Some(message) = state.sent_with_nonce(id, bot, nonce, now)
        {
            return Ok(Json(state.shown(message, &discord.world())));
        }
        let mut message = Message::new(state.next_id(now), id, bot, now);
        message.guild = channel.guild;
        message.nonce = nonce;
        message.replies_to = reply.of(state, id)?;
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

/// The message that a new one replies to.
struct Reply {
    target: Option<Id>,
    must_exist: bool,
}

impl Reply {
    fn read(reference: &Value) -> Self {
        Self {
            target: Id::read(&reference["message_id"]),
            must_exist: reference["fail_if_not_exists"] != false,
        }
    }

    fn of(&self, state: &Now, channel: Id) -> Result<Option<Id>, Failure> {
        let known = self
            .target
            .filter(|id| state.message(channel, *id).is_some());
        let mut form = Form::default();
        if self.target.is_some() && known.is_none() && self.must_exist {
            form.refuse(
                "message_reference",
                "REPLIES_UNKNOWN_MESSAGE",
                "Unknown message",
            );
        }
        form.finish()?;
        Ok(known)
    }
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
        let wait = discord.limits.edit(channel, message.created, discord.now());
        if let Some(wait) = wait {
            return Err(Failure::too_many_old_edits(wait));
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
