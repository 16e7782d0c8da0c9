//! What is known of our own life, and whom outside it is told.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Ops, backup, deliver::Notify};
use crate::{
    domain::{
        agent::State,
        event::Event,
        incident::Severity,
        view::EngineState,
        vitals::{Gateway, Signal, Vitals},
    },
    error::Result,
    meters::Readings,
};

/// What of it is remembered.
#[derive(Debug)]
pub(super) struct Life {
    gateway: Mutex<Gateway>,
    /// The service outside was told of this start.
    greeted: AtomicBool,
    /// The last signal did not arrive: the next failure is no news.
    unheard: AtomicBool,
}

impl Life {
    pub(super) fn begin(now: DateTime<Utc>) -> Self {
        Self {
            gateway: Mutex::new(Gateway::begin(now)),
            greeted: AtomicBool::default(),
            unheard: AtomicBool::default(),
        }
    }
}

impl Ops {
    pub fn gateway(&self) -> Gateway {
        *self
            .life
            .gateway
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How the connection is seen now; to be told again and again.
    pub fn see_gateway(&self, up: bool) {
        let mut gateway = self
            .life
            .gateway
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let seen = gateway.seen(up, self.now());
        let changed = *gateway != seen;
        *gateway = seen;
        drop(gateway);
        if changed {
            tracing::info!(up, "the connection to Discord changed");
            self.publish(if up {
                Event::Connected
            } else {
                Event::Disconnected
            });
        }
    }

    /// Without the gateway for longer than `discord.gateway_dead_s` allows.
    pub fn is_gateway_dead(&self) -> bool {
        let limit = TimeDelta::from_std(self.settings().discord.gateway_dead);
        let limit = limit.unwrap_or(TimeDelta::MAX);
        self.gateway().is_dead(limit, self.now())
    }

    fn vitals(&self) -> Vitals {
        let now = self.now();
        self.roster.read(|board| Vitals {
            gateway: self.gateway(),
            loops: self.stalls.fresh(now),
            engine: match &board.engine {
                EngineState::Silent { why, .. } => Some(why.clone()),
                EngineState::Unasked | EngineState::Answers { .. } => None,
            },
            agents: board.views().count(),
            waiting: board.backlog.waiting,
            dead: board.backlog.dead,
        })
    }

    /// What Prometheus asks for at this moment.
    pub async fn readings(&self) -> Result<Readings> {
        let open = self.store.open_incidents().await?;
        let severities = Severity::ALL.iter().map(|severity| {
            let count = open.iter().filter(|one| one.severity == *severity).count();
            (severity.as_str(), count)
        });
        let approvals_waiting = self.store.open_approvals().await?.len();
        let last_backup = backup::newest(&self.settings().backup.dir, self.now()).await;
        Ok(self.roster.read(|board| Readings {
            agents: State::ALL
                .map(|state| {
                    let count = board.views().filter(|view| view.state == state).count();
                    (state.as_str(), count)
                })
                .to_vec(),
            incidents: severities.collect(),
            frozen: board.freezes.len(),
            approvals_waiting,
            outbox_waiting: board.backlog.waiting,
            outbox_dead: board.backlog.dead,
            gateway_up: matches!(self.gateway(), Gateway::Up { .. }),
            engine_up: matches!(board.engine, EngineState::Answers { .. }),
            refusals: board.refused,
            loops_begun_again: self.stalls.count(),
            last_backup: last_backup.map_or(0, |at| at.timestamp()),
            process: self.gauge.process(),
        }))
    }

    /// What keeps us from doing what people ask for, a line each; nothing if we are ready.
    pub async fn unready(&self) -> Vec<String> {
        let mut lacking = Vec::new();
        if let Err(error) = self.store.outbox_counts().await {
            lacking.push(format!("database: {error}"));
        }
        if !matches!(self.gateway(), Gateway::Up { .. }) {
            lacking.push("discord: the gateway is not connected".to_owned());
        }
        match self.roster.read(|board| board.engine.clone()) {
            EngineState::Answers { .. } => {}
            EngineState::Unasked => lacking.push("engine: it has not answered yet".to_owned()),
            EngineState::Silent { why, .. } => lacking.push(format!("engine: {why}")),
        }
        lacking
    }

    /// Tells the service outside how we are, if there is one. Whether it hears us is no incident: what cannot be told
    /// there is what that service tells people of.
    pub async fn ping(&self, by: &dyn Notify) {
        if self.settings().ping.url.is_none() {
            return;
        }
        if !self.life.greeted.swap(true, Ordering::Relaxed) {
            self.signal(by, Signal::Start).await;
        }
        let limit = TimeDelta::from_std(self.settings().ping.gateway).unwrap_or(TimeDelta::MAX);
        if let Some(signal) = self.vitals().signal(limit, self.now()) {
            self.signal(by, signal).await;
        }
    }

    async fn signal(&self, by: &dyn Notify, signal: Signal) {
        let report = self.vitals().report(self.now());
        match by.ping(signal, report).await {
            Ok(()) => {
                if self.life.unheard.swap(false, Ordering::Relaxed) {
                    tracing::info!("pings arrive again");
                }
            }
            Err(error) => {
                if !self.life.unheard.swap(true, Ordering::Relaxed) {
                    tracing::warn!(error = %error, "a ping did not arrive; this is told once");
                }
            }
        }
    }
}
