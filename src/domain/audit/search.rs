//! Which rows somebody wants to see, and which of them they may.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    super::ids::{FleetId, InteractionId, UserId},
    Record,
};

/// Everything that is given has to hold. None leaves a question open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// Rows about an agent of this name, and about actions on it together with others.
    pub agent: Option<String>,
    pub actor: Option<UserId>,
    /// The kind of action.
    pub kind: Option<String>,
    /// What happened.
    pub what: Option<String>,
    pub since: Option<DateTime<Utc>>,
    /// Not itself.
    pub until: Option<DateTime<Utc>>,
    /// Stands in the text or in the details, in upper or lower case.
    pub text: Option<String>,
    /// Up to this row, so that pages stay as they are while more is written.
    pub through: Option<i64>,
}

/// Whose rows somebody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    Everything,
    /// Only what is about one of these fleets; not what is about none.
    Fleets(Vec<FleetId>),
}

/// Some of what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The interaction that asked: buttons turn its pages.
    pub search: InteractionId,
    /// From 0.
    pub number: u32,
    /// The newest first.
    pub records: Vec<Record>,
    pub is_last: bool,
}

/// `2026-11-21` (its first instant in UTC) or an RFC 3339 time.
pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(day.and_time(NaiveTime::MIN).and_utc());
    }
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_first_instant() {
        let midnight = parse_time("2026-11-21").unwrap();
        assert_eq!(midnight.to_rfc3339(), "2026-11-21T00:00:00+00:00");
        assert_eq!(parse_time("2026-11-21T01:00:00+01:00"), Some(midnight));
        for text in ["", "yesterday", "2026-13-01", "2026-11-21 10:00"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
