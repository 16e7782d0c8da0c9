//! Log lines: in the message if they fit, else as a file.

use chrono::{DateTime, Utc};
use serenity::all::ButtonStyle;

use super::{
    CONTENT_MAX, File, Rendered, button, row,
    text::{ago, clip, code_block, count, escape},
};
use crate::{
    discord::press::Press,
    domain::{agent::Name, ids::AgentId},
};

/// Room for the head line and the foot line.
const AROUND: usize = 300;
/// As much of a filter as is worth repeating.
const FILTER_SHOWN: usize = 100;
/// Discord takes 10 MiB without a boost; the end of the log is what is kept.
const FILE_MAX: usize = 8 * 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extract {
    pub agent: AgentId,
    pub name: Name,
    /// Oldest first.
    pub lines: Vec<String>,
    pub filter: Option<String>,
}

pub fn extract(extract: &Extract) -> Rendered {
    let text = extract.lines.join("\n");
    let filter = extract.filter.as_deref().map_or_else(String::new, |text| {
        format!(" with “{}”", escape(&clip(text, FILTER_SHOWN)))
    });
    let head = format!(
        "Log of `{}`: {}{filter}",
        extract.name,
        count(extract.lines.len(), "line")
    );
    let rows = vec![row(vec![button(
        Press::Follow(extract.agent).to_string(),
        "Follow",
        ButtonStyle::Secondary,
    )])];
    if extract.lines.is_empty() {
        return Rendered {
            content: format!("The log of `{}` has no line{filter}.", extract.name),
            rows,
            ..Rendered::default()
        };
    }
    let block = code_block(&text, usize::MAX);
    if block.encode_utf16().count() <= CONTENT_MAX - AROUND {
        return Rendered {
            content: format!("{head}\n{block}"),
            rows,
            ..Rendered::default()
        };
    }
    let bytes = text.as_bytes();
    let end = bytes
        .get(bytes.len().saturating_sub(FILE_MAX)..)
        .unwrap_or_default();
    Rendered {
        content: format!(
            "{head}, in the file. The last of them:\n{}",
            code_block(&text, 1000)
        ),
        rows,
        files: vec![File {
            name: format!("{}.log", extract.name),
            bytes: end.to_vec(),
        }],
        ..Rendered::default()
    }
}

/// While lines still come.
pub fn following(extract: &Extract, until: DateTime<Utc>) -> Rendered {
    let head = format!(
        "Following the log of `{}`, until {}",
        extract.name,
        ago(until)
    );
    Rendered::text(format!(
        "{head}\n{}",
        code_block(&extract.lines.join("\n"), CONTENT_MAX - AROUND)
    ))
}

/// When no more come.
pub fn followed(extract: &Extract, why: &str) -> Rendered {
    let head = format!("Followed the log of `{}`; {why}", extract.name);
    Rendered {
        content: format!(
            "{head}\n{}",
            code_block(&extract.lines.join("\n"), CONTENT_MAX - AROUND)
        ),
        rows: vec![row(vec![button(
            Press::Follow(extract.agent).to_string(),
            "Follow again",
            ButtonStyle::Secondary,
        )])],
        ..Rendered::default()
    }
}
