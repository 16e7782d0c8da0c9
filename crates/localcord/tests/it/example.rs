use std::time::Duration;

use localcord::{Localcord, Options};
use serenity::all::{
    ClientBuilder, Command, CreateCommand, CreateInteractionResponse,
    CreateInteractionResponseMessage, EventHandler, GatewayIntents, HttpBuilder, Interaction,
    Ready,
};

struct Bot;

#[serenity::async_trait]
impl EventHandler for Bot {
    async fn ready(&self, ctx: serenity::all::Context, _: Ready) {
        let ping = CreateCommand::new("ping").description("Answers");
        Command::create_global_command(&ctx, ping).await.unwrap();
    }

    async fn interaction_create(&self, ctx: serenity::all::Context, interaction: Interaction) {
        let Interaction::Command(command) = interaction else {
            return;
        };
        let text = format!("pong, {}", command.user.name);
        let message = CreateInteractionResponseMessage::new().content(text);
        let response = CreateInteractionResponse::Message(message);
        command.create_response(&ctx, response).await.unwrap();
    }
}

#[tokio::test]
async fn the_bot_answers() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let ca = reqwest::Certificate::from_pem(cord.ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .resolve("discord.com", cord.rest_addr())
        .add_root_certificate(ca)
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    let http = HttpBuilder::new(cord.token()).client(client).build();
    let mut bot = ClientBuilder::new_with_http(http, GatewayIntents::empty())
        .event_handler(Bot)
        .await
        .unwrap();

    let conversation = async {
        cord.wait_for_command("ping").await.unwrap();
        let reply = cord.user("olga").slash("ping").send().await.unwrap();
        assert_eq!(reply.text(), "pong, olga");
    };
    tokio::select! {
        ended = bot.start() => panic!("the bot ended: {ended:?}"),
        () = conversation => {}
    }
    cord.finish().unwrap(); // unknown routes, and what Discord's OpenAPI file does not allow
}
