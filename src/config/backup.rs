use std::{
    io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::Environment;
use crate::domain::problem::Problem;

/// Copies of the database.
#[derive(Clone, Debug)]
pub struct Backup {
    /// The folder; made if it is not there.
    pub dir: PathBuf,
    /// How many are kept: the oldest goes.
    pub keep: u32,
    /// What seals the vault's key, so that it can lie beside each copy; None leaves it out.
    pub passphrase: Option<Passphrase>,
}

/// Where a passphrase is.
#[derive(Clone, Debug)]
pub enum Passphrase {
    /// Read whenever it is needed.
    File(PathBuf),
    Given(SecretString),
}

impl Passphrase {
    /// Without line ends around it; one that is empty is an error.
    pub fn read(&self) -> io::Result<SecretString> {
        let file = match self {
            Self::Given(passphrase) => return Ok(passphrase.clone()),
            Self::File(file) => file,
        };
        let named = |why: &dyn std::fmt::Display| format!("`{}` {why}", file.display());
        let text = std::fs::read_to_string(file)
            .map_err(|error| io::Error::new(error.kind(), named(&error)))?;
        match text.trim_matches(['\r', '\n']) {
            "" => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                named(&"is empty"),
            )),
            passphrase => Ok(SecretString::from(passphrase)),
        }
    }
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
    /// A file with a passphrase that seals the vault's key, which then is beside each copy; `YARDARM_BACKUP_PASSPHRASE` beats
    /// it.
    passphrase_file: Option<PathBuf>,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            dir: None,
            keep: 7,
            passphrase_file: None,
        }
    }
}

impl Section {
    pub(super) fn problems(&self) -> Option<Problem> {
        let keep = 1..=1000;
        (!keep.contains(&self.keep)).then(|| Problem::out_of_range("backup.keep", self.keep, &keep))
    }

    pub(super) fn settle(self, environment: &Environment, database: &Path) -> Backup {
        let beside = || database.with_file_name("backups");
        let given = environment.get("YARDARM_BACKUP_PASSPHRASE");
        let given = given.map(|passphrase| Passphrase::Given(passphrase.into()));
        Backup {
            dir: self.dir.unwrap_or_else(beside),
            keep: self.keep,
            passphrase: given.or(self.passphrase_file.map(Passphrase::File)),
        }
    }
}
