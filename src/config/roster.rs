use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seconds;
use crate::domain::problem::Problem;

/// The live view of all agents.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Roster {
    /// Seconds between two full listings, which catch what the engine's events missed.
    #[serde(rename = "resync_s", with = "seconds")]
    #[schemars(with = "u32", range(min = 5, max = 3600))]
    pub resync: Duration,
    /// Seconds between two samples of CPU and memory; 0.4 s for each running agent if that is more.
    #[serde(rename = "sample_s", with = "seconds")]
    #[schemars(with = "u32", range(min = 2, max = 3600))]
    pub sample: Duration,
}

impl Default for Roster {
    fn default() -> Self {
        Self {
            resync: Duration::from_mins(1),
            sample: Duration::from_secs(15),
        }
    }
}

impl Roster {
    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> {
        // The engine takes up to a second for a sample.
        [
            seconds::outside("roster.resync_s", self.resync, &(5..=3600)),
            seconds::outside("roster.sample_s", self.sample, &(2..=3600)),
        ]
        .into_iter()
        .flatten()
    }
}
