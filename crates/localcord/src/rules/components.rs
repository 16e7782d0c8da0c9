use std::collections::HashSet;

use serde_json::Value;

use super::shape::{self, Kind};
use crate::{
    ids::Id,
    rest::{Failure, Form},
};

const ROWS: usize = 5;
const BUTTONS: usize = 5;
const SELECT_OPTIONS: usize = 25;
const CUSTOM_ID: usize = 100;
const BUTTON_LABEL: usize = 80;
const PLACEHOLDER: usize = 150;
const OPTION_TEXT: usize = 100;
const MODAL_TITLE: usize = 45;
const MODAL_INPUTS: usize = 5;
const INPUT_LABEL: usize = 45;
const INPUT_VALUE: usize = 4000;

const COMPONENT_ID: Kind = Kind::Within(0, i32::MAX as i64);
/// The kinds of channels that Discord has.
pub(super) const CHANNEL_TYPES: [u64; 12] = [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15];

const BUTTON_FIELDS: [(&str, Kind); 7] = [
    ("id", COMPONENT_ID),
    ("custom_id", Kind::Text),
    ("label", Kind::Text),
    ("url", Kind::UpTo(512)),
    ("disabled", Kind::Truth),
    ("emoji", Kind::Emoji),
    ("sku_id", Kind::Snowflake),
];
const SELECT_FIELDS: [(&str, Kind); 9] = [
    ("id", COMPONENT_ID),
    ("custom_id", Kind::Text),
    ("placeholder", Kind::Text),
    ("min_values", Kind::Within(0, 25)),
    ("max_values", Kind::Within(1, 25)),
    ("required", Kind::Truth),
    ("disabled", Kind::Truth),
    ("default_values", Kind::List),
    ("channel_types", Kind::Numbers(&CHANNEL_TYPES)),
];
const OPTION_FIELDS: [(&str, Kind); 5] = [
    ("label", Kind::Text),
    ("value", Kind::Text),
    ("description", Kind::Text),
    ("default", Kind::Truth),
    ("emoji", Kind::Emoji),
];
const INPUT_FIELDS: [(&str, Kind); 8] = [
    ("id", COMPONENT_ID),
    ("custom_id", Kind::Text),
    ("label", Kind::Text),
    ("placeholder", Kind::Text),
    ("value", Kind::Text),
    ("min_length", Kind::Within(0, 4000)),
    ("max_length", Kind::Within(1, 4000)),
    ("required", Kind::Truth),
];

const ACTION_ROW: u64 = 1;
const BUTTON: u64 = 2;
const STRING_SELECT: u64 = 3;
const TEXT_INPUT: u64 = 4;
const LINK: u64 = 5;
const PREMIUM: u64 = 6;

pub(super) fn check(form: &mut Form, components: &Value) {
    let rows = form.list("components", components);
    form.count("components", rows.len(), 0, ROWS);
    let mut seen = HashSet::new();
    for (index, row) in rows.iter().enumerate() {
        check_row(form, &format!("components.{index}"), row, &mut seen);
    }
}

fn check_row<'a>(form: &mut Form, path: &str, row: &'a Value, seen: &mut HashSet<&'a str>) {
    if row["type"].as_u64() != Some(ACTION_ROW) {
        return form.choice(&format!("{path}.type"), "1");
    }
    shape::check(form, path, row, &[("id", COMPONENT_ID)]);
    let children = form.list(&format!("{path}.components"), &row["components"]);
    form.count(&format!("{path}.components"), children.len(), 1, BUTTONS);
    let selects = children
        .iter()
        .filter(|child| child["type"].as_u64() != Some(BUTTON))
        .count();
    if selects > 0 && children.len() > 1 {
        let message = "Component layout width exceeded";
        form.refuse(
            &format!("{path}.components"),
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            message,
        );
    }
    for (index, child) in children.iter().enumerate() {
        let path = format!("{path}.components.{index}");
        match child["type"].as_u64() {
            Some(BUTTON) => check_button(form, &path, child),
            Some(3 | 5..=8) => check_select(form, &path, child),
            _ => form.choice(&format!("{path}.type"), "2, 3, 5, 6, 7, 8"),
        }
        let id = child["custom_id"].as_str().filter(|id| !seen.insert(id));
        if id.is_some() {
            let message = "Component custom id cannot be duplicated";
            form.refuse(
                &format!("{path}.custom_id"),
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                message,
            );
        }
    }
}

fn check_button(form: &mut Form, path: &str, button: &Value) {
    shape::check(form, path, button, &BUTTON_FIELDS);
    form.length(&format!("{path}.label"), &button["label"], 0, BUTTON_LABEL);
    match button["style"].as_u64() {
        Some(LINK) if button["url"].is_null() => form.require(&format!("{path}.url")),
        Some(LINK | PREMIUM) => {}
        Some(1..=4) => check_custom_id(form, path, button),
        _ => form.choice(&format!("{path}.style"), "1, 2, 3, 4, 5, 6"),
    }
    let blank = |name: &str| button[name].is_null() || button[name] == "";
    if blank("label") && blank("emoji") && button["style"].as_u64() != Some(PREMIUM) {
        form.refuse(
            path,
            "BUTTON_COMPONENT_INVALID_BODY",
            "A button must have a label or emoji.",
        );
    }
}

fn check_custom_id(form: &mut Form, path: &str, component: &Value) {
    let path = format!("{path}.custom_id");
    if component["custom_id"].is_null() {
        return form.require(&path);
    }
    form.length(&path, &component["custom_id"], 1, CUSTOM_ID);
}

fn check_select(form: &mut Form, path: &str, select: &Value) {
    shape::check(form, path, select, &SELECT_FIELDS);
    check_custom_id(form, path, select);
    check_defaults(form, path, select);
    form.length(
        &format!("{path}.placeholder"),
        &select["placeholder"],
        0,
        PLACEHOLDER,
    );
    let (min, max) = (
        select["min_values"].as_u64().unwrap_or(1),
        select["max_values"].as_u64().unwrap_or(1),
    );
    if min > max || max > 25 {
        let message = "min_values must not exceed max_values, and max_values not 25";
        form.refuse(&format!("{path}.max_values"), "NUMBER_TYPE_MAX", message);
    }
    if select["type"].as_u64() != Some(STRING_SELECT) {
        return;
    }
    let options = form.list(&format!("{path}.options"), &select["options"]);
    form.count(&format!("{path}.options"), options.len(), 1, SELECT_OPTIONS);
    let mut values = HashSet::new();
    for (index, option) in options.iter().enumerate() {
        let path = format!("{path}.options.{index}");
        shape::check(form, &path, option, &OPTION_FIELDS);
        for name in ["label", "value"] {
            if option[name].is_null() {
                form.require(&format!("{path}.{name}"));
            }
            form.length(&format!("{path}.{name}"), &option[name], 1, OPTION_TEXT);
        }
        form.length(
            &format!("{path}.description"),
            &option["description"],
            0,
            OPTION_TEXT,
        );
        if option["value"]
            .as_str()
            .is_some_and(|value| !values.insert(value))
        {
            let message = "The specified option value is already used";
            form.refuse(
                &format!("{path}.value"),
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                message,
            );
        }
    }
}

/// What is chosen from the start: people, roles, channels, as the select offers them.
fn check_defaults(form: &mut Form, path: &str, select: &Value) {
    let kinds: &[&str] = match select["type"].as_u64() {
        Some(5) => &["user"],
        Some(6) => &["role"],
        Some(7) => &["user", "role"],
        Some(8) => &["channel"],
        _ => &[],
    };
    let path = format!("{path}.default_values");
    let defaults = form.list(&path, &select["default_values"]);
    form.count(&path, defaults.len(), 0, SELECT_OPTIONS);
    for (index, entry) in defaults.iter().enumerate() {
        let known = entry["type"]
            .as_str()
            .is_some_and(|kind| kinds.contains(&kind));
        if !known || Id::read(&entry["id"]).is_none() {
            let message = "Invalid default value";
            form.refuse(
                &format!("{path}.{index}"),
                "SELECT_COMPONENT_INVALID_DEFAULT_VALUE",
                message,
            );
        }
    }
}

/// A modal of rows with one text input each.
pub(crate) fn modal(data: &Value) -> Result<(), Failure> {
    let mut form = Form::default();
    let fields = [("title", Kind::Text), ("custom_id", Kind::Text)];
    shape::check(&mut form, "data", data, &fields);
    for (name, max) in [("title", MODAL_TITLE), ("custom_id", CUSTOM_ID)] {
        if data[name].is_null() {
            form.require(&format!("data.{name}"));
        }
        form.length(&format!("data.{name}"), &data[name], 1, max);
    }
    let rows = form.list("data.components", &data["components"]);
    form.count("data.components", rows.len(), 1, MODAL_INPUTS);
    let mut seen = HashSet::new();
    for (index, row) in rows.iter().enumerate() {
        if row["type"].as_u64() != Some(ACTION_ROW) {
            form.choice(&format!("data.components.{index}.type"), "1");
        }
        shape::check(
            &mut form,
            &format!("data.components.{index}"),
            row,
            &[("id", COMPONENT_ID)],
        );
        let path = format!("data.components.{index}.components");
        let inputs = form.list(&path, &row["components"]);
        form.count(&path, inputs.len(), 1, 1);
        for input in inputs {
            check_input(&mut form, &format!("{path}.0"), input);
            if input["custom_id"]
                .as_str()
                .is_some_and(|id| !seen.insert(id))
            {
                let message = "Component custom id cannot be duplicated";
                form.refuse(
                    &format!("{path}.0.custom_id"),
                    "COMPONENT_CUSTOM_ID_DUPLICATED",
                    message,
                );
            }
        }
    }
    form.finish()
}

fn check_input(form: &mut Form, path: &str, input: &Value) {
    if input["type"].as_u64() != Some(TEXT_INPUT) {
        return form.choice(&format!("{path}.type"), "4");
    }
    shape::check(form, path, input, &INPUT_FIELDS);
    check_custom_id(form, path, input);
    if input["label"].is_null() {
        form.require(&format!("{path}.label"));
    }
    form.length(&format!("{path}.label"), &input["label"], 1, INPUT_LABEL);
    form.length(
        &format!("{path}.placeholder"),
        &input["placeholder"],
        0,
        100,
    );
    form.length(&format!("{path}.value"), &input["value"], 0, INPUT_VALUE);
    if !matches!(input["style"].as_u64(), Some(1 | 2)) {
        form.choice(&format!("{path}.style"), "1, 2");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::modal;

    fn honest() -> Value {
        let input = json!({
            "type": 4, "custom_id": "why", "label": "Why", "style": 1, "placeholder": "p", "value": "v",
        });
        json!({ "title": "t", "custom_id": "c", "components": [{ "type": 1, "components": [input] }] })
    }

    #[test]
    fn a_modal_takes_what_fits_and_no_more() {
        for (place, most) in [
            ("/title", 45),
            ("/custom_id", 100),
            ("/components/0/components/0/custom_id", 100),
            ("/components/0/components/0/label", 45),
            ("/components/0/components/0/placeholder", 100),
            ("/components/0/components/0/value", 4000),
        ] {
            let with = |length: usize| {
                let mut body = honest();
                *body.pointer_mut(place).unwrap() = json!("x".repeat(length));
                modal(&body)
            };
            assert!(with(most).is_ok(), "{place}");
            assert!(with(most + 1).is_err(), "{place}");
        }
    }

    #[test]
    fn a_modal_has_five_inputs_at_most() {
        let with = |count: usize| {
            let row = |n: usize| {
                let mut row = honest()["components"][0].clone();
                row["components"][0]["custom_id"] = json!(n.to_string());
                row
            };
            let mut body = honest();
            body["components"] = (0..count).map(row).collect();
            modal(&body)
        };
        assert!(with(0).is_err());
        assert!(with(5).is_ok());
        assert!(with(6).is_err());
    }
}
