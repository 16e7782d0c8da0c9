//! `yardarm secrets`: what is done to sealed values on the host.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use super::{
    Options,
    report::BAD_SETTINGS,
    up::{BAD_DATABASE, code_of},
};
use crate::{
    clock::{Clock as _, SystemClock},
    ops::rekey::{RekeyError, Rekeyed, rekey},
    store::Store,
};

#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Seal all secrets with a new key, while Yardarm does not run
    Rekey(Rekey),
}

#[derive(Args, Debug)]
pub struct Rekey {
    #[command(flatten)]
    options: Options,
    /// A file with the new key, 32 bytes in hexadecimal or base64 [default: one is drawn at random]
    #[arg(long, value_name = "PATH")]
    new_key_file: Option<PathBuf>,
}

impl Secrets {
    pub async fn run(&self) -> ExitCode {
        match self {
            Self::Rekey(rekey) => rekey.run().await,
        }
    }
}

impl Rekey {
    #[expect(clippy::print_stdout, reason = "this is what a person asked for")]
    async fn run(&self) -> ExitCode {
        let settings = match self.options.settings_for_host() {
            Ok(settings) => settings,
            Err(code) => return code,
        };
        let store = match Store::open_there(&settings.database.path).await {
            Ok(store) => store,
            Err(error) => return fail(&error, code_of(&error)),
        };
        let given = self.new_key_file.as_deref();
        let done = rekey(&store, &settings, given, SystemClock.now()).await;
        store.close().await;
        match done {
            Ok(done) => {
                println!("{}", said(&done));
                ExitCode::SUCCESS
            }
            Err(error @ RekeyError::Key(_)) => fail(&error, BAD_SETTINGS),
            Err(error) => fail(&error, BAD_DATABASE),
        }
    }
}

/// Never the key itself.
fn said(done: &Rekeyed) -> String {
    let Rekeyed {
        values,
        was,
        is,
        in_file,
    } = done;
    let next = if *in_file {
        "back the vault's key file up anew, and keep the old key as long as backups of the database that need it"
    } else {
        "put the new key into `YARDARM_VAULT_KEY` before the next start, then delete its file"
    };
    format!("{values} values sealed anew: key {was} → {is}\nhint: {next}")
}

#[expect(clippy::print_stderr, reason = "this is what a person asked for")]
fn fail(error: &dyn std::error::Error, code: u8) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(code)
}
