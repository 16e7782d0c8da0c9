use std::time::Duration;

use crate::{guild::DEFAULT_GUILD, limits::RateLimits};

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The guild file's text.
    pub guild: String,
    /// The port of REST over TLS; 0 takes a free one.
    pub rest_port: u16,
    /// The port of the page, the script interface and the gateway; 0 takes a free one.
    pub people_port: u16,
    /// The bot's token; `None` makes one.
    pub token: Option<String>,
    /// What pages and scripts must show; `None` makes one.
    pub people_token: Option<String>,
    /// Messages of an earlier server, see [`Localcord::messages_json`](super::Localcord::messages_json).
    pub messages: Option<String>,
    /// Whether rate limits are shown and kept.
    pub rate_limits: RateLimits,
    /// Whether calls are checked against Discord's `OpenAPI` file, and what is recorded must be looked at, see
    /// [`Localcord::finish`](super::Localcord::finish).
    pub validate: bool,
    /// How often a bot must send a heartbeat.
    pub heartbeat: Duration,
    /// A client that falls silent for so long in the middle of a request, or takes nothing from the gateway, is let go.
    pub silence: Duration,
    /// How long the test API waits, in real time, for what a test expects.
    pub patience: Duration,
}

impl Default for Options {
    /// What a test wants: free ports, no rate limits, every call checked.
    fn default() -> Self {
        Self {
            guild: DEFAULT_GUILD.to_owned(),
            rest_port: 0,
            people_port: 0,
            token: None,
            people_token: None,
            messages: None,
            rate_limits: RateLimits::Off,
            validate: true,
            heartbeat: Duration::from_millis(41_250),
            silence: Duration::from_secs(30),
            patience: Duration::from_secs(20),
        }
    }
}
