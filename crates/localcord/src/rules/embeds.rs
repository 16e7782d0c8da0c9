use serde_json::Value;

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
    for name in ["title", "description"] {
        form.text(&format!("{path}.{name}"), &embed[name]);
    }
    let fields = form.list(&format!("{path}.fields"), &embed["fields"]);
    form.count(&format!("{path}.fields"), fields.len(), 0, FIELDS);
    for (index, field) in fields.iter().enumerate() {
        let path = format!("{path}.fields.{index}");
        for (name, max) in [("name", FIELD_NAME), ("value", FIELD_VALUE)] {
            let path = format!("{path}.{name}");
            match field[name].as_str() {
                Some(text) if !text.trim().is_empty() => form.length(&path, &field[name], 0, max),
                _ => form.require(&path),
            }
        }
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
