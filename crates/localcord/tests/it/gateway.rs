//! Connections that break, and bots that come back.

use futures::{SinkExt as _, StreamExt as _};
use localcord::{Localcord, Options};
use poise::serenity_prelude as serenity;

use serde_json::{Value, json};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::support::{http, start};

#[tokio::test]
async fn a_bot_resumes_after_a_cut_and_gets_what_it_missed() {
    let (cord, _bot) = start().await;
    let before = cord.gateway().arrivals();
    cord.gateway().drop_connections();
    let reply = cord
        .user("olga")
        .slash("pick")
        .option("level", "owner")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.text(), "owner");
    assert_eq!(cord.gateway().arrivals(), (before.0, before.1 + 1));
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_bot_that_is_asked_to_reconnect_resumes() {
    let (cord, _bot) = start().await;
    cord.gateway().reconnect();
    cord.gateway().wait_resumed(1).await.unwrap();
    cord.gateway().close(4000);
    cord.gateway().wait_resumed(2).await.unwrap();
    let reply = cord
        .user("olga")
        .slash("pick")
        .option("level", "viewer")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.text(), "viewer");
    cord.finish().unwrap();
}

#[tokio::test]
async fn an_invalid_session_means_to_identify_again() {
    let (cord, _bot) = start().await;
    cord.gateway().close(4009);
    cord.gateway().wait_identified(2).await.unwrap();
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_frozen_gateway_holds_everything_back() {
    let (cord, _bot) = start().await;
    cord.gateway().freeze();
    let olga = cord.user("olga");
    let command = olga.slash("pick").option("level", "owner");
    let (reply, ()) = tokio::join!(command.send(), async { cord.gateway().thaw() });
    assert_eq!(reply.unwrap().text(), "owner");
    cord.finish().unwrap();
}

#[tokio::test]
async fn privileged_intents_are_refused() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let intents =
        serenity::GatewayIntents::non_privileged() | serenity::GatewayIntents::MESSAGE_CONTENT;
    let mut client = serenity::ClientBuilder::new_with_http(http(&cord), intents)
        .await
        .unwrap();
    let refused = client.start().await.unwrap_err().to_string();
    assert!(refused.contains("isallowed"), "{refused}");
    assert_eq!(cord.gateway().arrivals(), (0, 0));
}

/// The smallest gateway client: frames as they are.
pub(crate) struct Raw {
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
}

impl Raw {
    async fn connect(url: &str) -> Self {
        Self {
            socket: connect_async(url).await.unwrap().0,
        }
    }

    /// A session with these intents.
    pub(crate) async fn identified(cord: &Localcord, intents: u64) -> Self {
        let mut raw = Self::connect(&cord.gateway_url()).await;
        raw.hear_of_hello().await;
        raw.say(identify(cord.token(), intents)).await;
        assert_eq!(raw.hear().await["t"], "READY");
        raw
    }

    async fn hear_of_hello(&mut self) {
        assert_eq!(self.hear().await["op"], 10);
    }

    /// The next event of this name; what comes before it is left out.
    pub(crate) async fn hear_of(&mut self, event: &str) -> Value {
        loop {
            let frame = self.hear().await;
            if frame["t"] == event {
                return frame["d"].clone();
            }
        }
    }

    async fn send(&mut self, frame: impl Into<Message>) {
        self.socket.send(frame.into()).await.unwrap();
    }

    async fn say(&mut self, frame: Value) {
        self.send(frame.to_string()).await;
    }

    async fn hear(&mut self) -> Value {
        match self.socket.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("another frame: {other:?}"),
        }
    }

    async fn close_code(&mut self) -> u16 {
        match self.socket.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("another frame: {other:?}"),
        }
    }
}

fn identify(token: &str, intents: u64) -> Value {
    json!({ "op": 2, "d": { "token": token, "intents": intents, "properties": {} } })
}

#[tokio::test]
async fn frames_that_discord_closes_for() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let token = cord.token().to_owned();
    for (frame, code) in [
        (identify("localcord.another.token", 0).to_string(), 4004),
        (identify(&token, 1 << 40).to_string(), 4013),
        (identify(&token, 1 << 1).to_string(), 4014),
        (json!({ "op": 3, "d": {} }).to_string(), 4003),
        (json!({ "op": 99 }).to_string(), 4001),
        (json!({ "op": "two" }).to_string(), 4002),
        (json!([]).to_string(), 4002),
        ("{".to_owned(), 4002),
    ] {
        let mut raw = Raw::connect(&cord.gateway_url()).await;
        assert_eq!(raw.hear().await["op"], 10);
        raw.send(frame.clone()).await;
        assert_eq!(raw.close_code().await, code, "{frame}");
    }
    let mut raw = Raw::connect(&cord.gateway_url()).await;
    raw.hear().await;
    raw.send(Message::Binary(vec![1, 2, 3].into())).await;
    assert_eq!(raw.close_code().await, 4002);
    assert_eq!(cord.gateway().connected(), 0);
}

#[tokio::test]
async fn heartbeats_sequence_and_replay() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let mut raw = Raw::connect(&format!("{}/?v=10&encoding=json", cord.gateway_url())).await;
    raw.hear().await;
    raw.say(json!({ "op": 1, "d": null })).await;
    assert_eq!(raw.hear().await["op"], 11);
    raw.say(identify(cord.token(), 1 << 9)).await;
    let ready = raw.hear().await;
    assert_eq!((&ready["t"], &ready["s"]), (&json!("READY"), &json!(1)));

    cord.gateway().drop_connections();
    cord.gateway().wait_connected(0).await.unwrap();
    cord.user("ravi").in_channel("ops").says("missed").unwrap();
    let mut raw = Raw::connect(&cord.gateway_url()).await;
    raw.hear().await;
    let session = &ready["d"]["session_id"];
    raw.say(json!({ "op": 6, "d": { "token": cord.token(), "session_id": session, "seq": 1 } }))
        .await;
    let missed = raw.hear().await;
    assert_eq!(
        (&missed["t"], &missed["s"]),
        (&json!("MESSAGE_CREATE"), &json!(2))
    );
    // What people write is not for a bot without the privileged intent.
    assert_eq!(missed["d"]["content"], "");
    assert_eq!(raw.hear().await["t"], "RESUMED");

    raw.say(json!({ "op": 6, "d": { "token": cord.token(), "session_id": "old", "seq": 1 } }))
        .await;
    assert_eq!(raw.hear().await, json!({ "op": 9, "d": false }));
    cord.finish().unwrap();
}

#[tokio::test]
async fn the_page_hears_of_changes() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let address = format!(
        "ws://{}/ws?token={}",
        cord.people_addr(),
        cord.people_token()
    );
    let mut page = Raw::connect(&address).await;
    let before = page.hear().await["change"].as_u64().unwrap();
    cord.user("ravi").says("news").unwrap();
    assert!(page.hear().await["change"].as_u64().unwrap() > before);
    let wrong = format!("ws://{}/ws?token=guess", cord.people_addr());
    assert!(connect_async(wrong).await.is_err());
}
