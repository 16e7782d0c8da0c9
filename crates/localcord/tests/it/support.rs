//! A bot as its authors write them: serenity and poise, unchanged, pointed at localcord.

use std::{sync::Arc, time::Duration};

use localcord::{Localcord, Options};
use poise::serenity_prelude as serenity;
use serenity::{GatewayIntents, Http, ShardManager, all::HttpBuilder};

use crate::conversation;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Context<'a> = poise::Context<'a, (), Failure>;
pub(crate) type Outcome = Result<(), Failure>;

/// A bot that is connected and has registered its commands; it leaves when this is dropped.
pub(crate) struct Bot {
    pub(crate) http: Arc<Http>,
    shards: Arc<ShardManager>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bot {
    pub(crate) async fn leave(&self) {
        self.shards.shutdown_all().await;
    }
}

/// serenity's client on the TLS way: its rate limiter stays on, and so does the address of the real Discord.
pub(crate) fn http(cord: &Localcord) -> Http {
    let ca = reqwest::Certificate::from_pem(cord.ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .resolve("discord.com", cord.rest_addr())
        .add_root_certificate(ca)
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    HttpBuilder::new(cord.token()).client(client).build()
}

pub(crate) async fn start_bot(cord: &Localcord) -> Bot {
    let guild = u64::from(cord.guild_id()).into();
    let framework = poise::Framework::builder()
        .options(conversation::options())
        .setup(move |ctx, _, framework| {
            Box::pin(async move {
                poise::builtins::register_in_guild(ctx, &framework.options().commands, guild)
                    .await?;
                Ok(())
            })
        })
        .build();
    let intents = GatewayIntents::non_privileged();
    let mut client = serenity::ClientBuilder::new_with_http(http(cord), intents)
        .framework(framework)
        .await
        .unwrap();
    let (http, shards) = (client.http.clone(), client.shard_manager.clone());
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's bot, ended by its `Bot`"
    )]
    let task = tokio::spawn(async move { client.start().await.unwrap() });
    cord.wait_for_command("ping").await.unwrap();
    Bot { http, shards, task }
}

pub(crate) async fn start() -> (Localcord, Bot) {
    start_with(Options::default()).await
}

pub(crate) async fn start_with(options: Options) -> (Localcord, Bot) {
    let cord = Localcord::start(options).await.unwrap();
    let bot = start_bot(&cord).await;
    (cord, bot)
}
