//! The rules in force.

use std::sync::Arc;

use super::{Ops, sight::Sight};
use crate::domain::{
    action::Kind,
    agent::Name,
    grant::{Level, Need},
    pattern::Pattern,
    policy::{Explanation, Policy, Trial},
};

impl Ops {
    /// Those of the settings before those of the preset; a reload replaces them.
    pub fn policies(&self) -> Arc<Vec<Policy>> {
        Arc::clone(&self.settings().policies)
    }
}

impl Sight<'_> {
    /// The fleet and the template of the agent, if it is seen and they are not said, and what else such an action is
    /// about: see `ops/concern.rs`.
    pub fn complete(&self, mut trial: Trial) -> Trial {
        let view = trial
            .agent
            .as_deref()
            .and_then(|name| self.roster.view(name))
            .filter(|view| self.sees(&view.fleet));
        if trial.kind.may_concern_all_fleets() && trial.agent.is_none() && trial.fleet.is_none() {
            let seen = self.fleets().into_iter();
            trial.fleets = seen.map(|(fleet, _)| fleet.name.to_string()).collect();
        }
        if let Some(view) = view {
            if trial.kind == Kind::FleetAdd && trial.fleet.is_some() {
                trial.fleets = vec![view.fleet.to_string()];
            }
            let template = view
                .version
                .and_then(|version| version.spec.template.clone());
            trial.fleet = trial.fleet.or_else(|| Some(view.fleet.to_string()));
            trial.template = trial.template.or(template);
        }
        trial
    }

    /// Which rule would decide. Rules about what the caller does not see are not told, unless one decides.
    pub fn explain(&self, trial: &Trial) -> Explanation {
        let policies = self.policies();
        let mut explanation = trial.explain(&policies);
        let told = |rule: &str| {
            let rule = policies.iter().find(|policy| policy.name == rule);
            rule.is_none_or(|policy| self.knows_of(policy))
        };
        let considered = &mut explanation.considered;
        considered.retain(|one| one.matched || told(&one.rule));
        explanation
    }

    /// Whether a rule is about everything, or about something that is seen.
    fn knows_of(&self, policy: &Policy) -> bool {
        if self.permit(&Need::everything(Level::Viewer)).is_ok() {
            return true;
        }
        let (fleets, agents) = (&policy.when.fleets, &policy.when.agents);
        let seen = self.fleets();
        let any = |patterns: &[Pattern], name: &Name| {
            patterns.is_empty()
                || patterns
                    .iter()
                    .any(|pattern| pattern.matches(name.as_str()))
        };
        fleets.is_empty() && agents.is_empty()
            || seen.iter().any(|(fleet, members)| {
                any(fleets, &fleet.name)
                    && (agents.is_empty() || members.iter().any(|name| any(agents, name)))
            })
    }
}
