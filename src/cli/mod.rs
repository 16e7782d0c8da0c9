//! The command line: one file per sub-command.

pub mod alerts;
pub mod audit;
pub mod backup;
pub mod check;
pub mod claim;
pub mod completions;
pub mod doctor;
pub mod folders;
pub mod grant;
pub mod health;
pub mod install_service;
pub mod outlets;
pub mod policy;
pub mod report;
pub mod restore;
pub mod rights;
pub mod schema;
pub mod secrets;
pub mod up;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::config::{ConfigError, Environment, Settings};

/// As in `0.1.0 (8a4f2c19d0be)`; build.rs finds the commit.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("YARDARM_COMMIT"), ")");

/// A Discord control plane for fleets of containerised AI agents
#[derive(Debug, Parser)]
#[command(version = VERSION)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve Discord until told to stop; SIGHUP reads settings and templates again
    Up(Options),
    /// Say what is wrong with settings and templates, without starting anything
    Check(Options),
    /// Try everything a start needs, and say the next step where it fails
    Doctor(Options),
    /// Ask the process that serves these settings whether it answers; the exit code says it
    Health(health::Health),
    /// What the rules say to an action
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Who is told what when
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// Verify, export or purge the record of what happened
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Copy the database into the backup folder, also while it is served
    Backup(backup::Backup),
    /// Verify a backup and put it in the place of the database, while Yardarm does not run
    Restore(restore::Restore),
    /// Print a code for the first owner, to be entered in Discord by `/claim`
    Claim(Options),
    /// Grant rights from this host, such as when every owner is lost
    #[command(subcommand)]
    Grant(grant::Grant),
    /// What is done to sealed values
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    InstallService(install_service::InstallService),
    Schema(schema::Schema),
    Completions(completions::Completions),
}

/// Where the settings come from.
///
/// They stand after the sub-command. clap could take them on both sides, but of those on the one side
/// it would then drop all without a word.
#[derive(Args, Debug)]
pub struct Options {
    /// The settings file
    #[arg(long, value_name = "PATH", default_value = "configs/yardarm.toml")]
    pub config: PathBuf,
    /// Set one key, whatever the file says: `--set docker.parallel=8`
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
}

impl Options {
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        Settings::load(Some(&self.config), &self.set, &Environment::of_process())
    }

    /// For what connects to nobody, and so takes neither a token nor the keys of ways out of Discord.
    pub fn settings_for_host(&self) -> Result<Settings, ExitCode> {
        let settings =
            Settings::load_for_host(Some(&self.config), &self.set, &Environment::of_process());
        settings.map_err(|error| report::print(&report::failures(&error), report::BAD_SETTINGS))
    }
}

impl Cli {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Up(options) => Box::pin(up::run(options)).await,
            Command::Check(options) => Ok(check::run(&options).await),
            Command::Doctor(options) => doctor::run(&options).await,
            Command::Health(health) => health.run().await,
            Command::Policy(policy) => Ok(policy.run()),
            Command::Alerts(alerts) => Ok(alerts.run()),
            Command::Audit(audit) => audit.run().await,
            Command::Backup(backup) => backup.run().await,
            Command::Restore(restore) => Ok(restore.run().await),
            Command::Claim(options) => claim::run(&options).await,
            Command::Grant(grant) => grant.run().await,
            Command::Secrets(secrets) => Ok(secrets.run().await),
            Command::InstallService(install) => install.run(),
            Command::Schema(args) => schema::run(&args),
            Command::Completions(completions) => completions.run(),
        }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("write it as `docker.parallel=8`")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_are_set_by_key_and_value() {
        let parse = |set: &str| Cli::try_parse_from(["yardarm", "check", "--set", set]);
        let Ok(Cli {
            command: Command::Check(options),
        }) = parse("discord.token_file=a=b")
        else {
            panic!("good arguments");
        };
        let expected = ("discord.token_file".to_owned(), "a=b".to_owned());
        assert_eq!(options.set, [expected]);
        assert!(parse("docker.parallel").is_err());
    }
}
