//! An agent: what we want of it, and what the engine says it is.

use std::{fmt, net::IpAddr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    ids::{AgentId, ContainerId, FleetId, ImageId},
    probe::{self, Probed},
    problem::shown,
    spec::LogMeaning,
};

/// A name people type: agents, fleets and templates share its rule.
///
/// Docker's container names allow more; this is the part of it that needs no quoting anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Name(String);

/// The longest name, in characters: a label, a volume and a network are built around it.
pub const NAME_MAX: usize = 32;

impl Name {
    /// Lower-case letters, digits, `-` and `_`; the first one a letter or a digit.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if starts_well && text.len() <= NAME_MAX && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadName(shown(text)))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A text that is no name, as it may be repeated, and what a name is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is no name: use 1 to {NAME_MAX} of a–z, 0–9, `-` and `_`, beginning with a letter or a digit"
)]
pub struct BadName(pub String);

/// A named, long-running container doing AI work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    pub id: AgentId,
    pub name: Name,
    pub fleet: FleetId,
    pub desired: Desired,
    /// None before the first start and while nothing is deployed.
    pub container: Option<ContainerId>,
    /// The version of its spec that `container` was made from.
    pub version: i64,
    /// Its container was taken over from somebody else: it has none of our labels, and is in no network of ours.
    pub adopted: bool,
    pub created_at: DateTime<Utc>,
}

/// What we want an agent to be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Desired {
    Running,
    Paused,
    Stopped,
}

impl Desired {
    /// As the database and people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Paused, Self::Stopped]
            .into_iter()
            .find(|desired| desired.as_str() == text)
    }
}

/// What the engine said of one container, and nothing we made up.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    pub container: ContainerId,
    /// The engine's name for it, without the leading slash.
    pub name: String,
    pub phase: Phase,
    pub image: ImageId,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    /// Of the last run; None if it never ended.
    pub exit_code: Option<i64>,
    /// The kernel ended it for memory. Exit code 137 alone cannot tell this from a kill.
    pub oom_killed: bool,
    /// Why the engine could not start it, in its words.
    pub error: Option<String>,
    pub health: Option<Health>,
    /// The beginning of what the last health check wrote, while it is unhealthy.
    pub health_said: Option<String>,
    /// Starts by the engine itself; ours count as actions.
    pub restarts: u32,
    /// Ports reachable from the host, as `address:port → container port`.
    pub ports: Vec<String>,
    /// Where it is reached inside its networks, while it runs.
    pub addresses: Vec<IpAddr>,
}

/// The engine's word for what a container is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    Created,
    Running,
    Paused,
    Restarting,
    Exited,
    Dead,
}

impl Phase {
    /// Processes exist: it can be stopped, and a volume of it is in use.
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }
}

/// What the engine's own health check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Starting,
    Healthy,
    Unhealthy,
}

/// What the state of an agent follows from.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and all go together"
)]
pub struct Facts<'a> {
    pub desired: Desired,
    /// None if its container is gone or was never made.
    pub observed: Option<&'a Observation>,
    pub engine_answers: bool,
    /// One for each probe.
    pub probed: &'a [Probed],
    /// What its exit code means, or else the last line of this run that its template knows.
    pub meaning: Option<LogMeaning>,
    /// Restarts by itself are used up.
    pub broken: bool,
    /// Whether it is restarted by itself at all.
    pub restarts: bool,
    /// Its fleet is frozen, or what that held is not all restored yet.
    pub frozen: bool,
}

impl Facts<'_> {
    fn is_blocked(&self) -> bool {
        self.desired == Desired::Running && self.meaning == Some(LogMeaning::Blocked)
    }

    fn is_waiting(&self) -> bool {
        self.desired == Desired::Running && self.meaning == Some(LogMeaning::Waiting)
    }

    /// Nobody wanted it to stand still, but that its fleet is frozen.
    fn is_held(&self) -> bool {
        self.frozen && self.desired != Desired::Paused
    }

    /// What one is that does not run.
    fn judge_end(&self) -> State {
        let ended_well = self.observed.is_some_and(|seen| {
            seen.phase == Phase::Exited && seen.exit_code == Some(0) && !seen.oom_killed
        });
        match self.desired {
            Desired::Stopped => State::Stopped,
            _ if self.is_blocked() => State::Blocked,
            _ if self.is_waiting() => State::Waiting,
            _ if self.broken => State::CrashLooping,
            Desired::Running if ended_well && !self.restarts => State::Exited,
            Desired::Running | Desired::Paused => State::Down,
        }
    }
}

/// What people see of an agent: desired and observed in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// It should run and does not.
    Down,
    /// It ended again and again, and is not restarted by itself any more.
    CrashLooping,
    /// Billing or authentication stops it, by what its exit code or its log means.
    Blocked,
    Unhealthy,
    /// It runs, and no probe gets an answer.
    Unreachable,
    /// Some of its probes fail, and others do not.
    Degraded,
    /// It waits for a person, by what its exit code or its log means.
    Waiting,
    /// The engine does not answer: neither healthy nor down.
    Unknown,
    /// An action is at work on it.
    Changing,
    Starting,
    Running,
    /// It ended by itself with code 0, and its template says that this is fine: it is not restarted.
    Exited,
    /// It ran, and stands still because its fleet is frozen.
    Frozen,
    /// It stands still because somebody wanted that of it.
    Paused,
    Stopped,
}

impl State {
    /// Worst first: the order in which people want to read them.
    pub const ALL: [Self; 15] = [
        Self::Down,
        Self::CrashLooping,
        Self::Blocked,
        Self::Unhealthy,
        Self::Unreachable,
        Self::Degraded,
        Self::Waiting,
        Self::Unknown,
        Self::Changing,
        Self::Starting,
        Self::Running,
        Self::Exited,
        Self::Frozen,
        Self::Paused,
        Self::Stopped,
    ];

    /// Judges one agent by all that is known of it.
    pub fn judge(facts: &Facts<'_>) -> Self {
        if !facts.engine_answers {
            return Self::Unknown;
        }
        match facts.observed.map(|seen| (seen.phase, seen.health)) {
            Some((Phase::Paused, _)) if facts.is_held() => Self::Frozen,
            Some((Phase::Paused, _)) => Self::Paused,
            Some((Phase::Running, _)) if facts.is_blocked() => Self::Blocked,
            Some((Phase::Running, _)) if facts.is_waiting() => Self::Waiting,
            Some((Phase::Running, Some(Health::Unhealthy))) => Self::Unhealthy,
            Some((Phase::Running, Some(Health::Starting)) | (Phase::Restarting, _)) => {
                Self::Starting
            }
            Some((Phase::Running, Some(Health::Healthy) | None)) => probe::judge(facts.probed),
            Some((Phase::Created | Phase::Exited | Phase::Dead, _)) | None => facts.judge_end(),
        }
    }

    /// It runs, well or not.
    pub const fn is_at_work(self) -> bool {
        matches!(
            self,
            Self::Unhealthy | Self::Unreachable | Self::Degraded | Self::Waiting | Self::Running
        )
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::CrashLooping => "crash-looping",
            Self::Blocked => "blocked",
            Self::Waiting => "waiting",
            Self::Exited => "exited",
            Self::Unhealthy => "unhealthy",
            Self::Unreachable => "unreachable",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Changing => "changing",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Frozen => "frozen",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::probe::{Answer, Asked, Pace};

    pub(crate) fn seen(phase: Phase, health: Option<Health>) -> Observation {
        Observation {
            container: ContainerId("c".to_owned()),
            name: "yardarm-scout".to_owned(),
            phase,
            image: ImageId("sha256:0".to_owned()),
            started_at: None,
            finished_at: None,
            exit_code: None,
            oom_killed: false,
            error: None,
            health,
            health_said: None,
            restarts: 0,
            ports: Vec::new(),
            addresses: Vec::new(),
        }
    }

    fn facts(desired: Desired, observed: Option<&Observation>) -> Facts<'_> {
        Facts {
            desired,
            observed,
            engine_answers: true,
            probed: &[],
            meaning: None,
            broken: false,
            restarts: true,
            frozen: false,
        }
    }

    /// A probe that was asked once, and once is enough.
    fn probed(answer: Answer) -> Probed {
        let mut probed = Probed::new(DateTime::UNIX_EPOCH);
        let pace = Pace {
            failures: 1,
            ..Pace::default()
        };
        let asked = Asked {
            at: DateTime::UNIX_EPOCH,
            took: std::time::Duration::ZERO,
            answer,
        };
        probed.note(asked, &pace, None);
        probed
    }

    /// What becomes of one that is wanted so and seen so, with what else is known of it.
    fn way(
        desired: Desired,
        seen: impl Into<Option<Observation>>,
        know: impl Fn(&mut Facts<'_>),
    ) -> State {
        let seen = seen.into();
        let mut facts = facts(desired, seen.as_ref());
        know(&mut facts);
        State::judge(&facts)
    }

    const GONE: Option<Observation> = None;

    fn running(health: Option<Health>) -> Observation {
        seen(Phase::Running, health)
    }

    fn still() -> Observation {
        seen(Phase::Paused, None)
    }

    fn ended(code: i64) -> Observation {
        Observation {
            exit_code: Some(code),
            ..seen(Phase::Exited, None)
        }
    }

    fn plain(_: &mut Facts<'_>) {}
    fn broken(facts: &mut Facts<'_>) {
        facts.broken = true;
    }
    fn frozen(facts: &mut Facts<'_>) {
        facts.frozen = true;
    }
    fn blocked(facts: &mut Facts<'_>) {
        facts.meaning = Some(LogMeaning::Blocked);
    }
    fn waiting(facts: &mut Facts<'_>) {
        facts.meaning = Some(LogMeaning::Waiting);
    }
    fn once(facts: &mut Facts<'_>) {
        facts.restarts = false;
    }
    fn away(facts: &mut Facts<'_>) {
        facts.engine_answers = false;
    }

    /// Ways of one whose container has no processes.
    fn ways_down() -> Vec<(State, State)> {
        use Desired::{Paused, Running, Stopped};
        vec![
            (way(Running, ended(1), plain), State::Down),
            (way(Running, GONE, plain), State::Down),
            (way(Paused, ended(1), plain), State::Down),
            (way(Running, ended(1), frozen), State::Down),
            (way(Running, ended(0), plain), State::Down),
            (way(Running, ended(1), once), State::Down),
            (way(Running, ended(0), once), State::Exited),
            (way(Running, ended(1), broken), State::CrashLooping),
            (way(Running, GONE, broken), State::CrashLooping),
            (way(Running, ended(1), blocked), State::Blocked),
            (way(Running, ended(1), waiting), State::Waiting),
            (way(Stopped, ended(1), plain), State::Stopped),
            (way(Stopped, ended(1), broken), State::Stopped),
            (way(Stopped, ended(1), blocked), State::Stopped),
            (way(Stopped, GONE, frozen), State::Stopped),
            (way(Stopped, GONE, away), State::Unknown),
        ]
    }

    /// Ways of one that is up, or stands still.
    fn ways_up() -> Vec<(State, State)> {
        use Desired::{Paused, Running, Stopped};
        let (ill, early) = (Some(Health::Unhealthy), Some(Health::Starting));
        let restarting = || seen(Phase::Restarting, None);
        vec![
            (way(Running, running(None), plain), State::Running),
            (way(Running, running(ill), plain), State::Unhealthy),
            (way(Running, running(ill), broken), State::Unhealthy),
            (way(Running, running(early), plain), State::Starting),
            (way(Running, restarting(), plain), State::Starting),
            (way(Running, running(ill), blocked), State::Blocked),
            (way(Running, running(None), waiting), State::Waiting),
            (way(Running, running(None), away), State::Unknown),
            // Cut off, it runs on.
            (way(Running, running(None), frozen), State::Running),
            // What means something while it should run means nothing once it should not.
            (way(Stopped, running(None), blocked), State::Running),
            (way(Running, still(), frozen), State::Frozen),
            (way(Stopped, still(), frozen), State::Frozen),
            (way(Paused, still(), frozen), State::Paused),
            (way(Paused, still(), plain), State::Paused),
            // Somebody paused it past us.
            (way(Running, still(), plain), State::Paused),
            (way(Running, still(), away), State::Unknown),
        ]
    }

    /// Ways of one that runs and has probes.
    fn ways_probed() -> Vec<(State, State)> {
        let ill = || probed(Answer::Ill("status 500".to_owned()));
        let mute = || probed(Answer::Unreachable("refused".to_owned()));
        let well = || probed(Answer::Well);
        let early = || Probed::new(DateTime::UNIX_EPOCH);
        let probes = |probed: [Probed; 2]| {
            let observed = seen(Phase::Running, None);
            State::judge(&Facts {
                probed: &probed,
                ..facts(Desired::Running, Some(&observed))
            })
        };
        vec![
            (probes([well(), well()]), State::Running),
            (probes([early(), well()]), State::Starting),
            (probes([ill(), well()]), State::Degraded),
            (probes([ill(), early()]), State::Degraded),
            (probes([ill(), mute()]), State::Unhealthy),
            (probes([mute(), mute()]), State::Unreachable),
        ]
    }

    #[test]
    fn every_state_has_its_ways() {
        let ways = [ways_down(), ways_up(), ways_probed()];
        let mut left: BTreeSet<State> = State::ALL.into();
        // That an action is at work on it is the roster's to know.
        left.remove(&State::Changing);
        for (table, rows) in ways.into_iter().enumerate() {
            for (row, (state, expected)) in rows.into_iter().enumerate() {
                assert_eq!(state, expected, "row {row} of table {table}");
                left.remove(&state);
            }
        }
        assert_eq!(left, BTreeSet::new(), "states to which no way leads");
    }

    #[test]
    fn a_container_is_judged_by_what_is_wanted() {
        use Desired::{Paused, Running, Stopped};
        for (desired, phase, health, expected) in [
            (Running, Phase::Running, None, State::Running),
            (
                Running,
                Phase::Running,
                Some(Health::Healthy),
                State::Running,
            ),
            (
                Running,
                Phase::Running,
                Some(Health::Starting),
                State::Starting,
            ),
            (
                Running,
                Phase::Running,
                Some(Health::Unhealthy),
                State::Unhealthy,
            ),
            (Running, Phase::Restarting, None, State::Starting),
            (Running, Phase::Exited, Some(Health::Unhealthy), State::Down),
            (Running, Phase::Created, None, State::Down),
            (Running, Phase::Dead, None, State::Down),
            (Paused, Phase::Paused, None, State::Paused),
            (Paused, Phase::Exited, None, State::Down),
            (Stopped, Phase::Exited, None, State::Stopped),
            (Stopped, Phase::Running, None, State::Running),
        ] {
            let observed = seen(phase, health);
            let facts = facts(desired, Some(&observed));
            assert_eq!(
                State::judge(&facts),
                expected,
                "{desired:?} {phase:?} {health:?}"
            );
            let silent = Facts {
                engine_answers: false,
                ..facts
            };
            assert_eq!(State::judge(&silent), State::Unknown);
        }
    }

    #[test]
    fn what_an_end_means_is_told_apart() {
        let ended = |code| Observation {
            exit_code: Some(code),
            ..seen(Phase::Exited, None)
        };
        let (well, ill, running) = (
            ended(0),
            ended(1),
            seen(Phase::Running, Some(Health::Unhealthy)),
        );
        let of = |observed| facts(Desired::Running, Some(observed));
        let meaning = |meaning, facts| Facts {
            meaning: Some(meaning),
            ..facts
        };
        let broken = |facts| Facts {
            broken: true,
            ..facts
        };
        let once = |facts| Facts {
            restarts: false,
            ..facts
        };
        for (facts, expected) in [
            (of(&well), State::Down),
            (once(of(&well)), State::Exited),
            (once(of(&ill)), State::Down),
            (broken(of(&ill)), State::CrashLooping),
            (broken(of(&running)), State::Unhealthy),
            (
                meaning(LogMeaning::Blocked, broken(of(&ill))),
                State::Blocked,
            ),
            (meaning(LogMeaning::Waiting, of(&ill)), State::Waiting),
            (meaning(LogMeaning::Failed, of(&ill)), State::Down),
            (meaning(LogMeaning::Blocked, of(&running)), State::Blocked),
            (meaning(LogMeaning::Waiting, of(&running)), State::Waiting),
            (
                meaning(LogMeaning::Blocked, facts(Desired::Stopped, Some(&ill))),
                State::Stopped,
            ),
        ] {
            assert_eq!(State::judge(&facts), expected, "{facts:?}");
        }
    }

    #[test]
    fn a_container_that_is_gone_is_missed_unless_it_should_be_stopped() {
        assert_eq!(State::judge(&facts(Desired::Running, None)), State::Down);
        assert_eq!(State::judge(&facts(Desired::Stopped, None)), State::Stopped);
    }

    proptest! {
        #[test]
        fn a_name_that_parses_needs_no_quoting(text in ".{0,40}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(name.as_str(), text);
                prop_assert!(name.as_str().len() <= NAME_MAX);
                prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            }
        }
    }

    #[test]
    fn a_container_is_up_while_it_has_processes() {
        let all = [
            Phase::Created,
            Phase::Running,
            Phase::Paused,
            Phase::Restarting,
            Phase::Exited,
            Phase::Dead,
        ];
        let up: Vec<Phase> = all.into_iter().filter(|phase| phase.is_up()).collect();
        assert_eq!(up, [Phase::Running, Phase::Paused, Phase::Restarting]);
    }

    #[test]
    fn states_are_told_in_words_and_some_are_at_work() {
        let words = |states: &[State]| {
            let words: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
            words.join(", ")
        };
        insta::assert_snapshot!(words(&State::ALL), @"down, crash-looping, blocked, unhealthy, unreachable, degraded, waiting, unknown, changing, starting, running, exited, frozen, paused, stopped");
        let working: Vec<State> = State::ALL
            .into_iter()
            .filter(|state| state.is_at_work())
            .collect();
        insta::assert_snapshot!(words(&working), @"unhealthy, unreachable, degraded, waiting, running");
    }

    #[test]
    fn a_name_is_checked_wherever_it_is_read() {
        let read = serde_json::from_str::<Name>;
        assert_eq!(read(r#""scout""#).unwrap().as_str(), "scout");
        assert!(read(r#""Big Scout""#).is_err());
    }
}
