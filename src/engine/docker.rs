//! Docker on one host.
