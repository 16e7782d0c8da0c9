//! Asking the rules without wanting anything: which one would decide, and why.

use std::fmt;

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
        let subject = Subject {
            agent: self.agent.as_deref(),
            fleet: self.fleet.as_deref(),
            template: self.template.as_deref(),
        };
        let level = self.level();
        let subjects = [subject, subject];
        let question = Question {
            kind: self.kind,
            subjects: if self.several {
                &subjects
            } else {
                &subjects[..1]
            },
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
            considered: consider(policies, &question, &subject),
            decision: decide(policies, &question),
        }
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
