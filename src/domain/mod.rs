//! Pure rules: no I/O, no clock, nothing of our other modules.

pub mod action;
pub mod agent;
pub mod approval;
pub mod audit;
pub mod event;
pub mod finding;
pub mod fleet;
pub mod freeze;
pub mod grant;
pub mod ids;
pub mod log;
pub mod nearest;
pub mod outbox;
pub mod pattern;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod redact;
pub mod report;
pub mod schedule;
pub mod secret;
pub mod spec;
pub mod template;
pub mod throttle;
pub mod view;
pub mod zone;
