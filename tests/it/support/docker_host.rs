//! The Docker engine of this machine, and an instance of our own on it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use yardarm::{
    domain::{
        ids::{ContainerId, InstanceId},
        spec::Spec,
    },
    engine::{
        Engine,
        docker::{Deadlines, Docker},
    },
};

use super::{
    detour::Detour,
    scene::{Does, World},
};

/// A shell and little else.
pub(crate) const IMAGE: &str = "yardarm-test/busybox:latest";
/// On what Yardarm makes.
pub(crate) const INSTANCE_LABEL: &str = "yardarm.instance";
/// On what tests make behind our back.
pub(crate) const FOREIGN_LABEL: &str = "yardarm-test.instance";

/// Everything that carries its instance goes when it is dropped, after a failure too.
pub(crate) struct DockerHost {
    engine: Docker,
    instance: InstanceId,
}

impl DockerHost {
    pub(crate) async fn new() -> Self {
        Self::on(Docker::new(None, Deadlines::default()).unwrap()).await
    }

    /// As [`Self::new`], on another way to it.
    pub(crate) async fn through(way: &Detour) -> Self {
        Self::on(Docker::new(Some(&way.host()), Deadlines::default()).unwrap()).await
    }

    async fn on(engine: Docker) -> Self {
        if let Err(error) = engine.about().await {
            panic!("{error}\nhint: these tests need a Docker engine: run scripts/ensure-docker");
        }
        tools();
        Self {
            engine,
            instance: unique_instance(),
        }
    }

    /// The container that a process with these mounts runs in.
    pub(crate) async fn container_of(&self, mountinfo: &str) -> Option<ContainerId> {
        self.engine.container_of(mountinfo).await.unwrap()
    }

    /// As `World::spec`, doing what a shell is told.
    pub(crate) fn shell(&self, script: &str) -> Spec {
        let mut spec = self.spec(Does::Wait);
        spec.command = shell(script);
        spec
    }

    /// A container made past us, by the command line; returns its name.
    pub(crate) fn run_foreign(&self, word: &str, arguments: &[&str], command: &[&str]) -> String {
        let name = self.name(word);
        let label = format!("{FOREIGN_LABEL}={}", self.instance);
        let mut all = vec!["run", "--detach", "--name", &name, "--label", &label];
        all.extend(arguments);
        all.push(IMAGE);
        all.extend(command);
        docker(&all);
        name
    }
}

impl World for DockerHost {
    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    fn instance(&self) -> &InstanceId {
        &self.instance
    }

    fn image_of(&self, _does: Does) -> String {
        IMAGE.to_owned()
    }

    fn command_of(&self, does: Does) -> Vec<String> {
        match does {
            Does::Wait => shell("exec sleep 3600"),
            Does::Crash => shell("exit 3"),
            Does::Talk => shell("echo one; echo oops >&2; echo two"),
            Does::SayBye => shell(
                "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 3600 & wait $!; done",
            ),
        }
    }
}

fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

impl Drop for DockerHost {
    fn drop(&mut self) {
        for label in [INSTANCE_LABEL, FOREIGN_LABEL] {
            sweep_label(&format!("{label}={}", self.instance));
        }
    }
}

/// Removes everything that carries a label.
pub(crate) fn sweep_label(label: &str) {
    sweep_all(&format!("label={label}"));
}

/// Removes everything in whose name this stands.
pub(crate) fn sweep_named(name: &str) {
    sweep_all(&format!("name={name}"));
}

fn sweep_all(filter: &str) {
    sweep(&["ps", "--all"], &["rm", "--force", "--volumes"], filter);
    sweep(&["network", "ls"], &["network", "rm"], filter);
    sweep(&["volume", "ls"], &["volume", "rm", "--force"], filter);
}

fn sweep(list: &[&str], remove: &[&str], filter: &str) {
    let listed = try_docker(&[list, &["--quiet", "--filter", filter]].concat());
    let ids = String::from_utf8_lossy(&listed.stdout);
    let ids: Vec<&str> = ids.split_whitespace().collect();
    if !ids.is_empty() {
        try_docker(&[remove, &ids].concat());
    }
}

/// The command line, which knows nothing of us: it must succeed, and returns what it prints.
pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = try_docker(arguments);
    assert!(
        output.status.success(),
        "docker {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn try_docker(arguments: &[&str]) -> Output {
    Command::new("docker").args(arguments).output().unwrap()
}

fn unique_instance() -> InstanceId {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    InstanceId(format!(
        "test-{}-{}-{}",
        since_1970.as_micros(),
        std::process::id(),
        SERIAL.fetch_add(1, Ordering::Relaxed)
    ))
}

/// The folder of the tests' tools. Their image is made with the first question; once in a run.
pub(crate) fn tools() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/test-image");
        let output = Command::new(script).output().unwrap();
        assert!(
            output.status.success(),
            "scripts/test-image: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().into()
    })
}
