//! What actions that are over left behind on the engine: removed, or given its name back.
//!
//! Only the end of the process or of the engine in the middle of a replacement leaves anything. This is the one
//! place besides [`super::execute`] that changes containers, and it touches only those of actions that are over.

use super::Ops;
use crate::{
    domain::{
        agent::Name,
        ids::{ActionId, AgentId, ContainerId},
    },
    engine::{self, EngineError, Listed},
};

impl Ops {
    /// Compares a full listing with the registry. A database that fails leaves everything as it is.
    pub(super) async fn tidy(&self, listed: &[Listed]) -> engine::Result<()> {
        for container in listed {
            match self.owner(&container.container) {
                Some((agent, name)) => self.restore_name(agent, &name, container).await?,
                None if self.is_left_over(container).await => self.discard(container).await?,
                None => {}
            }
        }
        Ok(())
    }

    fn owner(&self, container: &ContainerId) -> Option<(AgentId, Name)> {
        self.roster.read(|board| {
            let view = board.by_container(container)?;
            Some((view.agent.id, view.agent.name.clone()))
        })
    }

    /// An agent's own container still bears the name it was given to make room for a successor that never came.
    async fn restore_name(
        &self,
        agent: AgentId,
        name: &Name,
        listed: &Listed,
    ) -> engine::Result<()> {
        let Some(action) = self.retired_by(&listed.name) else {
            return Ok(());
        };
        let _guard = self.locks.lock(agent).await;
        if !self.is_over(action).await {
            return Ok(());
        }
        tracing::info!(
            agent.name = name.as_str(),
            action.id = action.0,
            "giving a container its name back"
        );
        self.engine
            .rename(&listed.container, &self.container_name(name))
            .await
    }

    /// Made by an action of ours that is over, or put aside by one, and nobody's now.
    async fn is_left_over(&self, listed: &Listed) -> bool {
        let ours = listed
            .labels
            .as_ref()
            .filter(|labels| labels.instance == self.instance);
        match (
            ours.map(|labels| labels.action),
            self.retired_by(&listed.name),
        ) {
            // An old container stays until the action that put it aside is over too.
            (Some(made_by), Some(put_aside_by)) => {
                self.is_over(made_by).await && self.is_over(put_aside_by).await
            }
            (Some(action), None) | (None, Some(action)) => self.is_over(action).await,
            (None, None) => false,
        }
    }

    async fn discard(&self, listed: &Listed) -> engine::Result<()> {
        tracing::info!(
            container.name = listed.name,
            container.id = listed.container.short(),
            "removing what an action left"
        );
        match self.engine.remove(&listed.container).await {
            Err(EngineError::NotFound(_)) => Ok(()),
            answer => answer,
        }
    }

    /// The action that put a container aside, if its name says that one of ours did.
    fn retired_by(&self, name: &str) -> Option<ActionId> {
        let (agent, action) = name
            .strip_prefix(&self.settings().docker.name_prefix)?
            .rsplit_once("-old-")?;
        Name::parse(agent).ok()?;
        action.parse().ok().map(ActionId)
    }

    /// Unknown is not over: a database that was restored from an older backup must cost nobody a container.
    async fn is_over(&self, action: ActionId) -> bool {
        matches!(self.store.action(action).await, Ok(Some(action)) if action.state.is_over())
    }
}
