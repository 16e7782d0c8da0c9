use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::snowflake::Snowflake;
use crate::domain::{ids::UserId, policy::Preset};

/// Who may act.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// User ids of those who may do everything. Nobody else may change anything.
    #[serde(deserialize_with = "users")]
    #[schemars(with = "Vec<Snowflake>")]
    pub owners: Vec<UserId>,
    /// The rules that count where no `[[policy]]` does.
    pub preset: Preset,
}

fn users<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<UserId>, D::Error> {
    let ids = Vec::<Snowflake>::deserialize(deserializer)?;
    Ok(ids.into_iter().map(|id| UserId(id.0)).collect())
}
