//! The integration tests: one binary.

mod agents;
mod doctor;
mod support;
