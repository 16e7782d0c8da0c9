//! Learning what is: from the engine's events (fast) and full listings (right), both into the same roster.

use std::collections::HashSet;

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};

use super::{Ops, roster::Ticket};
use crate::{
    domain::{
        agent::Observation,
        event::Event,
        ids::ContainerId,
        view::{EngineState, View},
    },
    engine::{self, EngineError, LogLine, LogQuery},
    error::{Error, Result},
};

/// More at once gains nothing: a hundred inspections take 14 ms with eight.
const INSPECTIONS: usize = 8;

impl Ops {
    /// Compares every agent with the engine. An error leaves the roster as it was, but for the engine's silence.
    pub async fn resync(&self) -> engine::Result<()> {
        let answer = self.compare().await;
        match &answer {
            Ok(()) => self.join_networks().await,
            Err(error) => self.note_silence(error),
        }
        answer
    }

    async fn compare(&self) -> engine::Result<()> {
        let about = self.engine.about().await?;
        self.noted.note_root(&about.root);
        if let Some(now) = about.now {
            self.noted.note_clock(now, self.now());
        }
        let ticket = self.roster.ticket();
        let listed = self.engine.list().await?;
        // Before anybody acts on what is seen next.
        self.tidy(&listed).await;
        let present: HashSet<ContainerId> = listed
            .iter()
            .map(|listed| listed.container.clone())
            .collect();
        let ours: Vec<ContainerId> = self.roster.read(|board| {
            board
                .views()
                .filter_map(|view| view.agent.container.clone())
                .collect()
        });
        let (there, gone): (Vec<_>, Vec<_>) = ours
            .into_iter()
            .partition(|container| present.contains(container));
        for container in gone {
            self.note_observed(ticket, &container, None).await;
        }
        let answers: Vec<_> = stream::iter(there)
            .map(|container| async move { self.observe(&container).await })
            .buffer_unordered(INSPECTIONS)
            .collect()
            .await;
        // One that cannot be inspected must not hide the others.
        for error in answers.into_iter().filter_map(engine::Result::err) {
            if matches!(error, EngineError::Unreachable(_)) {
                return Err(error);
            }
            tracing::warn!(error = %error, "a container could not be inspected");
        }
        let since = self.now();
        self.note_engine(EngineState::Answers {
            since,
            version: about.version,
        });
        self.publish(Event::Resynced);
        Ok(())
    }

    /// Asks the engine for one container and tells the roster.
    pub async fn observe(&self, container: &ContainerId) -> engine::Result<()> {
        let ticket = self.roster.ticket();
        let observed = self.engine.observe(container).await?;
        self.note_observed(ticket, container, observed).await;
        Ok(())
    }

    /// The lines of an agent's container.
    pub async fn logs(
        &self,
        view: &View,
        query: &LogQuery,
    ) -> Result<BoxStream<'static, engine::Result<LogLine>>> {
        let none = || {
            Error::NotFound(format!(
                "`{0}` has no container, so it has no log. `/redeploy agent:{0}` makes one.",
                view.agent.name
            ))
        };
        let container = view.agent.container.as_ref().ok_or_else(none)?;
        match self.engine.logs(container, query).await {
            Err(EngineError::NotFound(_)) => Err(none()),
            answer => Ok(answer?),
        }
    }

    async fn note_observed(
        &self,
        ticket: Ticket,
        container: &ContainerId,
        observed: Option<Observation>,
    ) {
        let Some(seen) = self.roster.observe(ticket, container, observed, self.now()) else {
            return;
        };
        // What ended while the engine was away is no trouble of the agent's: `converge` starts it.
        if seen.has_ended() && self.knows_engine() {
            self.ended.note(seen.agent);
        }
        // How it ended before is no matter any more, looked into or not.
        if seen.is_up() {
            self.ended.forget(seen.agent);
        }
        // Told before anybody acts on it.
        if let Err(error) = self.note_passage(&seen).await {
            tracing::error!(agent.id = seen.agent.0, error = %error, "the end of a container could not be told");
        }
        self.publish(Event::Agent(seen.agent));
    }

    /// Whether the engine has answered since the start, and still does.
    pub fn knows_engine(&self) -> bool {
        self.roster
            .read(|board| matches!(board.engine, EngineState::Answers { .. }))
    }

    /// The engine did not answer, or told of nothing more. A lost answer proves nothing.
    pub fn note_silence(&self, error: &EngineError) {
        if matches!(
            error,
            EngineError::Unreachable(_) | EngineError::TimedOut { .. }
        ) {
            let since = self.now();
            let why = error.to_string();
            self.note_engine(EngineState::Silent { since, why });
        }
    }

    fn note_engine(&self, state: EngineState) {
        let answers = matches!(state, EngineState::Answers { .. });
        if self.roster.set_engine(state, self.now()) {
            tracing::info!(engine.answers = answers, "the engine's state changed");
            self.publish(Event::Engine { answers });
        }
    }
}
