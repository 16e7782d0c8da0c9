//! Names with `*` in them, for several at once.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{agent::NAME_MAX, problem::shown};

/// Which names are meant: `*` stands for any number of characters, everything else for itself. It is about names,
/// so what is made later under a fitting name is meant too.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_*".contains(c);
        if (1..=NAME_MAX).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadPattern(shown(text)))
        }
    }

    /// Every name there is and will be.
    pub fn everything() -> Self {
        Self("*".to_owned())
    }

    pub fn is_everything(&self) -> bool {
        self.0.chars().all(|c| c == '*')
    }

    pub fn matches(&self, name: &str) -> bool {
        matches(&self.0, name)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A text that is no pattern, as it may be repeated, and what a pattern is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no pattern: use a name, or one with `*` for any characters, such as `prod-*`")]
pub struct BadPattern(pub String);

/// As [`Pattern::matches`], for a text that nobody has checked.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| rest.get(at..).is_some_and(|rest| matches(after, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("scout", "scout", true),
            ("scout", "scouts", false),
            ("scout-*", "scout-1", true),
            ("scout-*", "scout", false),
            ("*", "anything", true),
            ("*-eu-*", "scout-eu-2", true),
            ("*a*b*", "xaxxbx", true),
            ("*a*b*", "xbxxax", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn only_stars_mean_everything() {
        for (text, expected) in [("*", true), ("**", true), ("p*", false)] {
            let pattern = Pattern::parse(text).unwrap();
            assert_eq!(pattern.is_everything(), expected, "{text}");
        }
        for text in ["", "Prod", "a b", &"x".repeat(33)] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
