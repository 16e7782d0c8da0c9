//! A probe asks an agent one question again and again. One answer tells little; a few in a row decide.

mod written;

use std::{fmt, ops::RangeInclusive, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::written::{ProbeKind, Written};
use super::agent::State;

/// One question, how often it is asked, and how many answers decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
pub struct Probe {
    pub question: Question,
    pub pace: Pace,
}

impl Probe {
    /// In a word.
    pub const fn kind(&self) -> &'static str {
        match self.question {
            Question::Http(_) => "http",
            Question::Tcp { .. } => "tcp",
            Question::Exec { .. } => "exec",
            Question::Log { .. } => "log",
        }
    }

    /// What it runs inside the container, if it does.
    pub const fn command(&self) -> Option<&Vec<String>> {
        match &self.question {
            Question::Exec { command } => Some(command),
            Question::Http(_) | Question::Tcp { .. } | Question::Log { .. } => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    Http(Http),
    /// Does anybody listen?
    Tcp {
        port: u16,
    },
    /// Does the command end with code 0 inside the container?
    Exec {
        command: Vec<String>,
    },
    /// Was a line written within so many seconds?
    Log {
        silent_s: u32,
    },
}

/// A GET request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    pub port: u16,
    /// With its query, beginning with `/`.
    pub path: String,
    pub tls: Tls,
    pub status: Statuses,
    /// A regular expression that the beginning of the answer must match.
    pub body: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    Off,
    Checked,
    /// The certificate may be anybody's.
    Unchecked,
}

/// How often a question is asked, and how many answers in a row decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub interval_s: u32,
    pub timeout_s: u32,
    /// Failures in a row that make it unhealthy.
    pub failures: u32,
    /// Successes in a row that make it healthy again.
    pub successes: u32,
    /// Seconds after the container's start during which failures do not count, as long as nothing has succeeded.
    pub start_grace_s: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            interval_s: 30,
            timeout_s: 5,
            failures: 3,
            successes: 1,
            start_grace_s: 30,
        }
    }
}

impl Pace {
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s.into())
    }
}

/// The HTTP status codes that are well, such as `200-399` or `200, 401`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

impl Default for Statuses {
    fn default() -> Self {
        Self(vec![200..=399])
    }
}

impl Statuses {
    pub fn contain(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// The inverse of its text.
    pub fn parse(text: &str) -> Option<Self> {
        let code = |text: &str| {
            let code = text.trim().parse().ok();
            code.filter(|code| (100..=599).contains(code))
        };
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (code(first)?, code(last)?);
            (first <= last).then_some(first..=last)
        };
        text.split(',').map(range).collect::<Option<_>>().map(Self)
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Question {
    /// Short enough for a list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(Http {
                port, path, tls, ..
            }) => {
                let scheme = if *tls == Tls::Off { "http" } else { "https" };
                write!(f, "{scheme} :{port}{path}")
            }
            Self::Tcp { port } => write!(f, "tcp :{port}"),
            Self::Exec { command } => write!(f, "exec {}", command.join(" ")),
            Self::Log { silent_s } => write!(f, "log within {silent_s} s"),
        }
    }
}

/// What asking once brought to light.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Well,
    /// It answered, and not as it should.
    Ill(String),
    /// There was no answer.
    Unreachable(String),
    /// It could not even be asked, which tells nothing of the agent.
    Unasked(String),
}

impl Answer {
    /// In a word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Ill(_) => "ill",
            Self::Unreachable(_) => "unreachable",
            Self::Unasked(_) => "unasked",
        }
    }

    /// What is wrong, for people.
    pub fn trouble(&self) -> Option<&str> {
        match self {
            Self::Well => None,
            Self::Ill(why) | Self::Unreachable(why) | Self::Unasked(why) => Some(why),
        }
    }
}

/// What a few answers in a row say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It has not said yet that all is well, and not failed often enough since its start.
    #[default]
    Starting,
    Healthy,
    Unhealthy,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// The answers of one probe since its container was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streak {
    pub verdict: Verdict,
    /// Answers in a row that speak against the verdict.
    against: u32,
}

impl Streak {
    /// Takes one answer in; `in_grace` while the container may still be coming up.
    pub fn note(&mut self, is_well: bool, in_grace: bool, pace: &Pace) {
        let (needed, other) = match (self.verdict, is_well) {
            (Verdict::Starting, true) => (1, Verdict::Healthy),
            (Verdict::Starting, false) if in_grace => return,
            (Verdict::Starting | Verdict::Healthy, false) => (pace.failures, Verdict::Unhealthy),
            (Verdict::Unhealthy, true) => (pace.successes, Verdict::Healthy),
            (Verdict::Healthy, true) | (Verdict::Unhealthy, false) => {
                self.against = 0;
                return;
            }
        };
        self.against += 1;
        if self.against >= needed {
            *self = Self {
                verdict: other,
                against: 0,
            };
        }
    }
}

/// The engine's clock may be ahead of ours by so much.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// What is known of one probe of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    pub streak: Streak,
    /// How often in a row it could not even be asked.
    unasked: u32,
    /// That was so often that nothing is known of it, whatever it said before.
    pub is_blind: bool,
    /// Since when the verdict is what it is.
    pub since: DateTime<Utc>,
    pub last: Option<Asked>,
}

/// The last time that it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub at: DateTime<Utc>,
    pub took: Duration,
    pub answer: Answer,
}

impl Probed {
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            streak: Streak::default(),
            unasked: 0,
            is_blind: false,
            since: now,
            last: None,
        }
    }

    /// Takes one answer in; returns whether it says something else now.
    pub fn note(&mut self, asked: Asked, pace: &Pace, started_at: Option<DateTime<Utc>>) -> bool {
        let grace = TimeDelta::seconds(pace.start_grace_s.into());
        // A start that lies well ahead: the clock was set back since.
        let in_grace =
            started_at.is_some_and(|start| (start - SKEW..start + grace).contains(&asked.at));
        let before = (self.streak.verdict, self.is_blind);
        if matches!(asked.answer, Answer::Unasked(_)) {
            self.unasked = self.unasked.saturating_add(1);
        } else {
            self.unasked = 0;
            let is_well = asked.answer == Answer::Well;
            self.streak.note(is_well, in_grace, pace);
        }
        self.is_blind = self.unasked >= pace.failures && !in_grace;
        let turned = (self.streak.verdict, self.is_blind) != before;
        if turned {
            self.since = asked.at;
        }
        self.last = Some(asked);
        turned
    }

    /// Why it is unhealthy, if it is.
    pub fn failure(&self) -> Option<&str> {
        let last = self.last.as_ref().filter(|_| self.is(Verdict::Unhealthy))?;
        Some(
            last.answer
                .trouble()
                .unwrap_or("it has failed until a moment ago"),
        )
    }

    fn is(&self, verdict: Verdict) -> bool {
        self.streak.verdict == verdict
    }

    fn is_unreachable(&self) -> bool {
        let answer = self.last.as_ref().map(|asked| &asked.answer);
        matches!(answer, Some(Answer::Unreachable(_)))
    }
}

/// What all probes of an agent together say of one that runs; without any, it runs. Those that cannot be asked only keep it
/// from being well.
pub fn judge(probed: &[Probed]) -> State {
    let (blind, asked): (Vec<&Probed>, Vec<&Probed>) = probed.iter().partition(|one| one.is_blind);
    let ill = asked.iter().filter(|one| one.is(Verdict::Unhealthy));
    match ill.count() {
        0 if !blind.is_empty() => State::Degraded,
        0 if asked.iter().any(|one| one.is(Verdict::Starting)) => State::Starting,
        0 => State::Running,
        ill if ill < asked.len() => State::Degraded,
        _ if asked.iter().all(|one| one.is_unreachable()) => State::Unreachable,
        _ => State::Unhealthy,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pace(failures: u32, successes: u32) -> Pace {
        Pace {
            failures,
            successes,
            ..Pace::default()
        }
    }

    fn after(answers: &str, grace: usize, pace: &Pace) -> Verdict {
        let mut streak = Streak::default();
        for (index, answer) in answers.chars().enumerate() {
            streak.note(answer == '+', index < grace, pace);
        }
        streak.verdict
    }

    #[test]
    fn a_few_answers_in_a_row_decide() {
        use Verdict::{Healthy, Starting, Unhealthy};
        let pace = pace(3, 2);
        for (answers, grace, expected) in [
            ("", 0, Starting),
            ("+", 0, Healthy),
            ("--", 0, Starting),
            ("---", 0, Unhealthy),
            // The grace counts no failure, and ends with the first success.
            ("----", 4, Starting),
            ("------", 4, Starting),
            ("-------", 4, Unhealthy),
            ("+---", 4, Unhealthy),
            ("+--+--", 0, Healthy),
            ("---+", 0, Unhealthy),
            ("---++", 0, Healthy),
            ("---+-+", 0, Unhealthy),
        ] {
            assert_eq!(after(answers, grace, &pace), expected, "{answers} {grace}");
        }
    }

    /// What is known after one answer every 10 s since the start.
    fn probed(answers: &[Answer], pace: &Pace) -> Probed {
        let start = DateTime::UNIX_EPOCH;
        let mut probed = Probed::new(start);
        for (index, answer) in (1..).zip(answers) {
            let asked = Asked {
                at: start + TimeDelta::seconds(10 * index),
                took: Duration::ZERO,
                answer: answer.clone(),
            };
            probed.note(asked, pace, Some(start));
        }
        probed
    }

    #[test]
    fn what_cannot_be_asked_is_shown_and_makes_nobody_ill() {
        let pace = Pace {
            start_grace_s: 25,
            ..pace(2, 1)
        };
        let unasked = Answer::Unasked("refused".to_owned());
        let ill = Answer::Ill("status 503".to_owned());
        let blind = |count| probed(&vec![unasked.clone(); count], &pace);
        let (well, ill) = (probed(&[Answer::Well], &pace), probed(&vec![ill; 4], &pace));
        // Two of these fall into the grace.
        assert_eq!(judge(&[blind(2)]), State::Starting);
        assert_eq!(judge(&[blind(3)]), State::Degraded);
        assert_eq!(judge(&[blind(3), well.clone()]), State::Degraded);
        assert_eq!(judge(&[blind(3), ill.clone()]), State::Unhealthy);
        assert_eq!(judge(&[blind(3), ill, well]), State::Degraded);
        let lost = [Answer::Well, unasked.clone(), unasked.clone()];
        assert_eq!(judge(&[probed(&lost, &pace)]), State::Degraded);
        let back = [unasked.clone(), unasked.clone(), unasked, Answer::Well];
        assert_eq!(judge(&[probed(&back, &pace)]), State::Running);
    }

    #[test]
    fn an_answer_that_turns_nothing_leaves_the_time_since_when_it_is_so() {
        let start = DateTime::UNIX_EPOCH;
        let mut probed = Probed::new(start);
        let mut note = |second, answer| {
            let at = start + TimeDelta::seconds(second);
            let took = Duration::ZERO;
            let turned = probed.note(Asked { at, took, answer }, &pace(2, 1), None);
            (turned, (probed.since - start).num_seconds())
        };
        let ill = || Answer::Ill("status 503".to_owned());
        assert_eq!(note(10, Answer::Well), (true, 10));
        assert_eq!(note(20, Answer::Well), (false, 10));
        assert_eq!(note(30, ill()), (false, 10));
        assert_eq!(note(40, ill()), (true, 40));
        assert_eq!(pace(2, 1).timeout(), Duration::from_secs(5));
    }

    #[test]
    fn a_start_that_lies_ahead_gives_no_grace() {
        let pace = pace(2, 1);
        let start = DateTime::UNIX_EPOCH;
        let after = |start_at| {
            let mut probed = Probed::new(start);
            for _ in 0..2 {
                let asked = Asked {
                    at: start,
                    took: Duration::ZERO,
                    answer: Answer::Ill("status 503".to_owned()),
                };
                probed.note(asked, &pace, Some(start_at));
            }
            probed.streak.verdict
        };
        assert_eq!(after(start + TimeDelta::seconds(5)), Verdict::Starting);
        assert_eq!(after(start + TimeDelta::hours(1)), Verdict::Unhealthy);
    }

    #[test]
    fn statuses_survive_their_text() {
        for text in ["200-399", "200", "200-204, 401"] {
            assert_eq!(Statuses::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "99", "600", "300-200", "200,", "2xx"] {
            assert_eq!(Statuses::parse(text), None, "{text}");
        }
        assert!(Statuses::default().contain(302));
        assert!(!Statuses::default().contain(404));
    }

    proptest! {
        #[test]
        fn a_verdict_turns_only_after_so_many_in_a_row(
            answers in prop::collection::vec(any::<bool>(), 1..80), failures in 1..6_u32, successes in 1..6_u32,
        ) {
            let pace = pace(failures, successes);
            let mut streak = Streak::default();
            for (index, well) in answers.iter().enumerate() {
                let before = streak.verdict;
                streak.note(*well, false, &pace);
                let in_a_row = answers[..=index].iter().rev().take_while(|one| *one == well).count();
                match (before, streak.verdict) {
                    (Verdict::Unhealthy, Verdict::Healthy) => prop_assert!(in_a_row >= successes as usize),
                    (Verdict::Starting | Verdict::Healthy, Verdict::Unhealthy) => {
                        prop_assert!(in_a_row >= failures as usize);
                    }
                    (before, verdict) if before == verdict => {}
                    (before, verdict) => prop_assert_eq!((before, verdict), (Verdict::Starting, Verdict::Healthy)),
                }
                // Whoever fails or succeeds for long enough is not mistaken for the other.
                if in_a_row >= failures.max(successes) as usize {
                    prop_assert_eq!(streak.verdict == Verdict::Healthy, *well);
                }
            }
        }
    }

    fn written(json: &str) -> Probe {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_probe_says_what_it_asks() {
        let said = |json: &str| {
            let probe = written(json);
            let command = probe.command().map(|words| words.join(" "));
            format!("{}, {}, {command:?}", probe.kind(), probe.question)
        };
        insta::assert_snapshot!(said(r#"{ "kind": "http", "port": 80, "path": "/well" }"#), @"http, http :80/well, None");
        insta::assert_snapshot!(said(r#"{ "kind": "http", "port": 443, "tls": true }"#), @"http, https :443/, None");
        insta::assert_snapshot!(said(r#"{ "kind": "tcp", "port": 5432 }"#), @"tcp, tcp :5432, None");
        insta::assert_snapshot!(said(r#"{ "kind": "exec", "command": ["test", "-e", "/ready"] }"#), @r#"exec, exec test -e /ready, Some("test -e /ready")"#);
        insta::assert_snapshot!(said(r#"{ "kind": "log", "silent_s": 60 }"#), @"log, log within 60 s, None");
    }

    #[test]
    fn a_failing_probe_says_what_was_the_matter_last() {
        let mut probed = Probed::new(DateTime::UNIX_EPOCH);
        let once = pace(1, 2);
        let mut note = |answer: Answer| {
            let asked = Asked {
                at: DateTime::UNIX_EPOCH,
                took: Duration::ZERO,
                answer,
            };
            probed.note(asked, &once, None);
            probed.failure().map(str::to_owned)
        };
        assert_eq!(note(Answer::Well), None);
        assert_eq!(
            note(Answer::Ill("status 500".to_owned())).unwrap(),
            "status 500"
        );
        assert_eq!(
            note(Answer::Unreachable("refused".to_owned())).unwrap(),
            "refused"
        );
        assert_eq!(
            note(Answer::Well).unwrap(),
            "it has failed until a moment ago"
        );
        assert_eq!(note(Answer::Well), None);
    }

    #[test]
    fn answers_and_verdicts_are_told_in_words() {
        let why = || "why".to_owned();
        let answers = [
            Answer::Well,
            Answer::Ill(why()),
            Answer::Unreachable(why()),
            Answer::Unasked(why()),
        ];
        assert_eq!(
            answers.each_ref().map(Answer::as_str),
            ["well", "ill", "unreachable", "unasked"]
        );
        let why = Some("why");
        assert_eq!(
            answers.each_ref().map(Answer::trouble),
            [None, why, why, why]
        );
        let verdicts = [Verdict::Starting, Verdict::Healthy, Verdict::Unhealthy];
        assert_eq!(
            verdicts.map(Verdict::as_str),
            ["starting", "healthy", "unhealthy"]
        );
    }
}
