//! `[[threshold]]`: how much is too much for how long.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::policy::Reader;
use crate::domain::{
    incident::Severity,
    problem::Problem,
    threshold::{Measure, SLACK, Subject, Threshold},
};

/// Above so much for so long is an incident. Entries replace those that are built in, all of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThresholdEntry {
    /// Of what.
    on: Subject,
    /// Of agents `cpu`, `memory` and `pids`, each as a share of its limit; of the host all but `pids`.
    measure: Measure,
    /// Percent.
    #[schemars(range(min = 1, max = 10_000))]
    above: f64,
    /// Percent below which it is over; 3 less than `above` if left out.
    below: Option<f64>,
    /// Seconds it must last.
    #[serde(default = "five_minutes")]
    #[schemars(range(max = 86_400))]
    for_s: u32,
    #[serde(default = "warning")]
    severity: Severity,
    /// Names of fleets, with `*` for any characters; for agents.
    #[serde(default)]
    fleets: Vec<String>,
    /// Names of agents, with `*` for any characters; for agents.
    #[serde(default)]
    agents: Vec<String>,
}

const fn five_minutes() -> u32 {
    300
}

const fn warning() -> Severity {
    Severity::Warning
}

/// The thresholds of the file, or those that are built in, or all that is wrong with them.
pub(super) fn settle(entries: &[ThresholdEntry]) -> Result<Vec<Threshold>, Vec<Problem>> {
    if entries.is_empty() {
        return Ok(Threshold::defaults());
    }
    let mut problems = Vec::new();
    let read = entries.iter().enumerate().map(|(position, entry)| {
        let mut reader = Reader::new(format!("threshold[{position}]"), &mut problems);
        threshold(&mut reader, entry)
    });
    let thresholds = read.collect();
    if problems.is_empty() {
        Ok(thresholds)
    } else {
        Err(problems)
    }
}

fn threshold(reader: &mut Reader<'_>, entry: &ThresholdEntry) -> Threshold {
    if !entry.measure.is_of(entry.on) {
        let known = Measure::ALL.iter().filter(|one| one.is_of(entry.on));
        let known: Vec<String> = known.map(|one| format!("`{}`", one.as_str())).collect();
        let message = format!(
            "`{}` is not measured of `{}`",
            entry.measure.as_str(),
            entry.on.as_str()
        );
        reader.refuse("measure", message, &format!("use {}", known.join(", ")));
    }
    let below = entry.below.unwrap_or(entry.above - SLACK);
    if !(1.0..=10_000.0).contains(&entry.above) {
        reader.refuse(
            "above",
            format!("`{}` is out of range", entry.above),
            "use 1 to 10000",
        );
    }
    if below > entry.above {
        reader.refuse(
            "below",
            "is more than `above`",
            "leave it out, or set a little less than `above`",
        );
    }
    if entry.on == Subject::Host && !(entry.fleets.is_empty() && entry.agents.is_empty()) {
        reader.refuse(
            "fleets",
            "does not fit the host, which is of no fleet",
            "leave `fleets` and `agents` out",
        );
    }
    reader.within("for_s", entry.for_s, 0..=86_400);
    Threshold {
        subject: entry.on,
        measure: entry.measure,
        above: entry.above,
        below,
        lasting: TimeDelta::seconds(entry.for_s.into()),
        severity: entry.severity,
        fleets: reader.patterns("fleets", &entry.fleets),
        agents: reader.patterns("agents", &entry.agents),
    }
}
