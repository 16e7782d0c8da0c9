use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::Environment;

/// The key that secrets are sealed with.
#[derive(Clone, Debug)]
pub struct Vault {
    /// Made at the first start if it is not there.
    pub key_file: PathBuf,
    /// The key itself, which then is in no file.
    pub key: Option<SecretString>,
}

/// `[vault]` as it is written.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Section {
    /// The file with the key, unless `YARDARM_VAULT_KEY` holds it; beside the database if left out.
    key_file: Option<PathBuf>,
}

impl Section {
    pub(super) fn settle(self, environment: &Environment, database: &Path) -> Vault {
        let beside = || database.with_extension("key");
        Vault {
            key_file: self.key_file.unwrap_or_else(beside),
            key: environment.get("YARDARM_VAULT_KEY").map(SecretString::from),
        }
    }
}
