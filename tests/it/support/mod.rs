//! What the tests stand on: the real app, a local Discord, a real database, a fake engine and a clock that stands.

pub(crate) mod alarm;
pub(crate) mod clock;
pub(crate) mod contained;
pub(crate) mod detour;
pub(crate) mod disk;
pub(crate) mod docker_host;
pub(crate) mod errors;
pub(crate) mod evidence;
pub(crate) mod fake_engine;
pub(crate) mod gauge;
pub(crate) mod oracle;
pub(crate) mod program;
pub(crate) mod receiver;
pub(crate) mod registry;
pub(crate) mod scene;
pub(crate) mod tables;
pub(crate) mod talk;
pub(crate) mod test_app;
pub(crate) mod told;
pub(crate) mod web;
pub(crate) mod witness;
