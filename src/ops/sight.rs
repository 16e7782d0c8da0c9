//! What one caller sees of the fleet: everything that is asked for by name or pattern goes through here, so that
//! nobody hears of agents they may not see.

use std::ops::Deref;

use super::Ops;
use crate::{
    domain::{
        action::{Action, Kind},
        agent::Name,
        fleet::Fleet,
        grant::{Caller, Level, Need, Scope},
        ids::{ActionId, AgentId},
        view::{Glance, View},
    },
    error::{Error, Result},
};

/// The use cases as one caller may use them; without a caller, as Yardarm itself does.
#[derive(Clone)]
pub struct Sight<'a> {
    ops: &'a Ops,
    caller: Option<Caller>,
}

impl Deref for Sight<'_> {
    type Target = Ops;

    fn deref(&self) -> &Ops {
        self.ops
    }
}

impl Ops {
    pub const fn sight(&self, caller: Caller) -> Sight<'_> {
        Sight {
            ops: self,
            caller: Some(caller),
        }
    }

    /// What Yardarm sees: everything.
    pub const fn own_sight(&self) -> Sight<'_> {
        Sight {
            ops: self,
            caller: None,
        }
    }
}

impl Sight<'_> {
    pub fn sees(&self, fleet: &Name) -> bool {
        self.caller
            .as_ref()
            .is_none_or(|caller| self.rights().sees(caller, fleet, self.now()))
    }

    /// None: Yardarm itself.
    pub(super) const fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// Refuses a caller who lacks the level there.
    pub fn permit(&self, need: &Need) -> Result<()> {
        match &self.caller {
            Some(caller) => self.authorise(caller, need).map(drop),
            None => Ok(()),
        }
    }

    /// Refuses before anything is said of those agents: what they do is nobody's business who may not ask.
    pub(super) fn permit_on<'v>(
        &self,
        kind: Kind,
        views: impl IntoIterator<Item = &'v View>,
    ) -> Result<()> {
        let fleets = views.into_iter().map(|view| view.fleet.clone()).collect();
        let on = Scope::Fleets(fleets);
        let level = kind.level();
        self.permit(&Need { level, on })
    }

    pub(super) fn permit_in(&self, kind: Kind, fleet: &Fleet) -> Result<()> {
        self.permit(&Need::fleet(kind.level(), fleet.name.clone()))
    }

    /// One agent, for somebody who may see it.
    pub fn look_at(&self, name: &str) -> Result<View> {
        let view = self.agent(name)?;
        self.permit(&Need::fleet(Level::Viewer, view.fleet.clone()))?;
        Ok(view)
    }

    /// The agent of a card's button, for somebody who may see it.
    pub fn look_at_id(&self, id: AgentId) -> Result<View> {
        let gone =
            || Error::NotFound("That agent is gone. `/status` shows who is there.".to_owned());
        let view = self.roster.view_of(id).ok_or_else(gone)?;
        self.permit(&Need::fleet(Level::Viewer, view.fleet.clone()))?;
        Ok(view)
    }

    /// An action that a card or somebody names, for whoever may see what it is about, and for who asked for it.
    pub async fn look_at_action(&self, id: ActionId) -> Result<Action> {
        let action = self.action(id).await?;
        let own = self
            .caller()
            .is_some_and(|caller| action.actor == Some(caller.user));
        if !own {
            self.permit(&self.look(&action))?;
        }
        Ok(action)
    }

    /// One fleet, for somebody who may see it.
    pub fn look_into(&self, name: &str) -> Result<Fleet> {
        let fleet = self.fleet(name)?;
        self.permit(&Need::fleet(Level::Viewer, fleet.name.clone()))?;
        Ok(fleet)
    }

    /// One page of all agents that are seen, or of a fleet's.
    pub fn glance(&self, fleet: Option<&Name>, page: usize) -> Glance {
        self.roster.glance(|name| self.sees(name), fleet, page)
    }

    /// The fleets that are seen, with the names of their agents.
    pub fn fleets(&self) -> Vec<(Fleet, Vec<Name>)> {
        let mut fleets = self.roster.fleets();
        fleets.retain(|(fleet, _)| self.sees(&fleet.name));
        fleets
    }
}
