use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Environment, seconds};
use crate::domain::{
    address::{Address, BadAddress, TlsFiles},
    problem::{Problem, shown},
    spec::Allow,
};

/// The engine, and how patient we are with it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Docker {
    /// `unix://PATH`, `tcp://HOST:PORT` or `ssh://USER@HOST`; without this key, `DOCKER_HOST` says.
    pub host: String,
    /// The certificate authority of an engine that is asked through TLS, in PEM.
    pub tls_ca: Option<PathBuf>,
    /// The certificate that the engine knows us by, in PEM.
    pub tls_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM.
    pub tls_key: Option<PathBuf>,
    /// What container, volume and network names begin with.
    pub name_prefix: String,
    /// Seconds any call but a pull may take; a stop gets the agent's grace on top.
    #[serde(rename = "call_deadline_s", with = "seconds")]
    #[schemars(with = "u32", range(min = 1, max = 600))]
    pub call_deadline: Duration,
    /// Seconds a pull may take.
    #[serde(rename = "pull_deadline_s", with = "seconds")]
    #[schemars(with = "u32", range(min = 10, max = 86_400))]
    pub pull_deadline: Duration,
    /// Seconds a new container must run to count as proven.
    #[serde(rename = "settle_s", with = "seconds")]
    #[schemars(with = "u32", range(max = 600))]
    pub settle: Duration,
    /// Seconds a new container may take to become healthy, if it has a health check.
    #[serde(rename = "health_deadline_s", with = "seconds")]
    #[schemars(with = "u32", range(min = 1, max = 3600))]
    pub health_deadline: Duration,
    /// Containers changed at the same time by one action on several agents.
    #[schemars(range(min = 1, max = 64))]
    pub parallel: u32,
    pub allow: Allow,
}

impl Default for Docker {
    fn default() -> Self {
        Self {
            host: "unix:///var/run/docker.sock".to_owned(),
            tls_ca: None,
            tls_cert: None,
            tls_key: None,
            name_prefix: "yardarm-".to_owned(),
            call_deadline: Duration::from_secs(10),
            pull_deadline: Duration::from_mins(15),
            settle: Duration::from_secs(5),
            health_deadline: Duration::from_mins(2),
            parallel: 4,
            allow: Allow::default(),
        }
    }
}

impl Docker {
    /// Authority, certificate and key.
    pub fn tls(&self) -> [Option<&Path>; 3] {
        [&self.tls_ca, &self.tls_cert, &self.tls_key].map(|file| file.as_deref())
    }

    /// As Docker's own programs do: files of these names in `DOCKER_CERT_PATH`, if `DOCKER_TLS_VERIFY` is set. The
    /// settings file beats them.
    pub(super) fn look_for_tls(&mut self, environment: &Environment) {
        let speaks_tcp = ["tcp://", "https://"]
            .iter()
            .any(|scheme| self.host.starts_with(scheme));
        let asked = environment.get("DOCKER_TLS_VERIFY").is_some();
        if !speaks_tcp || !asked || self.tls().iter().any(Option::is_some) {
            return;
        }
        if let Some(folder) = environment.get("DOCKER_CERT_PATH").map(Path::new) {
            self.tls_ca = Some(folder.join("ca.pem"));
            self.tls_cert = Some(folder.join("cert.pem"));
            self.tls_key = Some(folder.join("key.pem"));
        }
    }

    /// What the settings name; those that were read name one that can be connected to.
    pub fn address(&self) -> Result<Address, BadAddress> {
        let [Some(ca), Some(cert), Some(key)] = self.tls() else {
            return Address::parse(&self.host);
        };
        let [ca, cert, key] = [ca, cert, key].map(Path::to_owned);
        Address::with_tls(&self.host, TlsFiles { ca, cert, key })
    }

    fn address_problem(&self) -> Option<Problem> {
        let files = self.tls().iter().flatten().count();
        if !matches!(files, 0 | 3) {
            let message = "authority, certificate and key belong together".to_owned();
            let hint = "set `docker.tls_ca`, `docker.tls_cert` and `docker.tls_key`, or none";
            return Some(Problem::new("docker.tls_ca", message, hint));
        }
        let BadAddress(address) = self.address().err()?;
        let message = format!("{} is no address of an engine", shown(&address));
        let hint = match files {
            0 if address.starts_with("ssh://") => {
                "use `ssh://USER@HOST`; the port stands in the settings of ssh"
            }
            0 => "use `unix:///var/run/docker.sock`, `tcp://HOST:PORT` or `ssh://USER@HOST`",
            _ => "with `docker.tls_ca` use `tcp://HOST:PORT`",
        };
        Some(Problem::new("docker.host", message, hint))
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = [
            seconds::outside("docker.call_deadline_s", self.call_deadline, &(1..=600)),
            seconds::outside("docker.pull_deadline_s", self.pull_deadline, &(10..=86_400)),
            seconds::outside("docker.settle_s", self.settle, &(0..=600)),
            seconds::outside(
                "docker.health_deadline_s",
                self.health_deadline,
                &(1..=3600),
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        problems.extend(self.address_problem());
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let plain = |c: char| letter(c) || matches!(c, '-' | '_' | '.');
        let prefix = &self.name_prefix;
        if !(prefix.starts_with(letter) && prefix.len() <= 32 && prefix.chars().all(plain)) {
            let hint =
                "use 1 to 32 of a–z, 0–9, `-`, `_` and `.`, beginning with a letter or a digit";
            let message = format!("{} does not fit", shown(prefix));
            problems.push(Problem::new("docker.name_prefix", message, hint));
        }
        if !(1..=64).contains(&self.parallel) {
            problems.push(Problem::out_of_range(
                "docker.parallel",
                self.parallel,
                &(1..=64),
            ));
        }
        problems.extend(
            self.allow
                .mounts
                .iter()
                .filter(|root| !root.starts_with('/'))
                .map(|root| {
                    let message = format!("{} is no absolute path", shown(root));
                    Problem::new("docker.allow.mounts", message, "begin it with `/`")
                }),
        );
        problems
    }
}
