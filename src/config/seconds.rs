//! Durations are written in whole seconds, under keys that end in `_s`.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Deserializer, Serializer};

use crate::domain::problem::Problem;

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    u32::deserialize(deserializer).map(|seconds| Duration::from_secs(seconds.into()))
}

pub(super) fn serialize<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

/// What is wrong with `duration` if it is not within `allowed`, in seconds.
pub(super) fn outside(
    key: &str,
    duration: Duration,
    allowed: &RangeInclusive<u64>,
) -> Option<Problem> {
    let seconds = duration.as_secs();
    (!allowed.contains(&seconds)).then(|| Problem::out_of_range(key, seconds, allowed))
}
