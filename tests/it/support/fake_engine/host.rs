//! The host's side of the fake: what happens there without us, and what its images do.

use yardarm::{
    domain::{
        agent::{Health, Phase},
        ids::{AgentId, ContainerId, InstanceId},
        spec::{Limits, Network, Privileges, Spec},
    },
    engine::{EngineEventKind, LogSource},
};

use super::{
    super::scene::plain_spec,
    FakeEngine,
    state::{Behaviour, Container, KILLED},
};

impl FakeEngine {
    /// An image that is present; its containers run until they are stopped.
    pub(crate) fn add_image(&self, reference: &str) {
        self.behaves(reference, Behaviour::default());
    }

    /// An image that a pull finds, and that is not present before.
    /// Somebody pushed another image under the same name.
    pub(crate) fn push_again(&self, reference: &str) {
        self.state().push_again(reference);
    }

    pub(crate) fn add_remote_image(&self, reference: &str) {
        self.state().add_remote(reference);
    }

    /// An image is gone from the host, by its name and by its id.
    pub(crate) fn lose_image(&self, reference: &str) {
        self.state().lose_image(reference);
    }

    /// An image that is present, and what its containers do.
    pub(crate) fn behaves(&self, reference: &str, behaviour: Behaviour) {
        self.state().add_image(reference, behaviour);
    }

    /// From now on containers of this image end at once, if they are started.
    pub(crate) fn crash_on_start(&self, image: &str, exit_code: i64) {
        self.state().behaviour(image).crash = Some(exit_code);
    }

    /// From now on containers of this image run if they are started, as those of any other.
    pub(crate) fn run_on_start(&self, image: &str) {
        self.state().behaviour(image).crash = None;
    }

    /// From now on containers with a health check turn so as soon as they are started.
    pub(crate) fn health_on_start(&self, image: &str, health: Health) {
        self.state().behaviour(image).health = Some(health);
    }

    /// The id behind a name.
    pub(crate) fn id_of(&self, name: &str) -> ContainerId {
        self.state()
            .find(&ContainerId(name.to_owned()))
            .unwrap_or_else(|_| panic!("the fake engine has no container `{name}`"))
    }

    /// Names of all containers, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.state().list().into_iter().map(|c| c.name).collect();
        names.sort_unstable();
        names
    }

    /// Names of all volumes, sorted.
    pub(crate) fn volume_names(&self) -> Vec<String> {
        self.state().volumes.keys().cloned().collect()
    }

    /// A volume that an agent was given.
    pub(crate) fn give_volume(&self, instance: InstanceId, agent: i64, name: &str) {
        let owner = Some((instance, AgentId(agent)));
        self.state().volumes.insert(name.to_owned(), owner);
    }

    /// What a container has mounted, by the host's names.
    pub(crate) fn volumes_of(&self, name: &str) -> Vec<String> {
        let id = self.id_of(name);
        let state = self.state();
        state.containers[&id].volumes.values().cloned().collect()
    }

    pub(crate) fn phase_of(&self, name: &str) -> Phase {
        let id = self.id_of(name);
        self.state().container(&id).phase
    }

    /// What a container was made with, secrets included.
    pub(crate) fn env_of(&self, name: &str) -> Vec<(String, String)> {
        let id = self.id_of(name);
        let state = self.state();
        let env = &state.containers[&id].env;
        env.clone().into_iter().collect()
    }

    /// What a container would find in `/run/secrets` now.
    pub(crate) fn secret_files_of(&self, name: &str) -> Vec<(String, String)> {
        let id = self.id_of(name);
        let folder = self.state().containers[&id].secret_files.clone();
        let Some(Ok(folder)) = folder.map(std::fs::read_dir) else {
            return Vec::new();
        };
        let read = |path: std::path::PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        };
        folder.map(|file| read(file.unwrap().path())).collect()
    }

    pub(crate) fn spec_of(&self, name: &str) -> Spec {
        let id = self.id_of(name);
        self.state().containers[&id].spec.clone()
    }

    pub(crate) fn networks_of(&self, name: &str) -> Vec<String> {
        let id = self.id_of(name);
        self.state().containers[&id]
            .networks
            .keys()
            .cloned()
            .collect()
    }

    /// Yardarm itself runs in a container of that name, which is made unless it is there.
    pub(crate) fn run_yardarm_in(&self, name: &str) {
        let there = self.state().find(&ContainerId(name.to_owned()));
        let own = there.unwrap_or_else(|_| self.foreign(name));
        self.state().own = Some(own);
    }

    /// Somebody else's container, running.
    pub(crate) fn foreign(&self, name: &str) -> ContainerId {
        let spec = Spec {
            template: None,
            image: format!("{name}:latest"),
            build: None,
            command: Vec::new(),
            env: super::nothing(),
            secrets: Vec::new(),
            secret_files: Vec::new(),
            limits: Limits {
                memory_mb: 0,
                cpus: 0.0,
                pids: 0,
            },
            mounts: Vec::new(),
            tmpfs: Vec::new(),
            ports: Vec::new(),
            network: Network::Fleet,
            internet: true,
            user: None,
            read_only_root: false,
            health: None,
            stop_grace_s: 10,
            log_patterns: Vec::new(),
            exit_codes: std::collections::BTreeMap::new(),
            probes: Vec::new(),
            recovery: None,
            idle: None,
            depends_on: Vec::new(),
            privileges: Privileges::default(),
        };
        self.foreign_with(name, spec)
    }

    /// As [`Self::foreign`], made from `spec`.
    pub(crate) fn foreign_with(&self, name: &str, spec: Spec) -> ContainerId {
        let mut state = self.state();
        let image = state.add_image(&spec.image, Behaviour::default());
        let id = state.next_container_id();
        let mut container = Container::new(name, spec, image);
        container.unsaid = vec!["Docker's default capabilities".to_owned()];
        for name in container.spec.volumes() {
            state.volumes.insert(name.to_owned(), None);
            container.volumes.insert(name.to_owned(), name.to_owned());
        }
        state.insert(id.clone(), container);
        state.start(&id).unwrap();
        id
    }

    /// Somebody makes an image of a container and runs it: Docker hands the labels on.
    pub(crate) fn run_image_of(&self, name: &str, copy: &str) {
        let original = self.id_of(name);
        let mut state = self.state();
        let original = state.container(&original);
        let labels = original.labels.clone();
        let image = state.add_image("copy:1", Behaviour::default());
        let mut container = Container::new(copy, plain_spec("copy:1"), image);
        container.labels = labels;
        let id = state.next_container_id();
        state.insert(id.clone(), container);
        state.start(&id).unwrap();
    }

    /// It ends by itself.
    pub(crate) fn kill(&self, id: &ContainerId, exit_code: i64) {
        self.state().die(id, exit_code);
    }

    /// The kernel ends it for memory.
    pub(crate) fn run_out_of_memory(&self, id: &ContainerId) {
        let mut state = self.state();
        state.container(id).oom_killed = true;
        state.tell(id, EngineEventKind::OutOfMemory);
        state.die(id, KILLED);
    }

    pub(crate) fn start_behind_our_back(&self, id: &ContainerId) {
        self.state().start(id).unwrap();
    }

    pub(crate) fn remove_behind_our_back(&self, id: &ContainerId) {
        self.state().remove(id);
    }

    pub(crate) fn set_health(&self, id: &ContainerId, health: Health) {
        let mut state = self.state();
        state.container(id).health = Some(health);
        state.tell(id, EngineEventKind::HealthChanged);
    }

    /// Its health check fails, and says why.
    pub(crate) fn fail_health(&self, id: &ContainerId, said: &str) {
        self.state().container(id).health_said = Some(said.to_owned());
        self.set_health(id, Health::Unhealthy);
    }

    /// It writes a line.
    pub(crate) fn say(&self, id: &ContainerId, source: LogSource, text: &str) {
        self.state().say(id, source, text);
    }
}
