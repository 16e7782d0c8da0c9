//! The bot's answer as scripts and the page get it.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{Problem, Shared};
use crate::{discord::Discord, ids::Id, model::Answer, text::readable};

const NO_RESPONSE: &str = "The application did not respond";
const LONGEST_WAIT: Duration = Duration::from_mins(1);

pub(super) async fn read(
    State(discord): Shared,
    Path(id): Path<Id>,
) -> Result<Json<Value>, Problem> {
    view(&discord, id)
        .map(Json)
        .ok_or_else(|| Problem::unknown("interaction", &id.to_string()))
}

/// Waits for the first answer, and then, if asked, until the text contains `until`.
pub(super) async fn receive(
    discord: &Discord,
    id: Id,
    until: Option<&str>,
) -> Result<Json<Value>, Problem> {
    discord.until_answered(id).await;
    let seen = || view(discord, id).unwrap_or_default();
    let Some(part) = until else {
        return Ok(Json(seen()));
    };
    let shows = |view: &Value| {
        view["text"]
            .as_str()
            .is_some_and(|text| text.contains(part))
    };
    let found = discord
        .wait(LONGEST_WAIT, || Some(seen()).filter(shows))
        .await;
    found.map(Json).ok_or_else(|| {
        let text = seen()["text"].to_string();
        Problem(
            StatusCode::GATEWAY_TIMEOUT,
            format!("the text never contained `{part}`; last seen: {text}"),
        )
    })
}

fn view(discord: &Discord, id: Id) -> Option<Value> {
    discord.read(|state| {
        let interaction = state.interactions.get(&id)?;
        let channel = interaction.place.channel;
        let message = interaction.message.and_then(|id| state.message(channel, id));
        let message = message.map(|message| message.to_json(&discord.world())).unwrap_or_default();
        let failed = interaction.is_dead(discord.now());
        let followups = interaction.followups.iter().filter_map(|id| state.message(channel, *id));
        Some(json!({
            "interaction": id,
            "answer": if failed { "failed" } else { name(interaction.answer.as_ref()) },
            "text": if failed { NO_RESPONSE.to_owned() } else { readable(&message) },
            "acknowledged_ms": interaction.acknowledged.map(|after| after.as_secs_f64() * 1000.0),
            "message": message,
            "followups": followups.map(|message| message.to_json(&discord.world())).collect::<Vec<_>>(),
            "choices": match &interaction.answer { Some(Answer::Choices(choices)) => json!(choices), _ => Value::Null },
            "modal": match &interaction.answer { Some(Answer::Modal(modal)) => modal.clone(), _ => Value::Null },
        }))
    })
}

fn name(answer: Option<&Answer>) -> &'static str {
    match answer {
        None => "waiting",
        Some(Answer::Message) => "message",
        Some(Answer::Deferred) => "deferred",
        Some(Answer::Updated) => "updated",
        Some(Answer::DeferredUpdate) => "deferred_update",
        Some(Answer::Choices(_)) => "choices",
        Some(Answer::Modal(_)) => "modal",
    }
}
