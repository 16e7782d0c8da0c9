//! The least that can answer an interaction: one WebSocket, one HTTP client that keeps its connections, no libraries
//! of Discord's and nothing to do. What Yardarm takes beyond it is Yardarm's own: so its events come compressed, as
//! serenity asks for them, and what Discord spends on that counts for both.

use std::{io, net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, bail};
use flate2::read::ZlibDecoder;
use futures::{SinkExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use localcord::{Localcord, Person};
use reqwest::{Certificate, Client};
use serde::Deserialize;
use serde_json::json;
use tokio::{net::TcpStream, task::JoinSet, time::interval};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::cord;

pub(crate) const API: &str = "https://discord.com/api/v10";
const HEARTBEAT: Duration = Duration::from_secs(30);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) struct Floor {
    cord: Localcord,
    /// Ends with this.
    _client: JoinSet<()>,
}

impl Floor {
    pub(crate) async fn start() -> Result<Self> {
        let cord = cord::start().await?;
        let authority = Certificate::from_pem(cord.ca_pem().as_bytes())?;
        let http = http(authority, cord.rest_addr())?;
        register(&cord, &http).await?;
        let socket = connect(&cord).await?;
        let mut client = JoinSet::new();
        client.spawn(async move {
            if let Err(error) = serve(socket, http).await {
                tracing::error!("the smallest client ended: {error:#}");
            }
        });
        cord.wait_for_command("ping").await?;
        Ok(Self {
            cord,
            _client: client,
        })
    }

    pub(crate) fn people(&self) -> Vec<Person> {
        cord::people(&self.cord)
    }
}

/// The same way to a local Discord as Yardarm's: TLS, and a name that leads here.
pub(crate) fn http(authority: Certificate, address: SocketAddr) -> Result<Client> {
    let client = Client::builder()
        .use_rustls_tls()
        .tls_built_in_root_certs(false)
        .add_root_certificate(authority)
        .resolve("discord.com", address)
        .no_proxy();
    Ok(client.build()?)
}

async fn register(cord: &Localcord, http: &Client) -> Result<()> {
    let url = format!("{API}/applications/{}/commands", cord.bot_id());
    let commands = json!([{ "name": "ping", "description": "Answers", "type": 1 }]);
    let request = http
        .put(url)
        .header("authorization", format!("Bot {}", cord.token()));
    request.json(&commands).send().await?.error_for_status()?;
    Ok(())
}

async fn connect(cord: &Localcord) -> Result<Socket> {
    let (mut socket, _) = connect_async(format!("{}?v=10", cord.gateway_url())).await?;
    let identify = json!({ "op": 2, "d": {
        "token": cord.token(), "intents": 0, "properties": {}, "compress": true,
    } });
    socket.send(Message::text(identify.to_string())).await?;
    Ok(socket)
}

/// What it looks at of a frame.
#[derive(Deserialize)]
struct Frame {
    t: Option<String>,
    #[serde(default)]
    d: Option<Interaction>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Interaction {
    id: String,
    token: String,
}

async fn serve(mut socket: Socket, http: Client) -> Result<()> {
    let mut answers: FuturesUnordered<BoxFuture<'static, Result<()>>> = FuturesUnordered::new();
    let mut heartbeat = interval(HEARTBEAT);
    loop {
        tokio::select! {
            frame = socket.next() => match frame.context("the gateway hung up")?? {
                Message::Text(text) => answers.extend(answer(&http, &text)?),
                Message::Binary(payload) => {
                    let text = io::read_to_string(ZlibDecoder::new(&payload[..]))?;
                    answers.extend(answer(&http, &text)?);
                }
                Message::Close(_) => bail!("the gateway hung up"),
                _ => {}
            },
            Some(answered) = answers.next() => answered?,
            _ = heartbeat.tick() => socket.send(Message::text(r#"{"op":1,"d":null}"#)).await?,
        }
    }
}

fn answer(http: &Client, text: &str) -> Result<Option<BoxFuture<'static, Result<()>>>> {
    let frame: Frame = serde_json::from_str(text)?;
    let (Some("INTERACTION_CREATE"), Some(Interaction { id, token })) =
        (frame.t.as_deref(), frame.d)
    else {
        return Ok(None);
    };
    let request = http
        .post(format!("{API}/interactions/{id}/{token}/callback"))
        .json(&json!({ "type": 4, "data": { "content": "pong" } }));
    Ok(Some(Box::pin(async move {
        request.send().await?.error_for_status()?;
        Ok(())
    })))
}
