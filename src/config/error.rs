//! What is wrong with the settings, and where each wrong value came from.

use std::{collections::BTreeMap, fmt, path::Path};

use crate::domain::problem::Problem;

/// Everything that is wrong; nothing was started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(pub Vec<Located>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// A problem and its place: a file, `--set` or the environment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Located {
    pub place: String,
    pub problem: Problem,
}

/// Where each key's value came from.
pub(super) struct Sources {
    file: String,
    others: BTreeMap<String, String>,
}

impl Sources {
    pub(super) fn new(path: Option<&Path>) -> Self {
        let file = path.map_or_else(|| "settings".to_owned(), |path| path.display().to_string());
        Self {
            file,
            others: BTreeMap::new(),
        }
    }

    /// The value of `key` is not the file's.
    pub(super) fn note(&mut self, key: &str, place: String) {
        self.others.insert(key.to_owned(), place);
    }

    pub(super) fn locate(&self, problems: Vec<Problem>) -> ConfigError {
        let located = problems.into_iter().map(|problem| Located {
            place: self.place(&problem.at),
            problem,
        });
        ConfigError(located.collect())
    }

    pub(super) fn refuse(&self, problems: Vec<Problem>) -> Result<(), ConfigError> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(self.locate(problems))
        }
    }

    pub(super) fn shape_error(
        &self,
        error: &serde_path_to_error::Error<toml::de::Error>,
    ) -> ConfigError {
        let path = error.path().to_string();
        // The path of a key without a name is empty.
        let at = if path.is_empty() { "the file" } else { &path };
        let problem = Problem::from_serde(at, error.inner().message());
        self.locate(vec![problem])
    }

    fn place(&self, key: &str) -> String {
        let is_variable = |c: char| c.is_ascii_uppercase() || c == '_';
        match self.others.get(key) {
            Some(place) => place.clone(),
            None if key.chars().all(is_variable) => "environment".to_owned(),
            None => self.file.clone(),
        }
    }
}
