//! Pure rules: no I/O, no clock, nothing of our other modules.

pub mod agent;
pub mod finding;
pub mod ids;
pub mod nearest;
pub mod problem;
pub mod spec;
pub mod template;
