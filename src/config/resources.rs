use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::problem::Problem;

/// What agents and the host use, as charts and alerts know it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Resources {
    /// Days for which it is kept: by the minute for a day, then by the quarter of an hour.
    #[schemars(range(min = 1, max = 3650))]
    pub keep_days: u32,
}

impl Default for Resources {
    fn default() -> Self {
        Self { keep_days: 30 }
    }
}

impl Resources {
    pub(super) fn problems(&self) -> Option<Problem> {
        let days = 1..=3650;
        (!days.contains(&self.keep_days))
            .then(|| Problem::out_of_range("resources.keep_days", self.keep_days, &days))
    }
}
