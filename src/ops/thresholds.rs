//! What stands above its threshold: compared in the background, and told as incidents by the survey.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use super::Ops;
use crate::{
    domain::{
        incident::{About, Incident, Kind, Problem, Severity},
        threshold::{Reading, Watch},
    },
    error::Result,
};

#[derive(Debug, Default)]
pub(super) struct Watched(Mutex<Watch>);

impl Watched {
    fn with<T>(&self, work: impl FnOnce(&mut Watch) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        self.with(|watch| watch.problems())
    }

    pub(super) fn knows(&self, about: &About) -> bool {
        self.with(|watch| watch.knows(about))
    }

    pub(super) fn is_disk_full(&self) -> bool {
        self.with(|watch| watch.is_disk_full())
    }
}

impl Ops {
    /// Compares what the host and agents use with the thresholds; rings if that changes what is wrong.
    pub async fn look_at_thresholds(&self) -> Result<()> {
        let open = self.store.open_incidents().await?;
        let is_measured = |one: &&Incident| matches!(one.kind, Kind::Resources | Kind::Host);
        let present = open
            .iter()
            .filter(is_measured)
            .filter(|one| one.is_present());
        let present: HashSet<(&About, Severity)> = present
            .map(|incident| (&incident.about, incident.severity))
            .collect();
        let is_open = |about: &About, least: Severity| {
            let mut at_least = Severity::ALL.iter().filter(|one| **one >= least);
            at_least.any(|severity| present.contains(&(about, *severity)))
        };
        let readings: Vec<Reading> = self.roster.read(|board| {
            let agents = board.views().filter(|view| view.state.is_at_work());
            let host = Reading::of_host(&board.host).into_iter();
            host.chain(agents.flat_map(Reading::of_agent)).collect()
        });
        let (thresholds, now) = (self.settings().thresholds.clone(), self.now());
        let news = self.watched.with(|watch| {
            let before = watch.problems();
            watch.look(&thresholds, &readings, is_open, now);
            before != watch.problems()
        });
        if news {
            self.ring();
        }
        Ok(())
    }
}
