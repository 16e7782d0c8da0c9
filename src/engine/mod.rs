//! What runs containers, in our words. `docker` implements it; the tests prove a fake by the same contract suite.
//!
//! Every call ends within a deadline. A call that ran into it may still have been carried out
//! ([`EngineError::outcome_is_unknown`]): look again, do not call again.

pub mod docker;
pub mod metered;

use std::{collections::BTreeMap, path::Path, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use secrecy::SecretString;

use crate::{
    domain::{
        agent::{Observation, Phase},
        ids::{ActionId, AgentId, ContainerId, ImageId, InstanceId},
        spec::{Spec, SpecDigest},
        stats::Sample,
    },
    error::Error,
};

/// Values the trait speaks in, which commands and cards know as well.
pub use crate::domain::log::{LogLine, LogQuery, LogSource};

pub type Result<T> = std::result::Result<T, EngineError>;

#[async_trait]
pub trait Engine: Send + Sync {
    /// Who answers; also the cheapest proof that somebody does.
    async fn about(&self) -> Result<About>;

    /// Every container on the host, ours or not, without details.
    async fn list(&self) -> Result<Vec<Listed>>;
    /// One container in detail, by id or name; None if there is none.
    async fn observe(&self, container: &ContainerId) -> Result<Option<Observation>>;
    /// What a container nobody gave us was made from, for adoption.
    async fn describe(&self, container: &ContainerId) -> Result<Described>;
    /// State changes as they happen. A stream that ends is a failure: list, then listen again.
    async fn events(&self) -> Result<BoxStream<'static, Result<EngineEvent>>>;

    /// The image a reference names here; None if it is not present.
    async fn image(&self, reference: &str) -> Result<Option<Image>>;
    /// What a reference names in its registry now, as `sha256:…`; nothing is fetched.
    async fn resolve(&self, reference: &str) -> Result<String>;
    /// Fetches an image, telling how far it is.
    async fn pull(
        &self,
        reference: &str,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<()>;

    /// Makes a container and does not start it.
    async fn create(&self, creation: &Creation<'_>) -> Result<ContainerId>;
    async fn start(&self, container: &ContainerId) -> Result<()>;
    /// SIGTERM, then SIGKILL after `grace`. Stopping what is stopped is no error.
    async fn stop(&self, container: &ContainerId, grace: Duration) -> Result<()>;
    async fn pause(&self, container: &ContainerId) -> Result<()>;
    async fn unpause(&self, container: &ContainerId) -> Result<()>;
    async fn rename(&self, container: &ContainerId, name: &str) -> Result<()>;
    /// Ends and removes a container but none of its named volumes; nameless ones go with a container that we made, and
    /// stay if it was somebody else's. Removing what is gone is no error.
    async fn remove(&self, container: &ContainerId) -> Result<()>;

    /// Makes a private network unless it is there.
    async fn ensure_network(&self, network: &NetworkSpec) -> Result<()>;
    /// Removing what is gone is no error.
    async fn remove_network(&self, name: &str) -> Result<()>;
    /// Joins a network under `alias`. Joining what it has joined is no error.
    async fn connect(&self, container: &ContainerId, network: &str, alias: &str) -> Result<()>;
    /// Leaving what it has not joined is no error.
    async fn disconnect(&self, container: &ContainerId, network: &str) -> Result<()>;

    /// Names of the networks that carry this instance's label.
    async fn networks(&self, instance: &InstanceId) -> Result<Vec<String>>;
    /// The container that this process runs in; None if it runs in none of this engine's, or in one that can join no
    /// network.
    async fn own_container(&self) -> Result<Option<ContainerId>>;

    /// Names of the volumes that carry this agent's label.
    async fn volumes(&self, instance: &InstanceId, agent: AgentId) -> Result<Vec<String>>;
    /// Removing what is gone is no error.
    async fn remove_volume(&self, name: &str) -> Result<()>;

    /// The last lines, and with `follow` those still to come.
    async fn logs(
        &self,
        container: &ContainerId,
        query: &LogQuery,
    ) -> Result<BoxStream<'static, Result<LogLine>>>;
    /// Runs a command inside a running container for at most `most`. Docker cannot end what it began: a command that takes
    /// longer runs on, and nobody listens to it.
    async fn exec(
        &self,
        container: &ContainerId,
        command: &[String],
        most: Duration,
    ) -> Result<ExecOutcome>;
    /// One sample; the engine may take a second for it.
    async fn sample(&self, container: &ContainerId) -> Result<Sample>;
}

/// What became of a command inside a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecOutcome {
    /// None if it did not end in time.
    pub exit_code: Option<i64>,
    /// The beginning of what it wrote, at most [`EXEC_OUTPUT_MAX`] bytes; what is no UTF-8 is replaced.
    pub output: String,
}

/// Bytes kept of what a command writes.
pub const EXEC_OUTPUT_MAX: usize = 4096;

/// The engine itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub version: String,
    pub api_version: String,
    pub cpus: u32,
    pub memory_bytes: u64,
    /// The folder in which it keeps images and containers, as its own host sees it.
    pub root: String,
    /// By its own clock, if it tells.
    pub now: Option<DateTime<Utc>>,
}

/// One line of a full listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub container: ContainerId,
    pub name: String,
    /// The reference it was made from.
    pub image: String,
    pub phase: Phase,
    /// None on what is not ours, and on what we adopted.
    pub labels: Option<Labels>,
}

/// What we write on each container, volume and network we make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    pub instance: InstanceId,
    pub agent: AgentId,
    pub spec: SpecDigest,
    /// The action that made it: how a create that timed out is found again.
    pub action: ActionId,
}

/// A container of somebody else, in our words.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// A limit of 0 stands for a container without one; `create` takes it so, too.
    pub spec: Spec,
    /// What the container has and a spec cannot say, in words for people: a redeploy drops it.
    pub unsaid: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub id: ImageId,
    /// `repository@sha256:…` of a pulled or pushed one; a locally built one has none and is bound by its id.
    pub digest: Option<String>,
    /// As whom its containers run if their spec does not say; empty for root.
    pub user: String,
}

impl Image {
    /// `sha256:…`: its digest, or its id if no registry has it.
    pub fn bare(&self) -> String {
        let digest = self.digest.as_deref();
        let bare = digest
            .and_then(|digest| digest.split_once('@'))
            .map(|(_, bare)| bare);
        bare.unwrap_or_else(|| self.id.as_str()).to_owned()
    }
}

/// How far a pull is. Docker tells the layers as it finds them, so `total` may still grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PullProgress {
    pub done_bytes: u64,
    pub total_bytes: u64,
}

/// Where a container finds its secrets as files.
pub const SECRET_FILES: &str = "/run/secrets";

/// Everything `create` needs.
pub struct Creation<'a> {
    pub name: &'a str,
    pub spec: &'a Spec,
    /// What `spec.image` was resolved to; the container is bound to it.
    pub image: &'a ImageId,
    pub labels: &'a Labels,
    /// The network to join, made before.
    pub network: Option<&'a str>,
    /// The agent's name inside that network.
    pub alias: &'a str,
    /// Volume name in the spec → volume name on the host.
    pub volumes: &'a BTreeMap<String, String>,
    /// Given as environment variables; never in the spec, a label or a log.
    pub secrets: &'a BTreeMap<String, SecretString>,
    /// Seen by the container at [`SECRET_FILES`], read-only; it must be there whenever the container starts.
    pub secret_files: Option<&'a Path>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    pub name: String,
    pub instance: InstanceId,
    /// No way out of it.
    pub internal: bool,
}

/// Something happened to a container; `observe` tells what it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineEvent {
    pub container: ContainerId,
    pub kind: EngineEventKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineEventKind {
    Started,
    Died,
    OutOfMemory,
    Paused,
    Unpaused,
    Renamed,
    Destroyed,
    HealthChanged,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Nobody answers: the daemon is stopped or the socket is not there.
    #[error("the engine cannot be reached: {0}")]
    Unreachable(String),
    #[error("{what} did not end within {} s", after.as_secs())]
    TimedOut { what: &'static str, after: Duration },
    /// No such container, image, network or volume.
    #[error("not found: {0}")]
    NotFound(String),
    /// A name is taken, or the container is in a state that does not permit it.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The engine understood and will not.
    #[error("refused: {0}")]
    Refused(String),
    /// A connection that was lost in the middle, or an answer nobody understands.
    #[error("the engine's answer was lost: {0}")]
    Lost(String),
}

impl EngineError {
    /// The call may have been carried out although no answer came.
    pub const fn outcome_is_unknown(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Lost(_))
    }
}

/// What a person is told.
impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unreachable(_) => Self::Unavailable(format!(
                "Docker does not answer ({error}). Check `systemctl status docker` on the host; this works again by itself once it does."
            )),
            EngineError::TimedOut { .. } | EngineError::Lost(_) => {
                Self::Unavailable(format!("Docker's answer is missing: {error}."))
            }
            EngineError::NotFound(why) | EngineError::Conflict(why) | EngineError::Refused(why) => {
                Self::Invalid(format!("Docker says: {why}."))
            }
        }
    }
}
