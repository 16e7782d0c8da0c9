use serde_json::Value;

use crate::objects::list;

/// A message as one reads it: the content, then each embed from top to bottom.
pub(crate) fn readable(message: &Value) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut push = |text: &Value| {
        if let Some(text) = text.as_str().filter(|text| !text.is_empty()) {
            lines.push(text.to_owned());
        }
    };
    push(&message["content"]);
    for embed in list(&message["embeds"]) {
        push(&embed["author"]["name"]);
        push(&embed["title"]);
        push(&embed["description"]);
        for field in list(&embed["fields"]) {
            let (name, value) = (field["name"].as_str(), field["value"].as_str());
            push(&Value::String(format!(
                "{}: {}",
                name.unwrap_or_default(),
                value.unwrap_or_default()
            )));
        }
        push(&embed["footer"]["text"]);
    }
    lines.join("\n")
}
