//! Copies of the database in a folder, of which the oldest go.

use std::{
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use tokio::fs;

use super::Ops;
use crate::{
    config::Backup,
    error::{Error, Result},
    store::Store,
};

const BEGINS: &str = "yardarm-";
const ENDS: &str = ".db";
/// As in `20261121T033000Z`.
const STAMP: &str = "%Y%m%dT%H%M%SZ";

impl Ops {
    pub(super) async fn back_up(&self) -> Result<String> {
        let file = back_up(&self.store, &self.settings().backup, self.now()).await?;
        Ok(format!("`{}`", file.display()))
    }
}

/// Copies the database into the folder of the settings; returns the file. It holds sealed secrets and who did what, so
/// nobody else may read it.
pub async fn back_up(store: &Store, backup: &Backup, now: DateTime<Utc>) -> Result<PathBuf> {
    let name = format!("{BEGINS}{}{ENDS}", now.format(STAMP));
    let (file, partial) = (
        backup.dir.join(&name),
        backup.dir.join(format!(".{name}.partial")),
    );
    let unwritable = |cause: &dyn std::fmt::Display| {
        Error::Unavailable(format!(
            "No copy was made: `{}` cannot be written: {cause}. Nothing else was changed; give the user that runs Yardarm write access to `backup.dir`.",
            backup.dir.display()
        ))
    };
    prepare(&backup.dir, &partial)
        .await
        .map_err(|error| unwritable(&error))?;
    store
        .copy_into(&partial)
        .await
        .map_err(|error| unwritable(&error))?;
    let settled = settle(&partial, &file, backup).await;
    settled.map_err(|error| unwritable(&error))?;
    Ok(file)
}

async fn prepare(dir: &Path, partial: &Path) -> io::Result<()> {
    if !fs::try_exists(dir).await? {
        fs::create_dir_all(dir).await?;
        fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).await?;
    }
    // Of a copy that was cut off.
    match fs::remove_file(partial).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives the copy its name once it is whole, and removes the oldest.
async fn settle(partial: &Path, file: &Path, backup: &Backup) -> io::Result<()> {
    fs::set_permissions(partial, std::fs::Permissions::from_mode(0o600)).await?;
    fs::rename(partial, file).await?;
    let mut copies = copies(&backup.dir).await?;
    let surplus = copies.len().saturating_sub(backup.keep as usize);
    for oldest in copies.drain(..surplus) {
        fs::remove_file(oldest).await?;
    }
    Ok(())
}

/// What we have put there and nothing else, the oldest first.
async fn copies(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut entries = fs::read_dir(dir).await?;
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name().to_string_lossy().into_owned();
        let stamp = name
            .strip_prefix(BEGINS)
            .and_then(|rest| rest.strip_suffix(ENDS));
        if stamp.is_some_and(|stamp| chrono::NaiveDateTime::parse_from_str(stamp, STAMP).is_ok()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
