//! `[ping]`: who outside is told that we live. Whoever has the address can tell the same, so it is a secret.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::{
    Environment,
    notify::{self, Part, Said, SecretUrl},
    policy::Reader,
    seconds,
};
use crate::domain::problem::Problem;

#[derive(Clone, Debug)]
pub struct Ping {
    /// None: nobody is told.
    pub url: Option<PingUrl>,
    pub interval: Duration,
    /// Without Discord's gateway for longer, we are ill.
    pub gateway: Duration,
}

#[derive(Clone, Debug)]
pub enum PingUrl {
    Known(SecretUrl),
    /// The secret for all that is the address.
    Vault(String),
}

/// `[ping]` as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Section {
    /// The environment variable that holds the address; without it and the next two nobody is told.
    url_env: Option<String>,
    /// A file that holds the address, instead.
    url_file: Option<PathBuf>,
    /// The name of a secret for all (`/secret set all:True`) that is the address, instead.
    url_secret: Option<String>,
    /// Seconds from one ping to the next.
    #[serde(rename = "interval_s", with = "seconds")]
    #[schemars(with = "u32", range(min = 10, max = 3600))]
    interval: Duration,
    /// Seconds without Discord's gateway after which it is told that we are ill.
    #[serde(rename = "gateway_s", with = "seconds")]
    #[schemars(with = "u32", range(min = 10, max = 86_400))]
    gateway: Duration,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            url_env: None,
            url_file: None,
            url_secret: None,
            interval: Duration::from_mins(1),
            gateway: Duration::from_mins(2),
        }
    }
}

impl Section {
    pub(super) fn settle(&self, environment: &Environment) -> Result<Ping, Vec<Problem>> {
        let mut problems: Vec<Problem> = [
            seconds::outside("ping.interval_s", self.interval, &(10..=3600)),
            seconds::outside("ping.gateway_s", self.gateway, &(10..=86_400)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let mut reader = Reader::new("ping".to_owned(), &mut problems);
        let said = Said {
            what: "url",
            variable: self.url_env.as_deref(),
            file: self.url_file.as_deref(),
            secret: self.url_secret.as_deref(),
        };
        let url = match notify::given(&mut reader, &said, environment) {
            Some(Part::Here(url)) => {
                notify::address(&mut reader, url.expose_secret()).map(PingUrl::Known)
            }
            Some(Part::Vault(name)) => Some(PingUrl::Vault(name)),
            Some(Part::Nowhere) | None => None,
        };
        if problems.is_empty() {
            Ok(Ping {
                url,
                interval: self.interval,
                gateway: self.gateway,
            })
        } else {
            Err(problems)
        }
    }
}
