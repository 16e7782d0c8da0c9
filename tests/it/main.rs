//! The integration tests: one binary.

// For clippy, which is easier on what it knows to be tests.
#![cfg(test)]

mod docker_engine;
mod docker_pull;
mod engine_contract;
mod fake_engine;
mod support;
