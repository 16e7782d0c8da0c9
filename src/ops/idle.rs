//! Agents that do nothing for long, as far as their templates care: stopped, or put to people.

use chrono::TimeDelta;

use super::{Ops, actions::Requester};
use crate::{
    domain::{
        action::{Details, Kind, Origin},
        agent::{Desired, State},
        idle::{Idle, Then},
        incident::Kind as Trouble,
        view::View,
    },
    error::Result,
    store::samples::Span,
};

/// For so long after an answer nobody is asked about the same agent again.
const REST: TimeDelta = TimeDelta::hours(1);

impl Ops {
    /// Stops what is idle, or asks whether it shall be; one after another, because that is rare.
    pub async fn look_for_idle(&self) {
        for (view, idle) in self.watched_for_idleness() {
            if let Err(error) = self.look_at_idle(&view, &idle).await {
                let name = view.agent.name.as_str();
                tracing::error!(agent.name = name, error = %error, "whether it is idle could not be looked at");
            }
        }
    }

    async fn look_at_idle(&self, view: &View, idle: &Idle) -> Result<()> {
        if self.is_idle(view, idle).await? {
            self.settle_idle(view, idle).await?;
        }
        Ok(())
    }

    /// Agents at work whose template says when they are idle, with nobody and nothing against stopping them now.
    fn watched_for_idleness(&self) -> Vec<(View, Idle)> {
        let watched: Vec<(View, Idle)> = self.roster.read(|board| {
            let running = board.views().filter(|view| {
                view.agent.desired == Desired::Running
                    && view.state == State::Running
                    && view.busy.is_none()
                    && !board.is_frozen(view.agent.fleet)
            });
            let watched = running.filter_map(|view| {
                let idle = view.version.as_ref()?.spec.idle?;
                Some((view.clone(), idle))
            });
            watched.collect()
        });
        watched
            .into_iter()
            .filter(|(view, _)| !self.is_maintained(view, Trouble::Resources))
            .collect()
    }

    async fn is_idle(&self, view: &View, idle: &Idle) -> Result<bool> {
        let now = self.now();
        let started_at = view.observed.as_ref().and_then(|seen| seen.started_at);
        let span = Span::between(idle.since(now), now);
        let quiet = self.store.quiet(view.agent.id, span).await?;
        let Some((quiet, started_at)) = quiet.zip(started_at) else {
            return Ok(false);
        };
        Ok(idle.is_met(&quiet, started_at, now)
            && !self
                .store
                .was_to_be_stopped(view.agent.id, now - REST)
                .await?)
    }

    async fn settle_idle(&self, view: &View, idle: &Idle) -> Result<()> {
        let details = Details {
            proposed: idle.then == Then::Propose,
            ..Details::default()
        };
        let why = format!(
            "it used no more than {} % of a CPU for {} min",
            idle.cpu_percent, idle.minutes
        );
        let requester = Requester::own(Origin::Recovery, why);
        self.submit_own(view.agent.id, (Kind::Stop, details), requester)
            .await
            .map(drop)
    }
}
