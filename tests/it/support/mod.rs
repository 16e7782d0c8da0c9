pub(crate) mod docker_host;
pub(crate) mod fake_engine;
pub(crate) mod registry;
pub(crate) mod scene;
