//! The use cases: the only layer that combines store, engine and clock.

pub mod access;
pub mod actions;
mod alerts;
pub mod approvals;
mod audit;
pub mod backup;
mod boards;
pub mod catalog;
pub mod claims;
mod concern;
pub mod deliver;
pub mod drafts;
pub mod execute;
pub mod freeze;
pub mod grants;
mod idle;
mod incidents;
pub mod locks;
pub mod members;
mod networks;
pub mod observe;
mod outlets;
mod plan;
mod policies;
pub mod probes;
mod record;
pub mod recover;
mod recovery;
pub mod rekey;
mod reload;
mod replace;
mod report;
pub mod resolve;
pub mod restore;
pub mod roster;
mod samples;
pub mod schedules;
pub mod secrets;
pub mod sight;
mod silences;
pub mod studio;
mod threads;
mod thresholds;
mod tidy;
mod verdict;
mod vitals;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, broadcast, watch};

use self::{
    audit::Dams,
    catalog::Catalog,
    drafts::Drafts,
    freeze::{Interrupts, Questions},
    locks::{Locks, Turns},
    members::Members,
    roster::Roster,
    studio::Studio,
};
use crate::{
    clock::Clock,
    config::{Fingerprints, Settings, Source},
    domain::{
        action::Action,
        event::Event,
        grant::Rights,
        ids::{ActionId, AgentId, InstanceId},
        schedule::Schedule,
    },
    engine::Engine,
    error::Result,
    host::Gauge,
    meters::Meters,
    probe::Prober,
    store::{Store, fleets, is_taken},
    vault::{Vault, handout::Handout},
};

/// Events a slow listener may lag behind before it has to look for itself.
const EVENT_BUFFER: usize = 1024;

/// What every use case works with.
pub struct Ops {
    pub store: Store,
    pub vault: Vault,
    handout: Handout,
    pub engine: Arc<dyn Engine>,
    pub clock: Arc<dyn Clock>,
    members: Arc<dyn Members>,
    pub roster: Roster,
    pub catalog: Catalog,
    pub secrets: secrets::Known,
    pub locks: Locks,
    prober: Prober,
    drafts: Drafts,
    interrupts: Interrupts,
    /// The freezes whose own actions still their agents at this moment: nobody else does.
    stilling: Turns,
    /// The actions that are looked at once more or carried out.
    executing: Turns,
    questions: Questions,
    dams: Dams,
    ended: recovery::Ended,
    offers: recovery::Offers,
    stalls: incidents::Stalls,
    acted: boards::Acted,
    threadless: threads::Threadless,
    wanting: outlets::Wanting,
    noted: samples::Noted,
    gauge: Arc<dyn Gauge>,
    pub meters: Arc<Meters>,
    pub studio: Studio,
    watched: thresholds::Watched,
    life: vitals::Life,
    own: networks::Own,
    pub instance: InstanceId,
    /// Held while an action is written and shown: nobody carries it out, and ends it, before it is shown.
    accepting: tokio::sync::RwLock<()>,
    /// Rung when an action waits for its turn.
    pub work: Notify,
    settings: RwLock<Arc<Settings>>,
    rights: RwLock<Arc<Rights>>,
    /// Without their runs; when each is due next stands in the database.
    schedules: RwLock<Arc<Vec<Schedule>>>,
    source: Source,
    /// Of the files that the settings in force were read from.
    fingerprints: Mutex<Fingerprints>,
    events: broadcast::Sender<Event>,
    /// The live picture of each action under way, for whoever shows its progress.
    live: Mutex<HashMap<ActionId, watch::Sender<Action>>>,
}

impl Ops {
    pub fn new(
        (store, vault, prober): (Store, Vault, Prober),
        (engine, gauge, meters): (Arc<dyn Engine>, Arc<dyn Gauge>, Arc<Meters>),
        (clock, members): (Arc<dyn Clock>, Arc<dyn Members>),
        (settings, source): (Settings, Source),
        instance: InstanceId,
    ) -> Self {
        Self {
            store,
            vault,
            handout: Handout::new(&settings.secrets.dir, &instance),
            engine,
            members,
            roster: Roster::default(),
            catalog: Catalog::default(),
            secrets: secrets::Known::default(),
            locks: Locks::default(),
            prober,
            drafts: Drafts::default(),
            interrupts: Interrupts::default(),
            stilling: Turns::default(),
            executing: Turns::default(),
            questions: Questions::default(),
            dams: Dams::default(),
            ended: recovery::Ended::default(),
            offers: recovery::Offers::default(),
            stalls: incidents::Stalls::default(),
            acted: boards::Acted::default(),
            threadless: threads::Threadless::default(),
            wanting: outlets::Wanting::default(),
            noted: samples::Noted::default(),
            gauge,
            meters,
            studio: Studio::default(),
            watched: thresholds::Watched::default(),
            life: vitals::Life::begin(clock.now()),
            own: networks::Own::default(),
            clock,
            instance,
            accepting: tokio::sync::RwLock::default(),
            work: Notify::new(),
            rights: RwLock::new(Arc::new(access::of(&settings, Default::default()))),
            schedules: RwLock::default(),
            fingerprints: Mutex::new(Fingerprints::take(&source, &settings)),
            settings: RwLock::new(Arc::new(settings)),
            source,
            events: broadcast::channel(EVENT_BUFFER).0,
            live: Mutex::default(),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The settings as they are now; a reload replaces them.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn fingerprints(&self) -> Fingerprints {
        let prints = self.fingerprints.lock();
        prints.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace_settings(&self, settings: Settings) {
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Tells whoever listens; that nobody does is no failure.
    pub fn publish(&self, event: Event) {
        drop(self.events.send(event));
    }

    /// Follows an action until it is over; None if it is not under way.
    pub fn follow(&self, action: ActionId) -> Option<watch::Receiver<Action>> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.get(&action).map(watch::Sender::subscribe)
    }

    fn show(&self, action: &Action) {
        self.acted.note(action, self.now());
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        match live.get(&action.id) {
            Some(sender) => drop(sender.send_replace(action.clone())),
            None => drop(live.insert(action.id, watch::Sender::new(action.clone()))),
        }
        drop(live);
        self.publish(Event::Action(action.id));
    }

    fn alter(&self, action: ActionId, alter: impl FnOnce(&mut Action)) {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = live.get(&action) {
            sender.send_modify(alter);
        }
        drop(live);
        self.publish(Event::Action(action));
    }

    fn hide(&self, action: ActionId) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = live.remove(&action) {
            self.acted.note(&ended.borrow(), self.now());
        }
        drop(live);
        self.publish(Event::Action(action));
    }

    /// Fills the roster from the database, and sees to it that there is a fleet to deploy into.
    pub async fn load(&self) -> Result<()> {
        let default = self.settings().agents.default_fleet.clone();
        let mut tx = self.store.begin().await?;
        match fleets::insert(&mut tx, &default, None, self.now()).await {
            Ok(_) => tx.commit().await?,
            Err(error) if is_taken(&error) => drop(tx),
            Err(error) => return Err(error.into()),
        }
        self.refresh_rights().await?;
        self.roster.put_fleets(self.store.fleets().await?);
        self.roster
            .put_freezes(self.store.freezes().await?, self.now());
        self.load_secrets().await?;
        self.sync_schedules().await?;
        let agents: Vec<AgentId> = self
            .store
            .agents()
            .await?
            .iter()
            .map(|one| one.id)
            .collect();
        if let Err(error) = self.handout.keep_only(&agents) {
            tracing::warn!(error = %error, "files of agents that are gone could not be taken away");
        }
        for agent in self.store.agents().await? {
            self.refresh(agent.id).await?;
        }
        Ok(())
    }

    /// Takes what the database says of one agent over into the roster.
    async fn refresh(&self, id: AgentId) -> Result<()> {
        let Some(agent) = self.store.agent(id).await? else {
            self.roster.forget(id);
            self.publish(Event::Agent(id));
            return Ok(());
        };
        let version = self.store.version(id, agent.version).await?.map(Arc::new);
        self.roster.put_agent(agent, version, self.now());
        self.publish(Event::Agent(id));
        Ok(())
    }

    async fn refresh_fleets(&self) -> Result<()> {
        self.roster.put_fleets(self.store.fleets().await?);
        Ok(())
    }
}
