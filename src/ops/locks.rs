//! One hand at a time on an agent. The guard is the proof, and what changes containers asks for it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::domain::ids::{ActionId, AgentId};

/// Locks by agent, in the memory of the one process that may act.
#[derive(Debug, Default)]
pub struct Locks {
    agents: Mutex<HashMap<AgentId, Arc<AsyncMutex<()>>>>,
}

/// Proof that nobody else changes this agent's container while it lives.
#[derive(Debug)]
pub struct TargetGuard {
    agent: AgentId,
    _held: OwnedMutexGuard<()>,
}

impl TargetGuard {
    pub const fn agent(&self) -> AgentId {
        self.agent
    }
}

impl Locks {
    /// Waits for its turn. Every holder works under deadlines, so the turn comes.
    pub async fn lock(&self, agent: AgentId) -> TargetGuard {
        TargetGuard {
            agent,
            _held: self.mutex(agent).lock_owned().await,
        }
    }

    /// None if somebody is at it.
    pub fn try_lock(&self, agent: AgentId) -> Option<TargetGuard> {
        let held = self.mutex(agent).try_lock_owned().ok()?;
        Some(TargetGuard { agent, _held: held })
    }

    fn mutex(&self, agent: AgentId) -> Arc<AsyncMutex<()>> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(agents.entry(agent).or_default())
    }
}

/// Actions that somebody is at in this moment; whoever comes second leaves them alone.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashSet<ActionId>>);

/// Somebody's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns, ActionId);

impl Turns {
    /// None if somebody is at it.
    pub(super) fn begin(&self, action: ActionId) -> Option<Turn<'_>> {
        self.with(|actions| actions.insert(action))
            .then(|| Turn(self, action))
    }

    pub(super) fn contains(&self, action: ActionId) -> bool {
        self.with(|actions| actions.contains(&action))
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashSet<ActionId>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.with(|actions| actions.remove(&self.1));
    }
}
