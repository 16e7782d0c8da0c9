//! What a start found cut off by the last end, and the digest after a long silence.

use chrono::{DateTime, Utc};

use super::{Rendered, action};
use crate::domain::{
    action::Action,
    outbox::{Subject, digest_mark},
};

/// More than this are counted, not listed.
const SHOWN: usize = 15;

pub fn report(number: i64, cut_off: &[Action], now: DateTime<Utc>) -> Rendered {
    let head = format!(
        "Yardarm was restarted in the middle of {}:",
        count(cut_off.len())
    );
    list(&head, cut_off, now, &Subject::Start(number).mark())
}

/// One message for all that could not be sent while Discord was away.
pub fn digest(
    subjects: &[Subject],
    (actions, notes): (&[Action], &[String]),
    now: DateTime<Utc>,
) -> Rendered {
    let head = format!(
        "Discord was away. Meanwhile {} ended:",
        count(actions.len())
    );
    let head = [notes, &[head]].concat().join("\n");
    list(&head, actions, now, &digest_mark(subjects))
}

fn count(number: usize) -> String {
    if number == 1 {
        "one action".to_owned()
    } else {
        format!("{number} actions")
    }
}

fn list(head: &str, actions: &[Action], now: DateTime<Utc>, mark: &str) -> Rendered {
    let mut lines = vec![head.to_owned()];
    lines.extend(
        actions
            .iter()
            .take(SHOWN)
            .map(|action| format!("{} · action {}", first_line(action, now), action.id)),
    );
    if actions.len() > SHOWN {
        lines.push(format!("… and {} more", actions.len() - SHOWN));
    }
    Rendered {
        content: lines.join("\n"),
        foot: format!("-# {mark}"),
        ..Rendered::default()
    }
}

fn first_line(action: &Action, now: DateTime<Utc>) -> String {
    action::card(action, now)
        .content
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}
