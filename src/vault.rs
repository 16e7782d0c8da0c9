//! The key; sealing and opening secrets with it.
//!
//! XChaCha20-Poly1305, whose nonces are long enough to be drawn at random. Each value is bound to the row it is
//! kept in, so that whoever can write the database cannot move one secret into the place of another.

pub mod handout;
pub mod passphrase;
pub mod rekey;

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose};
use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Generate as _, Payload},
};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::{
    domain::{
        ids::InstanceId,
        secret::{KeyId, Sealed},
    },
    files,
};

/// Bytes in a key.
const KEY_BYTES: usize = 32;
/// Bytes before each ciphertext.
const NONCE_BYTES: usize = 24;

/// Where the key is.
#[derive(Clone, Copy, Debug)]
pub struct KeySource<'a> {
    /// Made if it is not there and nothing was ever sealed.
    pub file: &'a Path,
    /// The key itself, from the environment; the file is not looked at then.
    pub given: Option<&'a SecretString>,
}

/// The row and column that a value is sealed for.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub secret: i64,
    pub version: i64,
    pub column: &'static str,
}

/// Why the key cannot be used; the text is for whoever starts the process, and never holds a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the vault's key file `{}` cannot be read: {cause}\nhint: give it to the user that runs Yardarm, with mode 0600", .file.display())]
    Unreadable { file: PathBuf, cause: io::Error },
    #[error("the vault's key file `{}` cannot be written: {cause}\nhint: make its folder writable, or name another file by `vault.key_file`", .file.display())]
    Unwritable { file: PathBuf, cause: io::Error },
    #[error(
        "{place} holds no key\nhint: a key is 32 bytes in hexadecimal or base64: `openssl rand -hex 32` makes one"
    )]
    Malformed { place: String },
    #[error("the vault's key file `{}` is missing, and secrets are sealed with key {key}\nhint: put it back from your backup, or name it by `vault.key_file`", .file.display())]
    Missing { file: PathBuf, key: KeyId },
    #[error("the vault's key file `{}` is missing\nhint: put it back from your backup, or name it by `vault.key_file`", .file.display())]
    Absent { file: PathBuf },
    #[error("`{}` holds no key that is sealed by a passphrase\nhint: it lies beside a copy that was made with one", .file.display())]
    NotSealed { file: PathBuf },
    #[error("`{}` does not open: the passphrase is another one, or the file was changed\nhint: it is the one that was in force when the copy was made", .file.display())]
    Closed { file: PathBuf },
    #[error("`{}` is there: a new key that nothing is sealed with, left by a rekeying that was cut off\nhint: delete it, then try again", .file.display())]
    Left { file: PathBuf },
    #[error(
        "the key comes from `YARDARM_VAULT_KEY`, which Yardarm cannot change\nhint: make a new one (`openssl rand -hex 32 > FILE`), call this with `--new-key-file FILE`, then put it there"
    )]
    Given,
    #[error(
        "{place} holds key {has}, which is the one in force\nhint: `openssl rand -hex 32` makes another"
    )]
    Same { place: String, has: KeyId },
    #[error(
        "{place} holds key {has}, and secrets are sealed with key {needs}\nhint: put the right key back from your backup, or name its file by `vault.key_file`"
    )]
    Wrong {
        place: String,
        has: KeyId,
        needs: KeyId,
    },
}

/// A sealed value that this key does not open: it was changed, or it is of another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open: it was changed, or moved from another row")]
pub struct Tampered;

/// The key of one instance, ready for use.
pub struct Vault {
    cipher: XChaCha20Poly1305,
    /// A key of its own for fingerprints, so that these never tell anything about the first.
    fingerprints: Hmac<Sha256>,
    id: KeyId,
    instance: InstanceId,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Finds the key that opens what was `sealed_with`, or makes one if nothing was ever sealed.
    pub fn unlock(
        source: KeySource<'_>,
        instance: &InstanceId,
        sealed_with: &[KeyId],
    ) -> Result<Self, KeyError> {
        if let Some(given) = source.given {
            let place = "`YARDARM_VAULT_KEY`".to_owned();
            let key = decode(given.expose_secret(), &place)?;
            return Self::fitting(&key, instance, sealed_with, place);
        }
        let file = source.file;
        rekey::finish(file, instance, sealed_with)?;
        let key = match (read(file)?, sealed_with.first()) {
            (Some(key), _) => key,
            (None, Some(key)) => {
                return Err(KeyError::Missing {
                    file: file.to_owned(),
                    key: key.clone(),
                });
            }
            (None, None) => make(file)?,
        };
        let place = format!("the vault's key file `{}`", file.display());
        Self::fitting(&key, instance, sealed_with, place)
    }

    fn fitting(
        key: &Key,
        instance: &InstanceId,
        sealed_with: &[KeyId],
        place: String,
    ) -> Result<Self, KeyError> {
        let vault = Self::new(key, instance);
        match sealed_with.iter().find(|needed| **needed != vault.id) {
            None => Ok(vault),
            Some(needed) => Err(KeyError::Wrong {
                place,
                has: vault.id,
                needs: needed.clone(),
            }),
        }
    }

    fn new(key: &Key, instance: &InstanceId) -> Self {
        let id = derive(key, "yardarm key id");
        let id = id.get(..8).unwrap_or_default();
        Self {
            cipher: XChaCha20Poly1305::new(key),
            fingerprints: mac(&derive(key, "yardarm fingerprints")),
            id: KeyId(hex::encode(id)),
            instance: instance.clone(),
        }
    }

    /// Which key this is.
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// Seals `value` for that place and no other.
    pub fn seal(&self, place: Place, value: &SecretString) -> Sealed {
        let nonce = XNonce::generate();
        let payload = Payload {
            msg: value.expose_secret().as_bytes(),
            aad: &self.bound_to(place),
        };
        let mut bytes = nonce.to_vec();
        // It refuses nothing but texts of more than 256 GiB.
        bytes.extend(self.cipher.encrypt(&nonce, payload).unwrap_or_default());
        Sealed {
            key: self.id.clone(),
            bytes,
        }
    }

    /// Opens what was sealed for that place.
    pub fn open(&self, place: Place, sealed: &Sealed) -> Result<SecretString, Tampered> {
        let (nonce, ciphertext) = sealed.bytes.split_at_checked(NONCE_BYTES).ok_or(Tampered)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| Tampered)?;
        let payload = Payload {
            msg: ciphertext,
            aad: &self.bound_to(place),
        };
        let plain = self.cipher.decrypt(&nonce, payload).map_err(|_| Tampered)?;
        String::from_utf8(plain)
            .map(SecretString::from)
            .map_err(|_| Tampered)
    }

    /// A fingerprint of a named value, in hexadecimal: equal for equal values, and of no use without the key.
    pub fn hmac(&self, name: &str, value: &str) -> String {
        let mut mac = self.fingerprints.clone();
        mac.update(&length(name));
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// Each part with its length before it, so that no two places give the same bytes.
    fn bound_to(&self, place: Place) -> Vec<u8> {
        let Place {
            secret,
            version,
            column,
        } = place;
        let mut bytes = Vec::new();
        for part in [self.instance.as_str(), column] {
            bytes.extend(length(part));
            bytes.extend(part.as_bytes());
        }
        bytes.extend(secret.to_be_bytes());
        bytes.extend(version.to_be_bytes());
        bytes
    }
}

fn length(text: &str) -> [u8; 8] {
    (text.len() as u64).to_be_bytes()
}

fn derive(key: &Key, purpose: &str) -> Vec<u8> {
    let mut mac = mac(key);
    mac.update(purpose.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of any length")
}

/// None if the file is not there.
fn read(file: &Path) -> Result<Option<Key>, KeyError> {
    let unreadable = |cause| KeyError::Unreadable {
        file: file.to_owned(),
        cause,
    };
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => SecretString::from(text.map_err(unreadable)?),
    };
    let mode = fs::metadata(file).map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(file = %file.display(), "others may read the vault's key file: `chmod 600` it");
    }
    let place = format!("the vault's key file `{}`", file.display());
    decode(text.expose_secret(), &place).map(Some)
}

/// A fresh key in a file that nobody else may read.
fn make(file: &Path) -> Result<Key, KeyError> {
    let key = Key::generate();
    write(file, &key, files::folder_of(file)).map_err(unwritable(file))?;
    tracing::warn!(file = %file.display(), "made the vault's key; back this file up apart from the database: without it secrets are lost");
    Ok(key)
}

fn unwritable(file: &Path) -> impl Fn(io::Error) -> KeyError {
    |cause| KeyError::Unwritable {
        file: file.to_owned(),
        cause,
    }
}

/// For the owner of `like`.
fn write(file: &Path, key: &Key, like: &Path) -> io::Result<()> {
    let mut opened = files::make(file, like)?;
    writeln!(opened, "{}", hex::encode(key))?;
    opened.sync_all()?;
    sync_folder(file)
}

/// A file that was made or renamed stays so even after a power cut.
fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(files::folder_of(file))?.sync_all()
}

fn decode(text: &str, place: &str) -> Result<Key, KeyError> {
    let text = text.trim();
    let base64 = || {
        let standard = general_purpose::STANDARD.decode(text);
        standard.or_else(|_| general_purpose::URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')))
    };
    let bytes = hex::decode(text).ok().or_else(|| base64().ok());
    bytes
        .filter(|bytes| bytes.len() == KEY_BYTES)
        .and_then(|bytes| Key::try_from(bytes.as_slice()).ok())
        .ok_or_else(|| KeyError::Malformed {
            place: place.to_owned(),
        })
}

#[cfg(test)]
mod tests;
