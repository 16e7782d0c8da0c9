//! The question to people about an action: one message from the first second to the last, and what replies to it.

use chrono::{DateTime, Utc};
use serenity::all::{
    ButtonStyle, Colour, CreateActionRow, CreateEmbed, CreateInputText, CreateModal, InputTextStyle,
};

use super::{
    CONTENT_MAX, MENTIONED_MAX, Mentions, Rendered,
    action::{headline, warning, whom},
    button, change, row,
    secrets::REASON,
    text::{clip, duration, escape, length, sentence},
};
use crate::{
    discord::press::Press,
    domain::{
        action::{Action, Kind, State},
        approval::{Answer, Approval, Vote, allowable_for},
        grant::Holder,
        outbox::Subject,
        plan::Plan,
        view::View,
    },
};

/// Room for the plan in the plain text; the embed has more.
const PLAN_MAX: usize = 700;
const EMBED_MAX: usize = 3000;
/// Fleets that are named.
const FLEETS_MAX: usize = 8;
/// Room for the answers.
const VOTES_MAX: usize = 500;
/// Room for the line that says how much is left out.
const LEFT_OUT: usize = 50;
/// Discord's limit for the text of a modal's input is 4000; a reason needs less.
const REASON_MAX: u16 = 400;
/// The inputs of our forms.
pub const PHRASE: &str = "phrase";
/// Requests on one list: Discord takes five rows of buttons.
pub const LISTED: usize = 5;
/// Room for what stands above and below the requests of a list, and for what one of them is about.
const AROUND: usize = 150;
const WHOM_MAX: usize = 150;

/// The card. `deciders` are those who can answer.
pub fn card(action: &Action, deciders: &[Holder], now: DateTime<Utc>) -> Rendered {
    let Some(approval) = action.approval.as_deref() else {
        return Rendered::text(headline(action, now));
    };
    let (mut lines, votes) = (request(action), votes(approval));
    let foot = format!(
        "{}\n{}",
        standing(action, approval, deciders, now),
        mark(action, Subject::Approval(action.id))
    );
    // The plan gives way.
    let beside = lines.iter().chain(&votes).map(|line| units(line));
    let taken = beside.sum::<usize>() + units(&foot);
    let room = CONTENT_MAX.saturating_sub(taken + LEFT_OUT);
    lines.extend(plan_lines(action, room.min(PLAN_MAX)));
    lines.extend(votes);
    let open = action.state == State::Asked;
    Rendered {
        content: lines.join("\n"),
        foot,
        embeds: vec![embed(action)],
        rows: vec![buttons(action, open)],
        mentions: if open {
            Mentions::of(deciders)
        } else {
            Mentions::default()
        },
        ..Rendered::default()
    }
}

/// How it ended, as a reply to the card.
pub fn result(action: &Action, now: DateTime<Utc>) -> Rendered {
    let mut lines = vec![headline(action, now)];
    lines.extend(note(action).map(|note| sentence(note, PLAN_MAX)));
    lines.extend(
        action
            .actor
            .map(|actor| format!("Asked for by <@{actor}>.")),
    );
    Rendered {
        content: lines.join("\n"),
        foot: format!("-# {}", Subject::Result(action.id).mark()),
        mentions: Mentions::of(
            &action
                .actor
                .map(Holder::User)
                .into_iter()
                .collect::<Vec<_>>(),
        ),
        ..Rendered::default()
    }
}

/// That it is still open at half time, as a reply to the card.
pub fn reminder(action: &Action, deciders: &[Holder]) -> Rendered {
    let ends = action
        .approval
        .as_ref()
        .map_or_else(String::new, |approval| {
            format!(" It lapses <t:{}:R>.", approval.expires_at.timestamp())
        });
    let still = action.state == State::Asked;
    let text = if still {
        format!(
            "⏰ {} {} still waits for {}.{ends}",
            action.kind,
            whom(action),
            names(deciders)
        )
    } else {
        format!(
            "{} {} waits no more: it is {}.",
            action.kind,
            whom(action),
            action.state.as_str()
        )
    };
    Rendered {
        content: text,
        foot: format!("-# {}", Subject::Reminder(action.id).mark()),
        mentions: if still {
            Mentions::of(deciders)
        } else {
            Mentions::default()
        },
        ..Rendered::default()
    }
}

/// That an owner took an action without asking, to all owners.
pub fn break_glass(action: &Action, owners: &[Holder], now: DateTime<Utc>) -> Rendered {
    let mut lines = vec![format!(
        "🚨 **Break-glass**: {} took this without asking. {}",
        action
            .actor
            .map_or_else(|| "Somebody".to_owned(), |actor| format!("<@{actor}>")),
        names(owners)
    )];
    lines.push(headline(action, now));
    lines.extend(why(action));
    Rendered {
        content: lines.join("\n"),
        foot: mark(action, Subject::BreakGlass(action.id)),
        mentions: Mentions::of(owners),
        ..Rendered::default()
    }
}

/// Everything in the plan, for whoever asks for it.
pub fn details(action: &Action) -> Rendered {
    let mut lines = request(action);
    lines.extend(plan_lines(action, 1500));
    let json = serde_json::to_vec_pretty(&action.plan).unwrap_or_default();
    Rendered {
        content: lines.join("\n"),
        files: vec![super::File {
            name: format!("plan-{}.json", action.id),
            bytes: json,
        }],
        ..Rendered::default()
    }
}

/// What waits for somebody, oldest first, with buttons for the first few.
pub fn list(waiting: &[Action], now: DateTime<Utc>) -> Rendered {
    if waiting.is_empty() {
        return Rendered::text("Nothing waits for you.");
    }
    let mut lines = vec![format!("Waiting for you: {}", waiting.len())];
    // Nobody is to answer by a button what they cannot read.
    let room = (CONTENT_MAX - AROUND) / waiting.len().min(LISTED);
    for action in waiting.iter().take(LISTED) {
        let head = entry(action, now);
        let room = room.saturating_sub(units(&head) + 1);
        lines.push(head);
        lines.extend(why(action).map(|why| clip(&why, room)));
    }
    if waiting.len() > LISTED {
        lines.push(format!(
            "… and {} more; they follow once these are answered.",
            waiting.len() - LISTED
        ));
    }
    Rendered {
        content: lines.join("\n"),
        rows: waiting.iter().take(LISTED).map(choice).collect(),
        ..Rendered::default()
    }
}

/// One request on the list.
fn entry(action: &Action, now: DateTime<Utc>) -> String {
    let ends = action
        .approval
        .as_ref()
        .map_or(0, |approval| approval.expires_at.timestamp());
    let waited = duration(now - action.created_at);
    let by = action
        .actor
        .map_or_else(|| "Yardarm".to_owned(), |actor| format!("<@{actor}>"));
    let warning = match warning(action) {
        "" => String::new(),
        warning => format!(" ·{warning}"),
    };
    format!(
        "**{}** · {} {} · by {by} {waited} ago · lapses <t:{ends}:R>{warning}",
        action.id,
        action.kind,
        sentence(&whom(action), WHOM_MAX)
    )
}

/// What became of an answer, to whoever gave it by command.
pub fn counted(action: &Action) -> Rendered {
    let text = match (action.state, &action.approval) {
        (State::Asked, Some(approval)) => format!(
            "Counted: {} of {} approvals.",
            approval.approvers().count(),
            approval.ask.approvals
        ),
        (State::Denied, _) => "Denied. Nothing was changed.".to_owned(),
        _ => "Approved. It is done now.".to_owned(),
    };
    Rendered::text(text)
}

/// Why not?
pub fn denial(action: &Action) -> CreateModal {
    let input = CreateInputText::new(InputTextStyle::Paragraph, "Why not", REASON)
        .max_length(REASON_MAX)
        .required(false);
    let title = clip(
        &format!("Deny {} {}", action.kind, whom(action).replace('`', "")),
        45,
    );
    CreateModal::new(Press::DenyForm(action.id).to_string(), title)
        .components(vec![CreateActionRow::InputText(input)])
}

/// An owner types the agent's name, and why it cannot wait.
pub fn breaking((kind, view): (Kind, &View), reason: &str) -> CreateModal {
    let name = view.agent.name.as_str();
    let why = CreateInputText::new(InputTextStyle::Paragraph, "Why it cannot wait", REASON)
        .value(clip(reason, usize::from(REASON_MAX)))
        .max_length(REASON_MAX)
        .required(true);
    let title = clip(&format!("Break-glass: {kind} {name}"), 45);
    CreateModal::new(Press::BreakGlass(kind, view.agent.id).to_string(), title).components(vec![
        CreateActionRow::InputText(phrase_input(name)),
        CreateActionRow::InputText(why),
    ])
}

fn phrase_input(phrase: &str) -> CreateInputText {
    let label = clip(&format!("Type: {phrase}"), 45);
    CreateInputText::new(InputTextStyle::Short, label, PHRASE)
        .placeholder(clip(phrase, 100))
        .required(true)
}

/// The requester of something grave types what it is about.
pub fn typing(action: &Action, volumes: bool) -> CreateModal {
    let input = phrase_input(&action.phrase());
    let title = clip(
        &format!("{} {}", action.kind, whom(action).replace('`', "")),
        45,
    );
    CreateModal::new(Press::TypedForm(action.id, volumes).to_string(), title)
        .components(vec![CreateActionRow::InputText(input)])
}

fn request(action: &Action) -> Vec<String> {
    let fleets = fleets(action.plan.as_deref());
    let place = match fleets.as_slice() {
        [] => String::new(),
        few if few.len() <= FLEETS_MAX => format!(" in {}", few.join(", ")),
        many => {
            let named = many[..FLEETS_MAX].join(", ");
            format!(" in {named} and {} more fleets", many.len() - FLEETS_MAX)
        }
    };
    let by = action
        .actor
        .map_or_else(|| "Yardarm".to_owned(), |actor| format!("<@{actor}>"));
    let mut lines = vec![format!(
        "🗳️ {by} asks to **{}** {}{place}.{}",
        action.kind,
        whom(action),
        warning(action)
    )];
    lines.extend(why(action));
    lines
}

fn why(action: &Action) -> Option<String> {
    let reason = action.reason.as_deref()?;
    Some(format!("Why: {}", escape(&clip(reason, 300))))
}

fn fleets(plan: Option<&Plan>) -> Vec<String> {
    let mut fleets: Vec<String> = plan
        .map_or(&[][..], |plan| &plan.parts)
        .iter()
        .map(|part| format!("`{}`", part.fleet))
        .collect();
    fleets.sort();
    fleets.dedup();
    fleets
}

/// The plan as what it changes, and what it loosens.
fn plan_lines(action: &Action, room: usize) -> Vec<String> {
    let Some(plan) = action.plan.as_deref() else {
        return Vec::new();
    };
    let beside = change::lines(action).into_iter();
    let mut lines: Vec<String> = beside.map(|line| format!("• {line}")).collect();
    for part in &plan.parts {
        let changes = part.changes();
        if plan.parts.len() > 1 && changes.is_empty() {
            lines.push(format!("• `{}`", part.agent));
        }
        lines.extend(changes.into_iter().map(|line| match plan.parts.len() {
            1 => format!("• {line}"),
            _ => format!("• `{}`: {line}", part.agent),
        }));
    }
    // Whatever else is left out, this is not.
    let loosens = plan.loosens();
    let loosens = (!loosens.is_empty())
        .then(|| sentence(&format!("⚠️ Loosens: {}", loosens.join("; ")), 300));
    let taken = loosens.as_deref().map_or(0, units);
    let mut lines = fit(lines, room.saturating_sub(taken));
    lines.extend(loosens);
    lines
}

/// As many lines as there is room for, and how many are left out.
fn fit(lines: Vec<String>, mut room: usize) -> Vec<String> {
    let total = lines.len();
    let mut shown = Vec::new();
    for line in lines {
        let line = sentence(&line, 300);
        let length = units(&line);
        if length > room {
            shown.push(format!(
                "… and {} more lines: press Details",
                total - shown.len()
            ));
            break;
        }
        room -= length;
        shown.push(line);
    }
    shown
}

/// What a line takes of Discord's limit.
fn units(line: &str) -> usize {
    line.encode_utf16().count() + 1
}

/// As many answers as there is room for, and how many are left out.
fn votes(approval: &Approval) -> Vec<String> {
    let mut room = VOTES_MAX;
    let fits = |line: &String| {
        let fits = units(line) <= room;
        room = room.saturating_sub(units(line));
        fits
    };
    let lines = approval.votes.iter().map(vote_line);
    let mut shown: Vec<String> = lines.take_while(fits).collect();
    let more = approval.votes.len() - shown.len();
    if more > 0 {
        shown.push(format!("… and {more} more answers"));
    }
    shown
}

fn vote_line(vote: &Vote) -> String {
    let mark = match vote.answer {
        Answer::Approve => "✅",
        Answer::Deny => "🚫",
    };
    let why = vote.reason.as_deref().filter(|reason| !reason.is_empty());
    let why = why.map_or_else(String::new, |why| format!(": {}", escape(&clip(why, 200))));
    format!("{mark} <@{}> <t:{}:R>{why}", vote.user, vote.at.timestamp())
}

/// Where it stands: whose turn it is, or how it ended.
fn standing(
    action: &Action,
    approval: &Approval,
    deciders: &[Holder],
    now: DateTime<Utc>,
) -> String {
    if action.state == State::Asked {
        let yes = approval.approvers().count();
        return format!(
            "{yes} of {} approvals, from {} · lapses <t:{}:R>",
            approval.ask.approvals,
            names(deciders),
            approval.expires_at.timestamp()
        );
    }
    let decided = approval.decided.map_or_else(String::new, |(by, at)| {
        let after = duration(at - approval.asked_at);
        format!(" · decided by <@{by}> after {after}")
    });
    let note = note(action).filter(|note| !note.is_empty());
    let note = note.map_or_else(String::new, |note| format!("\n{}", sentence(note, 400)));
    format!("{}{decided}{note}", headline(action, now))
}

/// The first line of what is said about its end, by it or by the only agent it is about.
fn note(action: &Action) -> Option<&str> {
    let only = match action.targets.as_slice() {
        [only] => only.note.as_deref(),
        _ => None,
    };
    let note = action.outcome.as_deref().or(only)?;
    note.lines().next()
}

fn names(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return "nobody who is known".to_owned();
    }
    let shown: Vec<String> = holders
        .iter()
        .take(MENTIONED_MAX)
        .map(ToString::to_string)
        .collect();
    let more = holders.len().saturating_sub(MENTIONED_MAX);
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn mark(action: &Action, subject: Subject) -> String {
    let digest = action.plan.as_ref().map_or_else(String::new, |plan| {
        format!(" · plan {}", plan.digest().short())
    });
    format!("-# {}{digest}", subject.mark())
}

fn embed(action: &Action) -> CreateEmbed {
    let colour = match action.state {
        State::Asked => Colour::GOLD,
        State::Succeeded => Colour::DARK_GREEN,
        State::Failed | State::Denied => Colour::RED,
        _ => Colour::DARK_GREY,
    };
    let mut lines = request(action);
    lines.extend(plan_lines(action, EMBED_MAX));
    CreateEmbed::new()
        .title(clip(
            &format!("{} {}", action.kind, whom(action).replace('`', "")),
            200,
        ))
        .description(clip(&lines.join("\n"), 4000))
        .colour(colour)
}

fn buttons(action: &Action, open: bool) -> CreateActionRow {
    let one =
        |press: Press, label: &str, style| button(press.to_string(), label, style).disabled(!open);
    let mut all = vec![one(
        Press::Approve(action.id),
        "Approve",
        ButtonStyle::Success,
    )];
    if let Some(time) = allowable_for(action) {
        let label = format!("Approve and allow for {}", length(time));
        all.push(one(
            Press::ApproveAndAllow(action.id),
            &label,
            ButtonStyle::Success,
        ));
    }
    all.push(one(Press::Deny(action.id), "Deny", ButtonStyle::Danger));
    all.push(button(
        Press::Plan(action.id).to_string(),
        "Details",
        ButtonStyle::Secondary,
    ));
    all.push(one(
        Press::Cancel(action.id),
        "Withdraw",
        ButtonStyle::Secondary,
    ));
    row(all)
}

fn choice(action: &Action) -> CreateActionRow {
    let label = |what: &str| format!("{what} {}", action.id);
    row(vec![
        button(
            Press::Approve(action.id).to_string(),
            &label("Approve"),
            ButtonStyle::Success,
        ),
        button(
            Press::Deny(action.id).to_string(),
            &label("Deny"),
            ButtonStyle::Danger,
        ),
        button(
            Press::Plan(action.id).to_string(),
            &label("Details of"),
            ButtonStyle::Secondary,
        ),
    ])
}
