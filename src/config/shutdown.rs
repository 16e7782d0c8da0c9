use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seconds;
use crate::domain::problem::Problem;

/// How we leave.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Shutdown {
    /// Seconds running actions get to end; the rest is marked interrupted.
    #[serde(rename = "grace_s", with = "seconds")]
    #[schemars(with = "u32", range(max = 600))]
    pub grace: Duration,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(20),
        }
    }
}

impl Shutdown {
    pub(super) fn problems(&self) -> Option<Problem> {
        seconds::outside("shutdown.grace_s", self.grace, &(0..=600))
    }
}
