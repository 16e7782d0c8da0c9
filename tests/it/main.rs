//! The integration tests: one binary.

mod engine_contract;
mod support;
