use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seconds;
use crate::domain::problem::Problem;

/// Messages on their way to chat.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Outbox {
    /// Seconds Discord may be away before what waits becomes one digest instead of a burst.
    #[serde(rename = "digest_after_s", with = "seconds")]
    #[schemars(with = "u32", range(max = 86_400))]
    pub digest_after: Duration,
    /// Deliveries tried before a message is given up as a dead letter.
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: u32,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            digest_after: Duration::from_mins(15),
            max_attempts: 10,
        }
    }
}

impl Outbox {
    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> {
        let attempts = 1..=100;
        let too_few_or_many = (!attempts.contains(&self.max_attempts))
            .then(|| Problem::out_of_range("outbox.max_attempts", self.max_attempts, &attempts));
        [
            seconds::outside("outbox.digest_after_s", self.digest_after, &(0..=86_400)),
            too_few_or_many,
        ]
        .into_iter()
        .flatten()
    }
}
