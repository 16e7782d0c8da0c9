use std::collections::BTreeSet;

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{
    problem::Problem,
    schedule::{BUILT_IN, Order, Written},
    zone,
};

/// What is done again and again.
#[derive(Clone, Debug)]
pub struct Schedules {
    /// Counts where a schedule names none.
    pub zone: Tz,
    /// Every `[[schedule]]`.
    pub orders: Vec<Order>,
}

/// `[schedules]` as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Section {
    /// The time zone of schedules that name none, such as `Europe/Berlin`.
    zone: String,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            zone: Tz::UTC.name().to_owned(),
        }
    }
}

impl Section {
    /// Takes over the entries, or tells what is wrong with them.
    pub(super) fn settle(&self, entries: &[Written]) -> Result<Schedules, Vec<Problem>> {
        let mut problems = Vec::new();
        let zone = zone::parse(&self.zone).unwrap_or_else(|unknown| {
            let message = unknown.message();
            problems.push(Problem::new("schedules.zone", message, unknown.advice));
            Tz::UTC
        });
        let (mut names, mut orders) = (BTreeSet::from(BUILT_IN), Vec::new());
        for (index, entry) in entries.iter().enumerate() {
            let at = |key: &str| format!("schedule[{index}].{key}");
            if !names.insert(&entry.name) {
                let message = format!("`{}` is the name of another schedule too", entry.name);
                let hint = "give each schedule a name of its own";
                problems.push(Problem::new(at("name"), message, hint));
            }
            match Order::read(entry, zone) {
                Ok(order) => orders.push(order),
                Err(wrong) => problems.extend(wrong.into_iter().map(|problem| Problem {
                    at: at(&problem.at),
                    ..problem
                })),
            }
        }
        if problems.is_empty() {
            Ok(Schedules { zone, orders })
        } else {
            Err(problems)
        }
    }
}
