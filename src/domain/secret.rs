//! Secrets: what is known of them without their values.

use std::fmt;

/// Which key sealed something: the beginning of a hash of the key, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value that only the key can open, and only in the place that it was sealed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub key: KeyId,
    /// The nonce, then the ciphertext.
    pub bytes: Vec<u8>,
}
