use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::problem::Problem;

/// How agents are asked how they are. What is asked, each template says for its agents.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Probes {
    /// Questions under way at the same time.
    #[schemars(range(min = 1, max = 1024))]
    pub parallel: u32,
}

impl Default for Probes {
    fn default() -> Self {
        Self { parallel: 32 }
    }
}

impl Probes {
    pub(super) fn problems(&self) -> Option<Problem> {
        let allowed = 1..=1024;
        (!allowed.contains(&self.parallel))
            .then(|| Problem::out_of_range("probes.parallel", self.parallel, &allowed))
    }
}
