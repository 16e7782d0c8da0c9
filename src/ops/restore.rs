//! `yardarm restore`: the database as a backup has it. What happened since is only in Discord and in the engine, so
//! that nothing may be sent, done or numbered as if it had not happened.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::json;

use super::{actions::close, backup::key_beside};
use crate::{
    config::Settings,
    domain::{
        action::State,
        audit::{
            Entry, Origin, What,
            chain::{Anchor, Broken},
        },
    },
    store::{
        self, OpenError, Store,
        actions::Ending,
        audit,
        backup::{Vacancy, leave_numbers_out},
        outbox,
    },
    vault::{KeyError, KeySource, Vault, passphrase},
};

/// More than a small team does between two backups.
const NUMBERS: i64 = 10_000;
const NOTE: &str = "Yardarm was restored from a backup that was made before this was decided; send the command again.";

/// Why nothing is restored; the text is for whoever is on the host.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("`{}` cannot be read: {cause}\nhint: name a file that `yardarm backup` made", .file.display())]
    Unreadable {
        file: PathBuf,
        cause: std::io::Error,
    },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the backup is damaged: {0}\nhint: take an older one")]
    Damaged(String),
    #[error(
        "the backup's audit is not what it was: {0}\nhint: take an older one, or `yardarm audit verify --database` tells more"
    )]
    Forged(Broken),
    #[error("the backup's secrets do not open: {0}")]
    Key(#[from] KeyError),
    #[error("the database refused: {0}")]
    Store(#[from] store::Error),
    #[error("the backup is good and could not be put in its place: {0}")]
    Unplaced(OpenError),
}

impl RestoreError {
    /// What is so now.
    pub const fn left(&self) -> &'static str {
        match self {
            Self::Unplaced(_) => {
                "the place holds one of the two databases, whole, and the vault's key may be back: restore again once that is mended"
            }
            _ => "nothing was changed",
        }
    }
}

/// What became of it.
#[derive(Debug)]
pub struct Restored {
    pub agents: usize,
    /// Where the audit of the backup ended.
    pub head: Option<Anchor>,
    /// Actions that waited for people or for their turn, and are void now.
    pub void: usize,
    /// The database that was there before.
    pub aside: Option<PathBuf>,
    /// The vault's key, where none was.
    pub key: Option<PathBuf>,
}

/// The sealed key beside the backup, if no other key is known: it takes its passphrase.
pub fn sealed_key(settings: &Settings, file: &Path) -> Option<PathBuf> {
    let known = settings.vault.key.is_some() || settings.vault.key_file.exists();
    Some(key_beside(file)).filter(|sealed| !known && sealed.exists())
}

/// Verifies the backup and puts it in the place of the database, which nobody may serve meanwhile. The passphrase opens the
/// [`sealed_key`].
pub async fn restore(
    settings: &Settings,
    file: &Path,
    passphrase: Option<&SecretString>,
    now: DateTime<Utc>,
) -> Result<Restored, RestoreError> {
    let key = match (sealed_key(settings, file), passphrase) {
        (Some(sealed), Some(passphrase)) => Some(passphrase::open(&sealed, passphrase)?),
        _ => None,
    };
    let place = Vacancy::hold(&settings.database.path)?;
    let copy = place
        .take_in(file)
        .map_err(|cause| RestoreError::Unreadable {
            file: file.to_owned(),
            cause,
        })?;
    let store = Store::open(&copy).await?;
    let prepared = prepare(&store, settings, key.as_ref(), now).await;
    store.close().await;
    let mut restored = prepared?;
    if let Some(key) = key {
        passphrase::put_back(&settings.vault.key_file, &key, &copy)?;
        restored.key = Some(settings.vault.key_file.clone());
    }
    let aside = format!(".before-{}", now.format("%Y%m%dT%H%M%SZ"));
    let filled = place.fill(&copy, &aside).await;
    restored.aside = filled.map_err(RestoreError::Unplaced)?;
    Ok(restored)
}

async fn prepare(
    store: &Store,
    settings: &Settings,
    key: Option<&SecretString>,
    now: DateTime<Utc>,
) -> Result<Restored, RestoreError> {
    if let Some(damage) = store.damage().await? {
        return Err(RestoreError::Damaged(damage));
    }
    let verdict = store.ledger().verify(&[]).await?;
    if let Some(broken) = verdict.broken {
        return Err(RestoreError::Forged(broken));
    }
    if let Some(instance) = store.known_instance().await? {
        let source = KeySource {
            file: &settings.vault.key_file,
            given: settings.vault.key.as_ref().or(key),
        };
        Vault::unlock(source, &instance, &store.sealing_keys().await?)?;
    }
    let void = set_apart(store, &verdict.head, now).await?;
    Ok(Restored {
        agents: store.agents().await?.len(),
        head: store.ledger().head().await?.map(|_| verdict.head),
        void,
        aside: None,
        key: None,
    })
}

/// Whatever was about to happen may have happened: nothing of it is done or sent unasked.
async fn set_apart(
    store: &Store,
    head: &Anchor,
    now: DateTime<Utc>,
) -> Result<usize, RestoreError> {
    let mut waiting = Vec::new();
    for state in [State::Asked, State::Pending] {
        for id in store.actions_in(state).await? {
            waiting.extend(store.action(id).await?.map(|action| (state, action)));
        }
    }
    let ending = Ending {
        state: State::Void,
        note: Some(NOTE.to_owned()),
    };
    let mut tx = store.begin().await?;
    for (state, action) in &waiting {
        close(&mut tx, action, (*state, &ending), now).await?;
    }
    outbox::doubt_all(&mut tx).await?;
    leave_numbers_out(&mut tx, NUMBERS).await?;
    let entry = Entry {
        details: json!({ "from": head.to_string(), "void": waiting.len() }),
        ..Entry::new(What::Restored, Origin::HOST)
    };
    audit::append(&mut tx, &entry, now).await?;
    tx.commit().await?;
    Ok(waiting.len())
}
