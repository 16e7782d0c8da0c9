//! `yardarm restore`: the database of a backup, once it is verified.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use super::{
    Options,
    backup::passphrase,
    report::BAD_SETTINGS,
    up::{BAD_DATABASE, code_of},
};
use crate::{
    clock::{Clock as _, SystemClock},
    ops::restore::{RestoreError, Restored, restore, sealed_key},
};

#[derive(Args, Debug)]
pub struct Restore {
    #[command(flatten)]
    options: Options,
    /// A copy that `yardarm backup` or a schedule made
    file: PathBuf,
}

impl Restore {
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "this is what a person asked for"
    )]
    pub async fn run(&self) -> ExitCode {
        let settings = match self.options.settings_for_host() {
            Ok(settings) => settings,
            Err(code) => return code,
        };
        let needed = sealed_key(&settings, &self.file);
        let passphrase = match needed.map(|sealed| passphrase(&settings, &sealed)) {
            None => None,
            Some(Ok(passphrase)) => Some(passphrase),
            Some(Err(error)) => {
                eprintln!("{error}\nhint: nothing was changed");
                return ExitCode::from(BAD_SETTINGS);
            }
        };
        let now = SystemClock.now();
        match restore(&settings, &self.file, passphrase.as_ref(), now).await {
            Ok(restored) => {
                println!("{}", said(&restored, &settings.database.path));
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}\nhint: {}", error.left());
                ExitCode::from(match error {
                    RestoreError::Open(error) | RestoreError::Unplaced(error) => code_of(&error),
                    RestoreError::Key(_) => BAD_SETTINGS,
                    _ => BAD_DATABASE,
                })
            }
        }
    }
}

fn said(restored: &Restored, place: &Path) -> String {
    let (agents, place) = (restored.agents, place.display());
    let mut lines = vec![match &restored.head {
        Some(head) => format!(
            "restored: {agents} agents into `{place}`; the audit is whole and goes on after {head}"
        ),
        None => format!("restored: {agents} agents into `{place}`"),
    }];
    if restored.void > 0 {
        lines.push(format!(
            "{} actions that waited are void: whoever asked is told so",
            restored.void
        ));
    }
    if let Some(key) = &restored.key {
        lines.push(format!(
            "the vault's key was opened and put into `{}`",
            key.display()
        ));
    }
    if let Some(aside) = &restored.aside {
        lines.push(format!(
            "the database before it is kept as `{}`",
            aside.display()
        ));
    }
    lines.push("hint: `yardarm up`; agents that were made since the backup are unknown to it: `/adopt` takes them in".to_owned());
    lines.join("\n")
}
