//! What happened, for whoever listens inside the process. An event tells where to look, not what to believe.

use super::ids::{ActionId, AgentId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Desired or observed state of an agent may have changed.
    Agent(AgentId),
    /// An action came one step further.
    Action(ActionId),
    /// The engine began to answer, or ceased to.
    Engine { answers: bool },
    /// Discord's gateway let us in.
    Connected,
    /// It was lost.
    Disconnected,
    /// Every agent was compared with a full listing.
    Resynced,
    /// A row waits in the outbox.
    Outbox,
    /// A schedule came, changed or went.
    Schedules,
    /// Somebody was told that they may not.
    Refused,
    /// An incident was opened, changed or ended.
    Incident,
    /// Messages were shown, or failed to be.
    Backlog,
}
