//! A local Discord as the judge of what a bot sends.

use localcord::{Localcord, Message, Options};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// A Discord without a bot: what one would call is called here.
pub struct Cord {
    pub discord: Localcord,
    runtime: Runtime,
    client: Client,
}

impl Cord {
    /// `validate`: what is accepted is held against Discord's `OpenAPI` file, too, where there is one.
    pub fn start(validate: bool) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let options = Options {
            validate,
            ..Options::default()
        };
        let discord = runtime.block_on(Localcord::start(options));
        Self {
            discord: discord.expect("a Discord"),
            runtime,
            client: Client::new(),
        }
    }

    /// A call of REST as the bot makes it, over plain HTTP; `Null` where there is no JSON in the answer.
    pub fn call(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let address = self.discord.people_addr();
        let token = format!("Bot {}", self.discord.token());
        let request = self
            .client
            .request(method, format!("http://{address}/api/v10{path}"))
            .header("authorization", token)
            .header("content-type", "application/json")
            .body(body);
        self.runtime.block_on(async {
            let response = request.send().await.expect("an answer");
            let status = response.status().as_u16();
            (status, response.json().await.unwrap_or_default())
        })
    }

    /// The path of the channel that all of it happens in.
    pub fn channel(&self) -> String {
        format!("/channels/{}", self.discord.channel("ops").id())
    }

    /// A message of the bot's own.
    pub fn message(&self) -> Message {
        let hello = json!({ "content": "hello" }).to_string();
        let (status, answer) =
            self.call(Method::POST, &format!("{}/messages", self.channel()), hello);
        assert_eq!(status, 200, "{answer}");
        let messages = self.discord.channel("ops").messages();
        messages.into_iter().next_back().expect("a message")
    }
}
