//! Asking the rules without wanting anything: which one would decide, and why.

use std::{cmp::Reverse, fmt, iter, slice};

use chrono::{DateTime, Utc};

use super::{Considered, Decision, Policy, Question, Subject, consider, decide};
use crate::domain::{
    action::{Kind, Origin},
    grant::Level,
};

/// An action nobody asked for.
#[derive(Clone, Debug)]
pub struct Trial {
    pub kind: Kind,
    pub agent: Option<String>,
    pub fleet: Option<String>,
    /// The others that it is about as well: all there are, or the one that an agent is moved out of.
    pub fleets: Vec<String>,
    pub template: Option<String>,
    /// None: the least level that may ask for it, or no level if Yardarm itself asks.
    pub level: Option<Level>,
    pub origin: Origin,
    pub loosens: bool,
    pub several: bool,
    pub sole_owner: bool,
    pub now: DateTime<Utc>,
}

/// What the rules say to a [`Trial`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub asked: String,
    /// The level that is needed, if whoever asks has less: they are refused before any rule.
    pub too_low: Option<Level>,
    pub considered: Vec<Considered>,
    pub decision: Decision,
}

impl Trial {
    pub fn explain(&self, policies: &[Policy]) -> Explanation {
        let level = self.level();
        let subjects = self.subjects();
        let question = Question {
            kind: self.kind,
            subjects: &subjects,
            several: self.several,
            level,
            origin: self.origin,
            loosens: self.loosens,
            sole_owner: self.sole_owner,
            now: self.now,
        };
        let least = self.kind.level();
        Explanation {
            asked: self.asked(level),
            too_low: level.is_some_and(|level| level < least).then_some(least),
            considered: considered(policies, &question),
            decision: decide(policies, &question),
        }
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        let subject = |fleet| Subject {
            agent: self.agent.as_deref(),
            fleet,
            template: self.template.as_deref(),
        };
        let others = self.fleets.iter().map(|fleet| Some(fleet.as_str()));
        let fleets = iter::once(self.fleet.as_deref()).chain(others);
        fleets.map(subject).collect()
    }

    fn level(&self) -> Option<Level> {
        let by_a_person = matches!(self.origin, Origin::Chat | Origin::Host | Origin::Schedule);
        self.level
            .or_else(|| by_a_person.then(|| self.kind.level()))
    }

    fn asked(&self, level: Option<Level>) -> String {
        let named =
            |word: &str, name: &Option<String>| name.as_ref().map(|name| format!(" {word} {name}"));
        let mut text = self.kind.to_string();
        text.extend(named("agent", &self.agent));
        text.extend(named("fleet", &self.fleet));
        text.extend(self.fleets.iter().map(|fleet| format!(", fleet {fleet}")));
        text.extend(named("template", &self.template));
        if self.several {
            text.push_str(", several");
        }
        if self.loosens {
            text.push_str(", loosening");
        }
        let by = level.map_or_else(|| "Yardarm itself".to_owned(), |level| level.to_string());
        format!("{text}, by {by}, from {}", self.origin)
    }
}

/// The way to the decision on the subject that the strictest rule is about, the first one if there are several.
fn considered(policies: &[Policy], question: &Question<'_>) -> Vec<Considered> {
    let strictness = |subject: &&Subject<'_>| {
        let alone = Question {
            subjects: slice::from_ref(*subject),
            ..*question
        };
        Reverse(decide(policies, &alone).effect.strictness())
    };
    let strictest = question.subjects.iter().min_by_key(strictness);
    strictest.map_or_else(Vec::new, |subject| consider(policies, question, subject))
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.asked)?;
        if let Some(least) = self.too_low {
            writeln!(f, "  refused before any rule: it needs {least}")?;
        }
        for one in &self.considered {
            let sign = if one.matched { "yes" } else { "no " };
            writeln!(f, "  {sign} {} | {}", one.rule, one.why)?;
        }
        write!(f, "→ {} ({})", self.decision.effect, self.decision.rule)
    }
}
