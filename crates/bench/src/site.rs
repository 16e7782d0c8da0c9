//! Where the real binary runs: a Discord, a folder, and a corner of this machine's Docker with a name of its own.

use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use bollard::{
    Docker,
    query_parameters::{ListContainersOptions, ListNetworksOptions, RemoveContainerOptions},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use localcord::{Localcord, Person};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::cord::{self, PATIENCE};

/// The demo agent as people deploy it, but for the published port, whose proxy would only add its own time.
const DEPLOYED: &str = r#"{
  "description": "ticks", "image": "yardarm/demo-agent:latest", "env": { "DEMO_QUIET": "true" },
  "limits": { "memory_mb": 32, "cpus": 0.25, "pids": 16 }, "network": "fleet", "internet": true,
  "user": "65534:65534", "read_only_root": true, "stop_grace_s": 1,
  "health": { "command": ["demo-agent", "healthcheck"], "interval_s": 10, "timeout_s": 3, "retries": 3, "start_period_s": 5 }
}"#;
/// Without a health check: the engine runs those by itself, and a hundred of them drown what we cost it.
const IDLE: &str = r#"{
  "description": "waits", "image": "yardarm/demo-agent:latest",
  "env": { "DEMO_QUIET": "true", "DEMO_INTERVAL_S": "3600" },
  "limits": { "memory_mb": 32, "cpus": 0.25, "pids": 16 }, "network": "fleet", "internet": true,
  "user": "65534:65534", "read_only_root": true, "stop_grace_s": 1
}"#;
/// Nobody is there to be asked, and what answers cost is measured elsewhere.
const UNASKED: &str = r#"
[[policy]]
name = "nobody is asked"
actions = ["remove", "unfreeze"]
effect = "allow"
"#;
/// As [`IDLE`], and asked how it is every 15 seconds.
const PROBED: &str = r#"{
  "description": "waits and is asked", "image": "yardarm/demo-agent:latest",
  "env": { "DEMO_QUIET": "true", "DEMO_INTERVAL_S": "3600" },
  "limits": { "memory_mb": 32, "cpus": 0.25, "pids": 16 }, "network": "fleet", "internet": true,
  "user": "65534:65534", "read_only_root": true, "stop_grace_s": 1,
  "probes": [{ "kind": "http", "port": 8080, "path": "/healthz", "interval_s": 15 }]
}"#;
const REMOVALS: usize = 8;
const LOG: &str = "yardarm.log";
/// As the settings name it; what `SQLite` keeps beside it begins with the same.
const DATABASE: &str = "yardarm.db";

pub(crate) struct Site {
    pub(crate) cord: Localcord,
    pub(crate) docker: Docker,
    /// Every container and network of ours begins with it, and nobody else's.
    pub(crate) prefix: String,
    folder: TempDir,
}

impl Site {
    pub(crate) async fn prepare() -> Result<Self> {
        let docker = Docker::connect_with_defaults()?.negotiate_version().await?;
        let site = Self {
            cord: cord::start().await?,
            docker,
            prefix: fresh_prefix()?,
            folder: tempfile::tempdir()?,
        };
        std::fs::create_dir(site.folder.path().join("agents"))?;
        for (name, json) in [("deployed", DEPLOYED), ("idle", IDLE), ("probed", PROBED)] {
            std::fs::write(site.folder.path().join(format!("agents/{name}.json")), json)?;
        }
        std::fs::write(site.folder.path().join("yardarm.toml"), UNASKED)?;
        Ok(site)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join(DATABASE)
    }

    pub(crate) fn people(&self) -> Vec<Person> {
        cord::people(&self.cord)
    }

    /// Starts the real binary, and tells how long it took to be READY.
    pub(crate) async fn launch(&self) -> Result<(Yardarm, Duration)> {
        self.launch_with(&[]).await
    }

    pub(crate) async fn launch_with(
        &self,
        settings: &[(&str, &str)],
    ) -> Result<(Yardarm, Duration)> {
        let mut command = self.command()?;
        for (key, value) in settings {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        let (identified, _) = self.cord.gateway().arrivals();
        let began = Instant::now();
        let child = command.spawn().context("start Yardarm")?;
        let yardarm = Yardarm {
            pid: child.id().context("Yardarm ended at once")?,
            child,
        };
        self.cord.gateway().wait_identified(identified + 1).await?;
        let took = began.elapsed();
        self.cord.wait_for_command("help").await?;
        Ok((yardarm, took))
    }

    /// Lines of its log that tell of errors.
    pub(crate) fn errors_logged(&self) -> Result<usize> {
        let log = std::fs::read_to_string(self.folder.path().join(LOG))?;
        Ok(log.lines().filter(|line| line.contains("ERROR")).count())
    }

    fn command(&self) -> Result<Command> {
        let folder = self.folder.path();
        let beside = std::env::current_exe()?.with_file_name("yardarm");
        ensure!(
            beside.exists(),
            "`{}` is not there\nhint: scripts/bench builds it",
            beside.display()
        );
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join(LOG))?;
        let mut command = Command::new(beside);
        command
            .arg("up")
            .arg("--config")
            .arg(folder.join("yardarm.toml"));
        let prefix = ("docker.name_prefix".to_owned(), self.prefix.clone());
        for (key, value) in cord::settings(&self.cord, folder)?
            .into_iter()
            .chain([prefix])
        {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        command.env("DISCORD_TOKEN", self.cord.token());
        command.stderr(log).kill_on_drop(true);
        Ok(command)
    }

    /// Removes all that bears our name, and what Yardarm knew of it: it must not run meanwhile. Docker 20.10 now and then believes for ever that a network is in use in which
    /// containers were killed and started again at once; that is told, and spoils no figures as long as each group has a fleet of its own.
    #[expect(clippy::print_stderr, reason = "somebody has to remove it")]
    pub(crate) async fn sweep(&self) -> Result<()> {
        let named = || Some([("name".to_owned(), vec![self.prefix.clone()])].into());
        let found = ListContainersOptions {
            all: true,
            filters: named(),
            ..Default::default()
        };
        let containers = self.docker.list_containers(Some(found)).await?.into_iter();
        // Docker finds the name anywhere in a name.
        let ours = |name: &String| name.trim_start_matches('/').starts_with(&self.prefix);
        let ours_alone = containers.filter(|found| found.names.iter().flatten().any(ours));
        stream::iter(ours_alone.filter_map(|found| found.id))
            .map(|id| async move { self.remove(&id).await })
            .buffer_unordered(REMOVALS)
            .try_collect::<()>()
            .await?;
        let found = ListNetworksOptions { filters: named() };
        let networks = self.docker.list_networks(Some(found)).await?.into_iter();
        for name in networks.filter_map(|found| found.name).filter(ours) {
            if let Err(error) = self.docker.remove_network(&name).await {
                eprintln!("the network {name} stays: {error}");
            }
        }
        self.forget()
    }

    /// The next start is a first start.
    fn forget(&self) -> Result<()> {
        for entry in std::fs::read_dir(self.folder.path())? {
            let entry = entry?;
            if entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(DATABASE.as_bytes())
            {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    pub(crate) async fn remove(&self, container: &str) -> Result<()> {
        let options = RemoveContainerOptions {
            force: true,
            v: true,
            ..Default::default()
        };
        Ok(self
            .docker
            .remove_container(container, Some(options))
            .await?)
    }
}

/// Two benches on one machine must not sweep each other's.
fn fresh_prefix() -> Result<String> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(format!(
        "yardarm-bench-{}-{}-",
        std::process::id(),
        since_1970.as_secs()
    ))
}

/// The real binary, running. It is killed if it is dropped.
pub(crate) struct Yardarm {
    child: Child,
    pub(crate) pid: u32,
}

impl Yardarm {
    /// Ends it in good order.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill")
            .arg("-TERM")
            .arg(self.pid.to_string())
            .status()
            .await?;
        ensure!(asked.success(), "Yardarm ended before it was asked to");
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await??;
        ensure!(status.success(), "Yardarm ended with {status}");
        Ok(())
    }
}
