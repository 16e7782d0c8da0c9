//! `yardarm claim`: a code for the first owner, also beside a running Yardarm.

use std::process::ExitCode;

use super::{Options, grant::open};
use crate::{
    clock::{Clock as _, SystemClock},
    ops::claims,
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
    let made = claims::make_code(&store, &settings, SystemClock.now()).await;
    store.close().await;
    match made {
        Ok(code) => {
            println!(
                "{code}\nhint: within {} minutes, type /claim in the server and enter it; it is good once, for the Yardarm of `{}`",
                claims::CODE_FOR.num_minutes(),
                settings.database.path.display()
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{error}");
            Ok(ExitCode::FAILURE)
        }
    }
}
