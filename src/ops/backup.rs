//! Copies of the database in a folder, of which the oldest go.

use std::{
    io,
    path::{Path, PathBuf},
};

use chrono::{DateTime, NaiveDateTime, Utc};
use secrecy::SecretString;
use tokio::{fs, io::AsyncWriteExt as _};

use super::Ops;
use crate::{
    config::{self, Backup, Settings},
    error::{Error, Result},
    files,
    store::Store,
    vault::{KeySource, passphrase},
};

const BEGINS: &str = "yardarm-";
const ENDS: &str = ".db";
/// Beside the copy, if a passphrase seals it.
const KEY_ENDS: &str = "key";
/// As in `20261121T033000Z`.
const STAMP: &str = "%Y%m%dT%H%M%SZ";

const ACCESS: &str = "give the user that runs Yardarm write access to `backup.dir`";

impl Ops {
    pub(super) async fn back_up(&self) -> Result<String> {
        let settings = self.settings();
        let passphrase = known_passphrase(&settings.backup)?;
        let file = back_up(&self.store, &settings, passphrase.as_ref(), self.now()).await?;
        Ok(format!("`{}`", file.display()))
    }
}

/// What the settings say seals the key.
pub fn known_passphrase(backup: &Backup) -> Result<Option<SecretString>> {
    let read = backup.passphrase.as_ref().map(config::Passphrase::read);
    read.transpose().map_err(|error| {
        Error::Unavailable(format!(
            "No copy was made: the passphrase cannot be read: {error}. Nothing else was changed; put it into the file that `backup.passphrase_file` names."
        ))
    })
}

/// What to do where the folder of copies cannot be written.
pub fn let_us_write(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
        // Shut by ProtectSystem= of our unit, or by `read_only` of our composition; no chown helps.
        "open `backup.dir` to Yardarm: `ReadWritePaths=` by `systemctl edit yardarm`, or a mount of it in docker-compose.yml"
    } else {
        ACCESS
    }
}

/// Where the copy of the key is that belongs to a copy of the database, if it was made with a passphrase.
pub fn key_beside(file: &Path) -> PathBuf {
    file.with_extension(KEY_ENDS)
}

/// Copies the database into the folder of the settings; returns the file. It holds sealed secrets and who did what, so
/// nobody but the database's owner may read it, nor the parts of it while it is made. With a passphrase, the vault's key is
/// beside it before it is there.
pub async fn back_up(
    store: &Store,
    settings: &Settings,
    passphrase: Option<&SecretString>,
    now: DateTime<Utc>,
) -> Result<PathBuf> {
    let backup = &settings.backup;
    let key = passphrase.map(|passphrase| sealed_key(settings, passphrase));
    let key = key.transpose()?;
    let name = format!("{BEGINS}{}{ENDS}", now.format(STAMP));
    let (file, partial) = (
        backup.dir.join(&name),
        backup.dir.join(format!(".{name}.partial")),
    );
    let unwritable = |cause: &dyn std::fmt::Display, next| {
        Error::Unavailable(format!(
            "No copy was made: `{}` cannot be written: {cause}. Nothing else was changed; {next}.",
            backup.dir.display()
        ))
    };
    let unmade = |error: io::Error| unwritable(&error, let_us_write(&error));
    let prepared = prepare(&partial, &settings.database.path).await;
    prepared.map_err(unmade)?;
    let copied = store.copy_into(&partial).await;
    copied.map_err(|error| unwritable(&error, ACCESS))?;
    if let Some(key) = key {
        let written = write_key(&key_beside(&file), &key, &settings.database.path).await;
        written.map_err(unmade)?;
    }
    let settled = settle(&partial, &file, (backup, now)).await;
    settled.map_err(unmade)?;
    Ok(file)
}

fn sealed_key(settings: &Settings, passphrase: &SecretString) -> Result<String> {
    let source = KeySource {
        file: &settings.vault.key_file,
        given: settings.vault.key.as_ref(),
    };
    passphrase::seal(source, passphrase)
        .map_err(|error| Error::Unavailable(format!("No copy was made: {error}")))
}

/// `SQLite` copies into an empty file, too, and leaves it to its owner.
async fn prepare(partial: &Path, like: &Path) -> io::Result<()> {
    files::make_folder(files::folder_of(partial), like)?;
    remove(partial).await?;
    files::make(partial, like).map(drop)
}

/// It may be there: of a copy that was cut off.
async fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives the copy its name once it is whole and on the disk, and removes the oldest.
async fn settle(
    partial: &Path,
    file: &Path,
    (backup, now): (&Backup, DateTime<Utc>),
) -> io::Result<()> {
    fs::File::open(partial).await?.sync_all().await?;
    fs::rename(partial, file).await?;
    fs::File::open(&backup.dir).await?.sync_all().await?;
    let mut copies = copies(&backup.dir, now).await?;
    let surplus = copies.len().saturating_sub(backup.keep as usize);
    for oldest in copies.drain(..surplus) {
        remove(&key_beside(&oldest)).await?;
        fs::remove_file(oldest).await?;
    }
    Ok(())
}

async fn write_key(file: &Path, text: &str, like: &Path) -> io::Result<()> {
    remove(file).await?;
    let mut opened = fs::File::from_std(files::make(file, like)?);
    opened.write_all(text.as_bytes()).await?;
    opened.sync_all().await
}

/// When the newest copy in a folder was made, if there is any.
pub(super) async fn newest(dir: &Path, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let copies = copies(dir, now).await.ok()?;
    made_at(copies.last()?)
}

fn made_at(copy: &Path) -> Option<DateTime<Utc>> {
    stamp(copy.file_name()?.to_str()?)
}

/// When a copy of this name was made; None if the name is none of ours.
fn stamp(name: &str) -> Option<DateTime<Utc>> {
    let stamp = name.strip_prefix(BEGINS)?.strip_suffix(ENDS)?;
    let at = NaiveDateTime::parse_from_str(stamp, STAMP).ok()?;
    Some(at.and_utc())
}

/// What we have put there and nothing else, the oldest first. What seems to be of a time to come was made while the clock was
/// ahead: before all others.
async fn copies(dir: &Path, now: DateTime<Utc>) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut entries = fs::read_dir(dir).await?;
    while let Some(entry) = entries.next_entry().await? {
        if stamp(&entry.file_name().to_string_lossy()).is_some() {
            found.push(entry.path());
        }
    }
    found.sort_by_key(|copy| {
        let at = made_at(copy);
        (at <= Some(now), at)
    });
    Ok(found)
}
