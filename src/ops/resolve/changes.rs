//! Requests about agents that are there, and about a container that is to be one.

use super::{Selection, plain, refuse_busy, request};
use crate::{
    domain::{
        action::{Arguments, Details, Kind},
        agent::{Desired, Phase, State},
        fleet::Fleet,
        ids::ContainerId,
        view::View,
    },
    error::{Error, Result},
    ops::{
        actions::{Newcomer, Request},
        sight::Sight,
    },
    store::actions::NewTarget,
};

impl Sight<'_> {
    /// `start`, `stop`, `restart`, `pause`, `resume`. Of several, those already there are left out.
    pub fn request_change(&self, kind: Kind, selection: Selection<'_>) -> Result<Request> {
        let views = self.select(selection)?;
        self.permit_on(kind, &views)?;
        self.engine_answers()?;
        if let [view] = views.as_slice() {
            refuse_busy(view)?;
            if let Some(why) = unneeded(kind, view) {
                return Err(Error::Invalid(format!("`{}` {why}", view.agent.name)));
            }
        }
        let needed: Vec<&View> = views
            .iter()
            .filter(|view| unneeded(kind, view).is_none())
            .collect();
        if needed.is_empty() {
            return Err(Error::Invalid(format!(
                "None of the {} agents needs a {kind}.",
                views.len()
            )));
        }
        for view in &needed {
            refuse_busy(view)?;
        }
        Ok(request(
            kind,
            needed
                .into_iter()
                .map(|view| NewTarget::as_it_is(view.agent.id))
                .collect(),
        ))
    }

    pub fn request_remove(&self, selection: Selection<'_>) -> Result<Request> {
        let views = self.select(selection)?;
        self.permit_on(Kind::Remove, &views)?;
        self.engine_answers()?;
        for view in &views {
            refuse_busy(view)?;
        }
        Ok(request(
            Kind::Remove,
            views
                .iter()
                .map(|view| NewTarget::as_it_is(view.agent.id))
                .collect(),
        ))
    }

    /// Into which fleet a container may be adopted: to be called before the person is answered.
    pub fn fleet_to_adopt_into(&self, fleet: Option<&str>) -> Result<Fleet> {
        let default = self.settings().agents.default_fleet.clone();
        let fleet = self.fleet(fleet.unwrap_or(default.as_str()))?;
        self.permit_in(Kind::Adopt, &fleet)?;
        Ok(fleet)
    }

    /// Asks the engine for the container: to be called after the person was answered.
    pub async fn request_adopt(
        &self,
        container: &str,
        name: Option<&str>,
        fleet: &Fleet,
    ) -> Result<Request> {
        self.permit_in(Kind::Adopt, fleet)?;
        self.engine_answers()?;
        let seen = self
            .engine
            .observe(&ContainerId(container.to_owned()))
            .await?;
        let seen = seen.ok_or_else(|| {
            Error::NotFound(format!(
                "There is no container `{}` on this host.",
                plain(container)
            ))
        })?;
        self.refuse_ourselves(&seen.container).await?;
        if let Some(owner) = self.roster.read(|board| {
            board
                .by_container(&seen.container)
                .map(|view| view.agent.name.clone())
        }) {
            return Err(Error::Invalid(format!(
                "That container is `{owner}` already."
            )));
        }
        let name = match name {
            Some(name) => self.free_name(name)?,
            None => self.free_name(&seen.name).map_err(|error| {
                Error::Invalid(format!("{error} Give the agent another one by `name:`."))
            })?,
        };
        let newcomer = Newcomer {
            name,
            fleet: fleet.id,
            spec: None,
            arguments: Arguments::new(),
        };
        let details = Details {
            container: Some(seen.container),
            ..Details::default()
        };
        Ok(Request {
            kind: Kind::Adopt,
            targets: Vec::new(),
            newcomer: Some(newcomer),
            secret: None,
            details,
        })
    }
}

/// Why a change would do nothing, as the end of a sentence that begins with the agent's name.
fn unneeded(kind: Kind, view: &View) -> Option<String> {
    let phase = view.observed.as_ref().map(|seen| seen.phase);
    let up = phase.is_some_and(Phase::is_up);
    match (kind, view.state) {
        (Kind::Start, _)
            if phase == Some(Phase::Running) && view.agent.desired == Desired::Running =>
        {
            Some("is running already.".to_owned())
        }
        (Kind::Stop, _) if !up && view.agent.desired == Desired::Stopped => {
            Some("is stopped already.".to_owned())
        }
        (Kind::Pause, State::Paused) => {
            Some("is paused already. `/resume` lets it go on.".to_owned())
        }
        (Kind::Pause, State::Frozen) => {
            Some("is frozen, and stands still already. `/unfreeze` lets it go on.".to_owned())
        }
        (Kind::Pause, _) if !up => Some("does not run, so there is nothing to pause.".to_owned()),
        (Kind::Resume, _) if phase != Some(Phase::Paused) => Some("is not paused.".to_owned()),
        _ => None,
    }
}
