//! Yardarm: a Discord control plane for fleets of containerised AI agents.
//!
//! The modules in reading order; `docs/architecture.md` tells how they fit.

pub mod cli;

pub mod app;
pub mod config;

pub mod discord;
pub mod http;
pub mod notify;
pub mod workers;

pub mod ops;

pub mod chart;
pub mod engine;
pub mod host;
pub mod probe;
pub mod store;
pub mod vault;

pub mod domain;

pub mod clock;
pub mod error;
pub mod files;
pub mod meters;
pub mod telemetry;
