//! `yardarm completions`: our command line, for a shell to complete.

use std::{io, process::ExitCode};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::{Generator as _, Shell};

use super::Cli;

/// Print what a shell completes our commands by
#[derive(Args, Debug)]
pub struct Completions {
    shell: Shell,
}

impl Completions {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let mut command = Cli::command();
        command.set_bin_name("yardarm");
        command.build();
        let written = self.shell.try_generate(&command, &mut io::stdout());
        written.context("cannot print them")?;
        Ok(ExitCode::SUCCESS)
    }
}
