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

const URL: usize = 2048;

const EMBED: [(&str, Kind); 13] = [
    ("type", Kind::Text),
    ("title", Kind::Text),
    ("description", Kind::Text),
    ("url", Kind::UpTo(URL)),
    ("timestamp", Kind::Text),
    ("color", Kind::Within(0, 0xff_ffff)),
    ("footer", Kind::Object),
    ("author", Kind::Object),
    ("image", Kind::Object),
    ("thumbnail", Kind::Object),
    ("provider", Kind::Object),
    ("video", Kind::Object),
    ("fields", Kind::List),
];
const PART: [(&str, Kind); 8] = [
    ("text", Kind::Text),
    ("name", Kind::Text),
    ("url", Kind::UpTo(URL)),
    ("icon_url", Kind::UpTo(URL)),
    ("width", Kind::Whole),
    ("height", Kind::Whole),
    ("description", Kind::UpTo(DESCRIPTION)),
    ("placeholder", Kind::UpTo(64)),
];

/// Whether Discord knows this of an embed.
pub(crate) fn is_key_of_embed(key: &str) -> bool {
    EMBED.iter().any(|(known, _)| *known == key)
}

/// Whether it knows this of an object in an embed.
pub(crate) fn is_key_of_embed_part(key: &str) -> bool {
    PART.iter().any(|(known, _)| *known == key)
}

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

/// The objects in an embed and its time.
fn check_parts(form: &mut Form, path: &str, embed: &Value) {
    for (part, needed) in [
        ("footer", Some("text")),
        ("author", Some("name")),
        ("image", Some("url")),
        ("thumbnail", Some("url")),
        ("provider", None),
        ("video", None),
    ] {
        let (place, part) = (format!("{path}.{part}"), &embed[part]);
        shape::check(form, &place, part, &PART);
        if let Some(needed) = needed.filter(|needed| part.is_object() && part[*needed].is_null()) {
            form.require(&format!("{place}.{needed}"));
        }
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
