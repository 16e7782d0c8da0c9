//! The integration tests: one binary.

mod doctor;
mod support;
