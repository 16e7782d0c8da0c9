//! Names with `*` in them, as people select agents and fleets.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{agent::NAME_MAX, problem::shown};

/// A name in which `*` stands for any number of characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// What could match a name at all.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '*');
        let fits = !text.is_empty() && text.len() <= 2 * NAME_MAX && text.chars().all(allowed);
        if fits {
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

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn matches(&self, name: &str) -> bool {
        matches(&self.0, name)
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

/// A text that is no pattern, as it may be repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no pattern: use a–z, 0–9, `-`, `_`, and `*` for any characters")]
pub struct BadPattern(pub String);

/// The same for typed text that may be no pattern, which then matches nobody.
///
/// Taking each part as far left as it goes is enough where `*` is the only wildcard, and never goes back.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('*');
    let last = parts.next_back().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = name.split_once(part) else {
            return false;
        };
        name = after;
    }
    name.ends_with(last)
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
            ("*", "", true),
            ("**", "anything", true),
            ("*-eu-*", "scout-eu-2", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab", "aabab", true),
            ("*a*b*", "xaxxbx", true),
            ("*a*b*", "xbxxax", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn only_stars_mean_everything() {
        for (text, expected) in [("*", true), ("**", true), ("p*", false)] {
            let pattern = Pattern::parse(text).expect("a pattern");
            assert_eq!(pattern.is_everything(), expected, "{text}");
        }
    }

    #[test]
    fn what_can_match_no_name_is_no_pattern() {
        assert!(Pattern::parse("scout-*").is_ok());
        let longest = "*a".repeat(NAME_MAX);
        assert!(Pattern::parse(&longest).is_ok());
        for text in ["", "Scout", "scout ?", "ß", &format!("{longest}*")] {
            let error = Pattern::parse(text).expect_err(text);
            assert_eq!(error, BadPattern(shown(text)));
        }
    }

    #[test]
    fn a_pattern_is_checked_wherever_it_is_read() {
        let read = serde_json::from_str::<Pattern>;
        let pattern = read(r#""prod-*""#).unwrap();
        assert_eq!(
            (pattern.as_str(), pattern.to_string()),
            ("prod-*", "prod-*".to_owned())
        );
        assert!(read(r#""prod?""#).is_err());
        assert!(Pattern::everything().is_everything());
    }
}
