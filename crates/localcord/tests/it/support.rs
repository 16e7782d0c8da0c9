//! A bot as its authors write them: serenity and poise, unchanged, pointed at localcord.

use std::{sync::Arc, time::Duration};

use localcord::{Localcord, Options};
use poise::serenity_prelude as serenity;
use serde_json::Value;
use serenity::{GatewayIntents, Http, all::HttpBuilder};
use tokio::sync::Notify;

use crate::bot;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Context<'a> = poise::Context<'a, Data, Failure>;

/// Lets a test decide when a command goes on.
#[derive(Clone, Default)]
pub(crate) struct Data {
    pub(crate) gate: Arc<Notify>,
}
pub(crate) type Outcome = Result<(), Failure>;

/// A bot that is connected and has registered its commands; it leaves when this is dropped.
pub(crate) struct Bot {
    pub(crate) gate: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// serenity's client on the TLS way: its rate limiter stays on, and so does the address of the real Discord.
pub(crate) fn http(cord: &Localcord) -> Http {
    HttpBuilder::new(cord.token())
        .client(tls_client(cord))
        .build()
}

fn tls_client(cord: &Localcord) -> reqwest::Client {
    let ca = reqwest::Certificate::from_pem(cord.ca_pem().as_bytes()).unwrap();
    reqwest::Client::builder()
        .resolve("discord.com", cord.rest_addr())
        .add_root_certificate(ca)
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

pub(crate) async fn start_bot(cord: &Localcord) -> Bot {
    let guild = u64::from(cord.guild_id()).into();
    let data = Data::default();
    let gate = Arc::clone(&data.gate);
    let framework = poise::Framework::builder()
        .options(bot::options())
        .setup(move |ctx, _, framework| {
            Box::pin(async move {
                poise::builtins::register_in_guild(ctx, &framework.options().commands, guild)
                    .await?;
                Ok(data)
            })
        })
        .build();
    let intents = GatewayIntents::non_privileged();
    let mut client = serenity::ClientBuilder::new_with_http(http(cord), intents)
        .framework(framework)
        .await
        .unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's bot, ended by its `Bot`"
    )]
    let task = tokio::spawn(async move { client.start().await.unwrap() });
    cord.wait_for_command("ping").await.unwrap();
    Bot { gate, task }
}

pub(crate) async fn start() -> (Localcord, Bot) {
    start_with(Options::default()).await
}

pub(crate) async fn start_with(options: Options) -> (Localcord, Bot) {
    let cord = Localcord::start(options).await.unwrap();
    let bot = start_bot(&cord).await;
    (cord, bot)
}

/// Plain REST calls with the bot's token.
pub(crate) struct Rest {
    client: reqwest::Client,
    authorization: String,
}

impl Rest {
    pub(crate) fn new(cord: &Localcord) -> Self {
        Self {
            client: tls_client(cord),
            authorization: format!("Bot {}", cord.token()),
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("https://discord.com/api/v10{path}");
        let request = self.client.request(method.parse().unwrap(), url);
        request.header("authorization", &self.authorization)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answered(self.request("GET", path)).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        answered(self.request(method, path).json(&body)).await
    }

    pub(crate) async fn execute(&self, request: reqwest::Request) -> (u16, Value) {
        read(self.client.execute(request).await.unwrap()).await
    }
}

/// Status and body; `Null` where there is none.
pub(crate) async fn answered(request: reqwest::RequestBuilder) -> (u16, Value) {
    read(request.send().await.unwrap()).await
}

async fn read(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}
