pub(crate) mod docker_host;
pub(crate) mod fake_engine;
pub(crate) mod scene;
