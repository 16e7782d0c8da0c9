//! Snowflakes: Discord's ids, sent as decimal strings.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Discord counts milliseconds from the first second of 2015.
const EPOCH_MS: i64 = 1_420_070_400_000;
const TIME_SHIFT: u32 = 22;

/// The id of anything Discord knows: a user, a channel, a message, an interaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

impl Id {
    pub(crate) const LAST: Self = Self(u64::MAX);

    /// The same id for the same name at every start, so that what bots have stored stays true.
    pub(crate) fn named(name: &str) -> Self {
        let digest = Sha256::digest(name.as_bytes());
        let hash = digest
            .iter()
            .take(8)
            .fold(0_u64, |hash, byte| (hash << 8) | u64::from(*byte));
        // Between 2021 and 2022 on Discord's clock: 18 digits, and older than anything sent here.
        let milliseconds = 189_302_400_000 + hash % 31_536_000_000;
        Self((milliseconds << TIME_SHIFT) | (hash >> 42))
    }

    /// The first id that can be given out at `now`.
    pub(crate) fn at(now: DateTime<Utc>) -> Self {
        let milliseconds = u64::try_from(now.timestamp_millis() - EPOCH_MS).unwrap_or_default();
        Self(milliseconds << TIME_SHIFT)
    }

    /// From a bot's JSON: Discord sends ids as text only, and takes them as numbers too.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64().map(Self),
        }
    }

    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Id {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl From<Id> for u64 {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}
