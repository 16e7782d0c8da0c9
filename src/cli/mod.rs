//! The command line: one file per sub-command.

pub mod schema;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

/// A Discord control plane for fleets of containerised AI agents
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Debug)]
pub struct Options {
    /// The settings file
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        default_value = "configs/yardarm.toml"
    )]
    pub config: PathBuf,
    /// Set one key, whatever the file says: `--set docker.parallel=8`
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Schema(schema::Schema),
}

impl Cli {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Schema(args) => schema::run(&args),
        }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("write it as `docker.parallel=8`")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
