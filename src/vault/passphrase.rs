//! The key, sealed by a passphrase: so it can lie beside a copy of the database, and is of no use to whoever finds both.
//!
//! Argon2id makes a key of the passphrase, with the memory and the passes that RFC 9106 recommends where memory is scarce;
//! XChaCha20-Poly1305 seals with that one. The file says how it was made, so that later ones may ask for more.

use std::{fs, io, path::Path};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Generate as _, Payload},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{KEY_BYTES, KeyError, KeySource, NONCE_BYTES, decode, read, unwritable, write};

const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// What a file may ask of whoever opens it: 1 GiB, for some seconds.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 20;
const WHAT: &str = "yardarm vault key, argon2id, xchacha20-poly1305";

/// The file, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedKey {
    what: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    /// In hexadecimal, as what follows: the nonce, then the key.
    salt: String,
    sealed: String,
}

impl SealedKey {
    fn cipher(&self, passphrase: &SecretString) -> Option<XChaCha20Poly1305> {
        if self.memory_kib > MOST_MEMORY_KIB || self.passes > MOST_PASSES {
            return None;
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_BYTES)).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let salt = hex::decode(&self.salt).ok()?;
        let mut key = Key::default();
        let passphrase = passphrase.expose_secret().as_bytes();
        argon2
            .hash_password_into(passphrase, &salt, &mut key)
            .ok()?;
        Some(XChaCha20Poly1305::new(&key))
    }

    fn open(&self, passphrase: &SecretString) -> Option<Vec<u8>> {
        let bytes = hex::decode(&self.sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let payload = Payload {
            msg: sealed,
            aad: WHAT.as_bytes(),
        };
        let cipher = self.cipher(passphrase)?;
        cipher.decrypt(&XNonce::try_from(nonce).ok()?, payload).ok()
    }
}

/// The text of a file with the key that is at `source`.
pub fn seal(source: KeySource<'_>, passphrase: &SecretString) -> Result<String, KeyError> {
    let key = match source.given {
        Some(given) => decode(given.expose_secret(), "`YARDARM_VAULT_KEY`")?,
        None => read(source.file)?.ok_or_else(|| KeyError::Absent {
            file: source.file.to_owned(),
        })?,
    };
    let mut file = SealedKey {
        what: WHAT.to_owned(),
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: hex::encode(Key::generate()),
        sealed: String::new(),
    };
    let nonce = XNonce::generate();
    let payload = Payload {
        msg: &key,
        aad: WHAT.as_bytes(),
    };
    let cipher = file.cipher(passphrase);
    let sealed = cipher.and_then(|cipher| cipher.encrypt(&nonce, payload).ok());
    let sealed = sealed.ok_or_else(|| KeyError::Malformed {
        place: "the passphrase".to_owned(),
    })?;
    let mut bytes = nonce.to_vec();
    bytes.extend(sealed);
    file.sealed = hex::encode(bytes);
    let text = serde_json::to_string_pretty(&file).unwrap_or_default();
    Ok(format!("{text}\n"))
}

/// The key in such a file, in hexadecimal.
pub fn open(file: &Path, passphrase: &SecretString) -> Result<SecretString, KeyError> {
    let unreadable = |cause: io::Error| KeyError::Unreadable {
        file: file.to_owned(),
        cause,
    };
    let text = fs::read_to_string(file).map_err(unreadable)?;
    let sealed: SealedKey = serde_json::from_str(&text)
        .ok()
        .filter(|sealed: &SealedKey| sealed.what == WHAT)
        .ok_or_else(|| KeyError::NotSealed {
            file: file.to_owned(),
        })?;
    let key = sealed.open(passphrase).ok_or_else(|| KeyError::Closed {
        file: file.to_owned(),
    })?;
    Ok(SecretString::from(hex::encode(key)))
}

/// Writes a key where none is, for the owner of `like`.
pub fn put_back(file: &Path, key: &SecretString, like: &Path) -> Result<(), KeyError> {
    let key = decode(key.expose_secret(), "the sealed file")?;
    write(file, &key, like).map_err(unwritable(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed_by(passphrase: &str) -> (tempfile::TempDir, SecretString) {
        let folder = tempfile::tempdir().unwrap();
        let key = SecretString::from("ab".repeat(KEY_BYTES));
        let source = KeySource {
            file: Path::new("/nowhere"),
            given: Some(&key),
        };
        let text = seal(source, &SecretString::from(passphrase)).unwrap();
        assert!(!text.contains(key.expose_secret()));
        fs::write(folder.path().join("sealed"), text).unwrap();
        (folder, key)
    }

    #[test]
    fn only_its_passphrase_opens_it() {
        let (folder, key) = sealed_by("correct horse");
        let open = |passphrase: &str| open(&folder.path().join("sealed"), &passphrase.into());
        assert_eq!(
            open("correct horse").unwrap().expose_secret(),
            key.expose_secret()
        );
        assert!(matches!(
            open("battery staple"),
            Err(KeyError::Closed { .. })
        ));
    }

    #[test]
    fn a_changed_file_opens_nothing_and_asks_for_little() {
        let (folder, _) = sealed_by("correct horse");
        let file = folder.path().join("sealed");
        let whole = fs::read_to_string(&file).unwrap();
        for (from, to) in [
            ("\"passes\": 3", "\"passes\": 2"),
            ("\"passes\": 3", "\"passes\": 4000000000"),
            ("\"memory_kib\": 65536", "\"memory_kib\": 4000000000"),
            ("\"salt\": \"", "\"salt\": \"00"),
            ("\"sealed\": \"", "\"sealed\": \"00"),
        ] {
            fs::write(&file, whole.replace(from, to)).unwrap();
            let opened = open(&file, &"correct horse".into());
            assert!(matches!(opened, Err(KeyError::Closed { .. })), "{to}");
        }
        fs::write(&file, whole.replace("argon2id", "scrypt")).unwrap();
        let opened = open(&file, &"correct horse".into());
        assert!(matches!(opened, Err(KeyError::NotSealed { .. })));
    }

    #[test]
    fn a_key_that_is_there_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let key = SecretString::from("cd".repeat(KEY_BYTES));
        put_back(&file, &key, folder.path()).unwrap();
        let other = SecretString::from("ef".repeat(KEY_BYTES));
        let again = put_back(&file, &other, folder.path());
        assert!(matches!(again, Err(KeyError::Unwritable { .. })));
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.trim(), key.expose_secret());
    }
}
