//! What actions that are over left behind on the engine: removed, or given its name back.
//!
//! Only the end of the process or of the engine in the middle of a replacement leaves anything. This is the one
//! place besides [`super::execute`] that changes containers, and it touches only those of actions that are over.

use super::{Ops, locks::TargetGuard};
use crate::{
    domain::{
        action::{Kind, Target},
        agent::Name,
        ids::{ActionId, AgentId, ContainerId},
    },
    engine::{self, Listed},
};

impl Ops {
    /// Compares a full listing with the registry. A database that fails leaves everything as it is, and what the
    /// engine refuses waits for the next listing: nothing of this may keep us from seeing.
    pub(super) async fn tidy(&self, listed: &[Listed]) {
        let mut agents = Vec::new();
        // What is left over goes first: it may bear an agent's name.
        for container in listed {
            if let Some((agent, name)) = self.owner(&container.container) {
                agents.push((agent, name, container));
            } else if self.is_left_over(container).await
                // Asked once more: its action may have ended just now, and made it an agent.
                && self.owner(&container.container).is_none()
            {
                note(container, self.discard(container).await);
            }
        }
        for (agent, name, container) in agents {
            note(container, self.restore_name(agent, &name, container).await);
        }
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
        let Some(guard) = self.locks.try_lock(agent) else {
            return Ok(());
        };
        if self.is_over(action).await {
            self.rename_back(&guard, name, &listed.container).await
        } else {
            Ok(())
        }
    }

    async fn rename_back(
        &self,
        guard: &TargetGuard,
        name: &Name,
        container: &ContainerId,
    ) -> engine::Result<()> {
        tracing::info!(
            agent.id = guard.agent().0,
            "giving a container its name back"
        );
        self.engine
            .rename(container, &self.container_name(name))
            .await
    }

    /// Made by an action of ours that is over, or put aside by one, and nobody's now. Its labels alone do not say that: they go
    /// along with an image that somebody makes of an agent, into whatever is run from it. Its name does, as an action gave it.
    async fn is_left_over(&self, listed: &Listed) -> bool {
        let labels = listed.labels.as_ref();
        if labels.is_some_and(|labels| labels.instance != self.instance) {
            return false;
        }
        // What was put aside may be older than all that is remembered of who made it.
        if let Some(put_aside_by) = self.retired_by(&listed.name)
            && self.replaced(put_aside_by, &listed.name).await
        {
            return true;
        }
        match labels {
            Some(labels) => self.made(labels.action, &listed.name).await,
            None => false,
        }
    }

    async fn discard(&self, listed: &Listed) -> engine::Result<()> {
        tracing::info!(
            container.name = listed.name,
            container.id = listed.container.short(),
            "removing what an action left"
        );
        self.engine.remove(&listed.container).await?;
        let agent = listed.labels.as_ref().map(|labels| labels.agent);
        match agent.and_then(|agent| self.locks.try_lock(agent)) {
            Some(guard) if self.never_lived(guard.agent()).await => self.drop_volumes(&guard).await,
            _ => Ok(()),
        }
    }

    /// Whether an agent was to be made and never was: its volumes hold nobody's data.
    async fn never_lived(&self, agent: AgentId) -> bool {
        matches!(self.store.version(agent, 1).await, Ok(None))
    }

    /// The action that put a container aside, if its name says that one of ours did.
    fn retired_by(&self, name: &str) -> Option<ActionId> {
        let (agent, action) = name
            .strip_prefix(&self.settings().docker.name_prefix)?
            .rsplit_once("-old-")?;
        Name::parse(agent).ok()?;
        action.parse().ok().map(ActionId)
    }

    /// Whether an action that is over gave an old container exactly this name.
    async fn replaced(&self, action: ActionId, name: &str) -> bool {
        let Ok(Some(action)) = self.store.action(action).await else {
            return false;
        };
        let given = |target: &Target| self.retired_name(&target.name, action.id) == name;
        action.state.is_over()
            && matches!(
                action.kind,
                Kind::Redeploy | Kind::Rollback | Kind::SecretRotate
            )
            && action.targets.iter().any(given)
    }

    /// Whether an action that is over gave a container that it made exactly this name.
    async fn made(&self, action: ActionId, name: &str) -> bool {
        let Ok(Some(action)) = self.store.action(action).await else {
            return false;
        };
        let given = |target: &Target| {
            self.container_name(&target.name) == name
                || self.passing_name(&target.name, action.id) == name
        };
        action.state.is_over() && action.targets.iter().any(given)
    }

    /// Unknown is not over: a database that was restored from an older backup must cost nobody a container.
    async fn is_over(&self, action: ActionId) -> bool {
        matches!(self.store.action(action).await, Ok(Some(action)) if action.state.is_over())
    }
}

fn note(listed: &Listed, tidied: engine::Result<()>) {
    if let Err(error) = tidied {
        tracing::warn!(container.name = listed.name, error = %error, "what an action left could not be tidied; trying again later");
    }
}
