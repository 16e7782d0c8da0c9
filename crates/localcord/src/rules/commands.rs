use std::collections::HashSet;

use serde_json::{Value, json};

use super::{
    components::CHANNEL_TYPES,
    shape::{self, Kind},
};
use crate::{
    objects::list,
    rest::{Failure, Form},
};

const CHAT_INPUT_COMMANDS: usize = 100;
/// Of each of the two kinds that stand in menus.
const MENU_COMMANDS: usize = 15;
/// A longer list is not even looked at.
const LISTED: usize = CHAT_INPUT_COMMANDS + 2 * MENU_COMMANDS;
const NAME: usize = 32;
const TEXT: usize = 100;
const OPTIONS: usize = 25;
const CHOICES: usize = 25;
/// Names, descriptions and values of one command together.
const TOTAL: usize = 8000;

const COMMAND_FIELDS: [(&str, Kind); 12] = [
    ("type", Kind::Within(1, 3)),
    ("handler", Kind::Within(1, 2)),
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("name_localizations", Kind::Translations(NAME)),
    ("description_localizations", Kind::Translations(TEXT)),
    ("options", Kind::List),
    ("default_member_permissions", Kind::Permissions),
    ("dm_permission", Kind::Truth),
    ("nsfw", Kind::Truth),
    ("contexts", Kind::Numbers(&[0, 1, 2])),
    ("integration_types", Kind::Numbers(&[0, 1])),
];
const OPTION_FIELDS: [(&str, Kind); 13] = [
    ("type", Kind::Whole),
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("required", Kind::Truth),
    ("autocomplete", Kind::Truth),
    ("choices", Kind::List),
    ("channel_types", Kind::Numbers(&CHANNEL_TYPES)),
    ("min_value", Kind::Number),
    ("max_value", Kind::Number),
    ("min_length", Kind::Within(0, 6000)),
    ("max_length", Kind::Within(1, 6000)),
    ("name_localizations", Kind::Translations(NAME)),
    ("description_localizations", Kind::Translations(TEXT)),
];

const CHOICE_FIELDS: [(&str, Kind); 2] = [
    ("name", Kind::Text),
    ("name_localizations", Kind::Translations(TEXT)),
];
/// Discord's whole numbers are those a double holds exactly.
pub(crate) const LARGEST: i64 = (1 << 53) - 1;

const CHAT_INPUT: u64 = 1;
const SUB_COMMAND: u64 = 1;
const SUB_COMMAND_GROUP: u64 = 2;
const STRING: u64 = 3;
const INTEGER: u64 = 4;
const NUMBER: u64 = 10;
const LAST_OPTION_KIND: u64 = 11;

/// How many commands of each kind one scope has.
pub(crate) fn command_counts(commands: &[Value]) -> Result<(), Failure> {
    for (kind, max) in [
        (1, CHAT_INPUT_COMMANDS),
        (2, MENU_COMMANDS),
        (3, MENU_COMMANDS),
    ] {
        let of_kind = |command: &&Value| command_kind(command) == kind;
        if commands.iter().filter(of_kind).count() > max {
            return Err(Failure::too_many_commands(max));
        }
    }
    Ok(())
}

/// The whole set of commands of one scope.
pub(crate) fn commands(body: &Value) -> Result<(), Failure> {
    let mut form = Form::default();
    let commands = form.list("_", body);
    form.count("_", commands.len(), 0, LISTED);
    let mut names = HashSet::new();
    for (index, command) in commands.iter().enumerate() {
        let path = index.to_string();
        check_command(&mut form, &path, command);
        if !names.insert((command_kind(command), command["name"].as_str())) {
            refuse_name(&mut form, &format!("{path}.name"));
        }
    }
    form.finish()
}

/// A new name for a command, among the others of its scope.
pub(crate) fn command_name<'a>(
    command: &Value,
    mut others: impl Iterator<Item = &'a Value>,
) -> Result<(), Failure> {
    let mut form = Form::default();
    if others.any(|other| is_same_command(other, command)) {
        refuse_name(&mut form, "name");
    }
    form.finish()
}

/// Whether both have the same kind and name: a scope has one such command.
pub(crate) fn is_same_command(one: &Value, other: &Value) -> bool {
    command_kind(one) == command_kind(other) && one["name"] == other["name"]
}

fn refuse_name(form: &mut Form, path: &str) {
    let message = "Application command names must be unique";
    form.refuse(path, "APPLICATION_COMMANDS_DUPLICATE_NAME", message);
}

fn command_kind(command: &Value) -> u64 {
    command["type"].as_u64().unwrap_or(CHAT_INPUT)
}

fn check_command(form: &mut Form, path: &str, command: &Value) {
    shape::check(form, path, command, &COMMAND_FIELDS);
    for name in ["contexts", "integration_types"] {
        if command[name] == json!([]) {
            form.count(&format!("{path}.{name}"), 0, 1, 3);
        }
    }
    if command_kind(command) == CHAT_INPUT {
        check_name(form, path, &command["name"]);
        check_text(
            form,
            &format!("{path}.description"),
            &command["description"],
        );
    } else {
        let name = format!("{path}.name");
        if command["name"].is_null() {
            form.require(&name);
        }
        form.length(&name, &command["name"], 1, NAME);
        let description = format!("{path}.description");
        form.length(&description, &command["description"], 0, TEXT);
    }
    check_options(form, path, &command["options"], 0);
    if total(command) > TOTAL {
        let message = format!("Command exceeds maximum size ({TOTAL})");
        form.refuse(path, "APPLICATION_COMMAND_TOO_LARGE", message);
    }
}

fn check_name(form: &mut Form, path: &str, name: &Value) {
    let path = format!("{path}.name");
    let Some(text) = name.as_str() else {
        return form.require(&path);
    };
    let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '\'');
    let lower = text.to_lowercase() == text;
    if !(1..=NAME).contains(&text.chars().count()) || !text.chars().all(allowed) || !lower {
        form.refuse(
            &path,
            "APPLICATION_COMMAND_INVALID_NAME",
            "Command name is invalid",
        );
    }
}

fn check_text(form: &mut Form, path: &str, text: &Value) {
    if text.is_null() {
        return form.require(path);
    }
    form.length(path, text, 1, TEXT);
}

fn check_options(form: &mut Form, path: &str, options: &Value, depth: u8) {
    let options = form.list(&format!("{path}.options"), options);
    form.count(&format!("{path}.options"), options.len(), 0, OPTIONS);
    let mut names = HashSet::new();
    let mut optional_seen = false;
    for (index, option) in options.iter().enumerate() {
        let path = format!("{path}.options.{index}");
        shape::check(form, &path, option, &OPTION_FIELDS);
        check_option(form, &path, option, depth);
        if !names.insert(option["name"].as_str()) {
            let message = "Option name must be unique";
            form.refuse(
                &format!("{path}.name"),
                "APPLICATION_COMMAND_OPTIONS_NAME_INVALID",
                message,
            );
        }
        let required = option["required"] == true;
        if required && optional_seen {
            let message = "Required options must be placed before non-required options";
            form.refuse(
                &path,
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                message,
            );
        }
        optional_seen |= !required;
    }
    let nested = options.iter().filter(|option| is_nested(option)).count();
    if nested > 0 && nested < options.len() {
        let message = "Sub-command and sub-command group option types are mutually exclusive to all other types";
        form.refuse(
            &format!("{path}.options"),
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            message,
        );
    }
}

fn is_nested(option: &Value) -> bool {
    matches!(
        option["type"].as_u64(),
        Some(SUB_COMMAND | SUB_COMMAND_GROUP)
    )
}

fn check_option(form: &mut Form, path: &str, option: &Value, depth: u8) {
    check_name(form, path, &option["name"]);
    check_text(form, &format!("{path}.description"), &option["description"]);
    let kind = option["type"].as_u64().unwrap_or_default();
    match (kind, depth) {
        (SUB_COMMAND, 0 | 1) => check_options(form, path, &option["options"], 2),
        (SUB_COMMAND_GROUP, 0) => check_options(form, path, &option["options"], 1),
        (STRING..=LAST_OPTION_KIND, 0 | 2) => check_value(form, path, option, kind),
        _ => form.choice(&format!("{path}.type"), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"),
    }
}

fn check_value(form: &mut Form, path: &str, option: &Value, kind: u64) {
    if kind == INTEGER {
        let limit = Kind::Within(-LARGEST, LARGEST);
        shape::check(
            form,
            path,
            option,
            &[("min_value", limit), ("max_value", limit)],
        );
    }
    let choices = form.list(&format!("{path}.choices"), &option["choices"]);
    form.count(&format!("{path}.choices"), choices.len(), 0, CHOICES);
    if option["autocomplete"] == true && !choices.is_empty() {
        let message = "Choices and autocomplete exclude each other";
        form.refuse(
            path,
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
            message,
        );
    }
    for (index, choice) in choices.iter().enumerate() {
        check_choice(form, &format!("{path}.choices.{index}"), choice, kind);
    }
}

fn check_choice(form: &mut Form, path: &str, choice: &Value, kind: u64) {
    shape::check(form, path, choice, &CHOICE_FIELDS);
    check_text(form, &format!("{path}.name"), &choice["name"]);
    let value = &choice["value"];
    let fits = match kind {
        STRING => value.is_string(),
        INTEGER => value
            .as_i64()
            .is_some_and(|number| (-LARGEST..=LARGEST).contains(&number)),
        NUMBER => value.is_number(),
        _ => false,
    };
    if !fits {
        let message = "The value does not fit the option's type";
        form.refuse(
            &format!("{path}.value"),
            "APPLICATION_COMMAND_OPTIONS_CHOICE_INVALID",
            message,
        );
    }
    form.length(&format!("{path}.value"), value, 1, TEXT);
}

fn total(entry: &Value) -> usize {
    let count = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let choices: usize = list(&entry["choices"])
        .iter()
        .map(|choice| count(&choice["name"]) + count(&choice["value"]))
        .sum();
    let options: usize = list(&entry["options"]).iter().map(total).sum();
    count(&entry["name"]) + count(&entry["description"]) + choices + options
}

/// What a bot offers while somebody types.
pub(crate) fn choices(data: &Value) -> Result<(), Failure> {
    let mut form = Form::default();
    if data["choices"].is_null() {
        form.require("data.choices");
    }
    let choices = form.list("data.choices", &data["choices"]);
    let texts = choices.iter().filter(|choice| choice["value"].is_string());
    if !matches!(texts.count(), 0) && choices.iter().any(|choice| choice["value"].is_number()) {
        let message = "The values are not all of the option's type";
        form.refuse(
            "data.choices",
            "APPLICATION_COMMAND_OPTIONS_CHOICE_INVALID",
            message,
        );
    }
    form.count("data.choices", choices.len(), 0, CHOICES);
    for (index, choice) in choices.iter().enumerate() {
        let path = format!("data.choices.{index}");
        shape::check(&mut form, &path, choice, &CHOICE_FIELDS);
        check_text(&mut form, &format!("{path}.name"), &choice["name"]);
        let path = format!("{path}.value");
        match &choice["value"] {
            Value::Null => form.require(&path),
            value @ Value::String(_) => form.length(&path, value, 1, TEXT),
            Value::Number(_) => {}
            other => form.text(&path, other),
        }
    }
    form.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::choices;

    #[test]
    fn a_bot_offers_twenty_five_choices_at_most() {
        let offer = |count: usize| {
            let entry = |n: usize| json!({ "name": n.to_string(), "value": n });
            json!({ "choices": (0..count).map(entry).collect::<Vec<Value>>() })
        };
        assert!(choices(&offer(25)).is_ok());
        assert!(choices(&offer(26)).is_err());
        assert!(choices(&json!({})).is_err());
        assert!(choices(&json!({ "choices": [{ "name": "", "value": 1 }] })).is_err());
        let one = |name: usize, value: usize| {
            let choice = json!({ "name": "x".repeat(name), "value": "x".repeat(value) });
            choices(&json!({ "choices": [choice] }))
        };
        assert!(one(100, 100).is_ok());
        assert!(one(101, 1).is_err());
        assert!(one(1, 101).is_err());
    }
}
