//! What agents and the host use: asked for in the background, kept for charts, and told to whoever may see it.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, stream};

use super::{Ops, sight::Sight};
use crate::{
    domain::{
        agent::Name,
        history::{Diary, Figures, Line, MOST, Picture, Point, Range, Total, Trend},
        ids::{AgentId, ContainerId},
        view::View,
    },
    error::{Error, Result},
    store::samples::{self, Span},
};

/// How long single minutes are kept.
const MINUTES_KEPT: TimeDelta = TimeDelta::days(1);
/// Lines that are read at the same time.
const READS: usize = 4;

/// What was seen of the minute that goes on, where the engine keeps what it writes, and how far its clock is ahead of ours.
#[derive(Debug, Default)]
pub(super) struct Noted {
    diary: Mutex<Diary>,
    engine_root: Mutex<Option<PathBuf>>,
    engine_ahead: Mutex<TimeDelta>,
}

impl Noted {
    fn with<T>(&self, work: impl FnOnce(&mut Diary) -> T) -> T {
        work(&mut self.diary.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The engine says where it keeps its files.
    pub(super) fn note_root(&self, root: &str) {
        let mut known = self
            .engine_root
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known = Some(PathBuf::from(root)).filter(|root| root.is_absolute());
    }

    /// The engine says what time it is.
    pub(super) fn note_clock(&self, engine: DateTime<Utc>, ours: DateTime<Utc>) {
        let mut ahead = self
            .engine_ahead
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *ahead = engine - ours;
    }

    /// Negative if it is behind. What the engine stamps is compared with our time and this.
    pub(super) fn engine_ahead(&self) -> TimeDelta {
        *self
            .engine_ahead
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn root(&self) -> Option<PathBuf> {
        self.engine_root
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Ops {
    /// Samples everything that runs, all at once: each call waits for the engine's own tick. Returns how many containers
    /// that were.
    pub async fn sample(&self) -> u32 {
        let running: Vec<ContainerId> = self.roster.read(|board| {
            let up = board.views().filter(|view| view.state.is_at_work());
            up.filter_map(|view| view.agent.container.clone()).collect()
        });
        let count = u32::try_from(running.len()).unwrap_or(u32::MAX);
        let samples = running.into_iter().map(|container| async move {
            // One that ended meanwhile is no news: the watcher has seen it.
            let Ok(sample) = self.engine.sample(&container).await else {
                return;
            };
            if let Some((agent, usage)) = self.roster.note_sample(&container, sample) {
                self.noted
                    .with(|diary| diary.note(agent, usage, self.now()));
            }
        });
        futures::future::join_all(samples).await;
        count
    }

    /// Reads the machine's own figures.
    pub fn measure_host(&self) {
        let settings = self.settings();
        let own = settings.database.path.parent();
        // An empty path is the folder we are in.
        let own = own.map(|own| {
            if own.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                own.to_owned()
            }
        });
        let folders: Vec<PathBuf> = own.into_iter().chain(self.noted.root()).collect();
        if let Some(host) = self.gauge.read(&folders) {
            self.noted
                .with(|diary| diary.note_host(host.clone(), self.now()));
            self.roster.set_host(host);
        }
    }

    /// Writes the minutes that are over, in one transaction; returns whether there were any.
    pub async fn write_samples(&self) -> Result<bool> {
        let pages = self.noted.with(|diary| diary.turn(self.now()));
        if pages.is_empty() {
            return Ok(false);
        }
        let mut tx = self.store.begin().await?;
        samples::insert(&mut tx, &pages.agents, &pages.host).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Makes quarters of an hour of what is older than a day, and drops what the settings keep no longer.
    pub(super) async fn roll_up_samples(&self) -> Result<()> {
        let now = self.now();
        let keep = TimeDelta::days(self.settings().resources.keep_days.into());
        let mut tx = self.store.begin().await?;
        samples::roll_up(&mut tx, now - MINUTES_KEPT, now - keep).await?;
        Ok(tx.commit().await?)
    }

    /// The last hour of an agent; None if nothing is known of it.
    pub async fn trend(&self, agent: AgentId) -> Result<Option<Trend>> {
        let now = self.now();
        let hour = Span::between(now - TimeDelta::hours(1), now);
        let points = self.store.usage_points(agent, hour, 1).await?;
        Ok(Trend::of(&points, now))
    }
}

impl Sight<'_> {
    /// Who used most over a range, and what a chart of it shows: of one agent, of a fleet's, or of all that are seen.
    pub async fn figures(
        &self,
        (agent, fleet): (Option<&str>, Option<&str>),
        range: Range,
    ) -> Result<(Figures, Picture)> {
        let (whose, asked) = self.asked_about(agent, fleet)?;
        let (until, span) = self.span_of(range);
        let ids: Vec<AgentId> = asked.keys().copied().collect();
        let totals = self.store.usage_totals(&ids, span).await?;
        let known = totals.len();
        let named = |mut totals: Vec<Total>, by: fn(&Total) -> f64| -> Vec<(Name, Total)> {
            totals.sort_by(|one, other| by(other).total_cmp(&by(one)));
            let most = totals.into_iter().take(MOST);
            most.filter_map(|total| Some((asked.get(&total.agent)?.clone(), total)))
                .collect()
        };
        let figures = Figures {
            range,
            until,
            by_cpu: named(totals.clone(), |total| total.cpus),
            by_memory: named(totals, |total| total.memory_bytes),
            known,
            asked: asked.len(),
            host: self.store.host_total(span).await?,
            whose,
        };
        let picture = self.picture(&figures, span).await?;
        Ok((figures, picture))
    }

    fn span_of(&self, range: Range) -> (DateTime<Utc>, Span) {
        let until = self.now();
        (until, Span::between(until - range.length(), until))
    }

    fn asked_about(
        &self,
        agent: Option<&str>,
        fleet: Option<&str>,
    ) -> Result<(Option<String>, HashMap<AgentId, Name>)> {
        let named = |view: &View| (view.agent.id, view.agent.name.clone());
        if let Some(agent) = agent {
            let view = self.look_at(agent)?;
            return Ok((
                Some(format!("agent {}", view.agent.name)),
                HashMap::from([named(&view)]),
            ));
        }
        let fleet = fleet.map(|name| self.look_into(name)).transpose()?;
        let asked = self.roster.read(|board| {
            let seen = board.views().filter(|view| match &fleet {
                Some(fleet) => view.agent.fleet == fleet.id,
                None => self.sees(&view.fleet),
            });
            seen.map(named).collect()
        });
        Ok((fleet.map(|fleet| format!("fleet {}", fleet.name)), asked))
    }

    async fn picture(&self, figures: &Figures, span: Span) -> Result<Picture> {
        let mut drawn: Vec<(AgentId, Name)> = Vec::new();
        for (name, total) in figures.by_cpu.iter().chain(&figures.by_memory) {
            if drawn.iter().all(|(agent, _)| *agent != total.agent) {
                drawn.push((total.agent, name.clone()));
            }
        }
        let step = figures.range.step();
        let read = drawn
            .into_iter()
            .enumerate()
            .map(|(colour, (agent, name))| async move {
                let points = self.store.usage_points(agent, span, step).await?;
                Ok::<_, Error>((agent, colour, name, points))
            });
        let read: Vec<_> = stream::iter(read).buffered(READS).collect().await;
        let read = read.into_iter().collect::<Result<Vec<_>>>()?;
        let lines = |most: &[(Name, Total)], figure: fn(&Point) -> f64| {
            let of = most
                .iter()
                .filter_map(|(_, total)| read.iter().find(|(agent, ..)| *agent == total.agent));
            of.map(|(_, colour, name, points)| Line {
                name: name.to_string(),
                colour: *colour,
                points: points
                    .iter()
                    .map(|point| (point.at, figure(point)))
                    .collect(),
            })
            .collect()
        };
        Ok(Picture {
            title: figures.title(),
            range: figures.range,
            until: figures.until,
            cpu: lines(&figures.by_cpu, |point| point.cpus),
            memory: lines(&figures.by_memory, |point| point.memory_bytes),
        })
    }
}
