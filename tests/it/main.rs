//! The integration tests: one binary.

mod docker_engine;
mod engine_contract;
mod fake_engine;
mod support;
