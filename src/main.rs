use std::process::ExitCode;

use clap::Parser as _;
use yardarm::cli::Cli;

fn main() -> anyhow::Result<ExitCode> {
    Cli::parse().run()
}
