//! localcord as a program: a Discord on this machine, until Ctrl-C.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::Parser;
use localcord::{DEFAULT_GUILD, Localcord, Options, RateLimits};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// A Discord-compatible server on loopback, with a page for people.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Guilds, channels, roles and people [default: built in]
    #[arg(long, value_name = "FILE")]
    guild: Option<PathBuf>,
    /// Port of the page, the script interface and the gateway; 0 takes a free one
    #[arg(long, default_value_t = 8765)]
    people_port: u16,
    /// Port of REST over TLS; 0 takes a free one
    #[arg(long, default_value_t = 8766)]
    rest_port: u16,
    /// Where the CA certificate, the bot's token and the messages are kept
    #[arg(long, value_name = "DIR", default_value = ".localcord")]
    state_dir: PathBuf,
    /// The bot's token [default: the one in the state directory, or a new one]
    #[arg(long, env = "LOCALCORD_TOKEN", value_parser = token, hide_env_values = true)]
    token: Option<String>,
    /// What pages and scripts must show [default: a new one at each start]
    #[arg(long, env = "LOCALCORD_PEOPLE_TOKEN", value_parser = token, hide_env_values = true)]
    people_token: Option<String>,
    /// Written when the server is up: addresses, CA file, token and guild, as JSON
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Whether rate limits are shown and kept
    #[arg(long, value_enum, default_value_t = RateLimits::Headers)]
    rate_limits: RateLimits,
    /// Check every call against Discord's `OpenAPI` file, named by `DISCORD_OPENAPI`
    #[arg(long)]
    validate: bool,
    /// Print nothing but errors
    #[arg(long)]
    quiet: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let level = if arguments.quiet {
        tracing::Level::ERROR
    } else {
        tracing::Level::WARN
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .init();
    match serve(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<()> {
    let state = &arguments.state_dir;
    fs::create_dir_all(state).with_context(|| format!("make `{}`", state.display()))?;
    // What is kept here holds a token: it is no matter for a repository.
    write(&state.join(".gitignore"), "*\n")?;
    // Whoever is told that it is up may stop it at once.
    let stopped = stopped()?;
    let cord = Localcord::start(options(arguments)?).await?;
    let ca_file = fs::canonicalize(state)?.join("ca.pem");
    write(&ca_file, cord.ca_pem())?;
    write(&state.join("token"), cord.token())?;
    let ready = json!({
        "rest_addr": cord.rest_addr(),
        "people_url": cord.people_url(),
        "ca_file": ca_file,
        "token": cord.token(),
        "guild_id": cord.guild_id(),
    });
    if let Some(path) = &arguments.ready_file {
        write(path, &format!("{ready:#}\n"))?;
    }
    if !arguments.quiet {
        announce(&cord, &ca_file);
    }
    stopped.await;
    cord.stop();
    if let Err(recorded) = cord.finish() {
        tracing::warn!("{recorded}");
    }
    write(&state.join("messages.json"), &cord.messages_json())?;
    match &arguments.ready_file {
        Some(path) => fs::remove_file(path).with_context(|| format!("remove `{}`", path.display())),
        None => Ok(()),
    }
}

fn options(arguments: &Arguments) -> Result<Options> {
    let guild = match &arguments.guild {
        Some(path) => {
            fs::read_to_string(path).with_context(|| format!("read `{}`", path.display()))?
        }
        None => DEFAULT_GUILD.to_owned(),
    };
    Ok(Options {
        guild,
        people_port: arguments.people_port,
        rest_port: arguments.rest_port,
        token: arguments.token.clone().or_else(|| kept_token(arguments)),
        people_token: arguments.people_token.clone(),
        messages: fs::read_to_string(arguments.state_dir.join("messages.json")).ok(),
        rate_limits: arguments.rate_limits,
        validate: arguments.validate,
        ..Options::default()
    })
}

/// A bot that is running keeps its token over a restart of localcord.
fn kept_token(arguments: &Arguments) -> Option<String> {
    let text = fs::read_to_string(arguments.state_dir.join("token")).ok()?;
    token(text.trim()).ok()
}

/// A token stands in headers, addresses and cookies.
fn token(text: &str) -> Result<String, &'static str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    if text.is_empty() || !text.chars().all(fits) {
        return Err("a token has letters, digits, `.`, `-` and `_`");
    }
    Ok(text.to_owned())
}

/// Whoever reads the file finds all of it, and only its owner can.
fn write(path: &Path, text: &str) -> Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let draft = path.with_added_extension("new");
    let context = || format!("write `{}`", path.display());
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&draft)
        .with_context(context)?;
    file.write_all(text.as_bytes()).with_context(context)?;
    fs::rename(&draft, path).with_context(context)
}

#[expect(
    clippy::print_stdout,
    reason = "the address is for the person who started it"
)]
fn announce(cord: &Localcord, ca_file: &Path) {
    println!("localcord is up: {}", cord.people_url());
    println!(
        "REST for bots:   https://discord.com at {} with CA {}",
        cord.rest_addr(),
        ca_file.display()
    );
}

/// Ctrl-C or SIGTERM, from now on.
fn stopped() -> Result<impl Future<Output = ()>> {
    let mut interrupted = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
    let mut terminated = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}
