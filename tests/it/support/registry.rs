//! A registry of our own on loopback: Debian's `docker-registry` as a child process.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc::{Sender, channel},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::docker_host::{docker, tools, try_docker};

/// Of each layer. They do not compress.
pub(crate) const LAYER_BYTES: usize = 3_000_000;
/// Of each image.
pub(crate) const LAYERS: usize = 2;

/// Ends when it is dropped, and takes with it what it brought to this machine.
pub(crate) struct Registry {
    process: Child,
    /// `127.0.0.1:port`
    pub(crate) address: String,
    folder: TempDir,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yml");
        std::fs::write(&config, configuration(folder.path())).unwrap();
        let mut process = Command::new(tools().join("docker-registry"))
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = process.stderr.take().unwrap();
        let (told, address) = channel();
        // To its end: the registry would die of a log that nobody reads.
        thread::spawn(move || read_log(log, &told));
        let address = address
            .recv_timeout(Duration::from_secs(30))
            .expect("the registry tells its address");
        Self {
            process,
            address,
            folder,
        }
    }

    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Makes an image, pushes it under each of `tags` and forgets it here; returns its digest.
    pub(crate) fn push(&mut self, name: &str, tags: &[&str]) -> String {
        let container = self.make_container(name);
        let mut digest = String::new();
        for tag in tags {
            let reference = self.reference(&format!("{name}:{tag}"));
            docker(&["commit", &container, &reference]);
            let pushed = docker(&["push", &reference]);
            digest = digest_in(&pushed);
        }
        docker(&["rm", &container]);
        self.forget();
        digest
    }

    /// A container whose commit has two layers.
    fn make_container(&mut self, name: &str) -> String {
        let base = self.reference(&format!("{name}-base"));
        let noise = self.folder.path().join("noise");
        let tar = self.folder.path().join("base.tar");
        write_noise(&noise);
        let packed = Command::new("tar")
            .arg("--create")
            .arg("--file")
            .arg(&tar)
            .arg("--directory")
            .arg(self.folder.path())
            .arg("noise")
            .status();
        assert!(packed.unwrap().success());
        docker(&["import", tar.to_str().unwrap(), &base]);
        let container = docker(&["create", &base, "true"]);
        write_noise(&noise);
        let target = format!("{container}:/more");
        docker(&["cp", noise.to_str().unwrap(), &target]);
        container
    }

    /// This machine has none of its images any more.
    pub(crate) fn forget(&self) {
        let filter = format!("reference={}/*", self.address);
        // An image goes only after those that were made from it, and Docker lists them in no order.
        for _ in 0..=LAYERS {
            let listed = docker(&["images", "--quiet", "--no-trunc", "--filter", &filter]);
            for id in listed.split_whitespace() {
                try_docker(&["rmi", "--force", id]);
            }
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.forget();
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// Any free port: the registry tells which it took.
fn configuration(folder: &Path) -> String {
    format!(
        "version: 0.1\n\
         log: {{ accesslog: {{ disabled: true }} }}\n\
         storage: {{ filesystem: {{ rootdirectory: {}/storage }} }}\n\
         http: {{ addr: '127.0.0.1:0' }}\n",
        folder.display()
    )
}

fn read_log(log: ChildStderr, told: &Sender<String>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        let address = line
            .split("listening on ")
            .nth(1)
            .and_then(|rest| rest.split(['"', ' ']).next());
        if let Some(address) = address {
            // Nobody waits any more after the first.
            let _heard = told.send(address.to_owned());
        }
    }
}

fn write_noise(path: &Path) {
    let mut noise = vec![0; LAYER_BYTES];
    File::open("/dev/urandom")
        .unwrap()
        .read_exact(&mut noise)
        .unwrap();
    std::fs::write(path, noise).unwrap();
}

fn digest_in(pushed: &str) -> String {
    pushed
        .split_whitespace()
        .find(|word| word.starts_with("sha256:") && word.len() == 71)
        .unwrap_or_else(|| panic!("no digest in: {pushed}"))
        .to_owned()
}
