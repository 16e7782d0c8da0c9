//! One agent's card.

use chrono::{DateTime, Utc};
use serenity::all::{ButtonStyle, CreateEmbed};

use super::{
    Rendered, button, row, stats,
    status::{colour, mark},
    text::{ago, bytes, clip, code, code_block, sentence},
};
use crate::{
    discord::press::Press,
    domain::{
        action::Kind,
        agent::{Health, Observation},
        freeze::Freeze,
        history::Trend,
        probe::{Probed, Verdict},
        spec::Version,
        view::View,
    },
};

/// `freeze` is what holds its fleet.
pub fn card(view: &View, freeze: Option<&Freeze>, now: DateTime<Utc>) -> Rendered {
    let frozen = freeze.map_or_else(String::new, |freeze| format!("\n🧊 {freeze}"));
    let mut embed = CreateEmbed::new()
        .title(view.agent.name.to_string())
        .colour(colour(view.state))
        .field("State", state(view, now), true)
        .field("Fleet", view.fleet.to_string(), true);
    if let Some(version) = &view.version {
        embed = embed.field("Made from", made_from(version), false).field(
            "Uses",
            uses(view, version),
            true,
        );
    }
    if !view.probed.is_empty() {
        embed = embed.field("Probes", clip(&probes(view), 1024), false);
    }
    if let Some(seen) = &view.observed {
        embed = embed.field("Last end", last_end(seen), true);
        if !seen.ports.is_empty() {
            embed = embed.field("Ports", clip(&seen.ports.join("\n"), 1024), true);
        }
    }
    Rendered {
        content: format!(
            "{} **{}** is {}{frozen}",
            mark(view.state),
            view.agent.name,
            view.state.as_str()
        ),
        embeds: vec![embed],
        rows: vec![buttons(view)],
        ..Rendered::default()
    }
}

/// The card with a line of the last hour on it.
pub fn with_trend(card: Rendered, trend: Option<&Trend>) -> Rendered {
    let Some(trend) = trend else {
        return card;
    };
    let add = |embed: CreateEmbed| embed.field("Last hour", stats::trend(trend), false);
    Rendered {
        embeds: card.embeds.into_iter().map(add).collect(),
        ..card
    }
}

fn state(view: &View, now: DateTime<Utc>) -> String {
    let since = view.observed.as_ref().and_then(|seen| {
        if seen.phase.is_up() {
            seen.started_at
        } else {
            seen.finished_at
        }
    });
    let busy = view.busy.map_or_else(String::new, |busy| {
        format!("\n{} since {}", busy.kind, ago(busy.since))
    });
    let health = match view.observed.as_ref().and_then(|seen| seen.health) {
        Some(Health::Healthy) => ", healthy",
        Some(Health::Unhealthy) => ", unhealthy",
        Some(Health::Starting) => ", not yet healthy",
        None => "",
    };
    // A container that was never started has no time of its own.
    let at = since.filter(|at| *at <= now).unwrap_or(view.since);
    format!(
        "{}{health}, since {}\nwanted: {}{busy}",
        view.state.as_str(),
        ago(at),
        view.agent.desired.as_str()
    )
}

fn made_from(version: &Version) -> String {
    let spec = &version.spec;
    let template = spec.template.as_deref().map_or_else(
        || "adopted".to_owned(),
        |template| format!("template `{template}`"),
    );
    let text = format!(
        "{template}, version {}\nimage `{}`\ndigest `{}`, spec `{}`",
        version.number,
        clip(&spec.image, 300),
        version.image.short(),
        spec.digest().short()
    );
    clip(&text, 1024)
}

fn uses(view: &View, version: &Version) -> String {
    let limits = version.spec.limits;
    let cpus = if limits.cpus > 0.0 {
        format!("{} CPUs", limits.cpus)
    } else {
        "no limit".to_owned()
    };
    let memory = if limits.memory_mb > 0 {
        format!("{} MiB", limits.memory_mb)
    } else {
        "no limit".to_owned()
    };
    match view.usage {
        Some(usage) => format!(
            "{:.2} of {cpus}\n{} of {memory}\n{} processes\nnetwork ↓ {} ↑ {}\ndisk reads {}, writes {}",
            usage.cpus,
            bytes(usage.memory_bytes),
            usage.pids,
            rate(usage.io.received),
            rate(usage.io.sent),
            rate(usage.io.read),
            rate(usage.io.written)
        ),
        None => format!("at most {cpus}, {memory}"),
    }
}

fn rate(a_second: u64) -> String {
    if a_second < 1 << 20 {
        format!("{} KiB/s", a_second.div_ceil(1024))
    } else {
        format!("{}/s", bytes(a_second))
    }
}

/// A line for each: what is asked, what that says, and the last answer.
fn probes(view: &View) -> String {
    let spec = view.version.as_ref().map(|version| &version.spec);
    let asked = spec.map_or(&[][..], |spec| &spec.probes);
    let lines = asked.iter().zip(&view.probed).map(|(probe, probed)| {
        let question = code(&probe.question.to_string(), 80);
        let verdict = match probed.streak.verdict {
            _ if probed.is_blind => "⚪",
            Verdict::Starting => "🟡",
            Verdict::Healthy => "🟢",
            Verdict::Unhealthy => "🟠",
        };
        format!("{verdict} {question} {}", standing(probed))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn standing(probed: &Probed) -> String {
    let verdict = probed.streak.verdict.as_str();
    let Some(last) = &probed.last else {
        return format!("{verdict}, not asked yet");
    };
    let since = ago(probed.since);
    let verdict = if probed.is_blind {
        "cannot be asked"
    } else {
        verdict
    };
    match last.answer.trouble() {
        None => format!("{verdict} since {since}, {} ms", last.took.as_millis()),
        Some(why) => format!("{verdict} since {since}: {}", sentence(why, 150)),
    }
}

fn last_end(seen: &Observation) -> String {
    let why = match (&seen.error, seen.oom_killed, seen.exit_code) {
        (Some(error), ..) if !error.is_empty() => code_block(error, 500),
        (_, true, _) => "out of memory".to_owned(),
        (_, _, Some(code)) if seen.finished_at.is_some() => format!("exit code {code}"),
        // The engine forgets how a container ended once it runs again.
        _ if seen.finished_at.is_some() => "ended".to_owned(),
        _ => "never".to_owned(),
    };
    let when = seen
        .finished_at
        .map_or_else(String::new, |at| format!(", {}", ago(at)));
    let restarts = if seen.restarts > 0 {
        format!("\n{} restarts by Docker", seen.restarts)
    } else {
        String::new()
    };
    format!("{why}{when}{restarts}")
}

fn buttons(view: &View) -> serenity::all::CreateActionRow {
    let id = view.agent.id;
    let up = view
        .observed
        .as_ref()
        .is_some_and(|seen| seen.phase.is_up());
    let (kind, label) = if up {
        (Kind::Stop, "Stop")
    } else {
        (Kind::Start, "Start")
    };
    let busy = view.busy.is_some();
    row(vec![
        button(
            Press::Change(Kind::Restart, id).to_string(),
            "Restart",
            ButtonStyle::Primary,
        )
        .disabled(busy),
        button(
            Press::Change(kind, id).to_string(),
            label,
            ButtonStyle::Secondary,
        )
        .disabled(busy),
        button(Press::Logs(id).to_string(), "Logs", ButtonStyle::Secondary),
    ])
}
