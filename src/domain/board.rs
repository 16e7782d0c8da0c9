//! The one live status message of a channel: what it shows, and how often it may be edited.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher as _},
};

use chrono::{DateTime, Duration, Utc};

use super::{
    action::Kind,
    agent::{Name, State},
    ids::{ActionId, AgentId, BoardId, ChannelId, FleetId, MessageId, UserId},
    incident::Severity,
    view::{Host, View},
};

/// Between two edits, however much changes.
const BETWEEN: Duration = Duration::seconds(15);
/// The same while somebody waits to see what came of an action, which is so long after it began or ended.
const SOON: Duration = Duration::seconds(3);
const HASTE: Duration = Duration::seconds(15);
/// Between two edits that only say that all is as it was.
const QUIET: (Duration, Duration) = (Duration::minutes(1), Duration::minutes(10));
/// The longest wait after Discord has refused an edit again and again.
const REFUSED_MAX: Duration = Duration::minutes(5);

/// A board, where it stands and what of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    pub id: BoardId,
    pub channel: ChannelId,
    /// None: of all fleets.
    pub fleet: Option<(FleetId, Name)>,
    /// It is posted anew once so many messages stand below it; None: never.
    pub repost_after: Option<u8>,
    pub created_by: UserId,
    /// None: nothing yet.
    pub shown: Option<Shown>,
    /// The message that the present one took the place of, until it is deleted.
    pub old_message: Option<MessageId>,
    /// When it ended, and why.
    pub ended: Option<(DateTime<Utc>, String)>,
}

/// What was last shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// [`Picture::digest`].
    pub picture: String,
    pub at: DateTime<Utc>,
    /// Since when it is the same.
    pub changed_at: DateTime<Utc>,
}

impl Shown {
    /// When it may be edited next if there is anything new. `acted_at` is when somebody's action last began or ended.
    pub fn earliest(&self, acted_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
        if self.at > now {
            // The clock was set back: nothing follows from that time.
            return now;
        }
        let in_haste = acted_at.is_some_and(|at| at <= now && now - at < HASTE);
        self.at + if in_haste { SOON } else { BETWEEN }
    }

    /// When it is edited although there is nothing new, because it says as of when it is true: ever later, the longer
    /// nothing changes.
    pub fn refresh_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        if self.at > now {
            return now;
        }
        let (least, most) = QUIET;
        self.at + (self.at - self.changed_at).clamp(least, most)
    }
}

/// How long to wait after Discord has refused an edit so many times in a row.
pub fn patience(refusals: i64) -> Duration {
    let doublings = u32::try_from(refusals.clamp(0, 8)).unwrap_or(8);
    (BETWEEN * (1_i32 << doublings)).min(REFUSED_MAX)
}

/// What people read on a board, without what is never the same: the time and the host's figures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Picture {
    pub counts: BTreeMap<State, usize>,
    /// Worst first; the rest is counted.
    pub agents: Vec<Line>,
    /// What is wrong, gravest first; the rest is counted.
    pub troubles: Vec<Trouble>,
    pub troubles_more: usize,
    /// What waits for people, oldest first; the rest is counted.
    pub questions: Vec<Question>,
    pub questions_more: usize,
    /// A sentence each.
    pub freezes: Vec<String>,
    /// Since when the engine does not answer, and why.
    pub silent: Option<(DateTime<Utc>, String)>,
}

impl Picture {
    /// Agents that are shown: as many as fit into a message.
    pub const AGENTS: usize = 30;
    pub const TROUBLES: usize = 8;
    pub const QUESTIONS: usize = 8;

    /// By which two are told apart. Another build may give another: that costs one edit.
    pub fn digest(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    pub id: AgentId,
    pub name: Name,
    pub fleet: Name,
    pub state: State,
    pub since: DateTime<Utc>,
    /// The action at work on it.
    pub busy: Option<Kind>,
    /// A freeze covers it, and it is in another state for all that.
    pub is_frozen: bool,
}

impl Line {
    pub fn of(view: &View, is_frozen: bool) -> Self {
        let seen = view.observed.as_ref();
        let since = match view.state {
            State::Running | State::Paused | State::Frozen => seen.and_then(|seen| seen.started_at),
            State::Down | State::CrashLooping | State::Exited | State::Stopped => {
                seen.and_then(|seen| seen.finished_at)
            }
            _ => None,
        };
        Self {
            id: view.agent.id,
            name: view.agent.name.clone(),
            fleet: view.fleet.clone(),
            state: view.state,
            since: since.unwrap_or(view.since),
            busy: view.busy.map(|busy| busy.kind),
            is_frozen: is_frozen && view.state != State::Frozen,
        }
    }
}

/// An incident that is open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trouble {
    pub severity: Severity,
    pub subject: String,
    pub cause: String,
    pub since: DateTime<Utc>,
    /// In a word: how it stands.
    pub standing: &'static str,
}

/// A question to people that is open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    pub action: ActionId,
    pub kind: Kind,
    /// The agent, if it is about but one; else how many.
    pub agents: Result<Name, usize>,
    /// Where it was asked.
    pub channel: Option<ChannelId>,
    pub until: DateTime<Utc>,
}

/// All that a board's message is rendered from.
#[derive(Clone, Debug)]
pub struct BoardView {
    pub board: Board,
    pub picture: Picture,
    pub host: Host,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        agent::{Observation, Phase},
        view::tests::{seen, view},
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::seconds(seconds)
    }

    fn shown(seconds: i64, changed: i64) -> Shown {
        Shown {
            picture: String::new(),
            at: at(seconds),
            changed_at: at(changed),
        }
    }

    #[test]
    fn what_changes_all_the_time_is_shown_four_times_a_minute() {
        let mut last = shown(0, 0);
        let mut edits = 0;
        for second in 1..=600 {
            if last.earliest(None, at(second)) <= at(second) {
                edits += 1;
                last = shown(second, second);
            }
        }
        assert_eq!(edits, 40);
    }

    #[test]
    fn after_an_action_it_is_shown_sooner_for_a_while() {
        let last = shown(100, 100);
        assert_eq!(last.earliest(None, at(101)), at(115));
        assert_eq!(last.earliest(Some(at(100)), at(101)), at(103));
        assert_eq!(last.earliest(Some(at(90)), at(104)), at(103));
        assert_eq!(last.earliest(Some(at(90)), at(105)), at(115), "long ago");
        assert_eq!(last.earliest(None, at(100)), at(115), "only just");
    }

    #[test]
    fn the_longer_nothing_changes_the_seldomer_it_says_so() {
        let mut last = shown(0, 0);
        let mut minutes = Vec::new();
        for _ in 0..7 {
            let next = last.refresh_at(at(0).max(last.at));
            minutes.push((next - last.at).num_minutes());
            last.at = next;
        }
        assert_eq!(minutes, [1, 1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up() {
        let last = shown(3600, 3000);
        assert_eq!(last.earliest(None, at(5)), at(5));
        assert_eq!(last.refresh_at(at(5)), at(5));
        // Nor does an action that has not been yet make haste.
        assert_eq!(shown(0, 0).earliest(Some(at(3600)), at(5)), at(15));
    }

    #[test]
    fn refusals_make_it_wait_ever_longer() {
        let seconds: Vec<i64> = [0, 1, 2, 4, 5, 90]
            .map(|refusals| patience(refusals).num_seconds())
            .into();
        assert_eq!(seconds, [15, 30, 60, 240, 300, 300]);
    }

    #[test]
    fn a_picture_counts_all_agents_and_has_a_fingerprint() {
        let picture = |running: usize| Picture {
            counts: BTreeMap::from([(State::Running, running), (State::Down, 2)]),
            agents: Vec::new(),
            troubles: Vec::new(),
            troubles_more: 0,
            questions: Vec::new(),
            questions_more: 0,
            freezes: Vec::new(),
            silent: None,
        };
        assert_eq!(picture(3).total(), 5);
        assert_eq!(picture(3).digest(), picture(3).digest());
        assert_ne!(picture(3).digest(), picture(4).digest());
    }

    #[test]
    fn a_line_tells_since_when_the_container_is_so() {
        let seen = Observation {
            started_at: Some(at(10)),
            finished_at: Some(at(20)),
            ..seen(Phase::Running, None)
        };
        let line = |state, is_frozen| {
            let view = View {
                state,
                observed: Some(seen.clone()),
                since: at(30),
                ..view("")
            };
            let line = Line::of(&view, is_frozen);
            (line.since, line.is_frozen)
        };
        assert_eq!(line(State::Running, false), (at(10), false));
        assert_eq!(line(State::Running, true), (at(10), true));
        assert_eq!(line(State::Frozen, true), (at(10), false));
        assert_eq!(line(State::Down, false), (at(20), false));
        assert_eq!(line(State::Unhealthy, false), (at(30), false));
        let unseen = Line::of(&view(""), false);
        assert_eq!((unseen.since, unseen.name.as_str()), (at(0), "scout"));
    }
}
