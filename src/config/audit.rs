use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::snowflake::Snowflake;
use crate::domain::{ids::ChannelId, problem::Problem};

/// The record of who did what.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// The id of the channel where the last row's number and hash are posted every day; `discord.ops_channel` if left
    /// out.
    #[serde(deserialize_with = "channel")]
    #[schemars(with = "Option<Snowflake>")]
    pub anchor_channel: Option<ChannelId>,
    /// Days after which rows are purged, and the actions they tell of, these after 90 at the earliest; 0 keeps all.
    #[schemars(range(max = 36_500))]
    pub keep_days: u32,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            anchor_channel: None,
            keep_days: 400,
        }
    }
}

fn channel<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ChannelId>, D::Error> {
    let id = Option::<Snowflake>::deserialize(deserializer)?;
    Ok(id.map(|id| ChannelId(id.0)))
}

impl Audit {
    pub(super) fn problems(&self) -> Option<Problem> {
        let days = 0..=36_500;
        (!days.contains(&self.keep_days))
            .then(|| Problem::out_of_range("audit.keep_days", self.keep_days, &days))
    }
}
