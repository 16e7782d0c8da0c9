//! The way to the daemon. It is looked for at each call, so a daemon that starts late or again is found.

use std::{
    fmt,
    future::Future,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bollard::API_DEFAULT_VERSION;
use tokio::time::timeout;

use crate::engine::{EngineError, Result};

/// bollard's own limit on the wait for an answer. Ours are shorter, except that of a very patient stop.
const BOLLARD_TIMEOUT_S: u64 = 24 * 60 * 60;

/// Where Docker listens unless told.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

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

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// The path of a socket.
    Unix(String),
    /// `host:port`, without encryption.
    Tcp(String),
    /// `host:port`.
    Tls(String, TlsFiles),
    /// `user@host`, or what the settings of ssh call it: those know its port, too.
    Ssh(String),
}

/// What both ends of an encrypted connection are known by, in PEM. Read whenever one is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority that vouches for the engine.
    pub ca: PathBuf,
    /// What the engine knows us by, and its key.
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Address {
    /// As `DOCKER_HOST` gives it; the usual socket if it gives nothing.
    pub(super) fn parse(host: Option<&str>) -> std::result::Result<Self, BadAddress> {
        let Some(text) = host.filter(|text| !text.is_empty()) else {
            return Ok(Self::Unix(DEFAULT_SOCKET.to_owned()));
        };
        let known = match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Some(Self::Unix(path.to_owned())),
            Some(("tcp" | "http", rest)) => host_and_port(rest).map(Self::Tcp),
            Some(("ssh", rest)) => login(rest).map(Self::Ssh),
            _ => None,
        };
        known.ok_or_else(|| BadAddress(text.to_owned()))
    }

    /// An engine that is asked through TLS and asks for our certificate.
    pub(super) fn with_tls(host: &str, files: TlsFiles) -> std::result::Result<Self, BadAddress> {
        let known = match host.split_once("://") {
            Some(("tcp" | "https", rest)) => host_and_port(rest),
            _ => None,
        };
        let known = known.map(|address| Self::Tls(address, files));
        known.ok_or_else(|| BadAddress(host.to_owned()))
    }
}

fn host_and_port(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let (host, port) = text.rsplit_once(':')?;
    let plain = !host.is_empty() && !host.contains(['/', '@', '?', '#']);
    (plain && port.parse::<u16>().is_ok()).then(|| text.to_owned())
}

/// What ssh would take for an option, or a shell for more than a name, is no login. Nor is a port taken: bollard hands all of
/// it to ssh as a name.
fn login(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let (user, host) = text.rsplit_once('@').unwrap_or(("user", text));
    let plain = |part: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(fits)
    };
    (plain(user) && plain(host)).then(|| text.to_owned())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Tcp(host) => write!(f, "tcp://{host}"),
            Self::Tls(host, _) => write!(f, "https://{host}"),
            Self::Ssh(host) => write!(f, "ssh://{host}"),
        }
    }
}

/// An address we cannot talk to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no engine address we know\nhint: unix:///path/to/socket, tcp://host:port, http://host:port or ssh://user@host, whose port stands in the settings of ssh"
)]
pub struct BadAddress(pub String);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_as_docker_host_gives_them() {
        let unix = |path: &str| Ok(Address::Unix(path.to_owned()));
        let tcp = |host: &str| Ok(Address::Tcp(host.to_owned()));
        assert_eq!(Address::parse(None), unix("/var/run/docker.sock"));
        assert_eq!(Address::parse(Some("")), unix("/var/run/docker.sock"));
        assert_eq!(
            Address::parse(Some("unix:///run/user/1000/docker.sock")),
            unix("/run/user/1000/docker.sock")
        );
        assert_eq!(
            Address::parse(Some("tcp://10.0.0.1:2375")),
            tcp("10.0.0.1:2375")
        );
        assert_eq!(
            Address::parse(Some("http://proxy:2375/")),
            tcp("proxy:2375")
        );
        assert_eq!(Address::parse(Some("tcp://[::1]:2375")), tcp("[::1]:2375"));
        for login in ["host", "deploy@engine-1.example"] {
            assert_eq!(
                Address::parse(Some(&format!("ssh://{login}"))),
                Ok(Address::Ssh(login.to_owned()))
            );
        }
    }

    #[test]
    fn refuses_what_it_cannot_reach() {
        for text in [
            "https://host:2376",
            "ssh://",
            "ssh://-oProxyCommand=reboot",
            "ssh://-l@host",
            "ssh://me@host:2222",
            "ssh://me@host/run/docker.sock",
            "unix://relative",
            "/var/run/docker.sock",
            "tcp://host",
            "tcp://host:port",
            "tcp://user@host:2375",
        ] {
            assert_eq!(Address::parse(Some(text)), Err(BadAddress(text.to_owned())));
        }
    }

    #[test]
    fn only_what_speaks_tcp_speaks_tls() {
        let files = || TlsFiles {
            ca: "ca.pem".into(),
            cert: "cert.pem".into(),
            key: "key.pem".into(),
        };
        let tls = Ok(Address::Tls("host:2376".to_owned(), files()));
        assert_eq!(Address::with_tls("tcp://host:2376", files()), tls);
        assert_eq!(Address::with_tls("https://host:2376/", files()), tls);
        for text in ["http://host:2376", "unix:///run/docker.sock", "ssh://host"] {
            let refused = Address::with_tls(text, files());
            assert_eq!(refused, Err(BadAddress(text.to_owned())));
        }
    }
}
