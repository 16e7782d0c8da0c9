//! The card of a group of incidents: one message from the first second to the last, and what replies to it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serenity::all::{
    ButtonStyle, Colour, CreateActionRow, CreateEmbed, CreateSelectMenu, CreateSelectMenuKind,
    CreateSelectMenuOption,
};

use super::{
    Mentions, Rendered, button, row,
    text::{ago, clip, code_block, count, duration, escape, sentence},
};
use crate::{
    discord::press::Press,
    domain::{
        action::Kind as ActionKind,
        grant::Holder,
        ids::NudgeId,
        incident::{Incident, Severity},
        outbox::Subject,
        recovery::Course,
        squelch::{Nudge, Silence},
        view::{AlertView, Attempts},
    },
};

/// More incidents than this are counted, not listed.
const LISTED: usize = 15;
/// Room for the last lines of a log.
const LINES_MAX: usize = 1200;
const CAUSE_MAX: usize = 300;
const SUBJECT_MAX: usize = 80;
/// Room for the reason why nobody is told.
const MUTE_MAX: usize = 200;
/// Discord takes a hundred characters.
const THREAD_NAME_MAX: usize = 100;
/// Room for what was done to it before.
const CHANGED_MAX: usize = 500;
/// Discord takes five in a row.
const BUTTONS: usize = 5;
/// Room for what all silences are about, and why.
const SILENCES_MAX: usize = 900;
/// Options that a select takes, and characters of what describes one.
const OPTIONS: usize = 25;
const OPTION_MAX: usize = 100;

/// The card. It notifies whom its route names, when it is sent.
pub fn card(view: &AlertView) -> Rendered {
    let lines = match view.incidents.as_slice() {
        [only] => about_one(only, view.attempts.as_ref()),
        several => about_several(several),
    };
    let mentions = mentions(view);
    let mute = view.mute.as_ref().map(|mute| {
        let mute = sentence(&mute.to_string(), MUTE_MAX);
        format!("🔕 Nobody is told of it now: {mute}.")
    });
    let foot = mute.into_iter().chain(mentions.line());
    Rendered {
        content: lines.join("\n"),
        foot: marked(foot, Subject::Alert(view.alert.id)),
        embeds: evidence(view).into_iter().collect(),
        rows: buttons(view).into_iter().chain(select(view)).collect(),
        mentions,
        ..Rendered::default()
    }
}

fn marked(lines: impl IntoIterator<Item = String>, subject: Subject) -> String {
    let mark = format!("-# {}", subject.mark());
    let lines: Vec<String> = lines.into_iter().chain([mark]).collect();
    lines.join("\n")
}

/// What the thread of an alert is called.
pub fn thread_name(view: &AlertView) -> String {
    let in_fleet = |one: &Incident| {
        let fleet = one.fleet.as_ref();
        fleet.map_or_else(String::new, |(_, fleet)| format!(" in {fleet}"))
    };
    let name = match view.incidents.as_slice() {
        [only] => format!("{}{} {}", only.subject(), in_fleet(only), only.cause),
        several => format!(
            "Alert {}: {}",
            view.alert.id,
            count(several.len(), "problem")
        ),
    };
    let words: Vec<&str> = name.split_whitespace().collect();
    sentence(&words.join(" "), THREAD_NAME_MAX)
}

/// That people are notified of it once more, in its thread or as a reply to the card; or, in the thread, that it is over.
pub fn nudge((id, why): (NudgeId, Nudge), view: &AlertView, now: DateTime<Utc>) -> Rendered {
    let open = view.incidents.iter().filter(|one| one.is_open()).count();
    let worst = view
        .incidents
        .iter()
        .filter(|one| one.is_open())
        .max_by_key(|one| one.severity);
    let what = match worst {
        _ if open > 1 => count(open, "problem"),
        Some(one) => problem(one, CAUSE_MAX),
        None => "It is over".to_owned(),
    };
    let since = duration(now - view.alert.opened_at);
    let text = match why {
        Nudge::More => format!("➕ More came to it: {what} now."),
        Nudge::Back => format!("🔁 It is back: {what}."),
        Nudge::Worse => {
            let notes = worst.map(|one| sentence(&one.evidence.notes.join(" "), CAUSE_MAX));
            format!("🚨 It got worse: {what}. {}", notes.unwrap_or_default())
        }
        Nudge::Repeat => format!("⏰ Nobody has acknowledged this for {since}: {what}."),
        Nudge::Escalation => {
            format!("📣 Nobody has acknowledged this for {since}, so you are told as well: {what}.")
        }
        Nudge::Over => return over(id, view, now),
    };
    let mentions = mentions(view);
    Rendered {
        content: text,
        foot: marked(mentions.line(), Subject::Nudge(id)),
        mentions,
        ..Rendered::default()
    }
}

/// It wakes nobody.
fn over(id: NudgeId, view: &AlertView, now: DateTime<Utc>) -> Rendered {
    let lasted = duration(view.alert.closed_at.unwrap_or(now) - view.alert.opened_at);
    let what = match view.incidents.as_slice() {
        [only] => problem(only, CAUSE_MAX),
        several => count(several.len(), "problem"),
    };
    let mark = Subject::Nudge(id).mark();
    Rendered::text(format!("✅ Over after {lasted}: {what}.\n-# {mark}"))
}

/// What is wrong and what was, on request.
pub fn list(incidents: &[Incident], back: TimeDelta) -> Rendered {
    if incidents.is_empty() {
        return Rendered::text(format!(
            "✅ Nothing is wrong, and nothing was in the last {}.",
            duration(back)
        ));
    }
    let open = incidents.iter().filter(|one| one.is_open()).count();
    let mut lines = vec![format!(
        "{} open, {} in the last {}",
        count(open, "incident"),
        incidents.len(),
        duration(back)
    )];
    lines.extend(listed(incidents));
    Rendered::text(lines.join("\n"))
}

/// What nobody hears of now, with a button for each of the first.
pub fn silences(all: &[Silence]) -> Rendered {
    if all.is_empty() {
        return Rendered::text("Nothing is silenced. `/silence` does it, for a while.");
    }
    let shown = all.get(..LISTED).unwrap_or(all);
    let room = SILENCES_MAX / shown.len();
    let line = |one: &Silence| {
        let matcher = clip(&one.matcher.to_string(), room / 2);
        let rest = room - matcher.encode_utf16().count();
        format!(
            "🔕 {} **{matcher}** until <t:{}:f>, by <@{}>: {}",
            one.id,
            one.until.timestamp(),
            one.author,
            clip(&escape(&one.reason), rest)
        )
    };
    let end = |one: &Silence| {
        let label = format!("End {}", one.id);
        button(
            Press::EndSilence(one.id).to_string(),
            &label,
            ButtonStyle::Secondary,
        )
    };
    let mut lines: Vec<String> = shown.iter().map(line).collect();
    let more = all.len() - shown.len();
    if more > 0 {
        lines.push(format!(
            "… and {more} more; they follow once these are over."
        ));
    }
    let rows = shown.chunks(BUTTONS);
    Rendered {
        content: lines.join("\n"),
        rows: rows
            .map(|some| row(some.iter().map(end).collect()))
            .collect(),
        ..Rendered::default()
    }
}

fn listed(incidents: &[Incident]) -> Vec<String> {
    let line = |one: &Incident| format!("{} {} · {}", mark(one), problem(one, 80), standing(one));
    let mut lines: Vec<String> = incidents.iter().take(LISTED).map(line).collect();
    if incidents.len() > LISTED {
        lines.push(format!("… and {} more", incidents.len() - LISTED));
    }
    lines
}

/// What is wrong with what; of the cause at most `max`.
fn problem(one: &Incident, max: usize) -> String {
    let subject = sentence(&one.subject(), SUBJECT_MAX);
    format!("**{subject}** {}", clip(&escape(&one.cause), max))
}

const fn mark(incident: &Incident) -> &'static str {
    if incident.resolved_at.is_some() {
        return "✅";
    }
    if incident.gone_since.is_some() {
        return "🟢";
    }
    match incident.severity {
        Severity::Info => "🔵",
        Severity::Warning => "🟠",
        Severity::Critical => "🔴",
    }
}

fn about_one(incident: &Incident, attempts: Option<&Attempts>) -> Vec<String> {
    let fleet = incident
        .fleet
        .as_ref()
        .map_or_else(String::new, |(_, fleet)| format!(" in {fleet}"));
    let mut lines = vec![
        format!(
            "{} **{}**{fleet} {}",
            mark(incident),
            sentence(&incident.subject(), SUBJECT_MAX),
            clip(&escape(&incident.cause), CAUSE_MAX)
        ),
        standing(incident),
    ];
    lines.extend(attempts.map(next));
    let changed = incident.evidence.changed.iter();
    lines.extend(changed.map(|line| format!("🔧 {}", sentence(line, CHANGED_MAX))));
    let notes = incident.evidence.notes.iter();
    lines.extend(notes.map(|note| sentence(note, CAUSE_MAX)));
    lines
}

fn about_several(incidents: &[Incident]) -> Vec<String> {
    let open = incidents.iter().filter(|one| one.is_open()).count();
    let worst = incidents
        .iter()
        .max_by_key(|one| (one.is_present(), one.severity));
    let mut lines = vec![format!(
        "{} **{}**, {open} of them open",
        worst.map_or("", mark),
        count(incidents.len(), "problem")
    )];
    lines.extend(listed(incidents));
    lines
}

fn standing(incident: &Incident) -> String {
    let by = incident
        .acknowledged
        .map_or_else(String::new, |(user, at)| {
            format!(", <@{user}> looks after it since {}", ago(at))
        });
    let back = match incident.returns.len() {
        0 => String::new(),
        times => format!(", came back {times}×"),
    };
    match (incident.resolved_at, incident.gone_since) {
        (Some(end), _) => format!(
            "resolved {} after {}{back}",
            ago(end),
            duration(end - incident.opened_at)
        ),
        (None, Some(since)) => format!(
            "well again since {}, held open a while{back}{by}",
            ago(since)
        ),
        (None, None) if incident.flapping => {
            format!("flapping since {}{back}{by}", ago(incident.opened_at))
        }
        (None, None) => format!("since {}{back}{by}", ago(incident.opened_at)),
    }
}

/// What is tried by itself, and what comes next.
fn next(attempts: &Attempts) -> String {
    let Attempts { done, most, course } = attempts;
    match course {
        Course::Restart(at) => format!(
            "Restarted {done} of {most} times; next <t:{}:R>.",
            at.timestamp()
        ),
        Course::Break => "🧯 It is not restarted by itself any more: somebody has to look. **Restart** tries once more.".to_owned(),
        Course::Ask(why) => format!("🙋 Somebody has to look: {why}."),
    }
}

/// What the cause was told by, of a single incident.
fn evidence(view: &AlertView) -> Option<CreateEmbed> {
    let [only] = view.incidents.as_slice() else {
        return None;
    };
    let lines = only.evidence.lines.join("\n");
    if lines.trim().is_empty() {
        return None;
    }
    let title = only.evidence.exit_code.map_or_else(
        || "Last lines".to_owned(),
        |code| format!("Last lines, exit code {code}"),
    );
    let colour = match only.severity {
        _ if !only.is_present() => Colour::DARK_GREEN,
        Severity::Info => Colour::BLUE,
        Severity::Warning => Colour::ORANGE,
        Severity::Critical => Colour::RED,
    };
    let embed = CreateEmbed::new().title(title).colour(colour);
    Some(embed.description(code_block(&lines, LINES_MAX)))
}

fn mentions(view: &AlertView) -> Mentions {
    let users = view.users.iter().copied().map(Holder::User);
    let roles = view.roles.iter().copied().map(Holder::Role);
    Mentions::of(&users.chain(roles).collect::<Vec<_>>())
}

/// Of several, each agent's own card does what their buttons would: its log, a restart, a stop.
fn select(view: &AlertView) -> Option<CreateActionRow> {
    if view.incidents.len() < 2 {
        return None;
    }
    let mut seen = BTreeSet::new();
    let open = view.incidents.iter().filter(|one| one.is_open());
    let agents = open.filter_map(|one| Some((one, one.about.agent()?)));
    let options = agents
        .filter(|(_, agent)| seen.insert(*agent))
        .map(|(one, agent)| {
            CreateSelectMenuOption::new(one.subject(), agent.to_string())
                .description(clip(&one.cause, OPTION_MAX))
        });
    let options: Vec<_> = options.take(OPTIONS).collect();
    if options.is_empty() {
        return None;
    }
    let kind = CreateSelectMenuKind::String { options };
    let select = CreateSelectMenu::new(Press::OpenOf(view.alert.id).to_string(), kind)
        .placeholder("Open an agent");
    Some(CreateActionRow::SelectMenu(select))
}

/// What can be done about it; nothing any more once it is over.
fn buttons(view: &AlertView) -> Option<CreateActionRow> {
    let open: Vec<&Incident> = view.incidents.iter().filter(|one| one.is_open()).collect();
    if open.is_empty() {
        return None;
    }
    let press = |press: Press, label: &str, style| button(press.to_string(), label, style);
    let heeded = open.iter().all(|one| one.acknowledged.is_some());
    let mut buttons = vec![
        press(
            Press::Acknowledge(view.alert.id),
            "Acknowledge",
            ButtonStyle::Primary,
        )
        .disabled(heeded),
    ];
    buttons.push(press(
        Press::Silence(view.alert.id),
        "Silence 1 h",
        ButtonStyle::Secondary,
    ));
    if let [only] = view.incidents.as_slice()
        && let Some(agent) = only.about.agent()
    {
        buttons.extend([
            press(
                Press::Change(ActionKind::Restart, agent),
                "Restart",
                ButtonStyle::Success,
            ),
            press(Press::Logs(agent), "Logs", ButtonStyle::Secondary),
            press(
                Press::Change(ActionKind::Stop, agent),
                "Stop",
                ButtonStyle::Danger,
            ),
        ]);
    }
    Some(row(buttons))
}
