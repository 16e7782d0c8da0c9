//! Schedules and their runs.

use chrono::{DateTime, Utc};

use super::{
    Rendered,
    text::{clip, sentence},
};
use crate::domain::{
    action::State,
    outbox::Subject,
    schedule::{Order, Run, Schedule, Source, Stage},
};

/// More than these are counted, not listed.
const SHOWN: usize = 12;
/// Room for one of them.
const ENTRY_MAX: usize = 290;
/// Room for a reason.
const WHY_MAX: usize = 400;
/// Times that are told when a schedule is made.
const UPCOMING: usize = 3;

pub fn list(schedules: &[Schedule]) -> Rendered {
    let mut lines: Vec<String> = schedules.iter().take(SHOWN).map(entry).collect();
    if schedules.is_empty() {
        lines.push("There is no schedule. `/schedule add` makes one.".to_owned());
    }
    if schedules.len() > SHOWN {
        lines.push(format!("-# … and {} more", schedules.len() - SHOWN));
    }
    Rendered::text(clip(&lines.join("\n"), super::CONTENT_MAX))
}

fn entry(schedule: &Schedule) -> String {
    let order = &schedule.order;
    let mark = if schedule.paused.is_some() {
        "⏸️"
    } else {
        "⏰"
    };
    let whose = match (schedule.source, schedule.owner) {
        (Source::Chat, Some(owner)) => format!(" · by <@{owner}>"),
        (source, _) => format!(" · {}", source.as_str()),
    };
    let next = match (&schedule.paused, schedule.next) {
        (Some(why), _) => format!("paused: {}", sentence(why, WHY_MAX)),
        (None, Some(next)) => format!("next {}", stamps(next)),
        (None, None) => "has ended".to_owned(),
    };
    let last = schedule
        .last
        .as_ref()
        .map_or_else(String::new, |run| format!(" · last {}", outcome(run)));
    let text = format!(
        "{mark} **{}** {} · `{}` {}{whose}\n-# {next}{last}",
        order.name,
        order.does(),
        order.cron,
        order.zone
    );
    clip(&text, ENTRY_MAX)
}

fn stamps(at: DateTime<Utc>) -> String {
    format!("<t:{0}:F> (<t:{0}:R>)", at.timestamp())
}

/// How a run ended, or what it waits for.
fn outcome(run: &Run) -> String {
    let at = format!("<t:{}:R>", run.planned.timestamp());
    let why = run.outcome.as_deref();
    let why = why.map_or_else(String::new, |why| format!(": {}", sentence(why, WHY_MAX)));
    match (run.stage, run.action) {
        (Stage::Submitted, Some((id, state))) => {
            let word = match state {
                State::Succeeded => "done",
                State::Asked => "waits for approval",
                State::Pending | State::Running => "under way",
                over => over.as_str(),
            };
            format!("{at} {word} (action {id})")
        }
        (Stage::Claimed, _) => format!("{at} waits{why}"),
        (Stage::Skipped, _) => format!("{at} left out{why}"),
        (Stage::Refused, _) => format!("{at} refused{why}"),
        (Stage::Done | Stage::Submitted, _) => format!("{at} done"),
    }
}

/// The next times after an instant, as a clock in the zone shows them and as Discord shows them to whoever reads.
pub(super) fn upcoming(order: &Order, after: DateTime<Utc>) -> String {
    let mut lines = vec![format!("Next, in {}:", order.zone)];
    let mut at = after;
    for _ in 0..UPCOMING {
        let Some(next) = order.next(at) else { break };
        let local = next.with_timezone(&order.zone);
        lines.push(format!(
            "- {} · {}",
            local.format("%a %d %b %Y %H:%M"),
            stamps(next)
        ));
        at = next;
    }
    lines.join("\n")
}

/// That a run could not be, or that a schedule is paused because of it.
pub fn notice(schedule: &Schedule, run: &Run) -> Rendered {
    let name = &schedule.order.name;
    let text = match (run.stage, &schedule.paused) {
        (Stage::Refused, _) => {
            let why = run.outcome.as_deref().unwrap_or_default();
            format!(
                "⚠️ Schedule **{name}** could not {}: {}\nIt is tried again at its next time; `/schedule list` shows it.",
                schedule.order.does(),
                sentence(why, WHY_MAX)
            )
        }
        (_, Some(why)) => format!(
            "⏸️ Schedule **{name}** ({}) is paused: {}\nWhoever may have it done removes it and adds it anew, or `/schedule resume` once its owner may again.",
            schedule.order.does(),
            sentence(why, WHY_MAX)
        ),
        (_, None) => format!("▶️ Schedule **{name}** was paused and is not any more."),
    };
    let mark = Subject::Schedule(run.id).mark();
    Rendered::text(format!("{}\n-# {mark}", clip(&text, 1500)))
}
