//! A settings file: what is wrong is told with its place, and what is right tells no secret.
#![no_main]

use std::{path::Path, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use yardarm::config::{ConfigError, Environment, Settings};

/// Three parts, as Discord makes them, and a name for itself.
const TOKEN: &str = "localcord.123456789.planted-in-the-environment";

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fuzz_target!(|text: &str| {
    let file = FOLDER.path().join("yardarm.toml");
    std::fs::write(&file, text).expect("a file");
    match load(&file) {
        Ok(settings) => assert!(!format!("{settings:?}").contains(TOKEN)),
        Err(error) => assert_helpful(&error, text),
    }
});

/// With an environment that says nothing but who we are.
fn load(file: &Path) -> Result<Settings, ConfigError> {
    let token = ("DISCORD_TOKEN".to_owned(), TOKEN.to_owned());
    let guild = ("discord.guild".to_owned(), "7".to_owned());
    Settings::load(Some(file), &[guild], &Environment::from_iter([token]))
}

/// Somebody has to find the place and mend it.
fn assert_helpful(error: &ConfigError, text: &str) {
    assert!(!error.0.is_empty(), "refused without a word: {text}");
    for located in &error.0 {
        let problem = &located.problem;
        let all = [&located.place, &problem.at, &problem.message, &problem.hint];
        let said = all.iter().all(|text| !text.is_empty());
        assert!(said && problem.at != ".", "{all:?}");
    }
}
