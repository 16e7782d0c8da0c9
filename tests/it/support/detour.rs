//! A socket before the engine's, which does to calls what bad days do. bollard makes a connection for each call.

use std::time::Duration;

use tempfile::TempDir;
use tokio::{
    io::{self, AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// Where Docker listens.
const ENGINE: &str = "/var/run/docker.sock";
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the engine is today.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mood {
    /// As it is.
    Well,
    /// Each call is so late.
    Slow(Duration),
    /// Nothing passes, in neither direction.
    Hung,
    /// As `Hung`, from the first call on whose path ends so.
    HungFrom(&'static str),
    /// What changes something is done, and its answer lost.
    Mute,
}

pub(crate) struct Detour {
    folder: TempDir,
    way: Way,
    /// Ends when it is dropped.
    _server: JoinSet<()>,
}

#[derive(Clone)]
struct Way {
    mood: watch::Sender<Mood>,
    /// The first lines of all calls.
    calls: watch::Sender<Vec<String>>,
}

impl Detour {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let way = Way {
            mood: watch::Sender::new(Mood::Well),
            calls: watch::Sender::new(Vec::new()),
        };
        let mut server = JoinSet::new();
        server.spawn(serve(listener, way.clone()));
        Self {
            folder,
            way,
            _server: server,
        }
    }

    /// As `DOCKER_HOST` would give it.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.path().display())
    }

    pub(crate) fn turn(&self, mood: Mood) {
        self.way.mood.send_replace(mood);
    }

    /// Waits until it hangs.
    pub(crate) async fn hangs(&self) {
        let mut mood = self.way.mood.subscribe();
        let hung = mood.wait_for(|mood| *mood == Mood::Hung);
        timeout(PATIENCE, hung).await.expect("the call").unwrap();
    }

    /// All calls so far: method and path.
    pub(crate) fn calls(&self) -> Vec<(String, String)> {
        let lines = self.way.calls.borrow();
        let split = lines.iter().map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            (words.next().unwrap(), words.next().unwrap())
        });
        split.collect()
    }
}

async fn serve(listener: UnixListener, way: Way) {
    let mut calls = JoinSet::new();
    loop {
        let (near, _) = listener.accept().await.unwrap();
        let way = way.clone();
        // Whoever called sees that a connection ended.
        calls.spawn(async move { way.pass(near).await.unwrap_or_default() });
    }
}

impl Way {
    async fn pass(&self, mut near: UnixStream) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.windows(2).any(|pair| pair == b"\r\n") {
            if near.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let text = String::from_utf8_lossy(&head);
        let line = text.lines().next().unwrap_or_default().to_owned();
        let path = line.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
        let is_change = !line.starts_with("GET ");
        self.calls.send_modify(|calls| calls.push(line));
        let mood = *self.mood.borrow();
        match mood {
            Mood::Slow(by) => sleep(by).await,
            Mood::HungFrom(end) if path.ends_with(end) => {
                self.mood.send_replace(Mood::Hung);
            }
            _ => {}
        }
        self.until_it_moves().await;
        let mut far = UnixStream::connect(ENGINE).await?;
        far.write_all(&head).await?;
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        tokio::try_join!(
            self.carry(near_read, far_write, false),
            self.carry(far_read, near_write, is_change)
        )?;
        Ok(())
    }

    async fn carry(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        is_answer_of_change: bool,
    ) -> io::Result<()> {
        loop {
            let mut bytes = Vec::with_capacity(16 << 10);
            let count = from.read_buf(&mut bytes).await?;
            self.until_it_moves().await;
            if is_answer_of_change && *self.mood.borrow() == Mood::Mute {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            if count == 0 {
                return to.shutdown().await;
            }
            to.write_all(&bytes).await?;
        }
    }

    async fn until_it_moves(&self) {
        let mut mood = self.mood.subscribe();
        let moves = mood.wait_for(|mood| *mood != Mood::Hung).await;
        drop(moves.expect("it holds the other end itself"));
    }
}
