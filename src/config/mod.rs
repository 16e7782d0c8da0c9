//! Settings: from a file, `--set` and the environment, checked before anything starts.
//!
//! Only this module reads the environment. A command line beats the file, the file beats the
//! environment, and all of them beat the defaults; secrets come from the environment alone.

mod access;
mod agents;
mod alerts;
mod audit;
mod backup;
mod database;
mod discord;
mod docker;
mod environment;
mod error;
mod fingerprints;
mod http;
mod log;
mod notify;
mod outbox;
mod overrides;
mod ping;
mod policy;
mod probes;
mod recovery;
mod resources;
mod roster;
mod routes;
mod schedules;
pub mod schema;
mod seconds;
mod secrets;
mod shutdown;
mod snowflake;
mod source;
pub mod templates;
#[cfg(test)]
mod tests;
mod threshold;
mod vault;

use std::{path::Path, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    access::Access,
    agents::Agents,
    alerts::Alerts,
    audit::Audit,
    backup::{Backup, Passphrase},
    database::Database,
    discord::{Discord, Endpoint},
    docker::Docker,
    environment::Environment,
    error::{ConfigError, Located},
    fingerprints::Fingerprints,
    http::Http,
    log::{Format, Level, Log},
    notify::{Outlet, SecretUrl, Target, Targets},
    outbox::Outbox,
    ping::{Ping, PingUrl},
    probes::Probes,
    recovery::Recovery,
    resources::Resources,
    roster::Roster,
    schedules::Schedules,
    secrets::Secrets,
    shutdown::Shutdown,
    source::Source,
    vault::Vault,
};
use self::{error::Sources, overrides::set};
use crate::domain::{
    policy::Policy, problem::Problem, schedule::Written, squelch::Rules, threshold::Threshold,
};

/// Everything that can be set, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub discord: Discord,
    pub access: Access,
    /// The rules of the file, then those of the preset.
    pub policies: Arc<Vec<Policy>>,
    pub database: Database,
    pub vault: Vault,
    pub docker: Docker,
    pub secrets: Secrets,
    pub agents: Agents,
    pub roster: Roster,
    pub alerts: Alerts,
    pub probes: Probes,
    /// How incidents become messages.
    pub squelch: Arc<Rules>,
    /// Ways out of Discord.
    pub notify: Arc<Targets>,
    pub ping: Ping,
    pub recovery: Recovery,
    pub resources: Resources,
    pub thresholds: Arc<Vec<Threshold>>,
    pub outbox: Outbox,
    pub audit: Audit,
    pub backup: Backup,
    pub schedules: Schedules,
    pub http: Http,
    pub shutdown: Shutdown,
    pub log: Log,
}

/// The settings file as it is written.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Yardarm's settings")]
struct File {
    discord: discord::Section,
    access: Access,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policy: Vec<policy::Rule>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    route: Vec<routes::RouteEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notify: Vec<notify::NotifyEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    maintenance: Vec<routes::MaintenanceEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    threshold: Vec<threshold::ThresholdEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    grant: Vec<access::GrantEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    team: Vec<access::TeamEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    schedule: Vec<Written>,
    database: Database,
    vault: vault::Section,
    docker: Docker,
    secrets: Secrets,
    agents: Agents,
    roster: Roster,
    alerts: Alerts,
    ping: ping::Section,
    probes: Probes,
    recovery: Recovery,
    resources: Resources,
    outbox: Outbox,
    audit: Audit,
    backup: backup::Section,
    schedules: schedules::Section,
    http: Http,
    shutdown: Shutdown,
    log: Log,
}

impl Settings {
    /// The secrets for all that open ways out of Discord, each with who is told by means of it.
    pub fn outlet_secrets(&self) -> Vec<(String, String)> {
        let targets = self.notify.iter().flat_map(|(name, outlet)| {
            let secrets = outlet.secrets().into_iter();
            secrets.map(move |secret| (secret.to_owned(), format!("target {name}")))
        });
        let ping = match &self.ping.url {
            Some(PingUrl::Vault(secret)) => Some((secret.clone(), "ping".to_owned())),
            Some(PingUrl::Known(_)) | None => None,
        };
        targets.chain(ping).collect()
    }

    /// Reads `path`, if there is one, with `overrides` (dotted key, value) on top.
    pub fn load(
        path: Option<&Path>,
        overrides: &[(String, String)],
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let (file, sources) = File::read(path, overrides, environment)?;
        file.settle(environment, Purpose::Serve, &sources)
    }

    /// The same for a command on the host, which connects to nobody: neither the token nor what ways out of Discord
    /// take is read.
    pub fn load_for_host(
        path: Option<&Path>,
        overrides: &[(String, String)],
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let (file, sources) = File::read(path, overrides, environment)?;
        file.settle(environment, Purpose::Host, &sources)
    }
}

/// What the settings are for.
#[derive(Clone, Copy)]
enum Purpose {
    Serve,
    Host,
}

impl File {
    fn read(
        path: Option<&Path>,
        overrides: &[(String, String)],
        environment: &Environment,
    ) -> Result<(Self, Sources), ConfigError> {
        let mut sources = Sources::new(path);
        let mut table = match path {
            Some(path) => read(path, &sources)?,
            None => toml::Table::new(),
        };
        let mut problems = Vec::new();
        for (variable, key) in [
            ("DOCKER_HOST", "docker.host"),
            ("DISCORD_TOKEN_FILE", "discord.token_file"),
        ] {
            if let Some(value) = environment.get(variable)
                && overrides::get(&table, key).is_none()
            {
                sources.note(key, format!("environment ({variable})"));
                // A section that is no table is refused below.
                problems.extend(set(&mut table, key, toml::Value::String(value.to_owned())).err());
            }
        }
        for (key, value) in overrides {
            sources.note(key, "--set".to_owned());
            problems.extend(set(&mut table, key, overrides::value(value)).err());
        }
        problems.extend(discord::refuse_token(&mut table));
        sources.refuse(problems)?;
        let mut file: Self = serde_path_to_error::deserialize(toml::Value::Table(table))
            .map_err(|error| sources.shape_error(&error))?;
        file.docker.look_for_tls(environment);
        Ok((file, sources))
    }

    /// What is wrong with single sections.
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(self.docker.problems());
        problems.extend(self.secrets.problems());
        problems.extend(self.agents.problems());
        problems.extend(self.roster.problems());
        problems.extend(self.alerts.problems());
        problems.extend(self.probes.problems());
        problems.extend(self.recovery.problems());
        problems.extend(self.resources.problems());
        problems.extend(self.outbox.problems());
        problems.extend(self.audit.problems());
        problems.extend(self.backup.problems());
        problems.extend(self.http.problems());
        problems.extend(self.shutdown.problems());
        problems
    }

    /// Whom alerts and pings go to.
    fn alarms(
        &self,
        environment: &Environment,
        purpose: Purpose,
        problems: &mut Vec<Problem>,
    ) -> (Rules, Targets, Option<Ping>) {
        let squelch = routes::settle(
            self.alerts.rules(),
            (&self.route, &self.maintenance),
            &notify::names(&self.notify),
        );
        let squelch = or_default(squelch, problems);
        let nobody = ping::Section::default();
        let (targets, ping) = match purpose {
            Purpose::Serve => (self.notify.as_slice(), &self.ping),
            Purpose::Host => (&[][..], &nobody),
        };
        let notify = or_default(notify::settle(targets, environment), problems);
        let ping = ping.settle(environment);
        let ping = ping.map_err(|wrong| problems.extend(wrong)).ok();
        (squelch, notify, ping)
    }

    fn settle(
        self,
        environment: &Environment,
        purpose: Purpose,
        sources: &Sources,
    ) -> Result<Settings, ConfigError> {
        let mut problems = self.problems();
        let (squelch, notify, ping) = self.alarms(environment, purpose, &mut problems);
        let mut agents = self.agents;
        agents.secrets = environment.with_prefix(&agents.secrets_env_prefix);
        let access = self
            .access
            .settle(self.grant, self.team, self.discord.home());
        let access = or_default(access, &mut problems);
        let policies = policy::settle(&self.policy, &access.teams);
        let mut policies = or_default(policies, &mut problems);
        policies.extend(access.preset.policies());
        let thresholds = or_default(threshold::settle(&self.threshold), &mut problems);
        let schedules = self.schedules.settle(&self.schedule);
        let schedules = schedules.map_err(|wrong| problems.extend(wrong)).ok();
        let discord = self.discord.settle(environment, purpose);
        match (discord, schedules, ping) {
            (Ok(discord), Some(schedules), Some(ping)) if problems.is_empty() => Ok(Settings {
                discord,
                schedules,
                ping,
                backup: self.backup.settle(environment, &self.database.path),
                policies: Arc::new(policies),
                access,
                vault: self.vault.settle(environment, &self.database.path),
                database: self.database,
                docker: self.docker,
                secrets: self.secrets,
                agents,
                roster: self.roster,
                alerts: self.alerts,
                probes: self.probes,
                squelch: Arc::new(squelch),
                notify: Arc::new(notify),
                recovery: self.recovery,
                resources: self.resources,
                thresholds: Arc::new(thresholds),
                outbox: self.outbox,
                audit: self.audit,
                http: self.http,
                shutdown: self.shutdown,
                log: self.log,
            }),
            (settled, ..) => {
                problems.splice(0..0, settled.err().unwrap_or_default());
                Err(sources.locate(problems))
            }
        }
    }
}

/// What is wrong is told with all the rest; what comes after it goes on without.
fn or_default<T: Default>(settled: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> T {
    settled.unwrap_or_else(|wrong| {
        problems.extend(wrong);
        T::default()
    })
}

fn read(path: &Path, sources: &Sources) -> Result<toml::Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        sources.locate(vec![Problem::new(
            "the file",
            format!("cannot be read: {error}"),
            "name the settings file with `--config PATH`",
        )])
    })?;
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            let before = text.bytes().take(span.start);
            1 + before.filter(|byte| *byte == b'\n').count()
        });
        sources.locate(vec![Problem::new(
            format!("line {line}"),
            format!("no TOML: {}", error.message().replace('\n', ", ")),
            "mend the syntax; texts stand in double quotes",
        )])
    })
}
