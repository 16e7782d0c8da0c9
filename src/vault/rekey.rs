//! Another key: written beside the one in force before anything is sealed with it, and put in its place after all is.
//!
//! Whatever ends the process between the two, the rows say which of both files is the key, and the next start renames
//! the new one if it is. It deletes neither.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use chacha20poly1305::{Key, aead::Generate as _};

use super::{KeyError, KeySource, Vault, read, sync_folder, unwritable, write};
use crate::domain::{ids::InstanceId, secret::KeyId};

/// A key that is to take the place of the one in force.
pub struct Successor {
    key: Key,
    /// Seals with it.
    pub vault: Vault,
    /// Where the key in force is; None if the environment gives it.
    file: Option<PathBuf>,
}

impl Successor {
    /// Drawn at random, or the one in `given`. If the environment gives the key in force, it has to be `given`: nobody
    /// could be told another one.
    pub fn of(
        vault: &Vault,
        source: KeySource<'_>,
        given: Option<&Path>,
    ) -> Result<Self, KeyError> {
        let key = match (given, source.given) {
            (Some(given), _) => read(given)?.ok_or_else(|| KeyError::Unreadable {
                file: given.to_owned(),
                cause: io::ErrorKind::NotFound.into(),
            })?,
            (None, Some(_)) => return Err(KeyError::Given),
            (None, None) => Key::generate(),
        };
        let next = Vault::new(&key, &vault.instance);
        if next.id == vault.id {
            return Err(KeyError::Same {
                place: given.map_or_else(String::new, |file| format!("`{}`", file.display())),
                has: next.id,
            });
        }
        Ok(Self {
            key,
            vault: next,
            file: source.given.is_none().then(|| settled(source.file)),
        })
    }

    /// Before what is sealed with it counts: from then on it must not be lost.
    pub fn write(&self) -> Result<(), KeyError> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let new = beside(file);
        match write(&new, &self.key, file) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(KeyError::Left { file: new })
            }
            written => written.map_err(unwritable(&new)),
        }
    }

    /// After what is sealed with it counts. The file that holds the key now; None if the environment does.
    pub fn take_over(&self) -> Result<Option<&Path>, KeyError> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        rename(file)?;
        Ok(Some(file))
    }
}

/// Ends a rekeying that was cut off after the rows were sealed anew. A new key that nothing is sealed with stays.
pub(super) fn finish(
    file: &Path,
    instance: &InstanceId,
    sealed_with: &[KeyId],
) -> Result<(), KeyError> {
    let file = settled(file);
    let new = beside(&file);
    if !new.try_exists().unwrap_or(true) {
        return Ok(());
    }
    let fits = |key: Key| {
        let id = Vault::new(&key, instance).id;
        !sealed_with.is_empty() && sealed_with.iter().all(|needed| *needed == id)
    };
    // Cut off while it was written, it may be half a key.
    if read(&new).ok().flatten().is_some_and(fits) {
        rename(&file)?;
        tracing::warn!(file = %file.display(), "ended a rekeying that was cut off; back the vault's key file up anew");
    } else {
        tracing::warn!(file = %new.display(), "a new key that nothing is sealed with was left by a rekeying that was cut off: delete it");
    }
    Ok(())
}

fn rename(file: &Path) -> Result<(), KeyError> {
    let renamed = fs::rename(beside(file), file).and_then(|()| sync_folder(file));
    renamed.map_err(unwritable(file))
}

fn beside(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".new");
    name.into()
}

/// What a link leads to: a link that was renamed over would leave the old key where it is.
fn settled(file: &Path) -> PathBuf {
    fs::canonicalize(file).unwrap_or_else(|_| file.to_owned())
}

#[cfg(test)]
mod tests;
