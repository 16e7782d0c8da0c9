//! What people do, over HTTP.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Problem, Shared,
    reply::receive,
    views::{Viewer, locate},
};
use crate::{
    act::{self, Input, On, Pick, Refused, Slash},
    discord::Discord,
    ids::Id,
};

type Done = Result<Json<Value>, Problem>;

#[derive(Debug, Deserialize)]
pub(super) struct Command {
    #[serde(flatten)]
    viewer: Viewer,
    /// `stop`, or `fleet create` with its sub-command.
    #[serde(rename = "command")]
    path: String,
    #[serde(default)]
    options: Map<String, Value>,
    /// Wait until the text contains this.
    until: Option<String>,
    /// The option being typed, for autocomplete.
    focus: Option<String>,
    /// What stands in it so far.
    #[serde(default)]
    typed: String,
}

/// A command from the menu of a person or of a message.
#[derive(Debug, Deserialize)]
pub(super) struct MenuEntry {
    #[serde(flatten)]
    viewer: Viewer,
    command: String,
    user: Option<String>,
    message: Option<Id>,
    until: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Use {
    #[serde(flatten)]
    viewer: Viewer,
    message: Id,
    /// A button, by label or custom id.
    #[serde(default)]
    button: String,
    /// A select, by placeholder or custom id.
    #[serde(default)]
    select: String,
    #[serde(default)]
    values: Vec<String>,
    until: Option<String>,
}

/// What no client would send: an id that no message shows. With a message it is a press or a choice, without
/// one a modal.
#[derive(Debug, Deserialize)]
pub(super) struct Forgery {
    #[serde(flatten)]
    viewer: Viewer,
    custom_id: String,
    message: Option<Id>,
    #[serde(default)]
    choices: Vec<String>,
    #[serde(default)]
    values: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Submission {
    /// The interaction that opened the modal.
    interaction: Id,
    /// Fields by label or custom id.
    #[serde(default)]
    values: Map<String, Value>,
    until: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Saying {
    #[serde(flatten)]
    viewer: Viewer,
    text: String,
    /// The message that it replies to.
    reply_to: Option<Id>,
}

/// A thread that a person starts from a message.
#[derive(Debug, Deserialize)]
pub(super) struct NewThread {
    #[serde(flatten)]
    viewer: Viewer,
    message: Id,
    name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Archiving {
    #[serde(flatten)]
    viewer: Viewer,
    archived: bool,
}

pub(super) async fn slash(State(discord): Shared, Json(command): Json<Command>) -> Done {
    let id = act::slash(&discord, &command.entry(&discord)?)?;
    receive(&discord, id, command.until.as_deref()).await
}

pub(super) async fn autocomplete(State(discord): Shared, Json(command): Json<Command>) -> Done {
    let focus = command
        .focus
        .as_deref()
        .ok_or_else(|| Refused::new("`focus` names the option being typed"))?;
    let id = act::autocomplete(&discord, &command.entry(&discord)?, (focus, &command.typed))?;
    receive(&discord, id, None).await
}

pub(super) async fn menu(State(discord): Shared, Json(entry): Json<MenuEntry>) -> Done {
    let who = locate(&discord, &entry.viewer)?;
    let on = match (entry.user, entry.message) {
        (Some(name), None) => On::User(name),
        (None, Some(id)) => On::Message(id),
        _ => return Err(Refused::new("either `user` or `message` is needed").into()),
    };
    let id = act::menu(&discord, who, &entry.command, &on)?;
    receive(&discord, id, entry.until.as_deref()).await
}

pub(super) async fn press(State(discord): Shared, Json(used): Json<Use>) -> Done {
    let pick = Pick::Press(used.button.clone());
    use_component(&discord, &used, &pick).await
}

pub(super) async fn choose(State(discord): Shared, Json(used): Json<Use>) -> Done {
    let pick = Pick::Choose(used.select.clone(), used.values.clone());
    use_component(&discord, &used, &pick).await
}

async fn use_component(discord: &Discord, used: &Use, pick: &Pick) -> Done {
    let (person, place) = locate(discord, &used.viewer)?;
    let id = act::use_component(discord, person, (place.channel, used.message), pick)?;
    receive(discord, id, used.until.as_deref()).await
}

pub(super) async fn forge(State(discord): Shared, Json(forgery): Json<Forgery>) -> Done {
    let (person, place) = locate(&discord, &forgery.viewer)?;
    let values = fields(&forgery.values);
    let message = match forgery.message {
        Some(message) if values.is_empty() => message,
        source => {
            let modal = (forgery.custom_id.as_str(), source);
            let id = act::forge_modal(&discord, (person, place), modal, &values)?;
            return receive(&discord, id, None).await;
        }
    };
    let pick = if forgery.choices.is_empty() {
        Pick::Forge(forgery.custom_id)
    } else {
        Pick::ForgeChoice(forgery.custom_id, forgery.choices)
    };
    let id = act::use_component(&discord, person, (place.channel, message), &pick)?;
    receive(&discord, id, None).await
}

pub(super) async fn submit(State(discord): Shared, Json(submission): Json<Submission>) -> Done {
    let values = fields(&submission.values);
    let id = act::submit(&discord, submission.interaction, &values)?;
    receive(&discord, id, submission.until.as_deref()).await
}

fn fields(values: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let named = |(name, value): (&String, &Value)| (name.clone(), text(value));
    values.iter().map(named).collect()
}

pub(super) async fn say(State(discord): Shared, Json(saying): Json<Saying>) -> Done {
    let who = locate(&discord, &saying.viewer)?;
    let id = act::say(&discord, who, &saying.text, saying.reply_to)?;
    Ok(Json(json!({ "message": id })))
}

pub(super) async fn start_thread(State(discord): Shared, Json(wanted): Json<NewThread>) -> Done {
    let (person, place) = locate(&discord, &wanted.viewer)?;
    let id = act::start_thread(&discord, person, (place, wanted.message), &wanted.name)?;
    Ok(Json(json!({ "thread": id })))
}

pub(super) async fn archive_thread(
    State(discord): Shared,
    Path(thread): Path<Id>,
    Json(wanted): Json<Archiving>,
) -> Result<StatusCode, Problem> {
    let (person, _) = locate(&discord, &wanted.viewer)?;
    act::archive_thread(&discord, person, thread, wanted.archived)?;
    Ok(StatusCode::NO_CONTENT)
}

impl Command {
    fn entry(&self, discord: &Discord) -> Result<Slash, Problem> {
        let (person, place) = locate(discord, &self.viewer)?;
        let path = self
            .path
            .trim_start_matches('/')
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let options = self
            .options
            .iter()
            .map(|(name, value)| Ok((name.clone(), input(name, value)?)));
        Ok(Slash {
            person,
            place,
            path,
            options: options.collect::<Result<_, Refused>>()?,
        })
    }
}

/// A file is `{"name": …, "text": …}` or `{"name": …, "base64": …}`.
fn input(name: &str, value: &Value) -> Result<Input, Refused> {
    match value {
        Value::Bool(value) => Ok((*value).into()),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Ok(number.into()),
            None => Ok(number.as_f64().unwrap_or_default().into()),
        },
        Value::String(text) => Ok(text.into()),
        Value::Object(file) => {
            let part = |name: &str| file.get(name).and_then(Value::as_str);
            let encoded = part("base64").map(|text| BASE64_STANDARD.decode(text));
            let bytes = match (encoded, part("text")) {
                (Some(Ok(bytes)), _) => bytes,
                (None, Some(text)) => text.as_bytes().to_vec(),
                _ => {
                    return Err(Refused::new(format!(
                        "{name}: a file has `name` and `text` or `base64`"
                    )));
                }
            };
            Ok(Input::file(part("name").unwrap_or("file"), bytes))
        }
        _ => Err(Refused::new(format!(
            "{name}: text, a number, true, false or a file is needed"
        ))),
    }
}
