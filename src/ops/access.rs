//! Who may do what, in memory: built from the settings and the database, and built anew when either changes.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use super::{
    Ops,
    actions::{Request, newcomers},
};
use crate::{
    config::Settings,
    domain::{
        action::{Action, Details, Kind},
        agent::Name,
        grant::{Caller, Forbidden, Grant, Level, Need, Rights, Scope, Team},
        ids::{AgentId, ChannelId, FleetId},
    },
    error::{Error, Result},
    store::{OpenError, grants::Kept},
};

impl Ops {
    /// Everybody's rights as they are now.
    pub fn rights(&self) -> Arc<Rights> {
        Arc::clone(&self.rights.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The one question for commands, buttons, selects, modals and autocomplete; answered from memory.
    pub fn authorise(&self, caller: &Caller, need: &Need) -> Result<Level> {
        Ok(self.rights().authorise(caller, need, self.now())?)
    }

    /// Whether a caller may ask for this; asked before they are answered, and again at the door.
    pub fn permit(&self, caller: &Caller, request: &Request) -> Result<()> {
        self.authorise(caller, &self.need_for(request)).map(drop)
    }

    /// What a request takes of whoever asks for it.
    pub(super) fn need_for(&self, request: &Request) -> Need {
        let newcomer = request.newcomer.as_ref().map(|newcomer| newcomer.fleet);
        let agents = request.targets.iter().map(|target| target.agent);
        self.need(request.kind, &request.details, agents, newcomer)
    }

    /// Whether a caller may have that carried out.
    pub fn permit_action(&self, caller: &Caller, action: &Action) -> Result<()> {
        self.authorise(caller, &self.need_of(action)).map(drop)
    }

    /// What an action takes: of whoever asks for it, and at least of whoever approves it.
    pub(super) fn need_of(&self, action: &Action) -> Need {
        let newcomer = self.comes_into(action);
        let agents = action.targets.iter().map(|target| target.agent);
        let agents = agents.filter(|_| newcomer.is_none());
        self.need(action.kind, &action.details, agents, newcomer)
    }

    /// Where the agent that is to be comes into: it is in no fleet yet, and its plan tells. None once it is there: it may have
    /// moved on.
    pub(super) fn comes_into(&self, action: &Action) -> Option<FleetId> {
        let is_there = |agent: &AgentId| self.roster.view_of(*agent).is_some();
        let newcomers = newcomers(action);
        if newcomers.is_empty() || newcomers.iter().any(is_there) {
            return None;
        }
        self.fleets_of(action.plan.as_deref()).into_iter().next()
    }

    /// What it takes to see an action.
    pub(super) fn look(&self, action: &Action) -> Need {
        Need {
            level: Level::Viewer,
            ..self.need_of(action)
        }
    }

    /// The level of the kind on every fleet that is touched: where the agents are, where they come to be, and the
    /// fleet it is about. What touches none concerns everything.
    fn need(
        &self,
        kind: Kind,
        details: &Details,
        agents: impl Iterator<Item = AgentId>,
        newcomer: Option<FleetId>,
    ) -> Need {
        let level = if details.break_glass {
            Level::Owner
        } else {
            kind.level()
        };
        if let Some(subject) = &details.secret {
            return self.secret_need(level, subject);
        }
        if let Some(change) = &details.schedule {
            return self.schedule_need(level, &change.order);
        }
        let fleets = match kind {
            kind if kind.concerns_everything() => Some(Vec::new()),
            // It does not exist yet, so it has a name and no id.
            Kind::FleetCreate => Some(details.name.iter().cloned().collect()),
            _ => self.roster.read(|board| {
                let of_agents =
                    agents.map(|agent| board.by_id(agent).map(|view| view.fleet.clone()));
                let others = [newcomer, details.fleet].into_iter().flatten();
                let others = others.map(|id| board.fleet_by_id(id).map(|fleet| fleet.name.clone()));
                of_agents.chain(others).collect()
            }),
        };
        // What is gone has no fleet; only who may everything may ask for it.
        let on = fleets.map_or(Scope::Everything, Scope::Fleets);
        Need { level, on }
    }

    /// Takes over what the settings and the database say.
    pub async fn refresh_rights(&self) -> Result<()> {
        let kept = self.store.access().await?;
        let rights = of(&self.settings(), kept);
        *self.rights.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rights);
        Ok(())
    }
}

/// Everybody's rights and the names of the fleets, as a command on the host finds them.
pub struct Known {
    pub rights: Rights,
    pub fleets: Vec<Name>,
    /// The names of those for all agents; None if the database could not be read.
    pub secrets: Option<BTreeSet<String>>,
    /// Where fleets are told and boards are, each with which it is.
    pub channels: Vec<(ChannelId, String)>,
}

impl Known {
    /// From the settings, and from the database if there is one: that is only read.
    pub async fn look_up(settings: &Settings) -> std::result::Result<Self, OpenError> {
        let path = &settings.database.path;
        let kept = if path.exists() {
            Kept::read(path).await?
        } else {
            Kept::default()
        };
        let own = kept.fleets.iter().filter_map(|fleet| {
            let why = format!("fleet {}", fleet.name);
            fleet.channel.map(|channel| (channel, why))
        });
        let boards = kept.boards.iter().map(|at| (*at, "a board".to_owned()));
        Ok(Self {
            channels: own.chain(boards).collect(),
            fleets: kept.fleets.into_iter().map(|fleet| fleet.name).collect(),
            secrets: Some(kept.secrets),
            rights: of(settings, (kept.grants, kept.teams)),
        })
    }

    /// As the settings alone say it.
    pub fn of_settings(settings: &Settings) -> Self {
        Self {
            rights: of(settings, Default::default()),
            fleets: Vec::new(),
            secrets: None,
            channels: Vec::new(),
        }
    }
}

/// What the settings say and what the database keeps.
pub(super) fn of(settings: &Settings, kept: (Vec<Grant>, Vec<Team>)) -> Rights {
    let access = &settings.access;
    let files = (access.grants.clone(), access.teams.clone());
    Rights::new(settings.discord.guild, files, kept)
}

impl From<Forbidden> for Error {
    fn from(forbidden: Forbidden) -> Self {
        Self::Denied(forbidden.to_string())
    }
}
