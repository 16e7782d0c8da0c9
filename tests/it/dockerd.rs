//! A Docker daemon of our own dies under load, and comes back.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    time::{Instant, timeout},
};

use crate::support::{
    alarm::is_card,
    docker_host::{IMAGE, docker, tools},
    program::Program,
};

const PATIENCE: Duration = Duration::from_mins(1);

/// A second daemon, beside the machine's own and without its network.
struct Daemon {
    folder: tempfile::TempDir,
    child: Option<Child>,
    /// Kept open, for a daemon that cannot log ends.
    log: Option<Lines<BufReader<ChildStderr>>>,
}

impl Daemon {
    async fn start() -> Self {
        tools();
        let folder = tempfile::tempdir().unwrap();
        let mut daemon = Self {
            folder,
            child: None,
            log: None,
        };
        std::fs::write(daemon.path("daemon.json"), "{}").unwrap();
        daemon.up().await;
        let image = daemon.path("image.tar");
        docker(&["save", "--output", &image, IMAGE]);
        docker(&["--host", &daemon.host(), "load", "--input", &image]);
        daemon
    }

    async fn up(&mut self) {
        // In a network namespace of its own: a daemon without a bridge deletes `docker0`, whosever it is.
        let mut command = Command::new("unshare");
        command
            .args(["--net", "dockerd"])
            .args(["--config-file", &self.path("daemon.json")])
            .args(["--data-root", &self.path("data")])
            .args(["--exec-root", &self.path("exec")])
            .args(["--pidfile", &self.path("pid")])
            .args(["--host", &self.host()])
            .args(["--storage-driver", "vfs", "--bridge", "none"])
            .args(["--iptables=false", "--ip6tables=false"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = async {
            let mut log = String::new();
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("API listen on") {
                    return;
                }
                log = log + &line + "\n";
            }
            panic!("{log}");
        };
        timeout(PATIENCE, ready).await.expect("a daemon in time");
        self.child = Some(child);
        self.log = Some(lines);
    }

    /// Its containers go on.
    async fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().await.unwrap();
        // The kernel ends its containerd with it; where nobody reaps that one, the next daemon takes it for alive.
        std::fs::remove_file(self.path("exec/containerd/containerd.pid")).unwrap();
    }

    /// In good order: its containers end, too.
    async fn stop(&mut self) {
        let mut child = self.child.take().expect("it runs");
        run("kill", &[&child.id().expect("it runs").to_string()]);
        timeout(PATIENCE, child.wait())
            .await
            .expect("an end in time")
            .unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn host(&self) -> String {
        format!("unix://{}", self.path("docker.sock"))
    }
}

/// After a failure: whatever works for this folder is ended by its id, and what is mounted below it is let go.
impl Drop for Daemon {
    fn drop(&mut self) {
        let folder = self.folder.path().display().to_string();
        let mut ours: Vec<u32> = processes()
            .into_iter()
            .filter(|process| process.command.contains(&folder))
            .map(|process| process.id)
            .collect();
        // A container belongs to the shim that started it.
        let of_containers = processes()
            .into_iter()
            .filter(|process| ours.contains(&process.parent));
        ours.extend(of_containers.map(|process| process.id).collect::<Vec<_>>());
        for id in ours {
            run("kill", &["-KILL", &id.to_string()]);
        }
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
        for mount in mounts.lines().filter_map(|line| line.split(' ').nth(1)) {
            if mount.starts_with(&folder) {
                run("umount", &["--lazy", mount]);
            }
        }
    }
}

fn run(program: &str, arguments: &[&str]) {
    let _status = std::process::Command::new(program).args(arguments).status();
}

struct Listed {
    id: u32,
    parent: u32,
    command: String,
}

fn processes() -> Vec<Listed> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: u32| {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{id}/{name}")).ok();
        let status = read("status")?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        Some(Listed {
            id,
            parent: parent.trim().parse().ok()?,
            command: read("cmdline")?,
        })
    })
    .collect()
}

#[tokio::test]
async fn it_dies_under_load_and_comes_back() {
    let mut daemon = Daemon::start().await;
    let host = format!("docker.host={}", daemon.host());
    let mut program = Program::new(&[&host, "alerts.group_wait_s=0"]).await;
    program.up().await;
    let names = ["ant", "bee", "cat"];
    for name in names {
        let reply = program.deploy("calm", name).await;
        reply.until_text("running after").await.unwrap();
    }

    let mut under_way = Vec::new();
    for name in names {
        under_way.push(program.send("redeploy", name).await);
    }
    daemon.kill().await;
    let began = Instant::now();
    program.until_status("Docker has not answered since").await;
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    program.card(&["**the engine** does not answer"]).await;
    for reply in under_way {
        reply
            .until(|text| text.starts_with(['✅', '❌']))
            .await
            .unwrap();
    }
    let began = Instant::now();
    let stop = program.send("stop", "ant").await;
    stop.until_text("Docker has not answered since")
        .await
        .unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );

    daemon.up().await;
    program.until_status("3 agents: 🟢 3 running").await;
    let running = docker(&[
        "--host",
        &daemon.host(),
        "ps",
        "--all",
        "--format",
        "{{.Names}} {{.State}}",
    ]);
    let mut running: Vec<&str> = running.lines().collect();
    running.sort_unstable();
    assert_eq!(
        running,
        names.map(|name| format!("{}{name} running", program.prefix))
    );
    only_the_engine_was_told(&program).await;
    program.terminate().await;
    daemon.stop().await;
}

#[tokio::test]
async fn what_ends_with_the_daemon_is_started_with_it() {
    let mut daemon = Daemon::start().await;
    let host = format!("docker.host={}", daemon.host());
    let mut program = Program::new(&[&host, "alerts.group_wait_s=5"]).await;
    program.up().await;
    for name in ["ant", "bee"] {
        let reply = program.deploy("calm", name).await;
        reply.until_text("running after").await.unwrap();
    }
    daemon.stop().await;
    until_status(&program, "Docker has not answered since").await;
    program.card(&["**the engine** does not answer"]).await;
    daemon.up().await;
    until_status(&program, "2 agents: 🟢 2 running").await;
    only_the_engine_was_told(&program).await;
    program.terminate().await;
    daemon.stop().await;
}

/// One message about Docker, which says that it is back, and none about its agents.
async fn only_the_engine_was_told(program: &Program) {
    program.card(&["🟢", "**the engine**", "well again"]).await;
    let cards = program.cord.channel("ops").messages().into_iter();
    let cards: Vec<String> = cards.filter(is_card).map(|card| card.text()).collect();
    assert_eq!(cards.len(), 1, "{cards:#?}");
}

/// Asks until it says so.
async fn until_status(program: &Program, wanted: &str) {
    let began = Instant::now();
    loop {
        let status = program.olga().slash("status").send().await.unwrap().text();
        if status.contains(wanted) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{status}\n{}", program.log());
        tokio::task::yield_now().await;
    }
}
