//! `yardarm health`: whether the process answers, for whoever restarts what does not.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use clap::Args;

use super::{Options, report::BAD_SETTINGS};

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Args, Debug)]
pub struct Health {
    #[command(flatten)]
    options: Options,
    /// Where it listens; `http.listen` of the settings if left out, which then are read
    #[arg(long, value_name = "ADDRESS:PORT")]
    address: Option<SocketAddr>,
}

impl Health {
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "this is what a person asked for"
    )]
    pub async fn run(&self) -> anyhow::Result<ExitCode> {
        let address = match self.address.map_or_else(|| self.set(), |it| Ok(Some(it))) {
            Ok(Some(address)) => address,
            Ok(None) => {
                eprintln!("nobody listens\nhint: set `http.listen`, or name an `--address`");
                return Ok(ExitCode::from(BAD_SETTINGS));
            }
            Err(code) => return Ok(code),
        };
        match ask(address).await {
            Ok(said) => {
                println!("{}", said.trim_end());
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                eprintln!("{address} does not answer as it should: {error}");
                Ok(ExitCode::FAILURE)
            }
        }
    }

    fn set(&self) -> Result<Option<SocketAddr>, ExitCode> {
        Ok(self.options.settings_for_host()?.http.listen)
    }
}

async fn ask(address: SocketAddr) -> reqwest::Result<String> {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
    let answer = client.build()?.get(format!("http://{address}/healthz"));
    answer.send().await?.error_for_status()?.text().await
}
