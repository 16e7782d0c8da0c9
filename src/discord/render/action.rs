//! The card of an action, through its whole life one message.

use chrono::{DateTime, Utc};
use serenity::all::ButtonStyle;

use super::{
    Rendered, button, row, schedules,
    text::{clip, code_block, duration, escape, sentence},
};
use crate::{
    discord::press::Press,
    domain::{
        action::{Action, Kind, State, Step, Target},
        outbox::Subject,
        problem::capitalised,
    },
};

/// More agents than this are counted, not listed.
const TARGETS_SHOWN: usize = 12;
/// Of allowances, one for each fleet.
const UNASKED_SHOWN: usize = 3;
/// Room for the notes of all targets together.
const NOTES_MAX: usize = 1200;
/// Room for what it is about beside agents: a silence can name very many.
const SUBJECT_MAX: usize = 300;

pub fn card(action: &Action, now: DateTime<Utc>) -> Rendered {
    let mut lines = vec![headline(action, now)];
    lines.extend(target_lines(action));
    lines.extend(
        action
            .outcome
            .as_deref()
            .filter(|_| !matches!(action.targets.as_slice(), [only] if only.note.is_some()))
            .map(|note| note_lines(note, NOTES_MAX)),
    );
    lines.extend(next_times(action));
    Rendered {
        content: lines.join("\n"),
        foot: signature(action),
        rows: if action.state == State::Asked {
            vec![question(action)]
        } else {
            Vec::new()
        },
        ..Rendered::default()
    }
}

/// When a schedule that was added or resumed runs.
fn next_times(action: &Action) -> Option<String> {
    let change = action.details.schedule.as_ref()?;
    let runs = matches!(action.kind, Kind::ScheduleAdd | Kind::ScheduleResume);
    let at = action
        .finished_at
        .filter(|_| action.state == State::Succeeded && runs)?;
    Some(schedules::upcoming(&change.order, at))
}

pub(super) fn headline(action: &Action, now: DateTime<Utc>) -> String {
    let whom = whom(action);
    let kind = action.kind;
    let elapsed = duration(
        action.finished_at.unwrap_or(now) - action.started_at.unwrap_or(action.created_at),
    );
    match action.state {
        State::Asked => match &action.approval {
            None => format!("❔ **{kind}** {whom}?{}", warning(action)),
            Some(approval) => format!(
                "🗳️ **{kind}** {whom}: others have to approve it{}",
                approval
                    .channel
                    .map_or_else(String::new, |channel| format!(", see <#{channel}>"))
            ),
        },
        State::Pending => format!("⏳ {kind} {whom}: waiting for its turn"),
        State::Running => format!("⏳ {kind} {whom}{}", progress(action)),
        State::Succeeded if runs_now(kind) => format!("✅ {kind} {whom}: running after {elapsed}"),
        State::Succeeded => format!("✅ {kind} {whom}: done in {elapsed}"),
        State::Failed => format!("❌ {kind} {whom}: failed after {elapsed}"),
        State::Interrupted => format!("⚠️ {kind} {whom}: interrupted"),
        State::Cancelled => format!("✖️ {kind} {whom}: cancelled"),
        State::Expired => format!("⌛ {kind} {whom}: lapsed, nothing was changed"),
        State::Denied => format!("🚫 {kind} {whom}: denied, nothing was changed"),
        State::Void => format!("✖️ {kind} {whom}: void, nothing was changed"),
    }
}

const fn runs_now(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Deploy | Kind::Redeploy | Kind::Rollback | Kind::Start | Kind::Restart | Kind::Resume
    )
}

pub(super) fn whom(action: &Action) -> String {
    let subject = action.details.subject(action.kind);
    match (action.targets.as_slice(), subject) {
        ([only], Some(into)) if action.kind == Kind::FleetAdd => format!("`{}` {into}", only.name),
        (several, Some(into)) if action.kind == Kind::FleetAdd => {
            format!("{} agents {into}", several.len())
        }
        (_, Some(subject)) => sentence(&subject, SUBJECT_MAX),
        ([only], None) => format!("`{}`", only.name),
        ([], None) if matches!(action.kind, Kind::Freeze | Kind::Unfreeze) => {
            "everything".to_owned()
        }
        ([], None) if action.kind == Kind::Backup => "of the database".to_owned(),
        ([], None) if action.kind == Kind::Report => "of the week".to_owned(),
        ([], None) if action.kind == Kind::Purge => "of what is kept no longer".to_owned(),
        ([], None) => "settings and templates".to_owned(),
        (several, None) => format!("{} agents", several.len()),
    }
}

pub(super) fn warning(action: &Action) -> &'static str {
    let alone = action.targets.len() == 1;
    match (action.kind, alone, action.details.volumes) {
        (Kind::Remove, true, false) => " Its container is deleted; the data in its volumes stays.",
        (Kind::Remove, false, false) => {
            " Their containers are deleted; the data in their volumes stays."
        }
        (Kind::Remove, true, true) => " Its container and **the data in its volumes** are deleted.",
        (Kind::Remove, false, true) => {
            " Their containers and **the data in their volumes** are deleted."
        }
        _ => "",
    }
}

fn progress(action: &Action) -> String {
    match action.targets.as_slice() {
        [] => String::new(),
        [only] => format!(": {}", step(only.step)),
        several => {
            let over = several
                .iter()
                .filter(|target| target.state.is_over())
                .count();
            format!(": {over} of {} done", several.len())
        }
    }
}

fn step(step: Step) -> String {
    match step {
        Step::Waiting => "waiting".to_owned(),
        Step::Resolving => "looking up the image".to_owned(),
        Step::Pulling(Some(percent)) => format!("pulling {percent} %"),
        Step::Swapped => "tidying up".to_owned(),
        Step::Proving => "proving the new container".to_owned(),
        Step::Undoing => "putting everything back".to_owned(),
        other => other.as_str().to_owned(),
    }
}

fn target_lines(action: &Action) -> Vec<String> {
    let room = NOTES_MAX / action.targets.len().clamp(1, TARGETS_SHOWN);
    if let [only] = action.targets.as_slice() {
        return only
            .note
            .as_deref()
            .map(|note| note_lines(note, room))
            .into_iter()
            .collect();
    }
    // What went wrong first: the rest is as asked.
    let mut shown: Vec<&Target> = action.targets.iter().collect();
    shown.sort_by_key(|target| target.state == State::Succeeded);
    let mut lines: Vec<String> = shown
        .iter()
        .take(TARGETS_SHOWN)
        .map(|target| target_line(target, room))
        .collect();
    if shown.len() > TARGETS_SHOWN {
        lines.push(format!("… and {} more", shown.len() - TARGETS_SHOWN));
    }
    lines
}

fn target_line(target: &Target, room: usize) -> String {
    let mark = match target.state {
        State::Succeeded => "✅",
        State::Failed => "❌",
        State::Interrupted => "⚠️",
        _ => "▫️",
    };
    let first = target.note.as_deref().and_then(|note| note.lines().next());
    let note = first.map_or_else(String::new, |note| format!(": {}", sentence(note, room)));
    let step = if target.state == State::Running {
        format!(": {}", step(target.step))
    } else {
        String::new()
    };
    format!("{mark} `{}`{step}{note}", target.name)
}

/// The first line is ours; what follows it are a container's last words.
fn note_lines(note: &str, room: usize) -> String {
    match note.split_once('\n') {
        None => sentence(note, room),
        Some((first, words)) => {
            format!(
                "{}\n{}",
                sentence(first, room / 2),
                code_block(words, room / 2)
            )
        }
    }
}

fn signature(action: &Action) -> String {
    let by = action
        .actor
        .map_or_else(|| "Yardarm".to_owned(), |actor| format!("<@{actor}>"));
    let why = action.reason.as_deref().map_or_else(String::new, |reason| {
        format!(", because: {}", escape(&clip(reason, 200)))
    });
    let unasked = action.details.allowed_by.iter().map(|allowance| {
        format!(
            " · not asked about: <@{}> allowed it with action {} (`{}`)",
            allowance.given_by,
            allowance.action,
            allowance.label()
        )
    });
    let unasked: String = unasked.take(UNASKED_SHOWN).collect();
    format!(
        "-# {} · by {by}{why}{unasked}",
        Subject::Action(action.id).mark()
    )
}

fn question(action: &Action) -> serenity::all::CreateActionRow {
    if action.approval.is_some() {
        let withdraw = Press::Cancel(action.id).to_string();
        return row(vec![button(withdraw, "Withdraw", ButtonStyle::Secondary)]);
    }
    let label = match action.targets.len() {
        0 | 1 => capitalised(action.kind.as_str()),
        several => format!("{} {several} agents", capitalised(action.kind.as_str())),
    };
    let style = if action.kind == Kind::Remove {
        ButtonStyle::Danger
    } else {
        ButtonStyle::Primary
    };
    let mut buttons = Vec::new();
    // Who asked for the data as well is not offered what would not keep it.
    if !action.details.volumes {
        buttons.push(button(Press::Confirm(action.id).to_string(), &label, style));
    }
    if action.kind == Kind::Remove {
        buttons.push(button(
            Press::ConfirmWithVolumes(action.id).to_string(),
            &format!("{label} and its data"),
            style,
        ));
    }
    buttons.push(button(
        Press::Cancel(action.id).to_string(),
        "Cancel",
        ButtonStyle::Secondary,
    ));
    row(buttons)
}
