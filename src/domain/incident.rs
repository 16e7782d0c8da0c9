//! A problem with one subject, from its opening to its resolution. What people read of it is an alert.

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    agent::{Desired, Name, State},
    ids::{AgentId, AlertId, FleetId, IncidentId, UserId},
    words::words,
};

words! {
    /// What is wrong. There is at most one open incident for a subject and a kind.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    pub enum Kind {
        /// It should run and does not.
        Down = "down",
        Unhealthy = "unhealthy",
        /// It waits for a person.
        Waiting = "waiting",
        /// Billing or authentication stops it: a restart does not help.
        Blocked = "blocked",
        /// It uses more than it should for too long.
        Resources = "resources",
        /// What runs containers does not answer.
        Engine = "engine",
        /// The machine runs short of something.
        Host = "host",
        /// A part of Yardarm stands still.
        Loop = "loop",
    }
}

words! {
    /// How soon somebody should look.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    pub enum Severity {
        Info = "info",
        Warning = "warning",
        Critical = "critical",
    }
}

impl Kind {
    /// The problem of an agent that should run and is in this state; None if there is none, or none can be told.
    pub const fn of(state: State) -> Option<Self> {
        match state {
            State::Down | State::CrashLooping => Some(Self::Down),
            State::Unhealthy | State::Unreachable => Some(Self::Unhealthy),
            State::Waiting => Some(Self::Waiting),
            State::Blocked => Some(Self::Blocked),
            State::Degraded
            | State::Unknown
            | State::Changing
            | State::Starting
            | State::Running
            | State::Exited
            | State::Frozen
            | State::Paused
            | State::Stopped => None,
        }
    }

    /// What the state of an agent says about a problem that it had.
    pub fn standing(self, desired: Desired, state: State) -> Standing {
        if desired != Desired::Running {
            return Standing::Gone;
        }
        match state {
            // Frozen, it is as ill as it was, and nothing can be seen of it.
            State::Unknown | State::Changing | State::Starting | State::Frozen => Standing::Unknown,
            _ if Self::of(state) == Some(self) => Standing::There,
            _ => Standing::Gone,
        }
    }
}

/// What is known of a problem at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    There,
    Gone,
    /// The engine is away or somebody is at work on it: nothing follows from what is seen.
    Unknown,
}

/// The subject of an incident. Its text is the key in the database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum About {
    Agent(AgentId),
    Engine,
    /// A resource of the machine, such as `memory` or a disk's mount point.
    Host(String),
    /// A worker of Yardarm.
    Loop(String),
}

impl About {
    pub const fn agent(&self) -> Option<AgentId> {
        match self {
            Self::Agent(id) => Some(*id),
            _ => None,
        }
    }

    /// The inverse of its text.
    pub fn parse(text: &str) -> Option<Self> {
        let (what, which) = text.split_once(' ').unwrap_or((text, ""));
        match what {
            "agent" => which.parse().ok().map(|id| Self::Agent(AgentId(id))),
            "engine" => Some(Self::Engine),
            "host" => Some(Self::Host(which.to_owned())),
            "loop" => Some(Self::Loop(which.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(id) => write!(f, "agent {id}"),
            Self::Engine => f.write_str("engine"),
            Self::Host(part) => write!(f, "host {part}"),
            Self::Loop(name) => write!(f, "loop {name}"),
        }
    }
}

/// What is wrong with a subject at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub about: About,
    pub kind: Kind,
    pub severity: Severity,
    /// One line for people.
    pub cause: String,
    pub evidence: Evidence,
}

/// What the cause was told by; no secret's value is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// The last lines of its log, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// What was done to its agent shortly before, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
    /// What else is worth knowing, such as what is done about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub id: IncidentId,
    pub about: About,
    /// The agent it is about, by its name of that time.
    pub agent: Option<Name>,
    pub fleet: Option<(FleetId, Name)>,
    pub kind: Kind,
    pub severity: Severity,
    pub cause: String,
    pub evidence: Evidence,
    pub opened_at: DateTime<Utc>,
    /// When people would last have read something new of it.
    pub changed_at: DateTime<Utc>,
    /// Since when the problem is gone; it is held open a while, because it may come back.
    pub gone_since: Option<DateTime<Utc>>,
    pub resolved_at: Option<DateTime<Utc>>,
    /// Who looks after it, since when. It ends with the incident.
    pub acknowledged: Option<(UserId, DateTime<Utc>)>,
    /// When the problem came back, latest last.
    pub returns: Vec<DateTime<Utc>>,
    pub flapping: bool,
    /// The message it is told in.
    pub alert: Option<AlertId>,
    /// Since when it is told there.
    pub joined_at: Option<DateTime<Utc>>,
    /// What they have yet to hear of it.
    pub untold: Option<Untold>,
    /// When people last heard of it, and how grave it was then.
    pub told_at: Option<DateTime<Utc>>,
    pub told_severity: Option<Severity>,
}

/// How long a problem must stay away to be over, and when its coming and going is called flapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damping {
    pub hold: Duration,
    /// Instead of `hold` while it flaps.
    pub hold_flapping: Duration,
    /// A problem that comes back within this time is the same incident; and returns are counted over it.
    pub window: Duration,
    /// So many returns within `window` are flapping; it ends when at most one is left (hysteresis).
    pub flaps: usize,
}

impl Default for Damping {
    fn default() -> Self {
        Self {
            hold: Duration::minutes(2),
            hold_flapping: Duration::minutes(30),
            window: Duration::hours(1),
            flaps: 4,
        }
    }
}

words! {
    /// What of an incident people have not been notified of.
    pub enum Untold {
        /// It came to a message that they had read.
        New = "new",
        /// It had gone and is back.
        Back = "back",
    }
}

/// Returns kept of one incident: more tell nothing new.
const RETURNS_KEPT: usize = 16;

impl Incident {
    /// The problem is there.
    pub const fn is_present(&self) -> bool {
        self.gone_since.is_none() && self.resolved_at.is_none()
    }

    /// It is graver than people know.
    pub fn is_worse(&self) -> bool {
        self.told_severity < Some(self.severity)
    }

    pub const fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Takes in that the problem is there; returns whether that changed anything people read.
    pub fn see(&mut self, problem: &Problem, damping: &Damping, now: DateTime<Utc>) -> bool {
        let came_back = !self.is_present();
        if came_back {
            self.returns.push(now);
            let spare = self.returns.len().saturating_sub(RETURNS_KEPT);
            self.returns.drain(..spare);
            self.untold.get_or_insert(Untold::Back);
            if self.resolved_at.is_some() {
                self.acknowledged = None;
            }
            (self.gone_since, self.resolved_at) = (None, None);
        }
        let differs = came_back
            || self.severity != problem.severity
            || self.cause != problem.cause
            || self.evidence != problem.evidence;
        if differs {
            self.severity = problem.severity;
            self.cause.clone_from(&problem.cause);
            self.evidence.clone_from(&problem.evidence);
            self.changed_at = now;
        }
        self.calm(damping, now) || differs
    }

    /// Takes in that the problem is not there; returns whether that changed anything people read.
    pub fn miss(&mut self, damping: &Damping, now: DateTime<Utc>) -> bool {
        let calmed = self.calm(damping, now);
        // One that would be gone only later: the clock was set back.
        let since = self.gone_since.filter(|since| *since <= now).unwrap_or(now);
        self.gone_since = Some(since);
        let news = since == now && self.resolved_at.is_none();
        if self.resolved_at.is_none() && since + self.hold(damping) <= now {
            self.resolved_at = Some(now);
            self.flapping = false;
            self.changed_at = now;
            return true;
        }
        if news {
            self.changed_at = now;
        }
        news || calmed
    }

    /// When it is over if the problem stays away.
    pub fn over_at(&self, damping: &Damping) -> Option<DateTime<Utc>> {
        let since = self.gone_since.filter(|_| self.is_open())?;
        Some(since + self.hold(damping))
    }

    const fn hold(&self, damping: &Damping) -> Duration {
        if self.flapping {
            damping.hold_flapping
        } else {
            damping.hold
        }
    }

    /// Judges anew whether it is flapping; returns whether that changed. A return that is yet to come tells nothing: the
    /// clock was set back.
    pub fn calm(&mut self, damping: &Damping, now: DateTime<Utc>) -> bool {
        let since = now - damping.window;
        let is_recent = |at: &&DateTime<Utc>| (since..=now).contains(*at) && **at != since;
        let recent = self.returns.iter().filter(is_recent).count();
        let flapping = if self.flapping {
            recent > 1
        } else {
            recent >= damping.flaps
        };
        std::mem::replace(&mut self.flapping, flapping) != flapping
    }

    /// When it is not flapping any more if it stays as it is.
    pub fn calm_at(&self, damping: &Damping) -> Option<DateTime<Utc>> {
        let last_but_one = self.returns.iter().rev().nth(1)?;
        (self.flapping && self.is_open()).then(|| *last_but_one + damping.window)
    }

    /// In one word: how it stands.
    pub const fn standing(&self) -> &'static str {
        if self.resolved_at.is_some() {
            "resolved"
        } else if self.flapping {
            "flapping"
        } else if self.gone_since.is_some() {
            "recovering"
        } else if self.acknowledged.is_some() {
            "acknowledged"
        } else {
            "open"
        }
    }

    /// Its subject, for people.
    pub fn subject(&self) -> String {
        match (&self.agent, &self.about) {
            (Some(name), _) => name.to_string(),
            (None, About::Engine) => "the engine".to_owned(),
            (None, About::Host(part)) => format!("the host's {part}"),
            (None, About::Loop(name)) => format!("Yardarm's {name}"),
            (None, about) => about.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    /// What each state opens, keeps open and ends, of an agent that should run.
    #[test]
    fn every_state_opens_and_ends_what_it_should() {
        use Standing::{Gone, There, Unknown};
        let kinds = [Kind::Down, Kind::Unhealthy, Kind::Waiting, Kind::Blocked];
        let table = [
            (State::Down, [There, Gone, Gone, Gone]),
            (State::CrashLooping, [There, Gone, Gone, Gone]),
            (State::Blocked, [Gone, Gone, Gone, There]),
            (State::Unhealthy, [Gone, There, Gone, Gone]),
            (State::Unreachable, [Gone, There, Gone, Gone]),
            (State::Degraded, [Gone; 4]),
            (State::Waiting, [Gone, Gone, There, Gone]),
            (State::Unknown, [Unknown; 4]),
            (State::Changing, [Unknown; 4]),
            (State::Starting, [Unknown; 4]),
            (State::Running, [Gone; 4]),
            (State::Exited, [Gone; 4]),
            (State::Frozen, [Unknown; 4]),
            (State::Paused, [Gone; 4]),
            (State::Stopped, [Gone; 4]),
        ];
        assert_eq!(table.map(|(state, _)| state), State::ALL, "every state");
        for (state, row) in table {
            let stands = kinds.map(|kind| kind.standing(Desired::Running, state));
            assert_eq!(stands, row, "{state:?}");
            // What is there is opened, and nothing else is.
            let opened = kinds.into_iter().zip(row).find(|(_, one)| *one == There);
            assert_eq!(Kind::of(state), opened.map(|(kind, _)| kind), "{state:?}");
            for desired in [Desired::Paused, Desired::Stopped] {
                let stands = kinds.map(|kind| kind.standing(desired, state));
                assert_eq!(stands, [Gone; 4], "{state:?}, wanted {desired:?}");
            }
        }
    }

    fn problem() -> Problem {
        Problem {
            about: About::Agent(AgentId(1)),
            kind: Kind::Down,
            severity: Severity::Warning,
            cause: "exited with code 1".to_owned(),
            evidence: Evidence::default(),
        }
    }

    pub(crate) fn incident() -> Incident {
        let problem = problem();
        Incident {
            id: IncidentId(1),
            about: problem.about,
            agent: Name::parse("scout").ok(),
            fleet: None,
            kind: problem.kind,
            severity: problem.severity,
            cause: problem.cause,
            evidence: problem.evidence,
            opened_at: start(),
            changed_at: start(),
            gone_since: None,
            resolved_at: None,
            acknowledged: None,
            returns: Vec::new(),
            flapping: false,
            alert: None,
            joined_at: None,
            untold: None,
            told_at: None,
            told_severity: None,
        }
    }

    fn minutes(count: i64) -> DateTime<Utc> {
        start() + Duration::minutes(count)
    }

    #[test]
    fn a_subject_survives_its_text() {
        for about in [
            About::Agent(AgentId(7)),
            About::Engine,
            About::Host("/var/lib docker".to_owned()),
            About::Loop("watcher".to_owned()),
        ] {
            assert_eq!(About::parse(&about.to_string()), Some(about));
        }
        assert_eq!(About::parse("agent x"), None);
        assert_eq!(About::parse("moon"), None);
    }

    #[test]
    fn what_is_gone_is_held_before_it_is_over() {
        let (mut incident, damping) = (incident(), Damping::default());
        assert!(incident.miss(&damping, minutes(1)));
        assert_eq!(incident.standing(), "recovering");
        assert_eq!(incident.over_at(&damping), Some(minutes(3)));
        assert!(!incident.miss(&damping, minutes(2)));
        assert!(incident.miss(&damping, minutes(3)));
        assert_eq!(incident.standing(), "resolved");
        assert!(!incident.miss(&damping, minutes(4)));
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_open() {
        let (mut incident, damping) = (incident(), Damping::default());
        incident.miss(&damping, minutes(60));
        incident.miss(&damping, minutes(0));
        assert_eq!(incident.over_at(&damping), Some(minutes(2)));
        incident.miss(&damping, minutes(2));
        assert_eq!(incident.standing(), "resolved");
    }

    #[test]
    fn what_comes_back_is_the_same_and_nobody_looks_after_it_any_more() {
        let (mut incident, damping) = (incident(), Damping::default());
        incident.acknowledged = Some((UserId(1), start()));
        incident.miss(&damping, minutes(1));
        assert!(incident.see(&problem(), &damping, minutes(2)));
        assert!(incident.acknowledged.is_some(), "it was not over");
        incident.miss(&damping, minutes(3));
        incident.miss(&damping, minutes(5));
        assert!(incident.see(&problem(), &damping, minutes(6)));
        assert_eq!(incident.acknowledged, None);
        assert_eq!(incident.returns, [minutes(2), minutes(6)]);
        assert!(!incident.see(&problem(), &damping, minutes(7)), "no news");
    }

    #[test]
    fn it_is_news_if_any_of_it_is_other_than_before() {
        let damping = Damping::default();
        let graver = Problem {
            severity: Severity::Critical,
            ..problem()
        };
        let otherwise = Problem {
            cause: "out of memory".to_owned(),
            ..problem()
        };
        let mut evident = problem();
        evident.evidence.exit_code = Some(1);
        for other in [graver, otherwise, evident] {
            let mut incident = incident();
            assert!(!incident.see(&problem(), &damping, minutes(1)), "as it was");
            assert!(incident.see(&other, &damping, minutes(2)), "{other:?}");
            assert_eq!(incident.changed_at, minutes(2));
            assert!(!incident.see(&other, &damping, minutes(3)), "known by now");
        }
    }

    #[test]
    fn flapping_begins_late_and_ends_later() {
        let (mut incident, damping) = (incident(), Damping::default());
        for at in 1..=4 {
            assert!(!incident.flapping);
            incident.miss(&damping, minutes(2 * at));
            incident.see(&problem(), &damping, minutes(2 * at + 1));
        }
        assert!(incident.flapping);
        incident.miss(&damping, minutes(10));
        incident.miss(&damping, minutes(15));
        assert!(incident.is_open(), "it is held for longer");
        incident.miss(&damping, minutes(40));
        assert_eq!(incident.standing(), "resolved");
    }

    proptest! {
        #[test]
        fn an_incident_is_over_only_after_the_hold(steps in prop::collection::vec((any::<bool>(), 1..20_i64), 1..60)) {
            let (mut incident, damping) = (incident(), Damping::default());
            let mut now = start();
            let mut absent_since = None;
            for (present, seconds) in steps {
                now += Duration::seconds(seconds * 7);
                if present {
                    absent_since = None;
                    incident.see(&problem(), &damping, now);
                    prop_assert!(incident.is_present());
                } else {
                    let since = *absent_since.get_or_insert(now);
                    incident.miss(&damping, now);
                    if incident.resolved_at.is_some() {
                        prop_assert!(now - since >= damping.hold);
                    }
                }
                prop_assert!(incident.returns.len() <= RETURNS_KEPT);
            }
        }
    }

    fn about(about: About) -> Incident {
        Incident {
            about,
            agent: None,
            ..incident()
        }
    }

    #[test]
    fn how_it_stands_is_told_in_the_word_that_matters_most() {
        let mut incident = incident();
        assert_eq!(incident.standing(), "open");
        incident.acknowledged = Some((UserId(1), start()));
        assert_eq!(incident.standing(), "acknowledged");
        incident.gone_since = Some(start());
        assert_eq!(incident.standing(), "recovering");
        incident.flapping = true;
        assert_eq!(incident.standing(), "flapping");
        incident.resolved_at = Some(start());
        assert_eq!(incident.standing(), "resolved");
    }

    #[test]
    fn its_subject_is_named_for_people() {
        let scout = Incident {
            agent: Name::parse("scout").ok(),
            ..about(About::Agent(AgentId(7)))
        };
        assert_eq!(scout.subject(), "scout");
        assert_eq!(about(About::Agent(AgentId(7))).subject(), "agent 7");
        assert_eq!(about(About::Engine).subject(), "the engine");
        assert_eq!(
            about(About::Host("memory".to_owned())).subject(),
            "the host's memory"
        );
        assert_eq!(
            about(About::Loop("scheduler".to_owned())).subject(),
            "Yardarm's scheduler"
        );
    }

    #[test]
    fn only_one_that_is_about_an_agent_has_its_number() {
        assert_eq!(About::Agent(AgentId(7)).agent(), Some(AgentId(7)));
        assert_eq!(About::Engine.agent(), None);
    }
}
