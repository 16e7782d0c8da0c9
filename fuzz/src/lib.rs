//! What several targets stand on.

pub mod cord;
pub mod values;
