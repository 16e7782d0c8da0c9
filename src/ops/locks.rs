//! One hand at a time on an agent. The guard is the proof, and what changes containers asks for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::domain::ids::AgentId;

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
