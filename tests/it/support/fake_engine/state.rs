//! What the fake engine knows, and Docker's rules about it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::channel::mpsc::UnboundedSender;
use secrecy::ExposeSecret as _;
use yardarm::{
    domain::{
        agent::{Health, Observation, Phase},
        ids::{AgentId, ContainerId, ImageId, InstanceId},
        spec::{Network, Port, Protocol, Spec},
        stats::{Io, Sample},
    },
    engine::{
        Creation, Described, EngineError, EngineEvent, EngineEventKind, ExecOutcome, Image, Labels,
        Listed, LogLine, LogSource, NetworkSpec, Result,
    },
};

use super::{Moment, logs::Log};

/// The exit code of SIGKILL.
pub(super) const KILLED: i64 = 137;
/// The exit code of SIGTERM.
const TERMINATED: i64 = 143;
/// Docker's least, in MiB.
const LEAST_MEMORY_MB: u32 = 6;
const FIRST_FREE_PORT: u16 = 49_153;

/// What containers of an image do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// They end with this exit code at once.
    pub(crate) crash: Option<i64>,
    /// Said at the start.
    pub(crate) says: Vec<(LogSource, &'static str)>,
    /// Said when asked to stop.
    pub(crate) last_words: Option<&'static str>,
    /// What a health check says from the start on, if they have one; None stays at `Starting`.
    pub(crate) health: Option<Health>,
}

pub(super) struct State {
    now: Box<dyn FnMut() -> DateTime<Utc> + Send>,
    serial: u64,
    images: BTreeMap<String, ImageId>,
    behaviours: HashMap<ImageId, Behaviour>,
    pulled: BTreeSet<String>,
    remote: BTreeMap<String, ImageId>,
    pub(super) containers: BTreeMap<ContainerId, Container>,
    names: HashMap<String, ContainerId>,
    networks: BTreeMap<String, NetworkSpec>,
    /// The container that Yardarm runs in.
    pub(super) own: Option<ContainerId>,
    /// Whose they are by their labels; None if they have none.
    pub(super) volumes: BTreeMap<String, Option<(InstanceId, AgentId)>>,
    pub(super) listeners: Vec<UnboundedSender<Result<EngineEvent>>>,
    /// Those that hear nothing any more and are not told so.
    pub(super) forgotten: Vec<UnboundedSender<Result<EngineEvent>>>,
    /// So much the clock of its host is behind.
    pub(super) behind: TimeDelta,
    pub(super) away: bool,
    pub(super) lost_answers: Vec<&'static str>,
    pub(super) failures: HashMap<&'static str, EngineError>,
    /// By method, how many calls wait.
    pub(super) held: HashMap<&'static str, usize>,
    /// How many calls are still to pass, and when the one after them freezes.
    pub(super) freeze: Option<(usize, Moment)>,
    pub(super) frozen: bool,
    pub(super) calls: Vec<String>,
}

pub(super) struct Container {
    name: String,
    pub(super) labels: Option<Labels>,
    pub(super) spec: Spec,
    pub(super) unsaid: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    image: ImageId,
    pub(super) phase: Phase,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    exit_code: Option<i64>,
    pub(super) oom_killed: bool,
    error: Option<String>,
    pub(super) health: Option<Health>,
    pub(super) health_said: Option<String>,
    /// Network → alias.
    pub(super) networks: BTreeMap<String, String>,
    /// Name in the spec → name on the host.
    pub(super) volumes: BTreeMap<String, String>,
    /// The folder it is bound to.
    pub(super) secret_files: Option<PathBuf>,
    ports: Vec<(Port, u16)>,
    pub(super) log: Log,
    pub(super) burns: Burns,
}

/// What it uses.
#[derive(Clone, Copy)]
pub(super) struct Burns {
    /// Of one CPU.
    percent: u64,
    /// A quarter of what it may have unless it was told.
    memory_bytes: Option<u64>,
    /// CPU time that counts from then on, beyond this.
    since: Option<DateTime<Utc>>,
    cpu_ns: u64,
}

impl Container {
    pub(super) fn new(name: &str, spec: Spec, image: ImageId) -> Self {
        Self {
            name: name.to_owned(),
            labels: None,
            unsaid: Vec::new(),
            env: spec.env.clone(),
            image,
            phase: Phase::Created,
            started_at: None,
            finished_at: None,
            exit_code: None,
            oom_killed: false,
            error: None,
            health: None,
            health_said: None,
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            secret_files: None,
            ports: Vec::new(),
            log: Log::default(),
            burns: Burns {
                percent: 10,
                memory_bytes: None,
                since: None,
                cpu_ns: 0,
            },
            spec,
        }
    }

    /// CPU time since the start, in nanoseconds.
    fn cpu_ns(&self, now: DateTime<Utc>) -> u64 {
        let since = self.burns.since.max(self.started_at).unwrap_or(now);
        let ran_ns = (now - since).num_nanoseconds().unwrap_or_default();
        self.burns.cpu_ns + u64::try_from(ran_ns).unwrap_or_default() * self.burns.percent / 100
    }

    pub(super) fn observation(&self, id: &ContainerId) -> Observation {
        Observation {
            container: id.clone(),
            name: self.name.clone(),
            phase: self.phase,
            image: self.image.clone(),
            started_at: self.started_at,
            finished_at: self.finished_at,
            exit_code: self.exit_code,
            oom_killed: self.oom_killed,
            error: self.error.clone(),
            health: self.health,
            health_said: self.health_said.clone(),
            restarts: 0,
            ports: self.ports.iter().map(shown_port).collect(),
            addresses: self.addresses(),
        }
    }

    /// One on loopback for every network, so that a test can answer there.
    fn addresses(&self) -> Vec<IpAddr> {
        let networks = self.networks.values().filter(|_| self.phase.is_up());
        networks
            .map(|_| IpAddr::from(Ipv4Addr::LOCALHOST))
            .collect()
    }

    /// As Docker can tell: secrets are variables, volumes have the host's names, and the rest it never knew.
    pub(super) fn described(&self) -> Described {
        let mut spec = Spec {
            template: None,
            env: self.env.clone(),
            secrets: Vec::new(),
            secret_files: Vec::new(),
            internet: true,
            log_patterns: Vec::new(),
            exit_codes: BTreeMap::new(),
            probes: Vec::new(),
            recovery: None,
            idle: None,
            depends_on: Vec::new(),
            ..self.spec.clone()
        };
        for mount in &mut spec.mounts {
            let on_host = mount
                .volume
                .as_ref()
                .and_then(|name| self.volumes.get(name));
            if let Some(name) = on_host {
                mount.volume = Some(name.clone());
            }
        }
        Described {
            spec,
            unsaid: self.unsaid.clone(),
        }
    }

    fn holds_port(&self, port: &Port) -> bool {
        self.phase.is_up()
            && self
                .ports
                .iter()
                .any(|(held, number)| held.address == port.address && *number == port.host)
    }
}

fn shown_port((port, host): &(Port, u16)) -> String {
    let protocol = match port.protocol {
        Protocol::Tcp => "",
        Protocol::Udp => "/udp",
    };
    format!("{}:{host} → {}{protocol}", port.address, port.container)
}

impl State {
    pub(super) fn new(now: Box<dyn FnMut() -> DateTime<Utc> + Send>) -> Self {
        Self {
            now,
            serial: 0,
            images: BTreeMap::new(),
            behaviours: HashMap::new(),
            pulled: BTreeSet::new(),
            remote: BTreeMap::new(),
            containers: BTreeMap::new(),
            names: HashMap::new(),
            networks: BTreeMap::new(),
            own: None,
            volumes: BTreeMap::new(),
            listeners: Vec::new(),
            forgotten: Vec::new(),
            behind: TimeDelta::zero(),
            away: false,
            lost_answers: Vec::new(),
            failures: HashMap::new(),
            held: HashMap::new(),
            freeze: None,
            frozen: false,
            calls: Vec::new(),
        }
    }

    pub(super) fn time(&mut self) -> DateTime<Utc> {
        (self.now)() - self.behind
    }

    pub(super) fn record(&mut self, method: &str, target: &str) {
        let id = ContainerId(target.to_owned());
        let name = self.containers.get(&id).map_or(target, |c| c.name.as_str());
        self.calls
            .push(format!("{method} {name}").trim().to_owned());
    }

    /// Whether a call of `method` has to wait; a new one is counted.
    pub(super) fn waits_at(&mut self, method: &str, is_new: bool) -> bool {
        let Some(waiting) = self.held.get_mut(method) else {
            return false;
        };
        *waiting += usize::from(is_new);
        true
    }

    pub(super) fn check(&self, method: &str) -> Result<()> {
        if self.away {
            return Err(gone());
        }
        self.failures
            .get(method)
            .map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Counts a call, and tells when it freezes.
    pub(super) fn freezes(&mut self, method: &str) -> Option<Moment> {
        if matches!(method, "about" | "list" | "events" | "sample") {
            return None;
        }
        let (calls, moment) = self.freeze?;
        self.freeze = calls.checked_sub(1).map(|left| (left, moment));
        self.freeze.is_none().then_some(moment)
    }

    pub(super) fn loses_answer(&mut self, method: &str) -> bool {
        let found = self.lost_answers.iter().position(|lost| *lost == method);
        found.map(|index| self.lost_answers.remove(index)).is_some()
    }

    pub(super) fn go_away(&mut self) {
        self.away = true;
        let error = EngineError::Lost("the stream of events ended".to_owned());
        for listener in self.listeners.drain(..) {
            let _gone = listener.unbounded_send(Err(error.clone()));
        }
        for container in self.containers.values_mut() {
            container.log.break_off(&error);
        }
    }

    fn hexadecimal(&mut self) -> String {
        self.serial += 1;
        // Spread, so that the first digits of two ids differ as Docker's do.
        let digits = format!("{:016x}", self.serial.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        digits.repeat(4)
    }

    pub(super) fn next_container_id(&mut self) -> ContainerId {
        ContainerId(self.hexadecimal())
    }

    pub(super) fn add_image(&mut self, reference: &str, behaviour: Behaviour) -> ImageId {
        let id = ImageId(format!("sha256:{}", self.hexadecimal()));
        self.images.insert(tagged(reference), id.clone());
        self.behaviours.insert(id.clone(), behaviour);
        id
    }

    pub(super) fn lose_image(&mut self, reference: &str) {
        if let Some(id) = self.images.remove(&tagged(reference)) {
            self.behaviours.remove(&id);
        }
    }

    pub(super) fn behaviour(&mut self, reference: &str) -> &mut Behaviour {
        let id = self
            .images
            .get(&tagged(reference))
            .unwrap_or_else(|| panic!("the fake engine has no image `{reference}`"));
        self.behaviours.get_mut(id).unwrap()
    }

    pub(super) fn image(&self, reference: &str) -> Option<Image> {
        let by_id = ImageId(reference.to_owned());
        if self.behaviours.contains_key(&by_id) {
            return Some(Image {
                id: by_id,
                digest: None,
                user: own_user(),
            });
        }
        let reference = tagged(reference);
        let id = self.images.get(&reference)?;
        let repository = reference.rsplit_once(':').map_or("", |(name, _)| name);
        Some(Image {
            id: id.clone(),
            digest: self
                .pulled
                .contains(&reference)
                .then(|| format!("{repository}@{id}")),
            user: own_user(),
        })
    }

    pub(super) fn check_remote(&self, reference: &str) -> Result<()> {
        if self.remote.contains_key(&tagged(reference)) {
            return Ok(());
        }
        Err(EngineError::NotFound(format!(
            "manifest for {reference} not found: manifest unknown"
        )))
    }

    pub(super) fn resolve(&self, reference: &str) -> Result<String> {
        self.check_remote(reference)?;
        Ok(self.remote[&tagged(reference)].to_string())
    }

    pub(super) fn pull(&mut self, reference: &str) {
        let reference = tagged(reference);
        let id = self.remote[&reference].clone();
        self.behaviours.entry(id.clone()).or_default();
        self.images.insert(reference.clone(), id);
        self.pulled.insert(reference);
    }

    /// The image that is here under that name, or a new one.
    pub(super) fn add_remote(&mut self, reference: &str) {
        let here = self.images.get(&tagged(reference)).cloned();
        let id = here.unwrap_or_else(|| ImageId(format!("sha256:{}", self.hexadecimal())));
        self.remote.insert(tagged(reference), id);
    }

    /// Somebody pushed another image under the same name.
    pub(super) fn push_again(&mut self, reference: &str) {
        let id = ImageId(format!("sha256:{}", self.hexadecimal()));
        self.remote.insert(tagged(reference), id);
    }

    /// By id, the beginning of one, or name.
    pub(super) fn find(&self, wanted: &ContainerId) -> Result<ContainerId> {
        if self.containers.contains_key(wanted) {
            return Ok(wanted.clone());
        }
        let by_prefix = || {
            self.containers
                .keys()
                .find(|id| wanted.0.len() >= 12 && id.0.starts_with(&wanted.0))
        };
        self.names
            .get(&wanted.0)
            .or_else(by_prefix)
            .cloned()
            .ok_or_else(|| EngineError::NotFound(format!("No such container: {wanted}")))
    }

    pub(super) fn container(&mut self, id: &ContainerId) -> &mut Container {
        self.containers
            .get_mut(id)
            .unwrap_or_else(|| panic!("the fake engine has no container `{id}`"))
    }

    pub(super) fn list(&self) -> Vec<Listed> {
        self.containers
            .iter()
            .map(|(id, container)| Listed {
                container: id.clone(),
                name: container.name.clone(),
                image: container.spec.image.clone(),
                phase: container.phase,
                labels: container.labels.clone(),
            })
            .collect()
    }

    pub(super) fn create(&mut self, creation: &Creation<'_>) -> Result<ContainerId> {
        self.check_creation(creation)?;
        let volumes = self.make_volumes(creation)?;
        self.check_name(creation.name)?;
        let id = self.next_container_id();
        let mut container =
            Container::new(creation.name, creation.spec.clone(), creation.image.clone());
        container.labels = Some(creation.labels.clone());
        container.volumes = volumes;
        container.secret_files = creation.secret_files.map(Path::to_owned);
        for (name, value) in creation.secrets {
            container
                .env
                .insert(name.clone(), value.expose_secret().to_owned());
        }
        if let (Network::Fleet, Some(network)) = (creation.spec.network, creation.network) {
            container
                .networks
                .insert(network.to_owned(), creation.alias.to_owned());
        }
        self.insert(id.clone(), container);
        Ok(id)
    }

    pub(super) fn insert(&mut self, id: ContainerId, container: Container) {
        self.names.insert(container.name.clone(), id.clone());
        self.containers.insert(id, container);
    }

    fn check_creation(&self, creation: &Creation<'_>) -> Result<()> {
        if !self.behaviours.contains_key(creation.image) {
            return Err(EngineError::NotFound(format!(
                "No such image: {}",
                creation.image
            )));
        }
        check_source(creation.secret_files)?;
        let memory_mb = creation.spec.limits.memory_mb;
        if memory_mb > 0 && memory_mb < LEAST_MEMORY_MB {
            return Err(EngineError::Refused(
                "Minimum memory limit allowed is 6MB".to_owned(),
            ));
        }
        let internal = creation
            .network
            .filter(|_| !creation.spec.ports.is_empty())
            .and_then(|name| self.networks.get(name))
            .is_some_and(|network| network.internal);
        if internal {
            return Err(EngineError::Refused(
                "the network has no way out, so no port would be published".to_owned(),
            ));
        }
        Ok(())
    }

    fn check_name(&self, name: &str) -> Result<()> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let is_name = name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(allowed);
        if !is_name {
            return Err(EngineError::Refused(format!(
                "Invalid container name ({name})"
            )));
        }
        if self.names.contains_key(name) {
            return Err(EngineError::Conflict(format!(
                "The container name \"/{name}\" is already in use"
            )));
        }
        Ok(())
    }

    fn make_volumes(&mut self, creation: &Creation<'_>) -> Result<BTreeMap<String, String>> {
        let owner = (creation.labels.instance.clone(), creation.labels.agent);
        let mut made = BTreeMap::new();
        for name in creation
            .spec
            .mounts
            .iter()
            .filter_map(|mount| mount.volume.as_ref())
        {
            let host = creation.volumes.get(name).ok_or_else(|| {
                EngineError::Refused(format!("volume `{name}` has no name on the host"))
            })?;
            let found = self
                .volumes
                .entry(host.clone())
                .or_insert_with(|| Some(owner.clone()));
            if found.as_ref().is_some_and(|found| *found != owner) {
                return Err(EngineError::Conflict(format!(
                    "volume `{host}` belongs to another agent"
                )));
            }
            made.insert(name.clone(), host.clone());
        }
        Ok(made)
    }

    pub(super) fn start(&mut self, id: &ContainerId) -> Result<()> {
        match self.container(id).phase {
            Phase::Running | Phase::Restarting => return Ok(()),
            Phase::Paused => {
                return Err(EngineError::Conflict(
                    "cannot start a paused container, try unpause instead".to_owned(),
                ));
            }
            Phase::Created | Phase::Exited | Phase::Dead => {}
        }
        check_source(self.container(id).secret_files.as_deref())?;
        self.check_networks(id)?;
        self.bind_ports(id)?;
        let now = self.time();
        let image = self.container(id).image.clone();
        let behaviour = self.behaviours.get(&image).cloned().unwrap_or_default();
        let container = self.container(id);
        container.phase = Phase::Running;
        container.started_at = Some(now);
        container.burns.cpu_ns = 0;
        container.exit_code = None;
        container.oom_killed = false;
        container.health = container.spec.health.as_ref().map(|_| Health::Starting);
        container.health_said = None;
        let is_checked = container.health.is_some();
        self.tell(id, EngineEventKind::Started);
        for (source, text) in behaviour.says {
            self.say(id, source, text);
        }
        if let (true, Some(health)) = (is_checked, behaviour.health) {
            self.container(id).health = Some(health);
            self.tell(id, EngineEventKind::HealthChanged);
        }
        if let Some(exit_code) = behaviour.crash {
            self.die(id, exit_code);
        }
        Ok(())
    }

    fn check_networks(&self, id: &ContainerId) -> Result<()> {
        let missing = self.containers[id]
            .networks
            .keys()
            .find(|name| !self.networks.contains_key(*name));
        missing.map_or(Ok(()), |name| {
            Err(EngineError::NotFound(format!("network {name} not found")))
        })
    }

    fn bind_ports(&mut self, id: &ContainerId) -> Result<()> {
        let wanted = self.containers[id].spec.ports.clone();
        let taken = wanted.iter().find(|port| {
            port.host != 0
                && self
                    .containers
                    .iter()
                    .any(|(other, container)| other != id && container.holds_port(port))
        });
        if let Some(port) = taken {
            return Err(EngineError::Refused(format!(
                "Bind for {}:{} failed: port is already allocated",
                port.address, port.host
            )));
        }
        let mut free = FIRST_FREE_PORT + u16::try_from(self.serial % 10_000).unwrap();
        let bound = wanted
            .into_iter()
            .map(|port| {
                let host = if port.host == 0 {
                    free += 1;
                    self.serial += 1;
                    free
                } else {
                    port.host
                };
                (port, host)
            })
            .collect();
        self.container(id).ports = bound;
        Ok(())
    }

    pub(super) fn stop(&mut self, id: &ContainerId) {
        if !self.container(id).phase.is_up() {
            return;
        }
        let image = self.container(id).image.clone();
        let last_words = self.behaviours.get(&image).and_then(|b| b.last_words);
        if let Some(text) = last_words {
            self.say(id, LogSource::Stdout, text);
        }
        self.die(id, TERMINATED);
    }

    pub(super) fn die(&mut self, id: &ContainerId, exit_code: i64) {
        let now = self.time();
        let container = self.container(id);
        container.phase = Phase::Exited;
        container.finished_at = Some(now);
        container.exit_code = Some(exit_code);
        container.ports.clear();
        container.log.end();
        self.tell(id, EngineEventKind::Died);
    }

    pub(super) fn turn(
        &mut self,
        id: &ContainerId,
        from: Phase,
        to: Phase,
        kind: EngineEventKind,
    ) -> Result<()> {
        let container = self.container(id);
        if container.phase != from {
            return Err(EngineError::Conflict(format!(
                "Container {id} is not in the state for it"
            )));
        }
        container.phase = to;
        self.tell(id, kind);
        Ok(())
    }

    pub(super) fn rename(&mut self, id: &ContainerId, name: &str) -> Result<()> {
        if self.container(id).name == name {
            return Err(EngineError::Refused(
                "Renaming a container with the same name as its current name".to_owned(),
            ));
        }
        self.check_name(name)?;
        let old = std::mem::replace(&mut self.container(id).name, name.to_owned());
        self.names.remove(&old);
        self.names.insert(name.to_owned(), id.clone());
        self.tell(id, EngineEventKind::Renamed);
        Ok(())
    }

    pub(super) fn remove(&mut self, id: &ContainerId) {
        if self.container(id).phase.is_up() {
            self.die(id, KILLED);
        }
        if let Some(container) = self.containers.remove(id) {
            self.names.remove(&container.name);
        }
        self.tell(id, EngineEventKind::Destroyed);
    }

    pub(super) fn ensure_network(&mut self, network: &NetworkSpec) -> Result<()> {
        let found = self
            .networks
            .entry(network.name.clone())
            .or_insert_with(|| network.clone());
        if found == network {
            Ok(())
        } else {
            Err(EngineError::Conflict(format!(
                "network `{}` is there and another one",
                network.name
            )))
        }
    }

    pub(super) fn remove_network(&mut self, name: &str) -> Result<()> {
        let in_use = self
            .containers
            .values()
            .any(|container| container.phase.is_up() && container.networks.contains_key(name));
        if in_use {
            return Err(EngineError::Conflict(format!(
                "network {name} has active endpoints"
            )));
        }
        self.networks.remove(name);
        Ok(())
    }

    pub(super) fn connect(&mut self, id: &ContainerId, network: &str, alias: &str) -> Result<()> {
        if !self.networks.contains_key(network) {
            return Err(EngineError::NotFound(format!(
                "network {network} not found"
            )));
        }
        let container = self.container(id);
        if container.spec.network != Network::Fleet {
            return Err(EngineError::Refused(
                "container cannot be connected to multiple networks".to_owned(),
            ));
        }
        container
            .networks
            .entry(network.to_owned())
            .or_insert_with(|| alias.to_owned());
        Ok(())
    }

    pub(super) fn disconnect(&mut self, id: &ContainerId, network: &str) {
        self.container(id).networks.remove(network);
    }

    pub(super) fn networks_of(&self, instance: &InstanceId) -> Vec<String> {
        let ours = self.networks.values();
        let ours = ours.filter(|network| network.instance == *instance);
        ours.map(|network| network.name.clone()).collect()
    }

    pub(super) fn volumes_of(&self, instance: &InstanceId, agent: AgentId) -> Vec<String> {
        self.volumes
            .iter()
            .filter(|(_, owner)| **owner == Some((instance.clone(), agent)))
            .map(|(name, _)| name.clone())
            .collect()
    }

    pub(super) fn remove_volume(&mut self, name: &str) -> Result<()> {
        let in_use = self
            .containers
            .values()
            .any(|container| container.volumes.values().any(|volume| volume == name));
        if in_use {
            return Err(EngineError::Conflict(format!("volume {name} is in use")));
        }
        self.volumes.remove(name);
        Ok(())
    }

    pub(super) fn say(&mut self, id: &ContainerId, source: LogSource, text: &str) {
        let at = Some(self.time());
        self.container(id).log.add(LogLine {
            source,
            at,
            text: text.to_owned(),
        });
    }

    /// A few commands of a shell; no other is known. One that would sleep is never done in time.
    pub(super) fn exec(&mut self, id: &ContainerId, command: &[String]) -> Result<ExecOutcome> {
        match self.container(id).phase {
            Phase::Running => {}
            Phase::Paused => {
                let words = format!("Container {id} is paused, unpause the container before exec");
                return Err(EngineError::Conflict(words));
            }
            _ => {
                return Err(EngineError::Conflict(format!(
                    "Container {id} is not running"
                )));
            }
        }
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let (exit_code, output) = match words.as_slice() {
            ["true"] => (Some(0), String::new()),
            ["false"] => (Some(1), String::new()),
            ["echo", said] => (Some(0), format!("{said}\n")),
            ["cat", missing] => {
                let said = format!("cat: can't open '{missing}': No such file or directory\n");
                (Some(1), said)
            }
            ["no-such-program"] => (Some(126), "no such program\n".to_owned()),
            ["sleep", _] => (None, String::new()),
            _ => panic!("the fake engine knows no command {command:?}"),
        };
        Ok(ExecOutcome { exit_code, output })
    }

    /// From now on it uses so many CPUs and so much memory.
    pub(super) fn burn(&mut self, id: &ContainerId, percent: u64, memory_bytes: u64) {
        let now = self.time();
        let container = self.container(id);
        container.burns = Burns {
            percent,
            memory_bytes: Some(memory_bytes),
            since: Some(now),
            cpu_ns: container.cpu_ns(now),
        };
    }

    pub(super) fn sample(&mut self, id: &ContainerId) -> Result<Sample> {
        let now = self.time();
        let container = self.container(id);
        if !container.phase.is_up() {
            return Err(EngineError::Conflict(format!("{id} is not running")));
        }
        let quarter = u64::from(container.spec.limits.memory_mb.max(4)) * 1024 * 1024 / 4;
        Ok(Sample {
            at: now,
            cpu_ns: container.cpu_ns(now),
            memory_bytes: container.burns.memory_bytes.unwrap_or(quarter),
            pids: 2,
            io: Io::default(),
        })
    }

    pub(super) fn tell(&mut self, id: &ContainerId, kind: EngineEventKind) {
        if self.away {
            return;
        }
        let event = EngineEvent {
            container: id.clone(),
            kind,
        };
        self.listeners
            .retain(|listener| listener.unbounded_send(Ok(event.clone())).is_ok());
    }
}

fn gone() -> EngineError {
    EngineError::Unreachable("there is no socket `/var/run/docker.sock`".to_owned())
}

fn tagged(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains([':', '@']) {
        reference.to_owned()
    } else {
        format!("{reference}:latest")
    }
}

/// As Docker looks for what it is to bind.
fn check_source(folder: Option<&Path>) -> Result<()> {
    match folder.filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => Err(EngineError::Refused(format!(
            "bind source path does not exist: {}",
            folder.display()
        ))),
    }
}

/// Files can be given to this user without being root.
fn own_user() -> String {
    std::fs::metadata("/proc/self").unwrap().uid().to_string()
}
