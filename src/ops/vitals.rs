//! What is known of our own life, and whom outside it is told.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Ops, deliver::Notify};
use crate::domain::{
    event::Event,
    view::EngineState,
    vitals::{Gateway, Signal, Vitals},
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
