//! `yardarm backup`: a copy of the database, also beside a running Yardarm.

use std::{io, path::Path, process::ExitCode};

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Options, report::BAD_SETTINGS, up::code_of};
use crate::{
    clock::{Clock as _, SystemClock},
    config::{Passphrase, Settings},
    ops::backup::{back_up, known_passphrase},
    store::Store,
};

#[derive(Args, Debug)]
pub struct Backup {
    #[command(flatten)]
    options: Options,
    /// Put the vault's key beside the copy, sealed by a passphrase that is asked for here. If the settings or the
    /// environment give one, that is done anyway
    #[arg(long)]
    with_key: bool,
}

impl Backup {
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "this is what a person asked for"
    )]
    pub async fn run(&self) -> anyhow::Result<ExitCode> {
        let settings = match self.options.settings_for_host() {
            Ok(settings) => settings,
            Err(code) => return Ok(code),
        };
        let store = match Store::open_as_it_is(&settings.database.path).await {
            Ok(store) => store,
            Err(error) => {
                eprintln!("{error}");
                return Ok(ExitCode::from(code_of(&error)));
            }
        };
        let made = match self.passphrase(&settings) {
            Ok(passphrase) => {
                back_up(&store, &settings, passphrase.as_ref(), SystemClock.now()).await
            }
            Err(error) => {
                eprintln!("{error}");
                return Ok(ExitCode::from(BAD_SETTINGS));
            }
        };
        store.close().await;
        match made {
            Ok(file) => {
                println!("{}", file.display());
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                eprintln!("{error}");
                Ok(ExitCode::FAILURE)
            }
        }
    }

    fn passphrase(&self, settings: &Settings) -> anyhow::Result<Option<SecretString>> {
        let known = known_passphrase(&settings.backup)?;
        if known.is_some() || !self.with_key {
            return Ok(known);
        }
        let first = asked("Passphrase: ")?;
        let second = asked("The same once more: ")?;
        anyhow::ensure!(
            first.expose_secret() == second.expose_secret(),
            "these are two passphrases\nhint: try again"
        );
        Ok(Some(first))
    }
}

/// What opens a sealed key: as the settings or the environment say, or else as somebody types it.
pub(super) fn passphrase(settings: &Settings, sealed: &Path) -> io::Result<SecretString> {
    let known = settings.backup.passphrase.as_ref().map(Passphrase::read);
    known.unwrap_or_else(|| asked(&format!("Passphrase of {}: ", sealed.display())))
}

fn asked(prompt: &str) -> io::Result<SecretString> {
    const HINT: &str = "hint: set `backup.passphrase_file` or `YARDARM_BACKUP_PASSPHRASE`";
    let typed = rpassword::prompt_password(prompt)
        .map_err(|error| io::Error::other(format!("nobody can be asked: {error}\n{HINT}")))?;
    if typed.is_empty() {
        return Err(io::Error::other(format!("no passphrase was typed\n{HINT}")));
    }
    Ok(SecretString::from(typed))
}
