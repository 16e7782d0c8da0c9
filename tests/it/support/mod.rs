pub(crate) mod fake_engine;
