use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::problem::{Problem, shown};

/// Secrets as files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// Where the files are laid out: a folder on a tmpfs, which the engine's host must see under the same path.
    pub dir: PathBuf,
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("/run/yardarm/secrets"),
        }
    }
}

impl Secrets {
    pub(super) fn problems(&self) -> Option<Problem> {
        // The engine is asked for it from another folder than ours, or from another container.
        (!self.dir.is_absolute()).then(|| {
            let message = format!(
                "{} is no absolute path",
                shown(&self.dir.display().to_string())
            );
            Problem::new("secrets.dir", message, "begin it with `/`")
        })
    }
}
