//! Time zones by the names of the IANA's database.

use std::str::FromStr as _;

use chrono_tz::{TZ_VARIANTS, Tz};

use super::{nearest::nearest, problem::shown};

/// A name that is no zone's, with advice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{shown} is no time zone: {advice}")]
pub struct UnknownZone {
    shown: String,
    pub advice: String,
}

impl UnknownZone {
    /// Without the advice.
    pub fn message(&self) -> String {
        format!("{} is no time zone", self.shown)
    }
}

/// All of them.
pub fn names() -> impl Iterator<Item = &'static str> {
    TZ_VARIANTS.iter().map(|zone| zone.name())
}

/// A zone by its name, in capitals or not.
pub fn parse(name: &str) -> Result<Tz, UnknownZone> {
    let same = |zone: &&Tz| zone.name().eq_ignore_ascii_case(name);
    if let Ok(zone) = Tz::from_str(name) {
        return Ok(zone);
    }
    let found = TZ_VARIANTS.iter().find(same);
    found.copied().ok_or_else(|| UnknownZone {
        shown: shown(name),
        advice: advice(name),
    })
}

/// The name closest to one that is none: by the whole name, or by its last part, the city.
fn advice(name: &str) -> String {
    let known: Vec<String> = TZ_VARIANTS
        .iter()
        .map(|zone| zone.name().to_lowercase())
        .collect();
    let city = name.rsplit('/').next().unwrap_or(name).replace(' ', "_");
    let mut near = nearest(name, &known);
    if near.is_empty() && city.len() > 2 {
        let cities: Vec<&str> = known.iter().map(|zone| city_of(zone)).collect();
        let close = nearest(&city, &cities);
        near = close
            .iter()
            .filter_map(|city| known.iter().find(|zone| city_of(zone) == *city))
            .map(String::as_str)
            .collect();
    }
    match near.first().and_then(|lower| parse(lower).ok()) {
        Some(zone) => format!("did you mean `{zone}`?"),
        None => "use a name such as `Europe/Berlin` or `UTC`".to_owned(),
    }
}

fn city_of(zone: &str) -> &str {
    zone.rsplit('/').next().unwrap_or(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name() {
        assert_eq!(parse("Europe/Berlin"), Ok(Tz::Europe__Berlin));
        assert_eq!(parse("europe/berlin"), Ok(Tz::Europe__Berlin));
        assert_eq!(parse("UTC"), Ok(Tz::UTC));
    }

    #[test]
    fn of_an_unknown_one_the_nearest_are_named() {
        for (name, told) in [
            (
                "Europe/Berln",
                "`Europe/Berln` is no time zone: did you mean `Europe/Berlin`?",
            ),
            (
                "Germany/Berlin",
                "`Germany/Berlin` is no time zone: did you mean `Europe/Berlin`?",
            ),
            (
                "new york",
                "`new york` is no time zone: did you mean `America/New_York`?",
            ),
            (
                "US/Centrall",
                "`US/Centrall` is no time zone: did you mean `US/Central`?",
            ),
            // Two letters alike say nothing.
            (
                "Moon/GB",
                "`Moon/GB` is no time zone: use a name such as `Europe/Berlin` or `UTC`",
            ),
            (
                "moonbase",
                "`moonbase` is no time zone: use a name such as `Europe/Berlin` or `UTC`",
            ),
        ] {
            let error = parse(name).expect_err(name);
            assert_eq!(error.to_string(), told);
        }
    }

    #[test]
    fn every_zone_is_found_by_its_name() {
        assert!(names().any(|name| name == "Europe/Berlin"));
        assert!(names().all(|name| parse(name).is_ok()));
    }
}
