//! The first answer to an interaction: once, and within three seconds.

use axum::{
    Extension, Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failure, Form, Payload, Shared, compose};
use crate::{
    discord::Discord,
    ids::Id,
    model::{Answer, EPHEMERAL, Interaction, Kind, LOADING, Message, State as Now},
    objects, rules,
};

const CHANNEL_MESSAGE: u64 = 4;
const DEFERRED_CHANNEL_MESSAGE: u64 = 5;
const DEFERRED_UPDATE: u64 = 6;
const UPDATE: u64 = 7;
const CHOICES: u64 = 8;
const MODAL: u64 = 9;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    with_response: Option<String>,
}

impl Wanted {
    /// discord.py writes `1`, others `true`.
    fn has_response(&self) -> bool {
        let wanted = self.with_response.as_deref();
        wanted.is_some_and(|text| matches!(text, "1" | "true" | "True"))
    }
}

pub(super) async fn answer(
    State(discord): Shared,
    Path((id, token)): Path<(Id, String)>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    Extension(payload): Extension<Payload>,
) -> Result<Response, Failure> {
    let kind = payload.json["type"].as_u64().unwrap_or_default();
    let data = Payload {
        json: payload.json["data"].clone(),
        ..payload
    };
    let now = discord.now();
    let outcome = discord.change(|state| {
        let interaction = state
            .interactions
            .get(&id)
            .filter(|found| found.token == token && !found.is_dead(now));
        let interaction = interaction.ok_or(Failure::UNKNOWN_INTERACTION)?.clone();
        if interaction.answer.is_some() {
            return Err(Failure::ALREADY_ACKNOWLEDGED);
        }
        let answered = apply(&discord, state, interaction, (kind, &data))?;
        let outcome = outcome(&discord, state, &answered, kind);
        state.interactions.insert(id, answered);
        Ok(outcome)
    })?;
    // What cannot be read asks for nothing.
    if wanted.is_ok_and(|Query(wanted)| wanted.has_response()) {
        return Ok((StatusCode::OK, Json(outcome)).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Checks and applies an answer; the interaction comes back answered.
fn apply(
    discord: &Discord,
    state: &mut Now,
    mut interaction: Interaction,
    (kind, data): (u64, &Payload),
) -> Result<Interaction, Failure> {
    permit(&interaction, kind)?;
    let inside = |failure: Failure| failure.inside("data");
    if matches!(kind, DEFERRED_CHANNEL_MESSAGE | DEFERRED_UPDATE) {
        compose::check_edit(data).map_err(inside)?;
    }
    let answer = match kind {
        CHANNEL_MESSAGE => {
            compose::check_new(data).map_err(inside)?;
            interaction.message = Some(send(discord, state, &interaction, data, 0));
            Answer::Message
        }
        DEFERRED_CHANNEL_MESSAGE => {
            let flags = Payload {
                json: json!({ "flags": data.json["flags"] }),
                ..Payload::default()
            };
            interaction.message = Some(send(discord, state, &interaction, &flags, LOADING));
            Answer::Deferred
        }
        DEFERRED_UPDATE | UPDATE => {
            interaction.message = interaction.source;
            let place = (
                interaction.place.channel,
                interaction.source.unwrap_or_default(),
            );
            if kind == UPDATE {
                compose::check_edit(data).map_err(inside)?;
                compose::edit(discord, state, place, data)?;
                Answer::Updated
            } else {
                Answer::DeferredUpdate
            }
        }
        CHOICES => {
            rules::choices(&data.json)?;
            Answer::Choices(objects::list(&data.json["choices"]).to_vec())
        }
        _ => {
            rules::modal(&data.json)?;
            Answer::Modal(data.json.clone())
        }
    };
    interaction.settle(answer);
    Ok(interaction)
}

/// Which answers an interaction can have.
fn permit(interaction: &Interaction, kind: u64) -> Result<(), Failure> {
    let updates = interaction.source.is_some();
    let fits = match interaction.kind {
        Kind::Autocomplete => kind == CHOICES,
        Kind::Command => matches!(kind, CHANNEL_MESSAGE | DEFERRED_CHANNEL_MESSAGE | MODAL),
        Kind::Component => matches!(kind, CHANNEL_MESSAGE..=UPDATE | MODAL),
        Kind::Modal if updates => matches!(kind, CHANNEL_MESSAGE..=UPDATE),
        Kind::Modal => matches!(kind, CHANNEL_MESSAGE | DEFERRED_CHANNEL_MESSAGE),
    };
    let mut form = Form::default();
    if !fits {
        form.refuse(
            "type",
            "INTERACTION_CALLBACK_TYPE_INVALID",
            format!("Callback type {kind} does not fit here."),
        );
    }
    form.finish()
}

fn send(
    discord: &Discord,
    state: &mut Now,
    interaction: &Interaction,
    data: &Payload,
    flags: u64,
) -> Id {
    let now = discord.now();
    let mut message = Message::answering(&discord.world(), interaction, state.next_id(now), now);
    message.flags = flags | (data.json["flags"].as_u64().unwrap_or_default() & EPHEMERAL);
    message.replies_to = interaction.source;
    compose::fill(discord, state, &mut message, data);
    let id = message.id;
    compose::post(discord, state, message);
    id
}

/// The body of `with_response=true`.
fn outcome(discord: &Discord, state: &Now, interaction: &Interaction, kind: u64) -> Value {
    let mut about = json!({ "id": interaction.id, "type": interaction.kind as u8 });
    let message = interaction
        .message
        .and_then(|id| state.message(interaction.place.channel, id));
    let Some(message) = message else {
        return json!({ "interaction": about });
    };
    about["response_message_id"] = json!(message.id);
    about["response_message_loading"] = json!(message.is_loading());
    about["response_message_ephemeral"] = json!(message.is_ephemeral());
    if matches!(kind, CHANNEL_MESSAGE | UPDATE) {
        let resource: Value =
            json!({ "type": kind, "message": state.shown(message, &discord.world()) });
        return json!({ "interaction": about, "resource": resource });
    }
    json!({ "interaction": about })
}
