//! The connection to Discord, from the first question to the last event.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use poise::{CommandInteractionType, Framework, FrameworkOptions, serenity_prelude::FullEvent};
use serenity::{
    all::{GatewayIntents, GuildId, Interaction},
    gateway::{ConnectionStage, GatewayError, ShardManager},
    http::{Http, HttpError},
};
use tokio_util::sync::CancellationToken;

use super::{Answer, Bot, Error, commands, components, connect, errors, reply::Asker};
use crate::{config::Discord, ops::Ops};

/// Between two tries while Discord is away.
const RETRY: Duration = Duration::from_secs(5);
/// Between two looks at the connection: serenity tells of what it gains, and not of all that it loses.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why there is no way to Discord, whatever we try.
#[derive(Debug, thiserror::Error)]
pub enum GatewayFailure {
    #[error(
        "Discord refuses the token\nhint: Developer Portal → your application → Bot → Reset Token, then set `DISCORD_TOKEN`"
    )]
    TokenRefused,
    #[error("Discord refuses the connection: {0}")]
    Refused(String),
    /// Discord answers and its gateway does not: a new process may get through where this one is stuck.
    #[error("Discord's gateway was away for too long")]
    Dead,
}

/// The ways to Discord's REST interface, on one HTTP client.
pub struct Rest {
    /// With serenity's rate limiter.
    pub http: Arc<Http>,
    /// Without it; see [`connect::replies`].
    pub replies: Http,
    /// The gateway client wants one of its own. It answers interactions, too: choices of autocompletion.
    own: Http,
}

impl Rest {
    pub fn new(settings: &Discord) -> Result<Self, connect::ConnectError> {
        let client = connect::client(settings)?;
        Ok(Self {
            http: Arc::new(connect::http(settings, client.clone())),
            replies: connect::replies(settings, client.clone()),
            own: connect::replies(settings, client),
        })
    }
}

/// Serves Discord until `stop`; returns early only if no further try can help.
pub async fn serve(
    ops: Arc<Ops>,
    rest: Rest,
    stop: CancellationToken,
) -> Result<(), GatewayFailure> {
    let home = GuildId::new(ops.settings().discord.guild.0);
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        answered = until_answered(&rest) => answered?,
    }
    let registrar = register(Arc::clone(&rest.http), home);
    let bot = Bot::new(Arc::clone(&ops), rest.replies);
    let framework = Framework::builder()
        .options(options())
        // Infallible, because every event would wait for ever for what it does not return.
        .setup(move |_, _, _| Box::pin(async move { Ok(bot) }))
        .build();
    let client = serenity::all::ClientBuilder::new_with_http(rest.own, GatewayIntents::empty())
        .framework(framework);
    let mut client = client
        .await
        .map_err(|error| GatewayFailure::Refused(error.to_string()))?;
    let shards = Arc::clone(&client.shard_manager);
    tokio::select! {
        ended = client.start() => ended.map_err(|error| refused(&error)),
        // The commands are registered beside the connection; their end is not ours.
        never = async { registrar.await; std::future::pending().await } => never,
        dead = until_dead(&ops, &rest.http, &shards) => Err(dead),
        () = stop.cancelled() => {
            shards.shutdown_all().await;
            Ok(())
        }
    }
}

/// serenity asks for the gateway's address once, and falls back to the real one for ever if that fails: so the
/// answer comes first. It also tells who we are.
async fn until_answered(rest: &Rest) -> Result<(), GatewayFailure> {
    loop {
        let known = async {
            rest.http.get_gateway().await?;
            rest.http.get_current_application_info().await
        };
        match known.await {
            Ok(application) => {
                for http in [&*rest.http, &rest.replies, &rest.own] {
                    http.set_application_id(application.id);
                }
                return Ok(());
            }
            Err(error) if is_unauthorized(&error) => return Err(GatewayFailure::TokenRefused),
            Err(error) => tracing::warn!(error = %error, "Discord does not answer; trying again"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Looks at the connection again and again. While all of Discord is away, or our way to it, the process stays: agents are
/// looked after all the same, and a new start would change nothing.
async fn until_dead(ops: &Ops, http: &Http, shards: &ShardManager) -> GatewayFailure {
    loop {
        let up = {
            let runners = shards.runners.lock().await;
            let mut stages = runners.values().map(|runner| runner.stage);
            stages.any(|stage| stage == ConnectionStage::Connected)
        };
        ops.see_gateway(up);
        if ops.is_gateway_dead() {
            if http.get_gateway().await.is_ok() {
                return GatewayFailure::Dead;
            }
            tokio::time::sleep(RETRY).await;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Tells Discord our commands, as often as it takes.
async fn register(http: Arc<Http>, home: GuildId) {
    let commands = poise::builtins::create_application_commands(&commands::all());
    loop {
        match home.set_commands(&http, commands.clone()).await {
            Ok(registered) => {
                return tracing::info!(commands = registered.len(), "commands registered");
            }
            Err(error) => {
                tracing::warn!(error = %error, "commands could not be registered, and are tried again; `yardarm doctor` tells whether the bot was invited for them");
            }
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// This delivery of an interaction is the first, and when it came.
struct Claimed(Instant);

/// A command was carried out, or could not be.
pub(super) async fn note_command(ctx: poise::Context<'_, Bot, Error>, error: Option<&Error>) {
    let poise::Context::Application(application) = ctx else {
        return;
    };
    let is_typed = application.interaction_type == CommandInteractionType::Command;
    let claimed = ctx.invocation_data::<Claimed>().await;
    if let Some(claimed) = claimed.filter(|_| is_typed) {
        let name = ctx.command().qualified_name.clone();
        ctx.data()
            .note(("command", name.into_owned()), error, claimed.0);
    }
}

fn options() -> FrameworkOptions<Bot, Error> {
    FrameworkOptions {
        commands: commands::all(),
        initialize_owners: false,
        on_error: |error| Box::pin(errors::on_error(error)),
        post_command: |ctx| Box::pin(note_command(ctx, None)),
        command_check: Some(|ctx| {
            Box::pin(async move {
                // Asked once for a command and once for each group above it: the first claims.
                if ctx.invocation_data::<Claimed>().await.is_none() {
                    if !ctx.data().is_first(ctx.id()) {
                        return Ok(false);
                    }
                    ctx.set_invocation_data(Claimed(Instant::now())).await;
                }
                if let poise::Context::Application(ctx) = ctx {
                    // It has a door of its own, for when nobody may do anything yet.
                    if ctx.command().qualified_name != commands::CLAIM {
                        ctx.data().authorise(&Asker::from(ctx.interaction).caller)?;
                    }
                }
                // A group by itself is nothing that can be done; poise would call it and answer nobody.
                if !ctx.command().subcommands.is_empty() {
                    return Err(Answer::Invalid(errors::CHANGED.to_owned()).into());
                }
                Ok(true)
            })
        }),
        event_handler: |ctx, event| {
            Box::pin(async move {
                match event {
                    FullEvent::InteractionCreate {
                        interaction: Interaction::Component(press),
                    } => components::pressed(ctx.user_data, press).await,
                    FullEvent::InteractionCreate {
                        interaction: Interaction::Modal(modal),
                    } => components::submitted(ctx.user_data, modal).await,
                    FullEvent::Ready { data_about_bot } => {
                        tracing::info!(bot = data_about_bot.user.name, "connected to Discord");
                        ctx.user_data.ops.see_gateway(true);
                    }
                    _ => {}
                }
                Ok(())
            })
        },
        ..FrameworkOptions::default()
    }
}

fn is_unauthorized(error: &serenity::Error) -> bool {
    matches!(error, serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) if response.status_code.as_u16() == 401)
}

fn refused(error: &serenity::Error) -> GatewayFailure {
    match error {
        serenity::Error::Gateway(GatewayError::InvalidAuthentication) => {
            GatewayFailure::TokenRefused
        }
        other => GatewayFailure::Refused(other.to_string()),
    }
}
