//! A Discord that runs on your own machine: REST over TLS, the gateway, people and their clients.
//!
//! A test starts one, points its bot at it and talks to the bot as a person would:
//!
//! ```no_run
//! # async fn example() -> Result<(), localcord::Error> {
//! let cord = localcord::Localcord::start(localcord::Options::default()).await?;
//! // … start the bot with `cord.token()`, `cord.rest_addr()` and `cord.ca_pem()` …
//! let olga = cord.user("olga");
//! let reply = olga.slash("stop").option("agent", "scout").send().await?;
//! assert_eq!(reply.text(), "scout stopped");
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod act;
mod client;
mod clock;
mod discord;
mod dispatches;
mod faults;
mod gateway;
mod guild;
mod ids;
mod journal;
mod limits;
mod model;
mod objects;
mod openapi;
mod people;
mod permissions;
mod random;
mod record;
mod rest;
mod route;
mod rules;
mod serve;
mod tasks;
mod text;
mod threads;
mod tls;

pub use self::{
    act::{Input, Refused},
    client::*,
    faults::Fault,
    guild::DEFAULT_GUILD,
    ids::Id,
    limits::RateLimits,
    record::Violation,
};
