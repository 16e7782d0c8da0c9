//! The audit, for people: rows, the way of an agent, and what is noted down once a day.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use serenity::all::ButtonStyle;

use super::{
    CONTENT_MAX, File, Rendered, button, row,
    text::{clip, code, count, escape, sentence},
};
use crate::{
    discord::press::Press,
    domain::{
        audit::{Record, chain::Anchor, search::Page},
        view::View,
    },
};

/// As much of a reason or an outcome as a line bears.
const TEXT_MAX: usize = 90;
/// Room for what stands around the lines.
const AROUND: usize = 250;
/// Discord takes 10 MiB without a boost.
const FILE_MAX: usize = 8 * 1024 * 1024;

/// One line and a hint; the whole of it stands in the channel's history, out of the database's reach.
pub fn anchor(day: NaiveDate, anchor: &Anchor) -> String {
    format!(
        "⚓ The audit on {day}: `{anchor}`\nWhether it was rewritten up to there: `yardarm audit verify --anchor {anchor}`"
    )
}

pub fn page(page: &Page) -> Rendered {
    if page.records.is_empty() {
        return Rendered::text(if page.number == 0 {
            "Nothing of that kind was told, or nothing that you may see. Ask for less: `/audit agent:` alone, for example."
        } else {
            "There is no more."
        });
    }
    let turn = |to: u32, label: &str, possible: bool| {
        let id = Press::Audit(page.search, to).to_string();
        button(id, label, ButtonStyle::Secondary).disabled(!possible)
    };
    let only = page.number == 0 && page.is_last;
    Rendered {
        content: lines(&page.records),
        rows: if only {
            Vec::new()
        } else {
            vec![row(vec![
                turn(page.number.saturating_sub(1), "◀ Newer", page.number > 0),
                turn(page.number + 1, "Older ▶", !page.is_last),
            ])]
        },
        ..Rendered::default()
    }
}

/// All of them: the next page begins after the last, so their texts give way and no row does.
fn lines(records: &[Record]) -> String {
    let within = |max| {
        let lines: Vec<String> = records.iter().map(|record| line(record, max)).collect();
        lines.join("\n")
    };
    let fits = |text: &String| text.encode_utf16().count() <= CONTENT_MAX;
    let found = (1..=TEXT_MAX).rev().map(within).find(fits);
    found.unwrap_or_else(|| within(0))
}

/// What happened; of each text at most `max`.
fn line(record: &Record, max: usize) -> String {
    let name = record.agent_name.as_ref().or(record.fleet_name.as_ref());
    let name = name.map(|name| code(name, TEXT_MAX));
    let parts = [
        Some(format!(
            "`{}` {} **{}**",
            record.number,
            at(record, 'f'),
            escape(&record.what)
        )),
        record.kind.as_deref().map(escape),
        about(record, max).or(name),
        Some(format!("· {}", who(record))),
        record.text.as_deref().map(|text| quoted(text, max)),
        record.action_id.map(|id| format!("· action {id}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What an action is about besides agents; our own words.
fn about(record: &Record, max: usize) -> Option<String> {
    let details: Value = serde_json::from_str(&record.details).ok()?;
    let about = details["about"].as_str()?;
    Some(sentence(about, max))
}

fn quoted(text: &str, max: usize) -> String {
    format!("“{}”", escape(&clip(text, max)))
}

fn who(record: &Record) -> String {
    match record.actor {
        Some(actor) => format!("by <@{}>", actor.cast_unsigned()),
        None => format!("by Yardarm ({})", escape(&record.origin)),
    }
}

/// In the reader's own zone; `style` is Discord's letter for it.
fn at(record: &Record, style: char) -> String {
    let time = record.at.parse::<DateTime<Utc>>();
    time.map_or_else(
        |_| escape(&record.at),
        |at| format!("<t:{}:{style}>", at.timestamp()),
    )
}

/// One JSON object a line, as `yardarm audit export` prints it.
pub fn file(records: &[Record]) -> Rendered {
    let (mut bytes, mut rows) = (Vec::new(), 0);
    for record in records {
        let line = format!("{}\n", record.to_json());
        if bytes.len() + line.len() > FILE_MAX {
            break;
        }
        bytes.extend(line.into_bytes());
        rows += 1;
    }
    let cut = if rows < records.len() {
        format!(
            ", the oldest of {}; `yardarm audit export` on the host has no bound",
            records.len()
        )
    } else {
        String::new()
    };
    Rendered {
        content: format!("The audit, {}{cut}", count(rows, "row")),
        files: vec![File {
            name: "audit.jsonl".to_owned(),
            bytes,
        }],
        ..Rendered::default()
    }
}

/// How an agent came to its state. What does not fit is the oldest.
pub fn way(view: &View, records: &[Record]) -> Rendered {
    let name = &view.agent.name;
    let head = format!(
        "**{name}** is {}. How it came to that:",
        view.state.as_str()
    );
    let mut steps: Vec<String> = chapters(records)
        .iter()
        .map(|chapter| step(chapter))
        .collect();
    let (mut kept, mut room) = (0, CONTENT_MAX - AROUND);
    for step in steps.iter().rev() {
        let length = step.encode_utf16().count() + 1;
        if length > room {
            break;
        }
        (kept, room) = (kept + 1, room - length);
    }
    let left_out = steps.len() - kept;
    steps.drain(..left_out);
    if left_out > 0 {
        steps.insert(
            0,
            format!(
                "… {} before; `/audit agent:{name}` has them",
                count(left_out, "step")
            ),
        );
    }
    if steps.is_empty() {
        steps.push("Nothing was told of it, or nothing that you may see.".to_owned());
    }
    Rendered::text(format!("{head}\n{}", steps.join("\n")))
}

/// What belongs to one action, where it began; everything else by itself.
fn chapters(records: &[Record]) -> Vec<Vec<&Record>> {
    let mut chapters: Vec<Vec<&Record>> = Vec::new();
    for record in records {
        let same = |chapter: &&mut Vec<&Record>| {
            record.action_id.is_some() && chapter[0].action_id == record.action_id
        };
        match chapters.iter_mut().find(same) {
            Some(chapter) => chapter.push(record),
            None => chapters.push(vec![record]),
        }
    }
    chapters
}

fn step(chapter: &[&Record]) -> String {
    let Some((first, rest)) = chapter.split_first() else {
        return String::new();
    };
    let Some(kind) = &first.kind else {
        let text = first
            .text
            .as_deref()
            .map(|text| quoted(text, TEXT_MAX))
            .unwrap_or_default();
        return format!("{} **{}** {text}", at(first, 'f'), escape(&first.what));
    };
    let mut parts = vec![format!(
        "{} **{}** {}",
        at(first, 'f'),
        escape(kind),
        who(first)
    )];
    parts.extend(
        first
            .text
            .as_deref()
            .map(|reason| format!("because {}", quoted(reason, TEXT_MAX))),
    );
    parts.push(escape(&first.what));
    for record in rest {
        // Whoever else had a hand in it.
        let by = (record.actor != first.actor).then(|| format!(" {}", who(record)));
        let text = record
            .text
            .as_deref()
            .map(|text| format!(" {}", quoted(text, TEXT_MAX)));
        let (by, text) = (by.unwrap_or_default(), text.unwrap_or_default());
        parts.push(format!("{}{by}{text}", escape(&record.what)));
    }
    parts.extend(first.action_id.map(|id| format!("action {id}")));
    parts.join(" · ")
}
