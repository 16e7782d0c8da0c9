//! Whoever watches the engine from before the first start on.

use std::{process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use super::{docker_host::INSTANCE_LABEL, oracle::Creation, program::now};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Notes every container that is made, whoever makes it.
pub(crate) struct Witness {
    seen: watch::Receiver<Vec<Creation>>,
    _reader: JoinSet<()>,
    _child: Child,
}

impl Witness {
    pub(crate) fn begin() -> Self {
        let mut command = Command::new("docker");
        command
            .args(["events", "--since", &now(), "--filter", "type=container"])
            .args(["--filter", "event=create", "--filter"])
            .arg(format!("label={INSTANCE_LABEL}"))
            .args(["--format", "{{json .}}"])
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (sender, seen) = watch::channel(Vec::new());
        let mut reader = JoinSet::new();
        reader.spawn(read(child.stdout.take().unwrap(), sender));
        Self {
            seen,
            _reader: reader,
            _child: child,
        }
    }

    /// All that was seen so far.
    pub(crate) fn creations(&self) -> Vec<Creation> {
        self.seen.borrow().clone()
    }

    /// Waits for one more container, but for no longer than this.
    pub(crate) async fn look_again(&mut self, at_the_latest: Duration) {
        if let Ok(seen) = timeout(at_the_latest, self.seen.changed()).await {
            seen.expect("the engine's events ended");
        }
    }

    /// Waits until an instance has so many.
    pub(crate) async fn until_made(&mut self, instance: &str, count: usize) {
        let made = |seen: &Vec<Creation>| {
            let of_it = seen.iter().filter(|one| one.instance == instance);
            of_it.count() >= count
        };
        let seen = timeout(PATIENCE, self.seen.wait_for(made)).await;
        drop(seen.expect("they were not made").unwrap());
    }
}

async fn read(from: ChildStdout, sender: watch::Sender<Vec<Creation>>) {
    let mut lines = BufReader::new(from).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let event: Value = serde_json::from_str(&line).unwrap();
        let labels = &event["Actor"]["Attributes"];
        let label = |name: &str| labels[name].as_str().unwrap_or_default().to_owned();
        let creation = Creation {
            instance: label(INSTANCE_LABEL),
            agent: label("yardarm.agent"),
            action: label("yardarm.action").parse().unwrap_or_default(),
        };
        sender.send_modify(|seen| seen.push(creation));
    }
}
