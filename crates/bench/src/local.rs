//! What localcord can do by itself: it must never be what bounds another figure.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::{TryStreamExt as _, future::try_join_all, stream};
use localcord::Person;
use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
};

use crate::{
    Counts,
    figures::Figures,
    floor::{API, Floor, http},
    process,
};

/// Messages on their way at once.
const POSTS: usize = 8;

pub(crate) async fn measure(figures: &mut Figures, counts: &Counts) -> Result<()> {
    let floor = Floor::start().await?;
    let people = floor.people();
    // In the first round connections are opened.
    ping(&people, 1).await?;
    let each = counts.interactions / people.len();
    let began = Instant::now();
    ping(&people, each).await?;
    figures.rate(
        "localcord_interactions_per_s",
        each * people.len(),
        began.elapsed(),
    );
    let mut starts = Vec::new();
    for _ in 0..counts.starts {
        starts.push(Server::start().await?.took);
    }
    figures.spread("localcord_start_ms", &starts)?;
    let server = Server::start().await?;
    server.post(counts.messages).await?;
    figures.number("localcord_rss_mb", process::rss_mb(server.pid)?);
    Ok(())
}

/// Everybody sends so many commands, one after the other, to the smallest client.
async fn ping(people: &[Person], each: usize) -> Result<()> {
    let all = people.iter().map(|person| async move {
        for _ in 0..each {
            let reply = person.slash("ping").send().await?;
            ensure!(reply.text() == "pong", "somebody else answered");
        }
        Ok(())
    });
    try_join_all(all).await?;
    Ok(())
}

/// The program, in a process of its own, which ends with this.
struct Server {
    pid: u32,
    took: Duration,
    ready: BTreeMap<String, String>,
    /// What it says later on must go somewhere.
    _said: BufReader<ChildStdout>,
    _child: Child,
    _folder: TempDir,
}

impl Server {
    async fn start() -> Result<Self> {
        let beside = std::env::current_exe()?.with_file_name("localcord");
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("ready.json");
        let mut command = Command::new(&beside);
        command.args(["--people-port", "0", "--rest-port", "0", "--ready-file"]);
        command.arg(&file).arg("--state-dir").arg(folder.path());
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let began = Instant::now();
        let mut child = command.spawn().with_context(|| {
            format!(
                "start `{}`; hint: scripts/bench builds it",
                beside.display()
            )
        })?;
        let said = child.stdout.take().context("its output")?;
        // It speaks once it serves.
        let mut said = BufReader::new(said);
        said.read_line(&mut String::new()).await?;
        let took = began.elapsed();
        Ok(Self {
            pid: child.id().context("localcord ended at once")?,
            took,
            ready: serde_json::from_slice(&std::fs::read(&file)?)?,
            _said: said,
            _child: child,
            _folder: folder,
        })
    }

    fn ready(&self, key: &str) -> Result<&str> {
        let value = self.ready.get(key);
        value
            .map(String::as_str)
            .with_context(|| format!("localcord tells no {key}"))
    }

    /// As many messages as that, from the bot.
    async fn post(&self, count: usize) -> Result<()> {
        let authority = std::fs::read(Path::new(self.ready("ca_file")?))?;
        let client = http(
            Certificate::from_pem(&authority)?,
            self.ready("rest_addr")?.parse()?,
        )?;
        let bot = format!("Bot {}", self.ready("token")?);
        let channels = format!("{API}/guilds/{}/channels", self.ready("guild_id")?);
        let channels = client
            .get(channels)
            .header("authorization", &bot)
            .send()
            .await?;
        let channels: Vec<Value> = channels.error_for_status()?.json().await?;
        let text = channels.iter().find(|channel| channel["type"] == 0);
        let id = text
            .and_then(|channel| channel["id"].as_str())
            .context("a channel")?;
        let url = format!("{API}/channels/{id}/messages");
        let numbers = stream::iter((0..count).map(anyhow::Ok));
        numbers
            .try_for_each_concurrent(POSTS, |number| say(&client, &url, &bot, number))
            .await
    }
}

async fn say(client: &Client, url: &str, bot: &str, number: usize) -> Result<()> {
    let message =
        json!({ "content": format!("message {number}, about as long as most of them are") });
    let sent = client.post(url).header("authorization", bot).json(&message);
    sent.send().await?.error_for_status()?;
    Ok(())
}
