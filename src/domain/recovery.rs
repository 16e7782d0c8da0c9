//! What is done about an agent that ended or is not well: find the cause first, then restart it, wait, or ask people.

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    agent::{Health, Observation, Phase},
    ids::AgentId,
    incident::Severity,
    spec::{ExitMeaning, LogMeaning, LogPattern},
};

/// Why an agent is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The kernel ended it for memory.
    OutOfMemory,
    /// Billing or authentication stops it, in the words of its template.
    Blocked(String),
    /// It waits for a person.
    Waiting(String),
    /// The engine could not start it, in its words.
    NotStarted(String),
    /// Ended by a signal that we did not send.
    Killed(i64),
    Failed(i64),
    /// It ended by itself, as if all were well.
    Ended,
    /// Its container is gone.
    Gone,
    Unhealthy,
    /// All its probes fail, and the first one of them because of this.
    Failing(String),
}

/// What is known of an agent, besides its log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Symptoms<'a> {
    /// None if its container is gone.
    pub observed: Option<&'a Observation>,
    /// What its template knows of its log.
    pub patterns: &'a [LogPattern],
    /// What its exit code means.
    pub exit: Option<&'a ExitMeaning>,
    /// What its log meant when it was last looked at: the line may be far up by now.
    pub log_says: Option<LogMeaning>,
    /// A probe that fails, and why.
    pub failing: Option<&'a str>,
}

/// Exit codes above this are 128 and the signal's number (POSIX shells, and Docker with them).
const SIGNALS: i64 = 128;

impl Cause {
    /// Judges by what the engine says and by the last lines of the log, the meaning of which the template knows.
    pub fn find(symptoms: &Symptoms<'_>, lines: &[String]) -> Self {
        let Some(observed) = symptoms.observed else {
            return Self::Gone;
        };
        if observed.oom_killed {
            return Self::OutOfMemory;
        }
        let by_exit = symptoms
            .exit
            .and_then(|exit| Self::of(exit.means, &exit.note));
        let by_log = || symptoms.log_says.and_then(|says| Self::of(says, ""));
        if let Some(cause) = by_exit
            .or_else(|| meant(symptoms.patterns, lines))
            .or_else(by_log)
        {
            return cause;
        }
        if observed.phase == Phase::Running && observed.health == Some(Health::Unhealthy) {
            return Self::Unhealthy;
        }
        if observed.phase == Phase::Running
            && let Some(failing) = symptoms.failing
        {
            return Self::Failing(failing.to_owned());
        }
        match (&observed.error, observed.exit_code) {
            (Some(error), _) => Self::NotStarted(error.clone()),
            (None, Some(code)) if code > SIGNALS => Self::Killed(code - SIGNALS),
            (None, Some(0) | None) => Self::Ended,
            (None, Some(code)) => Self::Failed(code),
        }
    }

    fn of(meaning: LogMeaning, note: &str) -> Option<Self> {
        match meaning {
            LogMeaning::Blocked => Some(Self::Blocked(note.to_owned())),
            LogMeaning::Waiting => Some(Self::Waiting(note.to_owned())),
            LogMeaning::Failed => None,
        }
    }

    /// What the last line that a pattern knows means, if a restart does not help then.
    pub fn told_by(patterns: &[LogPattern], lines: &[String]) -> Option<LogMeaning> {
        match meant(patterns, lines)? {
            Self::Blocked(_) => Some(LogMeaning::Blocked),
            Self::Waiting(_) => Some(LogMeaning::Waiting),
            _ => None,
        }
    }

    /// Whether a restart may help at all; otherwise people are asked.
    pub const fn may_heal(&self) -> bool {
        !matches!(self, Self::Blocked(_) | Self::Waiting(_) | Self::Gone)
    }

    pub const fn severity(&self) -> Severity {
        match self {
            Self::Blocked(_) | Self::Gone | Self::NotStarted(_) => Severity::Critical,
            Self::Waiting(_)
            | Self::OutOfMemory
            | Self::Killed(_)
            | Self::Failed(_)
            | Self::Ended
            | Self::Unhealthy
            | Self::Failing(_) => Severity::Warning,
        }
    }
}

/// What the latest line says that a pattern knows. Patterns were checked when the template was read.
fn meant(patterns: &[LogPattern], lines: &[String]) -> Option<Cause> {
    let known: Vec<(Regex, &LogPattern)> = patterns
        .iter()
        .filter(|pattern| pattern.means != LogMeaning::Failed)
        .filter_map(|pattern| Some((Regex::new(&pattern.pattern).ok()?, pattern)))
        .collect();
    lines.iter().rev().find_map(|line| {
        let (_, pattern) = known.iter().find(|(regex, _)| regex.is_match(line))?;
        Cause::of(pattern.means, &pattern.note)
    })
}

impl fmt::Display for Cause {
    /// What people read after the agent's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory => f.write_str("ran out of memory"),
            Self::Blocked(note) if note.is_empty() => f.write_str("is blocked"),
            Self::Blocked(note) => write!(f, "is blocked: {note}"),
            Self::Waiting(note) if note.is_empty() => f.write_str("waits for a person"),
            Self::Waiting(note) => write!(f, "waits for a person: {note}"),
            Self::NotStarted(error) => write!(f, "could not be started: {error}"),
            Self::Killed(signal) => write!(f, "was killed by signal {signal}"),
            Self::Failed(code) => write!(f, "exited with code {code}"),
            Self::Ended => f.write_str("ended by itself with code 0"),
            Self::Gone => f.write_str("has no container any more"),
            Self::Unhealthy => f.write_str("is unhealthy"),
            Self::Failing(probe) => write!(f, "is unhealthy: {probe}"),
        }
    }
}

/// What may be done by itself for agents of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Recovery {
    /// Whether it is restarted at all; otherwise people are told, and it stays as it is.
    pub restart: bool,
    /// Restarts within `window_s`; then people are asked.
    #[schemars(range(min = 1, max = 20))]
    pub attempts: u32,
    /// Seconds over which restarts are counted.
    #[schemars(range(min = 60, max = 86_400))]
    pub window_s: u32,
    /// Seconds it must run well until it may be restarted by itself again.
    #[schemars(range(min = 10, max = 86_400))]
    pub healthy_s: u32,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            restart: true,
            attempts: 5,
            window_s: 1800,
            healthy_s: 600,
        }
    }
}

/// What an agent is restarted for by itself. Each is counted apart: what it depends on uses up none of its own restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It ended or was not well.
    Own,
    /// What it depends on was restarted.
    Need,
}

/// What was tried for an agent within the window, and what stands in the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    pub attempts: u32,
    /// When the last one ended, or began if it goes on.
    pub last: Option<DateTime<Utc>>,
    /// The attempts were used up: people were asked.
    pub broken: bool,
    /// What starts writes, and there is no room.
    pub disk_full: bool,
    /// People are asked first, and nobody has said yes: not yet, or not of late.
    pub asked: bool,
}

/// After a no, or no answer, people are not asked about a restart again for so long.
pub const NO_COUNTS: Duration = Duration::hours(1);

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Course {
    Restart(DateTime<Utc>),
    /// The attempts are used up: nothing is done by itself until it has run well for a while.
    Break,
    /// People are asked, and this is why.
    Ask(&'static str),
}

/// The first wait, seconds; it doubles with each attempt.
const FIRST_WAIT: i64 = 5;
const LONGEST_WAIT: i64 = 300;

impl Recovery {
    /// What is to be done about an agent that is not as it should be because of this.
    pub fn course(&self, cause: &Cause, past: &Past, agent: AgentId, now: DateTime<Utc>) -> Course {
        if cause.may_heal() {
            self.again(past, agent, now)
        } else {
            Course::Ask("a restart does not help")
        }
    }

    /// The first restart comes at once, the next ones wait 5 s doubling to 5 min, a fifth more or less. That part is
    /// taken from the agent and the attempt, so that many do not come at once and the same question has one answer.
    pub fn again(&self, past: &Past, agent: AgentId, now: DateTime<Utc>) -> Course {
        if !self.restart {
            return Course::Ask("its template says that it is not restarted by itself");
        }
        if past.disk_full {
            return Course::Ask("the host's disk is full");
        }
        if past.asked {
            return Course::Ask("a rule has people asked first, and nobody has said yes");
        }
        if past.broken || past.attempts >= self.attempts {
            return Course::Break;
        }
        // One that ends well after now: the clock was set back meanwhile, and nothing follows from that time.
        let counts =
            |last: &DateTime<Utc>| past.attempts > 0 && *last <= now + Duration::minutes(1);
        let Some(last) = past.last.filter(counts) else {
            return Course::Restart(now);
        };
        Course::Restart(last + wait(past.attempts, agent))
    }

    /// Attempts before this are forgotten.
    pub fn counts_since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - Duration::seconds(self.window_s.into())
    }
}

fn wait(attempts: u32, agent: AgentId) -> Duration {
    let doublings = attempts.saturating_sub(1).min(6);
    let full = (FIRST_WAIT << doublings).min(LONGEST_WAIT) * 1000;
    // Fibonacci hashing: neighbouring ids come far apart.
    let mixed = (agent.0.cast_unsigned() ^ u64::from(attempts)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let share = i64::try_from(mixed >> 54).unwrap_or_default(); // 0 to 1023
    Duration::milliseconds(full * 4 / 5 + full * 2 / 5 * share / 1024)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::agent::tests::seen;

    fn ended(code: i64) -> Observation {
        Observation {
            exit_code: Some(code),
            ..seen(Phase::Exited, None)
        }
    }

    fn pattern(pattern: &str, means: LogMeaning, note: &str) -> LogPattern {
        LogPattern {
            pattern: pattern.to_owned(),
            means,
            note: note.to_owned(),
        }
    }

    #[test]
    fn the_cause_is_told_by_engine_and_log() {
        let lines = ["asked", "invalid API key", "bye"].map(str::to_owned);
        let blocked = [pattern(
            "invalid API key",
            LogMeaning::Blocked,
            "the key is refused",
        )];
        let waiting = [pattern("^asked$", LogMeaning::Waiting, "")];
        let failed = [pattern("bye", LogMeaning::Failed, "it gave up")];
        let out_of_memory = Observation {
            oom_killed: true,
            ..ended(137)
        };
        let refused = Observation {
            error: Some("no such file".to_owned()),
            ..ended(127)
        };
        let sick = Observation {
            phase: Phase::Running,
            health: Some(Health::Unhealthy),
            ..ended(0)
        };
        for (observed, patterns, expected) in [
            (None, &[][..], "has no container any more"),
            (Some(ended(0)), &[], "ended by itself with code 0"),
            (Some(ended(3)), &failed, "exited with code 3"),
            (Some(ended(139)), &[], "was killed by signal 11"),
            (Some(out_of_memory), &blocked, "ran out of memory"),
            (Some(refused), &[], "could not be started: no such file"),
            (Some(ended(1)), &blocked, "is blocked: the key is refused"),
            (Some(ended(1)), &waiting, "waits for a person"),
            (Some(sick), &[], "is unhealthy"),
        ] {
            let symptoms = Symptoms {
                observed: observed.as_ref(),
                patterns,
                ..Symptoms::default()
            };
            assert_eq!(Cause::find(&symptoms, &lines).to_string(), expected);
        }
    }

    #[test]
    fn the_last_line_that_is_known_says_what_it_means() {
        let lines = ["blocked", "asked"].map(str::to_owned);
        let patterns = [
            pattern("blocked", LogMeaning::Blocked, ""),
            pattern("asked", LogMeaning::Waiting, ""),
        ];
        let seen = ended(1);
        let symptoms = Symptoms {
            observed: Some(&seen),
            patterns: &patterns,
            ..Symptoms::default()
        };
        assert_eq!(
            Cause::find(&symptoms, &lines),
            Cause::Waiting(String::new())
        );
    }

    #[test]
    fn restarts_come_at_once_then_later_then_not_at_all() {
        let (rule, now, agent) = (Recovery::default(), DateTime::UNIX_EPOCH, AgentId(7));
        let cause = Cause::Failed(1);
        let course = |attempts| {
            let past = Past {
                attempts,
                last: Some(now),
                ..Past::default()
            };
            rule.course(&cause, &past, agent, now)
        };
        assert_eq!(course(0), Course::Restart(now));
        let Course::Restart(second) = course(1) else {
            panic!("{:?}", course(1));
        };
        assert!((4..=6).contains(&(second - now).num_seconds()), "{second}");
        assert_eq!(course(5), Course::Break);
        let set_back = Past {
            attempts: 1,
            last: Some(now + Duration::hours(1)),
            ..Past::default()
        };
        assert_eq!(
            rule.course(&cause, &set_back, agent, now),
            Course::Restart(now)
        );
        let broken = Past {
            broken: true,
            ..Past::default()
        };
        assert_eq!(rule.course(&cause, &broken, agent, now), Course::Break);
        let full = Past {
            disk_full: true,
            ..broken
        };
        assert_eq!(
            rule.course(&cause, &full, agent, now),
            Course::Ask("the host's disk is full")
        );
        let asked = Past {
            asked: true,
            ..Past::default()
        };
        assert_eq!(
            rule.course(&cause, &asked, agent, now),
            Course::Ask("a rule has people asked first, and nobody has said yes")
        );
        let blocked = Cause::Blocked(String::new());
        assert!(matches!(
            rule.course(&blocked, &Past::default(), agent, now),
            Course::Ask(_)
        ));
        let never = Recovery {
            restart: false,
            ..rule
        };
        assert!(matches!(
            never.course(&cause, &Past::default(), agent, now),
            Course::Ask(_)
        ));
    }

    proptest! {
        #[test]
        fn a_wait_is_near_its_doubling(attempts in 1..40_u32, agent in any::<i64>()) {
            let full = f64::from(5_u32 << (attempts - 1).min(6)).min(300.0);
            let waited = wait(attempts, AgentId(agent)).as_seconds_f64();
            prop_assert!(waited >= full * 0.8 - 0.01 && waited <= full * 1.2 + 0.01, "{waited} of {full}");
        }
    }

    #[test]
    fn a_line_tells_only_what_a_restart_does_not_help_against() {
        assert!(
            told_by(&[pattern("quota", LogMeaning::Blocked, "")], "quota")
                == Some(LogMeaning::Blocked)
        );
        assert!(
            told_by(&[pattern("login", LogMeaning::Waiting, "")], "login")
                == Some(LogMeaning::Waiting)
        );
        assert!(told_by(&[pattern("panic", LogMeaning::Failed, "")], "panic").is_none());
        assert!(told_by(&[pattern("quota", LogMeaning::Blocked, "")], "all is well").is_none());
    }

    fn told_by(patterns: &[LogPattern], line: &str) -> Option<LogMeaning> {
        Cause::told_by(patterns, &[line.to_owned()])
    }

    #[test]
    fn what_a_restart_cannot_mend_is_critical_or_for_people() {
        let of = |cause: Cause| (cause.may_heal(), cause.severity());
        assert_eq!(of(Cause::Gone), (false, Severity::Critical));
        assert_eq!(
            of(Cause::Blocked(String::new())),
            (false, Severity::Critical)
        );
        assert_eq!(
            of(Cause::Waiting(String::new())),
            (false, Severity::Warning)
        );
        assert_eq!(
            of(Cause::NotStarted(String::new())),
            (true, Severity::Critical)
        );
        for cause in [
            Cause::OutOfMemory,
            Cause::Killed(9),
            Cause::Failed(1),
            Cause::Ended,
            Cause::Unhealthy,
        ] {
            assert_eq!(of(cause), (true, Severity::Warning));
        }
    }

    #[test]
    fn a_probe_that_fails_is_the_cause_only_while_the_agent_runs() {
        let find = |observed: &Observation| {
            let symptoms = Symptoms {
                observed: Some(observed),
                patterns: &[],
                exit: None,
                log_says: None,
                failing: Some("tcp :80: refused"),
            };
            Cause::find(&symptoms, &[])
        };
        let running = Observation {
            phase: Phase::Running,
            ..ended(1)
        };
        assert_eq!(find(&running).to_string(), "is unhealthy: tcp :80: refused");
        assert_eq!(find(&ended(1)), Cause::Failed(1));
        assert_eq!(
            find(&ended(128)),
            Cause::Failed(128),
            "there is no signal 0"
        );
    }

    #[test]
    fn many_that_ended_together_do_not_come_back_together() {
        let waits = (1..=200).map(|agent| wait(4, AgentId(agent)).as_seconds_f64());
        let (least, most) = waits.fold((f64::MAX, 0.0), |(least, most), wait| {
            (wait.min(least), wait.max(most))
        });
        assert!(least < 33.0 && most > 47.0, "{least} to {most} of 40");
    }

    #[test]
    fn what_a_line_says_beyond_a_word_is_told_with_it() {
        let said = |note: &str| {
            let note = note.to_owned();
            [Cause::Blocked(note.clone()), Cause::Waiting(note)].map(|cause| cause.to_string())
        };
        assert_eq!(said(""), ["is blocked", "waits for a person"]);
        assert_eq!(said("pay"), ["is blocked: pay", "waits for a person: pay"]);
    }

    #[test]
    fn attempts_count_within_the_window() {
        let recovery = Recovery::default();
        let window = Duration::seconds(recovery.window_s.into());
        let now = DateTime::UNIX_EPOCH + window;
        assert_eq!(recovery.counts_since(now), DateTime::UNIX_EPOCH);
    }
}
