//! Secrets: all that may be told of them, and the form for a value.

use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{
    Rendered,
    text::{ago, clip, sentence},
};
use crate::{
    discord::press::{Press, SecretForm},
    domain::{
        agent::Name,
        secret::{Listed, Origin, Subject},
    },
};

/// Discord's limits for a modal's title and for the value of an input.
const TITLE_MAX: usize = 45;
const VALUE_MAX: u16 = 4000;
const REASON_MAX: u16 = 200;
/// Room for what is one secret's name and place, and for the names of its users. Of the environment's any name is taken.
const SUBJECT_MAX: usize = 200;
const USERS_MAX: usize = 120;

/// The fields of the form.
pub const VALUE: &str = "value";
pub const REASON: &str = "reason";

pub fn modal(subject: &Subject, rotate: bool, reason: Option<&str>) -> CreateModal {
    let form = SecretForm {
        rotate,
        scope: subject.scope,
        name: subject.name.clone(),
    };
    let verb = if rotate { "Rotate" } else { "Set" };
    let value = CreateInputText::new(InputTextStyle::Paragraph, "Value", VALUE)
        .placeholder("Nobody will see it again, you included")
        .max_length(VALUE_MAX)
        .required(true);
    let why = CreateInputText::new(InputTextStyle::Short, "Why, for the record", REASON)
        .max_length(REASON_MAX)
        .required(false)
        .value(clip(reason.unwrap_or_default(), REASON_MAX.into()));
    let title = clip(&format!("{verb} {}", subject.name), TITLE_MAX);
    let rows = [value, why].map(CreateActionRow::InputText).to_vec();
    CreateModal::new(Press::Secret(form).to_string(), title).components(rows)
}

pub fn list(entries: &[Listed]) -> Rendered {
    if entries.is_empty() {
        return Rendered::text("No secret is set. `/secret set` sets the first one.");
    }
    let lines: Vec<String> = entries.iter().map(line).collect();
    Rendered::listed(&lines, "secrets.txt")
}

fn line(entry: &Listed) -> String {
    let agents = entry.users.iter().map(Name::as_str);
    let outlets = entry.outlets.iter().map(String::as_str);
    let names: Vec<&str> = agents.chain(outlets).collect();
    let users = if names.is_empty() {
        "used by nobody".to_owned()
    } else {
        format!("used by {}", sentence(&names.join(", "), USERS_MAX))
    };
    let since = entry.set.as_ref().map_or_else(
        || "from Yardarm's environment".to_owned(),
        |set| {
            let by = match (set.by, set.origin) {
                (_, Origin::Adopted) => " with its agent's adoption".to_owned(),
                (Some(by), Origin::Chat) => format!(" by <@{by}>"),
                (None, Origin::Chat) => String::new(),
            };
            format!("set {}{by}", ago(set.at))
        },
    );
    let subject = sentence(&entry.subject.to_string(), SUBJECT_MAX);
    format!("🔑 {subject}: {since}, {users}")
}
