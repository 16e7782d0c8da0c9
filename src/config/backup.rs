use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::problem::Problem;

/// Copies of the database.
#[derive(Clone, Debug)]
pub struct Backup {
    /// The folder; made if it is not there.
    pub dir: PathBuf,
    /// How many are kept: the oldest goes.
    pub keep: u32,
}

/// `[backup]` as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Section {
    /// The folder that copies of the database are put into; `backups` beside the database if left out.
    dir: Option<PathBuf>,
    /// How many copies are kept.
    #[schemars(range(min = 1, max = 1000))]
    keep: u32,
}

impl Default for Section {
    fn default() -> Self {
        Self { dir: None, keep: 7 }
    }
}

impl Section {
    pub(super) fn problems(&self) -> Option<Problem> {
        let keep = 1..=1000;
        (!keep.contains(&self.keep)).then(|| Problem::out_of_range("backup.keep", self.keep, &keep))
    }

    pub(super) fn settle(self, database: &Path) -> Backup {
        let beside = || database.with_file_name("backups");
        Backup {
            dir: self.dir.unwrap_or_else(beside),
            keep: self.keep,
        }
    }
}
