use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::domain::{
    agent::Name,
    problem::{Problem, shown},
};

/// What agents are made from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Agents {
    /// The folder of the templates, one JSON file each.
    pub templates: PathBuf,
    /// The fleet of agents that are deployed without naming one.
    #[schemars(with = "String")]
    pub default_fleet: Name,
    /// An agent's secret `X` is read from the environment variable with this before it.
    pub secrets_env_prefix: String,
    /// By their names in templates, without the prefix.
    #[serde(skip)]
    pub secrets: BTreeMap<String, SecretString>,
}

impl Default for Agents {
    #[expect(
        clippy::expect_used,
        reason = "`main` is a name; a test builds this value"
    )]
    fn default() -> Self {
        Self {
            templates: PathBuf::from("configs/agents"),
            default_fleet: Name::parse("main").expect("`main` is a name"),
            secrets_env_prefix: "AGENT_".to_owned(),
            secrets: BTreeMap::new(),
        }
    }
}

impl Agents {
    pub(super) fn problems(&self) -> Option<Problem> {
        const KEY: &str = "agents.secrets_env_prefix";
        let prefix = &self.secrets_env_prefix;
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let hint = "use A–Z, 0–9 and `_`, such as `AGENT_`";
        if !prefix.starts_with(|c: char| c.is_ascii_uppercase()) || !prefix.chars().all(plain) {
            return Some(Problem::new(
                KEY,
                format!("{} does not fit", shown(prefix)),
                hint,
            ));
        }
        // A template could ask for the secret `TOKEN` and be given the bot's own.
        "DISCORD_TOKEN".starts_with(prefix.as_str()).then(|| {
            let message = format!("{} would hand the bot's token to agents", shown(prefix));
            Problem::new(KEY, message, hint)
        })
    }
}
