//! Ratios of figures that were taken in the same run: what can be compared between machines, and on a noisy one.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Result, ensure};

use crate::{figures::Figures, stats::rounded};

/// Those of the last whole run.
const KEPT: &str = include_str!("../kept.json");
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/kept.json");

/// A ratio so many times the kept one is no noise.
const TOO_MUCH: f64 = 2.0;

/// By what is compared with what.
pub(crate) type Ratios = BTreeMap<String, f64>;

/// A figure, and the size that is meant where it has several.
type Of = (&'static str, usize);

/// Medians of the first over those of the second.
const PAIRS: [(&str, Of, Of); 7] = [
    ("ack / floor", ("ack_ms", 0), ("ack_floor_ms", 0)),
    (
        "ack of 20 / floor",
        ("ack_20_ms", 0),
        ("ack_floor_20_ms", 0),
    ),
    (
        "status of 20 / floor",
        ("status_20_ms", 0),
        ("ack_floor_20_ms", 0),
    ),
    (
        "status at 1000 / at 10",
        ("status_ms", 1000),
        ("status_ms", 10),
    ),
    ("vote / floor", ("vote_ms", 0), ("vote_floor_ms", 0)),
    ("deploy / raw", ("deploy_ms", 0), ("deploy_raw_ms", 0)),
    (
        "restart / raw start",
        ("crash_to_restart_ms", 0),
        ("start_raw_ms", 0),
    ),
];

/// As many as the run has figures for.
pub(crate) fn of(figures: &Figures) -> Ratios {
    let ratio = |(name, above, below): &(&str, Of, Of)| {
        let above = figures.get(above.0, above.1)?;
        let below = figures.get(below.0, below.1)?;
        Some(((*name).to_owned(), rounded(above.p50 / below.p50)))
    };
    PAIRS.iter().filter_map(ratio).collect()
}

/// Fails if any is too many times the kept one, or was not measured.
pub(crate) fn check(ratios: &Ratios) -> Result<()> {
    let kept: Ratios = serde_json::from_str(KEPT)?;
    let worse = kept
        .iter()
        .filter_map(|(name, kept)| match ratios.get(name) {
            None => Some(format!("{name} was not measured")),
            Some(now) if *now > kept * TOO_MUCH => {
                Some(format!("{name} is {now:.2}, and was {kept:.2}"))
            }
            Some(_) => None,
        });
    let worse: Vec<_> = worse.collect();
    ensure!(worse.is_empty(), "{}", worse.join("; "));
    Ok(())
}

/// Makes these the ones to compare with, from the next build on.
pub(crate) fn keep(ratios: &Ratios) -> Result<()> {
    let text = serde_json::to_string_pretty(ratios)? + "\n";
    Ok(std::fs::write(Path::new(FILE), text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Ratios {
        serde_json::from_str(KEPT).unwrap()
    }

    #[test]
    fn what_doubled_fails_by_name_and_less_does_not() {
        let scaled = |by: f64| {
            kept()
                .into_iter()
                .map(|(name, was)| (name, was * by))
                .collect()
        };
        check(&scaled(1.9)).unwrap();
        let told = check(&scaled(2.1)).unwrap_err().to_string();
        assert!(told.contains("ack / floor is"), "{told}");
    }

    #[test]
    fn a_run_without_one_of_the_pairs_is_no_success() {
        let mut measured = kept();
        measured.remove("vote / floor");
        let told = check(&measured).unwrap_err().to_string();
        assert_eq!(told, "vote / floor was not measured");
    }

    #[test]
    fn every_pair_is_kept() {
        let names: Vec<String> = kept().into_keys().collect();
        let mut pairs = PAIRS.map(|(name, _, _)| name.to_owned());
        pairs.sort();
        assert_eq!(names, pairs);
    }
}
