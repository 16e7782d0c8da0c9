use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::problem::Problem;

/// What is mended by itself. How often, each template says for its agents.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Recovery {
    /// Agents of one fleet that are restarted at the same time.
    #[schemars(range(min = 1, max = 64))]
    pub parallel: u32,
}

impl Default for Recovery {
    fn default() -> Self {
        Self { parallel: 4 }
    }
}

impl Recovery {
    pub(super) fn problems(&self) -> Option<Problem> {
        let allowed = 1..=64;
        (!allowed.contains(&self.parallel))
            .then(|| Problem::out_of_range("recovery.parallel", self.parallel, &allowed))
    }
}
