//! Where an engine is: what settings may say, and what can be connected to.

use std::{fmt, path::PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
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
    /// Where Docker listens unless told.
    pub fn usual() -> Self {
        Self::Unix("/var/run/docker.sock".to_owned())
    }

    /// As `DOCKER_HOST` gives it.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let known = match text.split_once("://") {
            Some(("unix", path)) if path.len() > 1 && path.starts_with('/') => {
                Some(Self::Unix(path.to_owned()))
            }
            Some(("tcp" | "http", rest)) => host_and_port(rest).map(Self::Tcp),
            Some(("ssh", rest)) => login(rest).map(Self::Ssh),
            _ => None,
        };
        known.ok_or_else(|| BadAddress(text.to_owned()))
    }

    /// An engine that is asked through TLS and asks for our certificate.
    pub fn with_tls(host: &str, files: TlsFiles) -> Result<Self, BadAddress> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_as_docker_host_gives_them() {
        let unix = |path: &str| Ok(Address::Unix(path.to_owned()));
        let tcp = |host: &str| Ok(Address::Tcp(host.to_owned()));
        assert_eq!(
            Address::parse("unix:///run/user/1000/docker.sock"),
            unix("/run/user/1000/docker.sock")
        );
        assert_eq!(Address::parse("tcp://10.0.0.1:2375"), tcp("10.0.0.1:2375"));
        assert_eq!(Address::parse("http://proxy:2375/"), tcp("proxy:2375"));
        assert_eq!(Address::parse("tcp://[::1]:2375"), tcp("[::1]:2375"));
        for login in ["host", "deploy@engine-1.example"] {
            assert_eq!(
                Address::parse(&format!("ssh://{login}")),
                Ok(Address::Ssh(login.to_owned()))
            );
        }
    }

    #[test]
    fn tells_addresses_as_it_reads_them() {
        for text in [
            "unix:///run/docker.sock",
            "tcp://host:2375",
            "ssh://me@host",
        ] {
            let known = Address::parse(text).map(|address| address.to_string());
            assert_eq!(known.as_deref(), Ok(text));
        }
    }

    #[test]
    fn refuses_what_it_cannot_reach() {
        for text in [
            "",
            "https://host:2376",
            "ssh://",
            "ssh://-oProxyCommand=reboot",
            "ssh://-l@host",
            "ssh://me@host:2222",
            "ssh://me@host/run/docker.sock",
            "unix://relative",
            "unix:///",
            "/var/run/docker.sock",
            "tcp://host",
            "tcp://host:port",
            "tcp://user@host:2375",
        ] {
            assert_eq!(Address::parse(text), Err(BadAddress(text.to_owned())));
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
        assert_eq!(
            tls.map(|at| at.to_string()).as_deref(),
            Ok("https://host:2376")
        );
        for text in ["http://host:2376", "unix:///run/docker.sock", "ssh://host"] {
            let refused = Address::with_tls(text, files());
            assert_eq!(refused, Err(BadAddress(text.to_owned())));
        }
    }
}
