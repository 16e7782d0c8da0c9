//! `yardarm up`: serve until told to stop.

use std::{process::ExitCode, sync::Arc};

use tokio::signal::unix::{SignalKind, signal};

use super::{
    Options,
    report::{self, BAD_SETTINGS},
};
use crate::{
    app::{App, Failure, Parts},
    clock::SystemClock,
    config::{self, Environment, Source},
    discord::gateway::GatewayFailure,
    domain::address::BadAddress,
    engine::docker::{Deadlines, Docker},
    host::Machine,
    store::OpenError,
    telemetry,
};

/// The database cannot be used as it is.
pub(super) const BAD_DATABASE: u8 = 65;
/// Another process has the database.
const DATABASE_IN_USE: u8 = 66;
/// The disk or another process keeps us from the database; starting again may help.
const DATABASE_UNREADY: u8 = 74;
/// Discord's gateway was away for too long while the rest of Discord answered; starting again may help.
const GATEWAY_DEAD: u8 = 75;
/// Discord refuses the token; starting again will not help.
pub(super) const TOKEN_REFUSED: u8 = 77;

pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let source = Source {
        path: Some(options.config),
        overrides: options.set,
        environment: Environment::of_process(),
    };
    let (settings, templates) = match source.read() {
        Ok(read) => read,
        Err(error) => return Ok(report::print(&report::failures(&error), BAD_SETTINGS)),
    };
    telemetry::start(&settings.log);
    let deadlines = Deadlines {
        answer: settings.docker.call_deadline,
        pull: settings.docker.pull_deadline,
        ..Deadlines::default()
    };
    let engine = engine(&settings.docker, deadlines)?;
    let started = App::start(Parts {
        settings,
        templates,
        source,
        engine: Arc::new(engine),
        gauge: Arc::new(Machine::new()),
        clock: Arc::new(SystemClock),
    });
    match started.await {
        Ok(app) => serve(app).await,
        Err(failure) => Ok(fail(&failure)),
    }
}

/// The engine that the settings name.
pub(super) fn engine(
    settings: &config::Docker,
    deadlines: Deadlines,
) -> Result<Docker, BadAddress> {
    Ok(Docker::at(settings.address()?, deadlines))
}

/// SIGHUP reloads, SIGTERM and Ctrl-C end.
async fn serve(mut app: App) -> anyhow::Result<ExitCode> {
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let code = loop {
        tokio::select! {
            _ = hang_up.recv() => match app.ops.reload(None).await {
                Ok(note) => tracing::info!(note, "reloaded"),
                Err(error) => tracing::error!("{error}"),
            },
            _ = terminate.recv() => break ExitCode::SUCCESS,
            _ = interrupt.recv() => break ExitCode::SUCCESS,
            failure = app.refused() => break fail(&failure.into()),
        }
    };
    app.stop().await;
    Ok(code)
}

/// Says why, and gives each cause a supervisor should know its own exit code.
fn fail(failure: &Failure) -> ExitCode {
    // With all that led to it, which a person in chat would not be told.
    tracing::error!("{failure:#}");
    ExitCode::from(match failure {
        Failure::Database(error) => code_of(error),
        Failure::Unready(_) => DATABASE_UNREADY,
        Failure::Connect(_) | Failure::Vault(_) | Failure::Door { .. } => BAD_SETTINGS,
        Failure::Gateway(GatewayFailure::TokenRefused) => TOKEN_REFUSED,
        Failure::Gateway(GatewayFailure::Dead) => GATEWAY_DEAD,
        Failure::Gateway(GatewayFailure::Refused(_)) | Failure::Internal(_) => 1,
    })
}

/// What a supervisor, or a script, learns of a database that cannot be opened.
pub(super) const fn code_of(error: &OpenError) -> u8 {
    match error {
        OpenError::InUse(_) => DATABASE_IN_USE,
        OpenError::Unready { .. } => DATABASE_UNREADY,
        OpenError::Absent(_)
        | OpenError::Newer { .. }
        | OpenError::Unwritable { .. }
        | OpenError::Broken { .. } => BAD_DATABASE,
    }
}
