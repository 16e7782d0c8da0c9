//! The report of a week.

use super::{
    Rendered,
    text::{clip, duration},
};
use crate::domain::{
    action::State,
    ids::ActionId,
    outbox::Subject,
    report::{Report, Restarts, Troubled, Uptime},
    schedule::Stage,
};

/// More of anything is counted, not listed.
const SHOWN: usize = 10;
const ROOM: usize = 1900;

pub fn report(id: ActionId, report: &Report) -> Rendered {
    let mut lines = vec![
        format!(
            "📋 **Report**, <t:{}:D> to <t:{}:D>",
            report.from.timestamp(),
            report.to.timestamp()
        ),
        format!("**Actions** {}", actions(report)),
        format!("**Approvals** {}", approvals(report)),
        format!("**Refusals** {}", report.refusals),
        format!("**Schedules** {}", runs(report)),
    ];
    lines.push(format!("**Incidents** {}", incidents(report)));
    let restarts = report.restarts.iter().map(restarts);
    lines.push(format!(
        "**Restarts** {}",
        listed(restarts.collect(), "none")
    ));
    let uptimes = report.uptimes.iter().map(uptime);
    lines.push(format!(
        "**Uptime** {}",
        listed(uptimes.collect(), "nothing is known")
    ));
    let troubled = report.troubled.iter().map(troubled);
    lines.push(format!(
        "**In trouble** {}",
        listed(troubled.collect(), "nobody")
    ));
    let text = clip(&lines.join("\n"), ROOM);
    Rendered::text(format!("{text}\n-# {}", Subject::Report(id).mark()))
}

fn actions(report: &Report) -> String {
    let count = |wanted: fn(State) -> bool| -> i64 {
        let rows = report.actions.iter().filter(|(_, state, _)| wanted(*state));
        rows.map(|(_, _, count)| count).sum()
    };
    let well = count(|state| state == State::Succeeded);
    let failed = count(|state| matches!(state, State::Failed | State::Interrupted));
    let total = count(|_| true);
    let mut kinds: Vec<(String, i64)> = Vec::new();
    for (kind, _, count) in &report.actions {
        match kinds.iter_mut().find(|(name, _)| name == kind.as_str()) {
            Some((_, sum)) => *sum += count,
            None => kinds.push((kind.to_string(), *count)),
        }
    }
    kinds.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let kinds = kinds.iter().map(|(kind, count)| format!("{kind} {count}"));
    format!(
        "{total}, {well} well, {failed} failed: {}",
        listed(kinds.collect(), "none")
    )
}

fn approvals(report: &Report) -> String {
    let total: i64 = report.approvals.iter().map(|(_, count)| count).sum();
    let states = report.approvals.iter().map(|(state, count)| {
        let word = match state {
            State::Asked => "open",
            State::Succeeded => "approved and done",
            other => other.as_str(),
        };
        format!("{word} {count}")
    });
    format!("{total} asked: {}", listed(states.collect(), "none"))
}

fn runs(report: &Report) -> String {
    let sum = |wanted: fn(Stage, Option<State>) -> bool| -> i64 {
        let rows = report.runs.iter();
        let rows = rows.filter(|(stage, state, _)| wanted(*stage, *state));
        rows.map(|(_, _, count)| count).sum()
    };
    let left_out = sum(|stage, _| stage == Stage::Skipped);
    let refused = sum(|stage, _| stage == Stage::Refused);
    let failed =
        sum(|_, state| state.is_some_and(|state| state.is_over() && state != State::Succeeded));
    let total = sum(|_, _| true) - left_out;
    format!("{total} runs, {refused} refused, {failed} failed, {left_out} left out")
}

fn incidents(report: &Report) -> String {
    let total: i64 = report.incidents.iter().map(|(_, count)| count).sum();
    let kinds = report.incidents.iter();
    let kinds = kinds.map(|(kind, count)| format!("{} {count}", kind.as_str()));
    format!(
        "{total} opened, {} still open: {}",
        report.still_open,
        listed(kinds.collect(), "none")
    )
}

fn restarts(restarts: &Restarts) -> String {
    let Restarts {
        name,
        count,
        by_recovery,
    } = restarts;
    if *by_recovery == 0 {
        format!("`{name}` {count}")
    } else {
        format!("`{name}` {count} ({by_recovery} to mend it)")
    }
}

fn troubled(troubled: &Troubled) -> String {
    format!(
        "`{}` {} ({:.1} % well)",
        troubled.name,
        duration(troubled.time),
        troubled.well * 100.0
    )
}

fn uptime(uptime: &Uptime) -> String {
    format!("`{}` {:.1} %", uptime.name, uptime.share * 100.0)
}

fn listed(mut items: Vec<String>, none: &str) -> String {
    if items.is_empty() {
        return none.to_owned();
    }
    let more = items.len().saturating_sub(SHOWN);
    items.truncate(SHOWN);
    if more > 0 {
        items.push(format!("{more} more"));
    }
    items.join(", ")
}
