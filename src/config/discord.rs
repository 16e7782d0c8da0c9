use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Environment, Purpose, seconds, snowflake::Snowflake};
use crate::domain::{
    ids::{ChannelId, GuildId},
    problem::Problem,
};

/// The one guild we serve, and how we get in.
#[derive(Clone, Debug)]
pub struct Discord {
    pub guild: GuildId,
    /// Empty for a command on the host, which connects to nobody.
    pub token: SecretString,
    /// None for the real Discord.
    pub endpoint: Option<Endpoint>,
    /// Where reports go that answer nobody.
    pub ops_channel: Option<ChannelId>,
    /// How long the gateway may be away before the process ends; zero for ever.
    pub gateway_dead: Duration,
}

/// A local Discord: `discord.com` resolves to `address` and only `ca_file` is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: SocketAddr,
    pub ca_file: PathBuf,
}

/// `[discord]` as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Section {
    /// The id of the only guild we serve; required.
    guild: Option<Snowflake>,
    /// A file that holds the bot's token, unless `DISCORD_TOKEN` does.
    token_file: Option<PathBuf>,
    /// Where a local Discord listens; needs `ca_file`.
    #[schemars(with = "Option<String>")]
    endpoint: Option<SocketAddr>,
    /// The certificate authority of a local Discord, in PEM.
    ca_file: Option<PathBuf>,
    /// The id of the channel for reports that answer nobody.
    ops_channel: Option<Snowflake>,
    /// Seconds the gateway may be away while the rest of Discord answers, before the process ends to be started again; 0:
    /// for ever.
    #[serde(rename = "gateway_dead_s", with = "seconds")]
    #[schemars(with = "u32", range(max = 86_400))]
    gateway_dead: Duration,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            guild: None,
            token_file: None,
            endpoint: None,
            ca_file: None,
            ops_channel: None,
            gateway_dead: Duration::from_mins(10),
        }
    }
}

const TOKEN_HINT: &str = "export `DISCORD_TOKEN` (`set -a; . ./.env; set +a`, if `.env` has it), or name a file that holds the \
     token by `discord.token_file` or `DISCORD_TOKEN_FILE`";

/// A token in the file or on the command line is taken out and refused, without repeating it.
pub(super) fn refuse_token(table: &mut toml::Table) -> Option<Problem> {
    let section = table.get_mut("discord")?.as_table_mut()?;
    section.remove("token").map(|_| {
        let message = "a token does not belong into settings, where it is copied and committed";
        Problem::new("discord.token", message, TOKEN_HINT)
    })
}

impl Section {
    pub(super) const fn home(&self) -> Option<Snowflake> {
        self.guild
    }

    pub(super) fn settle(
        self,
        environment: &Environment,
        purpose: Purpose,
    ) -> Result<Discord, Vec<Problem>> {
        let mut problems = Vec::new();
        if self.guild.is_none() {
            problems.push(Problem::new(
                "discord.guild",
                "is missing",
                "give the id of your server: in Developer Mode, right-click it and Copy Server ID",
            ));
        }
        problems.extend(seconds::outside(
            "discord.gateway_dead_s",
            self.gateway_dead,
            &(0..=86_400),
        ));
        let token = match purpose {
            Purpose::Serve => token(environment, self.token_file.as_deref()).map(Some),
            Purpose::Host => Ok(None),
        };
        let token = token.map_err(|problem| problems.push(problem));
        let endpoint = match (self.endpoint, self.ca_file) {
            (Some(address), Some(ca_file)) => Some(Endpoint { address, ca_file }),
            (None, None) => None,
            (address, _) => {
                let (there, other) = if address.is_some() {
                    ("discord.endpoint", "discord.ca_file")
                } else {
                    ("discord.ca_file", "discord.endpoint")
                };
                let message = format!("needs `{other}`");
                problems.push(Problem::new(there, message, "set both or none"));
                return Err(problems);
            }
        };
        if let Ok(Some((at, token))) = &token {
            problems.extend(mismatch(at, token, endpoint.as_ref()));
        }
        match (self.guild, token) {
            (Some(guild), Ok(token)) if problems.is_empty() => Ok(Discord {
                guild: GuildId(guild.0),
                token: token.map(|(_, token)| token).unwrap_or_default(),
                endpoint,
                ops_channel: self.ops_channel.map(|id| ChannelId(id.0)),
                gateway_dead: self.gateway_dead,
            }),
            _ => Err(problems),
        }
    }
}

/// The token, and the key or variable it came by.
fn token(
    environment: &Environment,
    file: Option<&Path>,
) -> Result<(&'static str, SecretString), Problem> {
    const VARIABLE: &str = "DISCORD_TOKEN";
    const KEY: &str = "discord.token_file";
    let (at, text) = match (environment.get(VARIABLE), file) {
        (Some(token), _) => (VARIABLE, token.to_owned()),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                let message = format!("`{}` cannot be read: {error}", path.display());
                Problem::new(KEY, message, TOKEN_HINT)
            })?;
            (KEY, text)
        }
        (None, None) => return Err(Problem::new(VARIABLE, "is not set", TOKEN_HINT)),
    };
    let text = text.trim();
    let parts: Vec<&str> = text.split('.').collect();
    let plain = |part: &&str| {
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=');
        !part.is_empty() && part.chars().all(letter)
    };
    if parts.len() == 3 && parts.iter().all(plain) {
        Ok((at, SecretString::from(text)))
    } else {
        let hint = "it has three parts with dots between them: Developer Portal → your \
                    application → Bot → Reset Token";
        Err(Problem::new(at, "does not hold a bot's token", hint))
    }
}

/// A real token must never be sent to a local endpoint, nor a local one to Discord.
fn mismatch(at: &str, token: &SecretString, endpoint: Option<&Endpoint>) -> Option<Problem> {
    match (is_local(token), endpoint) {
        (true, None) => Some(Problem::new(
            at,
            "holds a token of a local Discord, and `discord.endpoint` is not set",
            "set `discord.endpoint` and `discord.ca_file`, or use the token of a real bot",
        )),
        (false, Some(endpoint)) => Some(Problem::new(
            "discord.endpoint",
            format!(
                "`{}` would be sent the token of a real bot",
                endpoint.address
            ),
            "leave `discord.endpoint` and `discord.ca_file` out, or use localcord's token",
        )),
        _ => None,
    }
}

/// localcord's tokens begin with its name; Discord's begin with the bot's id in base64.
fn is_local(token: &SecretString) -> bool {
    token.expose_secret().starts_with("localcord.")
}
