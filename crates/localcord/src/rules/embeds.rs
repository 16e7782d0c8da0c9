use chrono::DateTime;
use serde_json::Value;

use super::shape::{self, Kind};
use crate::{objects::list, rest::Form};

const EMBEDS: usize = 10;
const TOTAL: usize = 6000;
const TITLE: usize = 256;
const DESCRIPTION: usize = 4096;
const FIELDS: usize = 25;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1024;
const FOOTER: usize = 2048;
const AUTHOR: usize = 256;
const LAST_COLOUR: i64 = 0xff_ffff;

const EMBED: [(&str, Kind); 10] = [
    ("title", Kind::Text),
    ("description", Kind::Text),
    ("url", Kind::Text),
    ("timestamp", Kind::Text),
    ("color", Kind::Whole),
    ("footer", Kind::Object),
    ("author", Kind::Object),
    ("image", Kind::Object),
    ("thumbnail", Kind::Object),
    ("fields", Kind::List),
];

pub(super) fn check(form: &mut Form, embeds: &Value) {
    let embeds = form.list("embeds", embeds);
    form.count("embeds", embeds.len(), 0, EMBEDS);
    for (index, embed) in embeds.iter().enumerate() {
        check_one(form, &format!("embeds.{index}"), embed);
    }
    if embeds.iter().map(size).sum::<usize>() > TOTAL {
        form.refuse(
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
            format!("Embed size exceeds maximum size of {TOTAL}"),
        );
    }
}

fn check_one(form: &mut Form, path: &str, embed: &Value) {
    shape::check(form, path, embed, &EMBED);
    check_parts(form, path, embed);
    form.length(&format!("{path}.title"), &embed["title"], 0, TITLE);
    form.length(
        &format!("{path}.description"),
        &embed["description"],
        0,
        DESCRIPTION,
    );
    form.length(
        &format!("{path}.footer.text"),
        &embed["footer"]["text"],
        0,
        FOOTER,
    );
    form.length(
        &format!("{path}.author.name"),
        &embed["author"]["name"],
        0,
        AUTHOR,
    );
    let fields = form.list(&format!("{path}.fields"), &embed["fields"]);
    form.count(&format!("{path}.fields"), fields.len(), 0, FIELDS);
    for (index, field) in fields.iter().enumerate() {
        let path = format!("{path}.fields.{index}");
        shape::check(form, &path, field, &[("inline", Kind::Truth)]);
        for (name, max) in [("name", FIELD_NAME), ("value", FIELD_VALUE)] {
            let path = format!("{path}.{name}");
            match field[name].as_str() {
                Some(text) if !text.trim().is_empty() => form.length(&path, &field[name], 0, max),
                _ => form.require(&path),
            }
        }
    }
}

/// The objects in an embed, its colour and its time.
fn check_parts(form: &mut Form, path: &str, embed: &Value) {
    for (part, needed, text) in [
        ("footer", "text", "icon_url"),
        ("author", "name", "url"),
        ("image", "url", "url"),
        ("thumbnail", "url", "url"),
    ] {
        let (place, part) = (format!("{path}.{part}"), &embed[part]);
        shape::check(
            form,
            &place,
            part,
            &[(needed, Kind::Text), (text, Kind::Text)],
        );
        if part.is_object() && part[needed].is_null() {
            form.require(&format!("{place}.{needed}"));
        }
    }
    let colour = embed["color"].as_i64().unwrap_or_default();
    if !(0..=LAST_COLOUR).contains(&colour) {
        let message = format!("int value should be between 0 and {LAST_COLOUR}.");
        form.refuse(&format!("{path}.color"), "NUMBER_TYPE_MAX", message);
    }
    let time = embed["timestamp"]
        .as_str()
        .map(DateTime::parse_from_rfc3339);
    if matches!(time, Some(Err(_))) {
        let message = "Could not parse. Should be ISO8601.";
        form.refuse(&format!("{path}.timestamp"), "DATETIME_TYPE_PARSE", message);
    }
}

/// What counts towards the 6000: titles, descriptions, fields, footers and authors.
fn size(embed: &Value) -> usize {
    let count = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let fields: usize = list(&embed["fields"])
        .iter()
        .map(|field| count(&field["name"]) + count(&field["value"]))
        .sum();
    let plain = count(&embed["title"]) + count(&embed["description"]);
    plain + fields + count(&embed["footer"]["text"]) + count(&embed["author"]["name"])
}
