//! The rules in force.

use std::sync::Arc;

use super::{Ops, sight::Sight};
use crate::domain::policy::{Policy, Trial};

impl Ops {
    /// Those of the settings before those of the preset; a reload replaces them.
    pub fn policies(&self) -> Arc<Vec<Policy>> {
        Arc::clone(&self.settings().policies)
    }
}

impl Sight<'_> {
    /// The fleet and the template of the agent, if it is seen and they are not said.
    pub fn complete(&self, mut trial: Trial) -> Trial {
        let view = trial
            .agent
            .as_deref()
            .and_then(|name| self.roster.view(name))
            .filter(|view| self.sees(&view.fleet));
        if let Some(view) = view {
            let template = view
                .version
                .and_then(|version| version.spec.template.clone());
            trial.fleet = trial.fleet.or_else(|| Some(view.fleet.to_string()));
            trial.template = trial.template.or(template);
        }
        trial
    }
}
