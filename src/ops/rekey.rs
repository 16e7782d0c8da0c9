//! `yardarm secrets rekey`: the same values under another key.
//!
//! Order is all. The new key is in its file, on the disk, before the transaction that seals with it ends; it becomes
//! the key after that. [`crate::vault::rekey`] mends what is cut off between the two.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::secrets::place;
use crate::{
    config::Settings,
    domain::{
        audit::{Entry, Origin, What},
        secret::{KeyId, SecretId},
    },
    store::{
        self, Store, Tx, audit,
        secrets::{self as rows, Slot},
    },
    vault::{KeyError, KeySource, Vault, rekey::Successor},
};

/// Why all stays under the key in force; the text is for whoever is on the host.
#[derive(Debug, thiserror::Error)]
pub enum RekeyError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(
        "this database has no secrets: Yardarm was never started with it\nhint: `--config` and `database.path` say which one is meant"
    )]
    NeverStarted,
    #[error("secret {} does not open, so nothing was changed: its row is not what it was\nhint: set it anew by `/secret set`, or delete it, then try again", .0.0)]
    Tampered(SecretId),
    #[error("the database refused: {0}")]
    Store(#[from] store::Error),
}

/// What became of it.
#[derive(Debug)]
pub struct Rekeyed {
    pub values: usize,
    pub was: KeyId,
    pub is: KeyId,
    /// The key in force is in the file, not in the environment.
    pub in_file: bool,
}

/// Seals all values anew, with the key in `given` or one of its own. Needs the database for itself.
pub async fn rekey(
    store: &Store,
    settings: &Settings,
    given: Option<&Path>,
    now: DateTime<Utc>,
) -> Result<Rekeyed, RekeyError> {
    let instance = store.known_instance().await?;
    let instance = instance.ok_or(RekeyError::NeverStarted)?;
    let source = KeySource {
        file: &settings.vault.key_file,
        given: settings.vault.key.as_ref(),
    };
    let vault = Vault::unlock(source, &instance, &store.sealing_keys().await?)?;
    let next = Successor::of(&vault, source, given)?;
    let mut tx = store.begin().await?;
    let values = seal_anew(&mut tx, (&vault, &next.vault), now).await?;
    next.write()?;
    tx.commit().await?;
    Ok(Rekeyed {
        values,
        was: vault.id().clone(),
        is: next.vault.id().clone(),
        in_file: next.take_over()?.is_some(),
    })
}

/// Every value there is, or none; how many.
pub async fn seal_anew(
    tx: &mut Tx,
    (vault, next): (&Vault, &Vault),
    now: DateTime<Utc>,
) -> Result<usize, RekeyError> {
    let all = rows::all_sealed(tx).await?;
    for (secret, kept) in &all {
        let place = place(*secret, kept.version);
        let value = vault.open(place, &kept.sealed);
        let value = value.map_err(|_| RekeyError::Tampered(*secret))?;
        let slot = Slot {
            secret: *secret,
            version: kept.version,
        };
        rows::reseal(tx, slot, &next.seal(place, &value)).await?;
    }
    let entry = Entry {
        details: json!({ "was": vault.id().0, "is": next.id().0, "values": all.len() }),
        ..Entry::new(What::SecretsRekeyed, Origin::HOST)
    };
    audit::append(tx, &entry, now).await?;
    Ok(all.len())
}
