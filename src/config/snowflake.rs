//! Discord's ids, written as numbers or, as Discord itself does, as texts.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// An id that is not known to be a user's, a guild's or a channel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Snowflake(#[schemars(with = "Written")] pub(super) u64);

/// What editors are told.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Written {
    Number(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SnowflakeVisitor)
    }
}

struct SnowflakeVisitor;

impl de::Visitor<'_> for SnowflakeVisitor {
    type Value = Snowflake;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id as Discord shows it: in Developer Mode, right-click and Copy ID")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Snowflake, E> {
        let unfit = || E::invalid_value(de::Unexpected::Signed(value), &self);
        let id = u64::try_from(value).ok().filter(|id| *id > 0);
        id.map(Snowflake).ok_or_else(unfit)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Snowflake, E> {
        let unfit = || E::invalid_value(de::Unexpected::Str(text), &self);
        // Beyond 63 bits the database could not keep it; Discord gets there in 2084.
        let id = text
            .parse()
            .ok()
            .filter(|id| i64::try_from(*id).is_ok_and(|id| id > 0));
        id.map(Snowflake).ok_or_else(unfit)
    }
}
