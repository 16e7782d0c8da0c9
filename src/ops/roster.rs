//! The live view: desired and observed state of every agent, in memory. Every read in chat is answered from here.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Utc};

use super::probes::{Run, run_of};
use crate::domain::{
    agent::{Agent, Desired, Facts, Name, Observation, State},
    fleet::Fleet,
    freeze::Freeze,
    ids::{ActionId, AgentId, ContainerId, FleetId},
    probe::{Answer, Asked, Probed},
    spec::{LogMeaning, Version},
    stats::{Sample, Usage},
    view::{Backlog, Busy, EngineState, Glance, Host, View},
};

/// Agents on one page of `/status`.
const PAGE: usize = 20;

/// One agent, with what only the roster needs.
#[derive(Debug)]
struct Entry {
    view: View,
    sample: Option<Sample>,
    ticket: Ticket,
}

/// Taken before the engine is asked: an answer to an older question never overwrites a newer one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// One look at one container that told something new.
#[derive(Clone, Debug)]
pub struct Seen {
    pub agent: AgentId,
    pub container: ContainerId,
    /// None if it was not looked at before.
    pub before: Option<Observation>,
    /// None if it is gone.
    pub after: Option<Observation>,
    /// An action is at work on the agent.
    pub busy: bool,
    pub wanted: bool,
}

impl Seen {
    /// It ran, and now it does not, although it should and nobody is at work on it.
    pub fn has_ended(&self) -> bool {
        let ran = self
            .before
            .as_ref()
            .is_some_and(|before| before.phase.is_up());
        self.wanted && !self.busy && ran && !self.is_up()
    }

    pub fn is_up(&self) -> bool {
        self.after.as_ref().is_some_and(|after| after.phase.is_up())
    }
}

#[derive(Debug)]
pub struct Board {
    entries: BTreeMap<Name, Entry>,
    names: HashMap<AgentId, Name>,
    containers: HashMap<ContainerId, Name>,
    fleets: BTreeMap<Name, Fleet>,
    pub engine: EngineState,
    pub host: Host,
    /// Those that hold something or are being thawed.
    pub freezes: Vec<Freeze>,
    pub backlog: Backlog,
    /// Requests of people who may not, since the start.
    pub refused: u64,
}

impl Board {
    /// All agents, by name.
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.entries.values().map(|entry| &entry.view)
    }

    pub fn view(&self, name: &str) -> Option<&View> {
        Name::parse(name).ok().and_then(|name| self.named(&name))
    }

    fn named(&self, name: &Name) -> Option<&View> {
        self.entries.get(name).map(|entry| &entry.view)
    }

    pub fn by_id(&self, id: AgentId) -> Option<&View> {
        self.names.get(&id).and_then(|name| self.named(name))
    }

    pub fn by_container(&self, container: &ContainerId) -> Option<&View> {
        self.containers
            .get(container)
            .and_then(|name| self.named(name))
    }

    /// All fleets, by name.
    pub fn fleets(&self) -> impl Iterator<Item = &Fleet> {
        self.fleets.values()
    }

    pub fn fleet(&self, name: &str) -> Option<&Fleet> {
        Name::parse(name)
            .ok()
            .and_then(|name| self.fleets.get(&name))
    }

    pub fn fleet_by_id(&self, id: FleetId) -> Option<&Fleet> {
        self.fleets.values().find(|fleet| fleet.id == id)
    }

    /// What holds something now.
    pub fn frozen(&self) -> impl Iterator<Item = &Freeze> {
        self.freezes.iter().filter(|freeze| !freeze.thawing)
    }

    pub fn is_frozen(&self, fleet: FleetId) -> bool {
        self.frozen().any(|freeze| freeze.covers(fleet))
    }

    /// Frozen, or not all restored of what was.
    fn is_held(&self, fleet: FleetId) -> bool {
        self.freezes.iter().any(|freeze| freeze.covers(fleet))
    }

    fn judge_all(&mut self, now: DateTime<Utc>) {
        let names: Vec<Name> = self.entries.keys().cloned().collect();
        for name in names {
            self.judge(&name, now);
        }
    }

    fn fleet_name(&self, id: FleetId, fallback: &Name) -> Name {
        let found = self.fleet_by_id(id);
        found.map_or_else(|| fallback.clone(), |fleet| fleet.name.clone())
    }

    fn answers(&self) -> bool {
        matches!(self.engine, EngineState::Answers { .. })
    }

    fn put_busy(&mut self, agent: AgentId, busy: Option<Busy>, now: DateTime<Utc>) {
        let Some(name) = self.names.get(&agent).cloned() else {
            return;
        };
        if let Some(entry) = self.entries.get_mut(&name) {
            entry.view.busy = busy;
        }
        self.judge(&name, now);
    }

    fn judge(&mut self, name: &Name, now: DateTime<Utc>) -> bool {
        let answers = self.answers();
        let frozen = self
            .entries
            .get(name)
            .is_some_and(|entry| self.is_held(entry.view.agent.fleet));
        let Some(view) = self.entries.get_mut(name).map(|entry| &mut entry.view) else {
            return false;
        };
        let state = match view.busy {
            Some(_) => State::Changing,
            None => State::judge(&Facts {
                desired: view.agent.desired,
                observed: view.observed.as_ref(),
                engine_answers: answers,
                probed: &view.probed,
                meaning: view.exit_means().map(|exit| exit.means).or(view.log_says),
                broken: view.broken,
                restarts: view.recovery().restart,
                frozen,
            }),
        };
        let changed = state != view.state;
        if changed {
            view.state = state;
            view.since = now;
        }
        changed
    }
}

#[derive(Debug)]
pub struct Roster {
    board: RwLock<Board>,
    tickets: AtomicU64,
}

impl Default for Roster {
    fn default() -> Self {
        Self {
            board: RwLock::new(Board {
                entries: BTreeMap::new(),
                names: HashMap::new(),
                containers: HashMap::new(),
                fleets: BTreeMap::new(),
                engine: EngineState::Unasked,
                host: Host::default(),
                freezes: Vec::new(),
                backlog: Backlog::default(),
                refused: 0,
            }),
            tickets: AtomicU64::new(1),
        }
    }
}

impl Roster {
    /// Reads what is true now. Nothing in `read` may wait.
    pub fn read<T>(&self, read: impl FnOnce(&Board) -> T) -> T {
        read(&self.board.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A copy of what is known of one agent.
    pub fn view(&self, name: &str) -> Option<View> {
        self.read(|board| board.view(name).cloned())
    }

    pub fn view_of(&self, id: AgentId) -> Option<View> {
        self.read(|board| board.by_id(id).cloned())
    }

    fn write<T>(&self, write: impl FnOnce(&mut Board) -> T) -> T {
        write(&mut self.board.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// To be taken before the engine is asked.
    pub fn ticket(&self) -> Ticket {
        Ticket(self.tickets.fetch_add(1, Ordering::Relaxed))
    }

    pub fn put_fleets(&self, fleets: Vec<Fleet>) {
        self.write(|board| {
            board.fleets = fleets
                .into_iter()
                .map(|fleet| (fleet.name.clone(), fleet))
                .collect();
        });
    }

    /// Takes over what the database says of an agent. What was observed of another container is forgotten.
    pub fn put_agent(&self, agent: Agent, version: Option<Arc<Version>>, now: DateTime<Utc>) {
        self.write(|board| {
            let name = agent.name.clone();
            let fleet = board.fleet_name(agent.fleet, &name);
            let before = board.entries.remove(&name);
            if let Some(old) = before
                .as_ref()
                .and_then(|entry| entry.view.agent.container.as_ref())
            {
                board.containers.remove(old);
            }
            if let Some(container) = &agent.container {
                board.containers.insert(container.clone(), name.clone());
            }
            board.names.insert(agent.id, name.clone());
            board.entries.insert(
                name.clone(),
                Entry::renew(before, agent, fleet, version, now),
            );
            board.judge(&name, now);
        });
    }

    pub fn forget(&self, agent: AgentId) {
        self.write(|board| {
            let entry = board
                .names
                .remove(&agent)
                .and_then(|name| board.entries.remove(&name));
            if let Some(container) = entry.and_then(|entry| entry.view.agent.container) {
                board.containers.remove(&container);
            }
        });
    }

    /// What the engine says of one container; returns what was seen if anything people see has changed.
    pub fn observe(
        &self,
        ticket: Ticket,
        container: &ContainerId,
        observed: Option<Observation>,
        now: DateTime<Utc>,
    ) -> Option<Seen> {
        self.write(|board| {
            let name = board.containers.get(container)?.clone();
            let entry = board.entries.get_mut(&name)?;
            if ticket < entry.ticket {
                return None;
            }
            entry.ticket = ticket;
            let view = &mut entry.view;
            let differs = view.observed != observed;
            let before = std::mem::replace(&mut view.observed, observed);
            let started =
                |seen: &Option<Observation>| seen.as_ref().and_then(|seen| seen.started_at);
            if started(&before) != started(&view.observed) {
                view.probed = unasked(view.version.as_deref(), now);
                view.log_says = None;
            }
            if view
                .observed
                .as_ref()
                .is_none_or(|seen| !seen.phase.is_up())
            {
                (view.usage, entry.sample) = (None, None);
            }
            let seen = Seen {
                agent: view.agent.id,
                container: container.clone(),
                before,
                after: view.observed.clone(),
                busy: view.busy.is_some(),
                wanted: view.agent.desired == Desired::Running,
            };
            let judged = board.judge(&name, now);
            (differs || judged).then_some(seen)
        })
    }

    /// Who is at work on an agent.
    pub fn set_busy(&self, agent: AgentId, busy: Busy, now: DateTime<Utc>) {
        self.write(|board| board.put_busy(agent, Some(busy), now));
    }

    /// An action is at work on an agent no more; another one stays. Returns whether this is news.
    pub fn set_idle(&self, agent: AgentId, action: ActionId, now: DateTime<Utc>) -> bool {
        self.write(|board| {
            let busy = board.by_id(agent).and_then(|view| view.busy);
            let is_at_work = busy.is_some_and(|busy| busy.action == action);
            if is_at_work {
                board.put_busy(agent, None, now);
            }
            is_at_work
        })
    }

    /// Returns whether this is news.
    pub fn set_engine(&self, engine: EngineState, now: DateTime<Utc>) -> bool {
        self.write(|board| {
            let news = std::mem::discriminant(&board.engine) != std::mem::discriminant(&engine);
            if news {
                board.engine = engine;
                board.judge_all(now);
            }
            news
        })
    }

    /// Returns what an agent used since the sample before.
    pub fn note_sample(&self, container: &ContainerId, sample: Sample) -> Option<(AgentId, Usage)> {
        self.write(|board| {
            let name = board.containers.get(container).cloned()?;
            let entry = board.entries.get_mut(&name)?;
            let earlier = entry.sample.replace(sample)?;
            // The same reading again tells nothing new.
            if earlier.at == sample.at {
                return None;
            }
            entry.view.usage = Usage::between(&earlier, &sample);
            Some((entry.view.agent.id, entry.view.usage?))
        })
    }

    /// Notes one answer; returns whether it turned a verdict. What is about another run of the agent is left out, and so
    /// is what came while an action was at work.
    pub fn note_probe(&self, agent: AgentId, run: &Run, (index, asked): (usize, Asked)) -> bool {
        self.write(|board| {
            // An engine that is away lets nothing be asked, and that is told as such.
            if matches!(asked.answer, Answer::Unasked(_)) && !board.answers() {
                return false;
            }
            let Some(name) = board.names.get(&agent).cloned() else {
                return false;
            };
            let Some(view) = board.entries.get_mut(&name).map(|entry| &mut entry.view) else {
                return false;
            };
            if view.busy.is_some() || run_of(view).as_ref() != Some(run) {
                return false;
            }
            let spec = view.version.as_ref().map(|version| &version.spec);
            let (Some(probe), Some(probed)) = (
                spec.and_then(|spec| spec.probes.get(index)),
                view.probed.get_mut(index),
            ) else {
                return false;
            };
            let now = asked.at;
            let turned = probed.note(asked, &probe.pace, run.started_at);
            board.judge(&name, now) || turned
        })
    }

    /// Notes what an agent's log means; returns whether people see another state now.
    pub fn note_log(
        &self,
        agent: AgentId,
        run: &Run,
        says: Option<LogMeaning>,
        now: DateTime<Utc>,
    ) -> bool {
        self.write(|board| {
            let Some(name) = board.names.get(&agent).cloned() else {
                return false;
            };
            let Some(view) = board.entries.get_mut(&name).map(|entry| &mut entry.view) else {
                return false;
            };
            if run_of(view).as_ref() != Some(run) {
                return false;
            }
            view.log_says = says;
            board.judge(&name, now)
        })
    }

    /// Whose restarts by itself are used up; returns who is judged otherwise now.
    pub fn put_broken(&self, broken: &HashSet<AgentId>, now: DateTime<Utc>) -> Vec<AgentId> {
        self.write(|board| {
            let mut turned = Vec::new();
            for entry in board.entries.values_mut() {
                let is_broken = broken.contains(&entry.view.agent.id);
                if entry.view.broken != is_broken {
                    entry.view.broken = is_broken;
                    turned.push((entry.view.agent.id, entry.view.agent.name.clone()));
                }
            }
            turned.retain(|(_, name)| board.judge(name, now));
            turned.into_iter().map(|(id, _)| id).collect()
        })
    }

    /// One page of the agents of all fleets that are seen, or of one of them.
    pub fn glance(
        &self,
        sees: impl Fn(&Name) -> bool,
        fleet: Option<&Name>,
        page: usize,
    ) -> Glance {
        self.read(|board| {
            // Asked once for a fleet, not for each of its agents.
            let wanted = board
                .fleets()
                .map(|known| &known.name)
                .filter(|name| fleet.is_none_or(|fleet| *name == fleet) && sees(name));
            let wanted: HashSet<&Name> = wanted.collect();
            let mut views: Vec<&View> = board
                .views()
                .filter(|view| wanted.contains(&view.fleet))
                .collect();
            // Names are sorted already and the sort is stable.
            views.sort_by(|one, other| one.fleet.cmp(&other.fleet));
            let mut counts = BTreeMap::new();
            for view in &views {
                *counts.entry(view.state).or_default() += 1;
            }
            let pages = views.len().div_ceil(PAGE).max(1);
            let page = page.min(pages - 1);
            Glance {
                fleet: fleet.cloned(),
                counts,
                total: views.len(),
                page,
                pages,
                views: views
                    .into_iter()
                    .skip(page * PAGE)
                    .take(PAGE)
                    .cloned()
                    .collect(),
                engine: board.engine.clone(),
                host: board.host.clone(),
                freezes: board
                    .frozen()
                    .filter(|freeze| freeze.fleet.as_ref().is_none_or(|(_, name)| sees(name)))
                    .cloned()
                    .collect(),
                backlog: board.backlog,
                refused: board.refused,
            }
        })
    }

    /// All fleets with the names of their agents.
    pub fn fleets(&self) -> Vec<(Fleet, Vec<Name>)> {
        self.read(|board| {
            let members = |fleet: &Fleet| {
                let within = board.views().filter(|view| view.agent.fleet == fleet.id);
                within.map(|view| view.agent.name.clone()).collect()
            };
            board
                .fleets()
                .map(|fleet| (fleet.clone(), members(fleet)))
                .collect()
        })
    }

    pub fn put_freezes(&self, freezes: Vec<Freeze>, now: DateTime<Utc>) {
        self.write(|board| {
            board.freezes = freezes;
            board.judge_all(now);
        });
    }

    pub fn set_host(&self, host: Host) {
        self.write(|board| board.host = host);
    }

    pub fn note_refusal(&self) {
        self.write(|board| board.refused += 1);
    }

    pub fn set_backlog(&self, backlog: Backlog) {
        self.write(|board| board.backlog = backlog);
    }
}

impl Entry {
    fn renew(
        before: Option<Self>,
        agent: Agent,
        fleet: Name,
        version: Option<Arc<Version>>,
        now: DateTime<Utc>,
    ) -> Self {
        let same = before.filter(|entry| entry.view.agent.id == agent.id);
        let busy = same.as_ref().and_then(|entry| entry.view.busy);
        let broken = same.as_ref().is_some_and(|entry| entry.view.broken);
        let (state, since) = same.as_ref().map_or((State::Unknown, now), |entry| {
            (entry.view.state, entry.view.since)
        });
        let kept = same.filter(|entry| entry.view.agent.container == agent.container);
        let view = View {
            probed: unasked(version.as_deref(), now),
            log_says: None,
            broken,
            agent,
            fleet,
            version,
            observed: None,
            usage: None,
            busy,
            state,
            since,
        };
        let Some(kept) = kept else {
            return Self {
                view,
                sample: None,
                ticket: Ticket::default(),
            };
        };
        let same_version = kept.view.agent.version == view.agent.version;
        let probed = if same_version {
            kept.view.probed
        } else {
            view.probed
        };
        Self {
            view: View {
                observed: kept.view.observed,
                usage: kept.view.usage,
                log_says: kept.view.log_says,
                probed,
                ..view
            },
            sample: kept.sample,
            ticket: kept.ticket,
        }
    }
}

/// The probes of a run of which nothing has been asked yet.
fn unasked(version: Option<&Version>, now: DateTime<Utc>) -> Vec<Probed> {
    let probes = version.map_or(&[][..], |version| &version.spec.probes);
    probes.iter().map(|_| Probed::new(now)).collect()
}
