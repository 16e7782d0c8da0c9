//! The integration tests: one binary.

// For clippy, which is easier on what it knows to be tests.
#![cfg(test)]

mod adopt;
mod agents;
mod alerts;
mod allowances;
mod approvals;
mod asks;
mod audit;
mod audit_told;
mod audit_verify;
mod autocomplete;
mod boards;
mod crash;
mod crowd;
mod deploy;
mod deploy_forms;
mod docker_engine;
mod docker_freeze;
mod docker_pull;
mod docker_secrets;
mod docker_stats;

mod dockerd;
mod docs;
mod doctor;
mod engine_contract;
mod fake_engine;
mod fleets;
mod freeze;
mod grants;
mod host_rights;
mod hostile;
mod logs;
mod matrix;
mod notify;
mod outbox;
mod policies;
mod probes;
mod quorum;
mod recovery;
mod rekey;
mod reload;
mod replace;
mod rights;
mod schedules;
mod secrets;
mod sequences;
mod soak;
mod stats;
mod status;
mod store;
mod store_schedules;
mod store_secrets;
mod storms;
mod support;
mod templates;
mod vitals;
mod walk;
