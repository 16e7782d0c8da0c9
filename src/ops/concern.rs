//! What an action is about, as rules name it and as its card finds its channel.

use super::Ops;
use crate::domain::{
    action::{Details, Kind},
    agent::Name,
    ids::{AgentId, FleetId},
    plan::{Part, Plan},
    policy::Subject,
    schedule::{Job, Order},
    secret::{self, Scope},
    squelch::{Matcher, Quiet},
    view::View,
};

/// One agent, fleet or template that an action is about; nothing of these if it is about everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Concern {
    agent: Option<String>,
    pub(super) fleet: Option<String>,
    template: Option<String>,
}

impl Concern {
    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            agent: self.agent.as_deref(),
            fleet: self.fleet.as_deref(),
            template: self.template.as_deref(),
        }
    }

    fn of_part(part: &Part) -> Self {
        let made = part.then.as_ref().or(part.now.as_ref());
        Self {
            agent: Some(part.agent.to_string()),
            fleet: Some(part.fleet.to_string()),
            template: made.and_then(|made| made.spec.template.clone()),
        }
    }

    fn of_view(view: &View) -> Self {
        let version = view.version.as_ref();
        Self {
            agent: Some(view.agent.name.to_string()),
            fleet: Some(view.fleet.to_string()),
            template: version.and_then(|version| version.spec.template.clone()),
        }
    }

    fn of_fleet(fleet: Option<&Name>) -> Self {
        Self {
            fleet: fleet.map(Name::to_string),
            ..Self::default()
        }
    }

    fn of_template(template: Option<&Name>) -> Self {
        Self {
            template: template.map(Name::to_string),
            ..Self::default()
        }
    }
}

impl Ops {
    /// All that an action is about, first what it is named by. What is about all fleets is about each of them: no rule
    /// about one of them is got around by asking for all.
    pub(super) fn concerns(&self, kind: Kind, plan: &Plan) -> Vec<Concern> {
        let mut all = self.concern_beside(kind, plan);
        all.extend(plan.parts.iter().map(Concern::of_part));
        let everything = all.contains(&Concern::default());
        if kind.may_concern_all_fleets() && everything {
            let fleets = self.roster.fleets();
            let fleets = fleets.iter();
            all.extend(fleets.map(|(fleet, _)| Concern::of_fleet(Some(&fleet.name))));
        }
        all
    }

    /// What it is about beside the agents of its plan.
    fn concern_beside(&self, kind: Kind, plan: &Plan) -> Vec<Concern> {
        let details = &plan.details;
        let alone = plan.parts.is_empty();
        match details {
            Details {
                secret: Some(subject),
                ..
            } => vec![self.concern_of_secret(subject)],
            Details {
                schedule: Some(change),
                ..
            } => vec![self.concern_of_order(&change.order)],
            Details {
                quiet: Some(quiet), ..
            } => vec![self.concern_of_quiet(quiet)],
            _ if kind == Kind::FleetAdd => {
                let moved = plan.parts.iter().map(Concern::of_part);
                let fleet = details.name.as_ref().map(Name::to_string);
                moved
                    .map(|moved| Concern {
                        fleet: fleet.clone(),
                        ..moved
                    })
                    .collect()
            }
            _ if matches!(kind, Kind::TemplateSave | Kind::TemplateDelete) => {
                vec![Concern::of_template(details.name.as_ref())]
            }
            _ if alone && !kind.concerns_everything() => {
                vec![Concern::of_fleet(details.name.as_ref())]
            }
            _ => Vec::new(),
        }
    }

    fn concern_of_secret(&self, subject: &secret::Subject) -> Concern {
        match subject.scope {
            Scope::Agent(id) => self.concern_of_agent(id),
            Scope::Fleet(id) => self.concern_of_fleet(id),
            Scope::All => Concern::default(),
        }
    }

    fn concern_of_agent(&self, id: AgentId) -> Concern {
        let view = self.roster.view_of(id);
        view.as_ref()
            .map_or_else(Concern::default, Concern::of_view)
    }

    fn concern_of_fleet(&self, id: FleetId) -> Concern {
        self.roster.read(|board| {
            let fleet = board.fleet_by_id(id);
            Concern::of_fleet(fleet.map(|fleet| &fleet.name))
        })
    }

    /// The agent may be a pattern, or still to be made.
    fn concern_of_order(&self, order: &Order) -> Concern {
        let view = order
            .agent
            .as_deref()
            .and_then(|name| self.roster.view(name));
        let there = view
            .as_ref()
            .map_or_else(Concern::default, Concern::of_view);
        let usual =
            (order.job == Job::Deploy).then(|| self.settings().agents.default_fleet.to_string());
        Concern {
            agent: order.agent.clone(),
            fleet: order.fleet.clone().or(there.fleet).or(usual),
            template: order.template.clone().or(there.template),
        }
    }

    fn concern_of_quiet(&self, quiet: &Quiet) -> Concern {
        let (Quiet::For { matcher, .. } | Quiet::End { matcher, .. }) = quiet;
        let Matcher { fleets, agents, .. } = matcher;
        let named = agents
            .first()
            .and_then(|name| self.roster.view(name.as_str()));
        match (agents.as_slice(), named) {
            ([_], Some(view)) => Concern::of_view(&view),
            _ => Concern {
                fleet: fleets.first().map(ToString::to_string),
                ..Concern::default()
            },
        }
    }
}
