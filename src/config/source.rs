//! Where the settings came from, so that they can be read again.

use std::{collections::BTreeMap, path::PathBuf};

use super::{ConfigError, Environment, Settings, templates};
use crate::domain::{agent::Name, template::Template};

/// The file, `--set` and the environment of this process.
pub struct Source {
    pub path: Option<PathBuf>,
    /// Dotted key and value, as `--set` gives them.
    pub overrides: Vec<(String, String)>,
    pub environment: Environment,
}

impl Source {
    /// Reads settings and templates, or tells everything that is wrong with either.
    pub fn read(&self) -> Result<(Settings, BTreeMap<Name, Template>), ConfigError> {
        let settings = Settings::load(self.path.as_deref(), &self.overrides, &self.environment)?;
        let templates = templates::load(&settings.agents.templates)?;
        Ok((settings, templates))
    }
}
