//! The process's environment, read once. Any of its values may be a secret.

use std::{collections::BTreeMap, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// Variables by name; an empty one counts as not set, as compose passes those it has no value for.
pub struct Environment(BTreeMap<String, SecretString>);

impl Environment {
    /// Variables that are no UTF-8 are left out: none of ours can be.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// Where settings of one person are, by <https://specifications.freedesktop.org/basedir-spec/latest/>.
    pub fn config_home(&self) -> Option<PathBuf> {
        let given = self.get("XDG_CONFIG_HOME").map(PathBuf::from);
        given
            .filter(|folder| folder.is_absolute())
            .or_else(|| Some(PathBuf::from(self.get("HOME")?).join(".config")))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(SecretString::expose_secret)
    }

    /// The variables whose names begin with `prefix`, by the rest of their names.
    pub(super) fn with_prefix(&self, prefix: &str) -> BTreeMap<String, SecretString> {
        self.0
            .iter()
            .filter_map(|(name, value)| {
                let rest = name.strip_prefix(prefix).filter(|rest| !rest.is_empty())?;
                Some((rest.to_owned(), value.clone()))
            })
            .collect()
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name, SecretString::from(value)))
                .collect(),
        )
    }
}
