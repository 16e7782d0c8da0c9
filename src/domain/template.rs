//! A template: what agents are made from, with typed parameters.

mod checks;
mod parameter;
mod placeholders;
mod resolve;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::RangeInclusive};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::parameter::{ARGUMENT_MAX, Argument, Parameter, ParameterKind};
use super::{
    action::Arguments,
    agent::Name,
    idle::Idle,
    probe::Probe,
    problem::Problem,
    recovery::Recovery,
    spec::{
        ExitMeaning, HealthCheck, Limits, LogPattern, Mount, Network, Port, Privileges, Spec, Tmpfs,
    },
};

/// MiB; Docker refuses less than 6.
pub const MEMORY_MB: RangeInclusive<u32> = 6..=1_048_576;
pub const CPUS: RangeInclusive<f64> = 0.01..=512.0;
pub const PIDS: RangeInclusive<u32> = 1..=65_536;

/// Arguments that every template understands: they override its limits.
pub const LIMIT_NAMES: [&str; 3] = ["memory_mb", "cpus", "pids"];

/// A named body that passed every check.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    pub name: Name,
    pub body: TemplateBody,
}

/// What a person filled in to deploy an agent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeployForm {
    pub template: String,
    pub name: String,
    pub fleet: Option<String>,
    pub given: Arguments,
    pub pull: bool,
}

/// An agent template: one file of `configs/agents`, or one saved from chat.
///
/// `{{parameter}}` stands for an argument in `image`, `command` and the values of `env`; `{{{{` is a
/// plain `{{`. An item of `command` or `env` that is one placeholder and nothing else is left out if
/// its parameter has no value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Agent template")]
pub struct TemplateBody {
    /// For editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// One line for people.
    #[schemars(length(min = 1, max = 100))]
    pub description: String,
    /// An image reference as `docker pull` takes it.
    pub image: String,
    /// The command that makes the image on the host, if nobody publishes it: no registry is asked then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 300))]
    pub build: Option<String>,
    /// Replaces the image's command if not empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Environment variables; no secrets here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
    /// What is asked when an agent is deployed. `memory_mb`, `cpus` and `pids` need no entry: they override the limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 25))]
    pub parameters: Vec<Parameter>,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tmpfs: Vec<Tmpfs>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    #[serde(default)]
    pub network: Network,
    /// Whether the agent may reach beyond its fleet's network.
    #[serde(default = "yes")]
    pub internet: bool,
    /// `uid`, `uid:gid` or names; the image's own user if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default)]
    pub read_only_root: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
    /// Seconds between SIGTERM and SIGKILL.
    #[serde(default = "stop_grace")]
    #[schemars(range(max = 600))]
    pub stop_grace_s: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_patterns: Vec<LogPattern>,
    /// What it means if an agent ends with one of these codes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exit_codes: BTreeMap<u8, ExitMeaning>,
    /// What is asked of an agent again and again, beside the engine's own health check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub probes: Vec<Probe>,
    /// What is done by itself when an agent ends or is not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// What is done when an agent does nothing for long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Idle>,
    /// Agents of the same fleet that it cannot do without: after one of them was restarted by itself, so is this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// What hardening would refuse; each needs the settings to allow it by name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub privileges: Privileges,
}

/// A value that the agent is given and that no file of ours holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The name of its file in `/run/secrets`, or of the variable.
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 100))]
    pub description: String,
    /// Without it the agent is not started.
    #[serde(default = "yes")]
    pub required: bool,
    /// How it is given.
    #[serde(rename = "as", default)]
    pub form: Form,
}

/// How an agent is given a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A file in `/run/secrets` that only the agent's user can read.
    #[default]
    File,
    /// An environment variable: whoever may inspect containers can read it.
    Env,
}

impl Template {
    /// Reads and checks a body. Everything that is wrong is told at once, except what hides the rest.
    pub fn parse(name: Name, json: &str) -> Result<Self, Vec<Problem>> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let body: TemplateBody =
            serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
                let at = error.path().to_string();
                vec![json_problem(at, error.inner())]
            })?;
        deserializer
            .end()
            .map_err(|error| vec![json_problem(".".to_owned(), &error)])?;
        Self::new(name, body)
    }

    /// Checks a body.
    pub fn new(name: Name, body: TemplateBody) -> Result<Self, Vec<Problem>> {
        let problems = checks::check(&body);
        if problems.is_empty() {
            Ok(Self { name, body })
        } else {
            Err(problems)
        }
    }

    /// An agent's spec as a template without parameters, for `/templates save`.
    /// A spec does not tell which secrets it could do without: `required` does.
    pub fn from_spec(
        name: Name,
        description: &str,
        spec: &Spec,
        required: impl Fn(&str) -> bool,
    ) -> Result<Self, Vec<Problem>> {
        let escaped = |texts: &[String]| {
            texts
                .iter()
                .map(|text| placeholders::escape(text))
                .collect()
        };
        let secret = |(name, form): (&String, Form)| Secret {
            name: name.clone(),
            description: String::new(),
            required: required(name),
            form,
        };
        let files = spec.secret_files.iter().map(|name| (name, Form::File));
        let variables = spec.secrets.iter().map(|name| (name, Form::Env));
        let body = TemplateBody {
            schema: None,
            description: description.to_owned(),
            image: placeholders::escape(&spec.image),
            build: spec.build.clone(),
            command: escaped(&spec.command),
            env: spec
                .env
                .iter()
                .map(|(key, value)| (key.clone(), placeholders::escape(value)))
                .collect(),
            secrets: files.chain(variables).map(secret).collect(),
            parameters: Vec::new(),
            limits: spec.limits,
            mounts: spec.mounts.clone(),
            tmpfs: spec.tmpfs.clone(),
            ports: spec.ports.clone(),
            network: spec.network,
            internet: spec.internet,
            user: spec.user.clone(),
            read_only_root: spec.read_only_root,
            health: spec.health.clone(),
            stop_grace_s: spec.stop_grace_s,
            log_patterns: spec.log_patterns.clone(),
            exit_codes: spec.exit_codes.clone(),
            probes: spec.probes.clone(),
            recovery: spec.recovery,
            idle: spec.idle,
            depends_on: spec.depends_on.clone(),
            privileges: spec.privileges.clone(),
        };
        Self::new(name, body)
    }

    /// The inverse of [`Self::parse`], without the name.
    pub fn to_json(&self) -> String {
        // Strings, numbers and maps with text keys: there is nothing in a body that JSON cannot say.
        serde_json::to_string_pretty(&self.body).unwrap_or_default()
    }
}

fn json_problem(path: String, error: &serde_json::Error) -> Problem {
    let place = format!("line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let bare = text.strip_suffix(&format!(" at {place}")).unwrap_or(&text);
    if !error.is_data() {
        return Problem::new(place, format!("no JSON: {bare}"), "mend the syntax");
    }
    // The path of a key without a name is empty.
    let at = if matches!(path.as_str(), "." | "") {
        place
    } else {
        path
    };
    Problem::from_serde(at, bare)
}

const fn yes() -> bool {
    true
}

const fn stop_grace() -> u32 {
    10
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
