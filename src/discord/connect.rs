//! The way to Discord's REST interface, real or local.
//!
//! serenity's own `proxy` works only with its rate limiter off and silently calls the real Discord
//! otherwise. So for a local Discord the HTTP client resolves `discord.com` to it and trusts nobody
//! but it: URL, TLS and rate limiter stay as they are.

use std::{path::PathBuf, time::Duration};

use reqwest::{Certificate, Client};
use secrecy::ExposeSecret as _;
use serenity::{
    builder::CreateAllowedMentions,
    http::{Http, HttpBuilder},
};

use crate::config::Discord;

/// serenity has no time-out of its own: a call would wait as long as the server does.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "`{path}` cannot be read\nhint: name localcord's certificate authority by `discord.ca_file`; it is made anew at each start"
    )]
    CaFile {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "`{path}` holds no certificate\nhint: name localcord's certificate authority by `discord.ca_file`"
    )]
    Certificate { path: PathBuf },
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
}

/// The HTTP client that both of the following share.
pub fn client(discord: &Discord) -> Result<Client, ConnectError> {
    let mut builder = Client::builder().use_rustls_tls().timeout(TIMEOUT);
    if let Some(endpoint) = &discord.endpoint {
        let path = || endpoint.ca_file.clone();
        let pem = std::fs::read(&endpoint.ca_file).map_err(|source| ConnectError::CaFile {
            path: path(),
            source,
        })?;
        let bundle = Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|bundle| !bundle.is_empty())
            .ok_or_else(|| ConnectError::Certificate { path: path() })?;
        for certificate in bundle {
            builder = builder.add_root_certificate(certificate);
        }
        // A proxy from the environment would resolve the name itself, and reach the real Discord.
        builder = builder
            .tls_built_in_root_certs(false)
            .resolve("discord.com", endpoint.address)
            .no_proxy();
    }
    builder.build().map_err(ConnectError::Client)
}

/// For everything but [`replies`]: it waits where Discord's rate limits say so.
pub fn http(discord: &Discord, client: Client) -> Http {
    builder(discord, client).build()
}

/// For callbacks, follow-ups and edits of interactions, whose limits serenity gets wrong. It keeps one bucket for all
/// edits where Discord has one per interaction, and 20 people would wait for each other; and it keeps one for each
/// callback, for ever. Whoever uses it retries on 429.
pub fn replies(discord: &Discord, client: Client) -> Http {
    builder(discord, client).ratelimiter_disabled(true).build()
}

fn builder(discord: &Discord, client: Client) -> HttpBuilder {
    HttpBuilder::new(discord.token.expose_secret())
        .client(client)
        .default_allowed_mentions(CreateAllowedMentions::new())
}
