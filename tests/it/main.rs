//! The integration tests: one binary.

// For clippy, which is easier on what it knows to be tests.
#![cfg(test)]

mod agents;
mod docker_engine;
mod docker_pull;
mod docs;
mod doctor;
mod engine_contract;
mod fake_engine;
mod support;
