//! Follow-ups and edits through an interaction's token, for fifteen minutes.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};

use super::{Answer, Failure, Payload, Shared, compose};
use crate::{
    discord::Discord,
    ids::Id,
    model::{Answer as Callback, EPHEMERAL, Interaction, Message, State as Now},
};

/// The first follow-up of a deferred answer becomes that answer.
pub(super) async fn follow_up(
    State(discord): Shared,
    Path((app, token)): Path<(Id, String)>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    compose::check_new(&payload)?;
    let now = discord.now();
    discord.change(|state| {
        let interaction = find(&discord, state, app, &token)?.clone();
        let place = interaction.place.channel;
        let thinking = interaction
            .message
            .filter(|_| interaction.answer == Some(Callback::Deferred));
        if let Some(id) =
            thinking.filter(|id| state.message(place, *id).is_some_and(Message::is_loading))
        {
            return compose::edit(&discord, state, (place, id), &payload).map(Json);
        }
        let mut message =
            Message::answering(&discord.world(), &interaction, state.next_id(now), now);
        message.flags = payload.json["flags"].as_u64().unwrap_or_default() & EPHEMERAL;
        message.replies_to = interaction.message;
        compose::fill(&discord, state, &mut message, &payload);
        if let Some(interaction) = state.interactions.get_mut(&interaction.id) {
            interaction.followups.push(message.id);
        }
        Ok(Json(compose::post(&discord, state, message)))
    })
}

pub(super) async fn read_original(
    State(discord): Shared,
    Path((app, token)): Path<(Id, String)>,
) -> Answer {
    read_message(&discord, app, &token, None)
}

pub(super) async fn read(
    State(discord): Shared,
    Path((app, token, id)): Path<(Id, String, Id)>,
) -> Answer {
    read_message(&discord, app, &token, Some(id))
}

pub(super) async fn edit_original(
    State(discord): Shared,
    Path((app, token)): Path<(Id, String)>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    edit_message(&discord, (app, &token), None, &payload)
}

pub(super) async fn edit(
    State(discord): Shared,
    Path((app, token, id)): Path<(Id, String, Id)>,
    Extension(payload): Extension<Payload>,
) -> Answer {
    edit_message(&discord, (app, &token), Some(id), &payload)
}

pub(super) async fn delete_original(
    State(discord): Shared,
    Path((app, token)): Path<(Id, String)>,
) -> Result<StatusCode, Failure> {
    delete_message(&discord, app, &token, None)
}

pub(super) async fn delete(
    State(discord): Shared,
    Path((app, token, id)): Path<(Id, String, Id)>,
) -> Result<StatusCode, Failure> {
    delete_message(&discord, app, &token, Some(id))
}

fn read_message(discord: &Discord, app: Id, token: &str, id: Option<Id>) -> Answer {
    discord.read(|state| {
        let (channel, id) = target(find(discord, state, app, token)?, id)?;
        let message = state.message(channel, id).ok_or(Failure::UNKNOWN_MESSAGE)?;
        Ok(Json(state.shown(message, &discord.world())))
    })
}

fn edit_message(
    discord: &Discord,
    (app, token): (Id, &str),
    id: Option<Id>,
    payload: &Payload,
) -> Answer {
    compose::check_edit(payload)?;
    discord.change(|state| {
        let place = target(find(discord, state, app, token)?, id)?;
        compose::edit(discord, state, place, payload).map(Json)
    })
}

fn delete_message(
    discord: &Discord,
    app: Id,
    token: &str,
    id: Option<Id>,
) -> Result<StatusCode, Failure> {
    discord.change(|state| {
        let (channel, id) = target(find(discord, state, app, token)?, id)?;
        compose::delete(discord, state, (channel, id))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// The interaction behind a token that may still be used: answered, and no older than fifteen minutes.
fn find<'a>(
    discord: &Discord,
    state: &'a Now,
    app: Id,
    token: &str,
) -> Result<&'a Interaction, Failure> {
    let known = state
        .interaction_by_token(token)
        .filter(|_| app == discord.world().bot.id);
    let interaction = known
        .filter(|interaction| interaction.answer.is_some())
        .ok_or(Failure::UNKNOWN_WEBHOOK)?;
    if interaction.is_expired(discord.now()) {
        return Err(Failure::INVALID_WEBHOOK_TOKEN);
    }
    Ok(interaction)
}

/// A token reaches the messages it sent, and no others.
fn target(interaction: &Interaction, id: Option<Id>) -> Result<(Id, Id), Failure> {
    let id = id.or(interaction.message).ok_or(Failure::UNKNOWN_MESSAGE)?;
    let own = interaction.message == Some(id) || interaction.followups.contains(&id);
    if own {
        Ok((interaction.place.channel, id))
    } else {
        Err(Failure::UNKNOWN_MESSAGE)
    }
}
