//! The message of a board: a fleet at a glance, edited in place.

use chrono::{DateTime, Utc};
use serenity::all::{
    Colour, CreateActionRow, CreateEmbed, CreateSelectMenu, CreateSelectMenuKind,
    CreateSelectMenuOption,
};

use super::{
    Rendered,
    status::{colour, figures, mark},
    text::{ago, clip, count, escape, sentence},
};
use crate::{
    discord::press::Press,
    domain::{
        board::{Board, BoardView, Line, Question, Trouble},
        incident::Severity,
        outbox::Subject,
    },
};

/// Options that a select takes.
const OPTIONS: usize = 25;
/// Together below the 6000 of a message's embeds.
const AGENTS_MAX: usize = 3700;
const FIELD_MAX: usize = 1000;
const CAUSE_MAX: usize = 80;
const FREEZES: usize = 3;

pub fn message(view: &BoardView, now: DateTime<Utc>) -> Rendered {
    if let Some((at, why)) = &view.board.ended {
        return Rendered::text(format!(
            "🪧 This board of {} has ended {}: {}.\n-# {}",
            whose(&view.board),
            ago(*at),
            sentence(why, 300),
            Subject::Board(view.board.id).mark()
        ));
    }
    Rendered {
        content: summary(view, now),
        embeds: vec![embed(view)],
        rows: select(view).into_iter().collect(),
        ..Rendered::default()
    }
}

fn whose(board: &Board) -> String {
    board.fleet.as_ref().map_or_else(
        || "all fleets".to_owned(),
        |(_, name)| format!("**{name}**"),
    )
}

fn summary(view: &BoardView, now: DateTime<Utc>) -> String {
    let picture = &view.picture;
    let counts: Vec<String> = picture
        .counts
        .iter()
        .map(|(state, count)| format!("{} {count} {}", mark(*state), state.as_str()))
        .collect();
    let agents = count(picture.total(), "agent");
    let mut lines = vec![if counts.is_empty() {
        format!("🪧 Board of {}: no agents yet", whose(&view.board))
    } else {
        format!(
            "🪧 Board of {}: {agents}: {}",
            whose(&view.board),
            counts.join(", ")
        )
    }];
    if let Some((since, why)) = &picture.silent {
        lines.push(format!(
            "⚠️ Docker has not answered since {}: {}. States are as they were.",
            ago(*since),
            sentence(why, 200)
        ));
    }
    let freezes = picture.freezes.iter().take(FREEZES);
    lines.extend(freezes.map(|freeze| format!("🧊 {}", sentence(freeze, 300))));
    let more = picture.freezes.len().saturating_sub(FREEZES);
    if more > 0 {
        lines.push(format!("🧊 {} more", count(more, "freeze")));
    }
    lines.push(format!(
        "-# {} · as of {}",
        Subject::Board(view.board.id).mark(),
        ago(now)
    ));
    lines.join("\n")
}

fn embed(view: &BoardView) -> CreateEmbed {
    let picture = &view.picture;
    let worst = picture.counts.keys().next();
    let mut embed = CreateEmbed::new()
        .colour(worst.map_or(Colour::DARK_GREY, |state| colour(*state)))
        .description(agents(view));
    if !picture.troubles.is_empty() {
        let lines = picture.troubles.iter().map(trouble);
        let lines = listing(lines, picture.troubles_more, FIELD_MAX);
        embed = embed.field("Incidents", lines, false);
    }
    if !picture.questions.is_empty() {
        let lines = picture.questions.iter().map(question);
        let lines = listing(lines, picture.questions_more, FIELD_MAX);
        embed = embed.field("Waiting for approval", lines, false);
    }
    embed.field("Host", figures(&view.host), false)
}

fn agents(view: &BoardView) -> String {
    let picture = &view.picture;
    let tells_fleet = view.board.fleet.is_none();
    let lines = picture.agents.iter().map(|one| line(one, tells_fleet));
    listing(lines, picture.total() - picture.agents.len(), AGENTS_MAX)
}

/// As many lines as fit, and how many of them, and `more`, are left out.
fn listing(lines: impl ExactSizeIterator<Item = String>, more: usize, max: usize) -> String {
    const REST: usize = 24;
    let (mut shown, mut room) = (Vec::new(), max - REST);
    let mut left = lines.len() + more;
    for line in lines {
        let length = line.encode_utf16().count() + 1;
        if length > room {
            break;
        }
        room -= length;
        left -= 1;
        shown.push(line);
    }
    if left > 0 {
        shown.push(format!("… and {left} more"));
    }
    shown.join("\n")
}

fn line(line: &Line, tells_fleet: bool) -> String {
    let fleet = if tells_fleet {
        format!(" in {}", line.fleet)
    } else {
        String::new()
    };
    let busy = line
        .busy
        .map_or_else(String::new, |kind| format!(" ({kind})"));
    let frozen = if line.is_frozen { " · 🧊" } else { "" };
    format!(
        "{} `{}`{fleet} {}{busy}, {}{frozen}",
        mark(line.state),
        line.name,
        line.state.as_str(),
        ago(line.since)
    )
}

fn trouble(trouble: &Trouble) -> String {
    let mark = match trouble.severity {
        Severity::Critical => "🔴",
        Severity::Warning => "🟠",
        Severity::Info => "🔵",
    };
    format!(
        "{mark} **{}** {}, {}, {}",
        escape(&trouble.subject),
        clip(&escape(&trouble.cause), CAUSE_MAX),
        trouble.standing,
        ago(trouble.since)
    )
}

fn question(question: &Question) -> String {
    let whom = match &question.agents {
        Ok(name) => format!(" `{name}`"),
        Err(0) => String::new(),
        Err(several) => format!(" {}", count(*several, "agent")),
    };
    let place = question
        .channel
        .map_or_else(String::new, |channel| format!(" in <#{channel}>"));
    format!(
        "🗳️ {}{whom}: action {}{place}, lapses {}",
        question.kind,
        question.action,
        ago(question.until)
    )
}

/// The worst, because they are looked at first.
fn select(view: &BoardView) -> Option<CreateActionRow> {
    let option = |line: &Line| {
        CreateSelectMenuOption::new(line.name.to_string(), line.id.to_string())
            .description(format!("{} in {}", line.state.as_str(), line.fleet))
    };
    let options: Vec<_> = view
        .picture
        .agents
        .iter()
        .take(OPTIONS)
        .map(option)
        .collect();
    if options.is_empty() {
        return None;
    }
    let kind = CreateSelectMenuKind::String { options };
    let select = CreateSelectMenu::new(Press::Open(view.board.id).to_string(), kind)
        .placeholder("Open an agent");
    Some(CreateActionRow::SelectMenu(select))
}
