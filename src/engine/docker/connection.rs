//! The way to the daemon. It is looked for at each call, so a daemon that starts late or again is found.

use std::{
    fmt,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bollard::API_DEFAULT_VERSION;
use tokio::time::timeout;

use crate::{
    domain::address::Address,
    engine::{EngineError, Result},
};

/// bollard's own limit on the wait for an answer. Ours are shorter, except that of a very patient stop.
const BOLLARD_TIMEOUT_S: u64 = 24 * 60 * 60;

/// How long each kind of call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Everything that is not named below.
    pub answer: Duration,
    /// `create` and `start`.
    pub start: Duration,
    /// What `stop` may take beyond its grace period.
    pub stop_margin: Duration,
    /// A whole pull.
    pub pull: Duration,
    /// A pull without any progress.
    pub pull_stall: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            start: Duration::from_secs(30),
            stop_margin: Duration::from_secs(10),
            pull: Duration::from_mins(15),
            pull_stall: Duration::from_mins(1),
        }
    }
}

pub(super) struct Connection {
    address: Address,
    /// Set once the daemon has told its version; emptied when it goes away, as another one may come back.
    negotiated: Mutex<Option<bollard::Docker>>,
}

impl Connection {
    pub(super) const fn new(address: Address) -> Self {
        Self {
            address,
            negotiated: Mutex::new(None),
        }
    }

    /// Makes one call within `deadline`; `what` names it in the error.
    pub(super) async fn call<T, F>(
        &self,
        what: &'static str,
        deadline: Duration,
        call: impl FnOnce(bollard::Docker) -> F + Send,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send,
    {
        let attempt = async { call(self.client().await?).await };
        let result = timeout(deadline, attempt)
            .await
            .unwrap_or(Err(EngineError::TimedOut {
                what,
                after: deadline,
            }));
        if matches!(result, Err(EngineError::Unreachable(_))) {
            self.keep(None);
        }
        result
    }

    async fn client(&self) -> Result<bollard::Docker> {
        let kept = self
            .negotiated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(client) = kept {
            return Ok(client);
        }
        let client = self.open()?.negotiate_version().await?;
        self.keep(Some(client.clone()));
        Ok(client)
    }

    fn open(&self) -> Result<bollard::Docker> {
        let opened = match &self.address {
            Address::Unix(path) => {
                bollard::Docker::connect_with_unix(path, BOLLARD_TIMEOUT_S, API_DEFAULT_VERSION)
            }
            Address::Tcp(host) => {
                bollard::Docker::connect_with_http(host, BOLLARD_TIMEOUT_S, API_DEFAULT_VERSION)
            }
            Address::Tls(host, files) => bollard::Docker::connect_with_ssl(
                host,
                &files.key,
                &files.cert,
                &files.ca,
                BOLLARD_TIMEOUT_S,
                API_DEFAULT_VERSION,
            ),
            Address::Ssh(host) => bollard::Docker::connect_with_ssh(
                host,
                BOLLARD_TIMEOUT_S,
                API_DEFAULT_VERSION,
                None,
            ),
        };
        opened.map_err(EngineError::from)
    }

    fn keep(&self, client: Option<bollard::Docker>) {
        *self
            .negotiated
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = client;
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.address)
    }
}
