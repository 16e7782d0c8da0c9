//! The fleet at a glance.

use chrono::{DateTime, Utc};
use serenity::all::{ButtonStyle, Colour, CreateActionRow, CreateEmbed};

use super::{
    Rendered, button, row,
    text::{self, ago, bytes, clip, sentence},
};
use crate::{
    discord::press::Press,
    domain::{
        agent::State,
        freeze::Freeze,
        view::{EngineState, Glance, Host, View},
    },
};

/// Discord's limit for an embed's description.
const DESCRIPTION_MAX: usize = 4096;

pub fn fleet(glance: &Glance, now: DateTime<Utc>) -> Rendered {
    let worst = State::ALL
        .into_iter()
        .find(|state| glance.counts.contains_key(state));
    let embed = CreateEmbed::new()
        .title(title(glance))
        .description(clip(&list(glance), DESCRIPTION_MAX))
        .colour(worst.map_or(Colour::DARK_GREY, colour))
        .field("Host", figures(&glance.host), false)
        .timestamp(now);
    Rendered {
        content: summary(glance),
        embeds: vec![embed],
        rows: pages(glance).into_iter().collect(),
        ..Rendered::default()
    }
}

/// One mark per state, told apart by shape as well as by colour.
pub const fn mark(state: State) -> &'static str {
    match state {
        State::Down => "🔴",
        State::Unhealthy | State::Unreachable => "🟠",
        State::Degraded => "🟤",
        State::CrashLooping => "🧯",
        State::Blocked => "⛔",
        State::Waiting => "🙋",
        State::Exited => "🏁",
        State::Unknown => "❔",
        State::Changing => "⏳",
        State::Starting => "🟡",
        State::Running => "🟢",
        State::Frozen => "🧊",
        State::Paused => "⏸️",
        State::Stopped => "⚫",
    }
}

pub const fn colour(state: State) -> Colour {
    match state {
        State::Down | State::CrashLooping | State::Blocked => Colour::RED,
        State::Unhealthy | State::Unreachable | State::Degraded | State::Waiting => Colour::ORANGE,
        State::Unknown | State::Stopped | State::Exited | State::Frozen | State::Paused => {
            Colour::DARK_GREY
        }
        State::Changing | State::Starting => Colour::GOLD,
        State::Running => Colour::DARK_GREEN,
    }
}

fn title(glance: &Glance) -> String {
    let whose = glance
        .fleet
        .as_ref()
        .map_or_else(|| "All fleets".to_owned(), |fleet| format!("Fleet {fleet}"));
    if glance.pages > 1 {
        format!("{whose}, page {} of {}", glance.page + 1, glance.pages)
    } else {
        whose
    }
}

fn summary(glance: &Glance) -> String {
    let counts: Vec<String> = State::ALL
        .into_iter()
        .filter_map(|state| {
            glance
                .counts
                .get(&state)
                .map(|count| format!("{} {count} {}", mark(state), state.as_str()))
        })
        .collect();
    let mut lines = vec![if counts.is_empty() {
        "No agents yet. `/deploy` makes the first one.".to_owned()
    } else {
        format!(
            "{}: {}",
            text::count(glance.total, "agent"),
            counts.join(", ")
        )
    }];
    lines.extend(glance.freezes.iter().map(|freeze| format!("🧊 {freeze}")));
    if let EngineState::Silent { since, why } = &glance.engine {
        lines.push(format!(
            "⚠️ Docker has not answered since {}: {}. States are as they were.",
            ago(*since),
            sentence(why, 200)
        ));
    }
    let backlog = glance.backlog;
    if backlog.dead > 0 {
        lines.push(format!(
            "⚠️ {} messages could not be delivered; the log says why.",
            backlog.dead
        ));
    }
    if backlog.waiting > 10 {
        lines.push(format!("⚠️ {} messages wait to be sent.", backlog.waiting));
    }
    if glance.refused > 0 {
        lines.push(format!(
            "🚫 {} refused since the start; `/audit what:refused` tells whom.",
            text::count(
                usize::try_from(glance.refused).unwrap_or(usize::MAX),
                "request"
            )
        ));
    }
    lines.join("\n")
}

fn list(glance: &Glance) -> String {
    let mut lines = Vec::new();
    let mut fleet = None;
    for view in &glance.views {
        if fleet != Some(&view.fleet) {
            fleet = Some(&view.fleet);
            lines.push(format!("**{}**", view.fleet));
        }
        let is_frozen = |freeze: &Freeze| freeze.covers(view.agent.fleet);
        // Said by its own mark, if it stands still for it.
        let frozen = view.state != State::Frozen && glance.freezes.iter().any(is_frozen);
        lines.push(format!(
            "{}{}",
            line(view),
            if frozen { " · 🧊" } else { "" }
        ));
    }
    lines.join("\n")
}

fn line(view: &View) -> String {
    let since = view.observed.as_ref().and_then(|seen| {
        if seen.phase.is_up() {
            seen.started_at
        } else {
            seen.finished_at
        }
    });
    let usage = view.usage.map_or_else(String::new, |usage| {
        format!(
            " · {:.0} % CPU, {}",
            usage.cpus * 100.0,
            bytes(usage.memory_bytes)
        )
    });
    let busy = view
        .busy
        .map_or_else(String::new, |busy| format!(" ({})", busy.kind));
    let word = view.state.as_str();
    format!(
        "{} `{}` {word}{busy}, {}{usage}",
        mark(view.state),
        view.agent.name,
        ago(since.unwrap_or(view.since))
    )
}

pub(super) fn figures(host: &Host) -> String {
    if host.memory_total_bytes == 0 {
        return "not measured yet".to_owned();
    }
    let mut parts = vec![
        format!("CPU {:.0} %", host.cpu_percent),
        of("memory", host.memory_used_bytes, host.memory_total_bytes),
    ];
    if host.swap_used_bytes > 0 {
        parts.push(of("swap", host.swap_used_bytes, host.swap_total_bytes));
    }
    let disk = host.fullest_disk();
    parts.extend(disk.map(|disk| of("disk", disk.used_bytes, disk.total_bytes)));
    parts.push(format!(
        "load {:.1} on {}",
        host.load,
        text::count(host.cpus as usize, "CPU")
    ));
    let pressure = |what: &str, share: Option<f64>| {
        let share = share.filter(|share| *share >= 1.0)?;
        Some(format!("{what} pressure {share:.0} %"))
    };
    parts.extend(pressure("memory", host.memory_pressure));
    parts.extend(pressure("I/O", host.io_pressure));
    parts.join(" · ")
}

fn of(what: &str, used: u64, total: u64) -> String {
    format!("{what} {} of {}", bytes(used), bytes(total))
}

fn pages(glance: &Glance) -> Option<CreateActionRow> {
    let turn = |page: usize, label: &str, possible: bool| {
        let id = Press::Page(page, glance.fleet.clone()).to_string();
        button(id, label, ButtonStyle::Secondary).disabled(!possible)
    };
    (glance.pages > 1).then(|| {
        row(vec![
            turn(glance.page.saturating_sub(1), "◀", glance.page > 0),
            // Both buttons of the first page would otherwise bear the same id.
            turn(glance.page + 1, "▶", glance.page + 1 < glance.pages),
        ])
    })
}
