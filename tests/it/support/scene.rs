//! What engine tests share: a place to run them in, and the steps they are written in.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use futures::{StreamExt as _, stream::BoxStream};
use secrecy::SecretString;
use tokio::time::timeout;
use yardarm::{
    domain::{
        ids::{ActionId, AgentId, ContainerId, ImageId, InstanceId},
        spec::{Limits, Network, Privileges, Spec},
    },
    engine::{Creation, Engine, EngineEvent, EngineEventKind, Labels, LogLine, LogQuery, Result},
};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// What an agent of a test does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    /// Waits to be stopped.
    Wait,
    /// Ends at once with code 3.
    Crash,
    /// Says `one` and `two` on stdout and `oops` on stderr, and ends with code 0.
    Talk,
    /// Says `hello`, waits, and says `bye` when asked to stop.
    SayBye,
}

/// An engine and what differs between one and another.
pub(crate) trait World: Sync {
    fn engine(&self) -> &dyn Engine;
    /// One of its own for each test.
    fn instance(&self) -> &InstanceId;
    fn image_of(&self, does: Does) -> String;
    fn command_of(&self, does: Does) -> Vec<String>;

    fn spec(&self, does: Does) -> Spec {
        Spec {
            command: self.command_of(does),
            ..plain_spec(&self.image_of(does))
        }
    }

    /// A name nobody else has.
    fn name(&self, word: &str) -> String {
        format!("{}-{word}", self.instance())
    }
}

pub(crate) fn plain_spec(image: &str) -> Spec {
    Spec {
        template: Some("test".to_owned()),
        image: image.to_owned(),
        build: None,
        command: Vec::new(),
        env: BTreeMap::new(),
        secrets: Vec::new(),
        secret_files: Vec::new(),
        limits: Limits {
            memory_mb: 32,
            cpus: 0.5,
            pids: 64,
        },
        mounts: Vec::new(),
        tmpfs: Vec::new(),
        ports: Vec::new(),
        network: Network::None,
        internet: false,
        user: None,
        read_only_root: false,
        health: None,
        stop_grace_s: 10,
        log_patterns: Vec::new(),
        exit_codes: BTreeMap::new(),
        probes: Vec::new(),
        recovery: None,
        idle: None,
        depends_on: Vec::new(),
        privileges: Privileges::default(),
    }
}

/// A container to be made, as an agent's.
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a dyn World,
    pub(crate) agent: AgentId,
    pub(crate) network: Option<String>,
    pub(crate) volumes: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, SecretString>,
    pub(crate) secret_files: Option<PathBuf>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(world: &'a dyn World) -> Self {
        Self {
            world,
            agent: AgentId(1),
            network: None,
            volumes: BTreeMap::new(),
            secrets: BTreeMap::new(),
            secret_files: None,
        }
    }

    pub(crate) fn labels(&self, spec: &Spec) -> Labels {
        Labels {
            instance: self.world.instance().clone(),
            agent: self.agent,
            spec: spec.digest(),
            action: ActionId(7),
        }
    }

    /// Makes a container named after `word`.
    pub(crate) async fn create(&self, word: &str, spec: &Spec) -> Result<ContainerId> {
        let image = self.world.engine().image(&spec.image).await?;
        let image = image
            .unwrap_or_else(|| panic!("image `{}` is not here", spec.image))
            .id;
        self.create_from(word, spec, &image).await
    }

    pub(crate) async fn create_from(
        &self,
        word: &str,
        spec: &Spec,
        image: &ImageId,
    ) -> Result<ContainerId> {
        let creation = Creation {
            name: &self.world.name(word),
            spec,
            image,
            labels: &self.labels(spec),
            network: self.network.as_deref(),
            alias: word,
            volumes: &self.volumes,
            secrets: &self.secrets,
            secret_files: self.secret_files.as_deref(),
        };
        self.world.engine().create(&creation).await
    }

    /// Makes one that does something, and starts it.
    pub(crate) async fn run(&self, word: &str, does: Does) -> ContainerId {
        let id = self.create(word, &self.world.spec(does)).await.unwrap();
        self.world.engine().start(&id).await.unwrap();
        id
    }
}

/// The events of one engine.
pub(crate) struct Events(BoxStream<'static, Result<EngineEvent>>);

impl Events {
    pub(crate) async fn open(engine: &dyn Engine) -> Self {
        Self(engine.events().await.unwrap())
    }

    pub(crate) async fn next(&mut self) -> Result<EngineEvent> {
        timeout(PATIENCE, self.0.next())
            .await
            .expect("an event in time")
            .expect("a stream of events ends with an error")
    }

    /// Waits for `last`; returns all that happened to `container` until then.
    pub(crate) async fn until(
        &mut self,
        container: &ContainerId,
        last: EngineEventKind,
    ) -> Vec<EngineEventKind> {
        let mut seen = Vec::new();
        while seen.last() != Some(&last) {
            let event = self.next().await.unwrap();
            if event.container == *container {
                seen.push(event.kind);
            }
        }
        seen
    }
}

/// The log stream of one container.
pub(crate) struct Lines(BoxStream<'static, Result<LogLine>>);

impl Lines {
    pub(crate) async fn open(engine: &dyn Engine, id: &ContainerId, query: &LogQuery) -> Self {
        Self(engine.logs(id, query).await.unwrap())
    }

    pub(crate) async fn next(&mut self) -> Option<LogLine> {
        timeout(PATIENCE, self.0.next())
            .await
            .expect("a line or the end in time")
            .transpose()
            .unwrap()
    }

    pub(crate) async fn all(mut self) -> Vec<LogLine> {
        let mut lines = Vec::new();
        while let Some(line) = self.next().await {
            lines.push(line);
        }
        lines
    }
}

/// Everything, from both sources.
pub(crate) const fn last_lines(tail: u32) -> LogQuery {
    LogQuery {
        tail,
        since: None,
        stdout: true,
        stderr: true,
        follow: false,
    }
}

pub(crate) fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}
