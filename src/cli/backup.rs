//! `yardarm backup`: a copy of the database, also beside a running Yardarm.

use std::process::ExitCode;

use super::{Options, grant::open};
use crate::{
    clock::{Clock as _, SystemClock},
    ops::backup::back_up,
};

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is what a person asked for"
)]
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let (settings, store) = match open(options).await {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    let made = back_up(&store, &settings.backup, SystemClock.now()).await;
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
