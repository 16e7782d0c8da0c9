//! docker-compose.yml as it stands, in a folder that is furnished as its head says: the image of this checkout, behind the
//! filtering proxy, with a local Discord. `scripts/compose` makes the images.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use localcord::{Localcord, Options, Person};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    doc_lines::blocks_run_by,
    support::{
        contained::roads,
        docker_host::{INSTANCE_LABEL, docker, sweep_named, try_docker},
        program::{Happenings, now},
        test_app::said,
    },
};

/// As scripts/compose calls it, and override.yml.
const IMAGE: &str = "yardarm-test/yardarm:latest";
/// The image's health check asks every half minute, and after the start once more.
const PATIENCE: Duration = Duration::from_mins(2);
/// Of the agent.
const USER: u32 = 65534;

/// It goes with its agents when it is dropped, after a failure too.
struct Composition {
    cord: Localcord,
    folder: tempfile::TempDir,
    /// What all begins with that it or its Yardarm makes.
    name: String,
    began: String,
    roads: JoinSet<()>,
}

impl Composition {
    async fn up() -> Self {
        let mut composition = Self {
            cord: Localcord::start(Options::default()).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            name: format!("yt-{:016x}", rand::random::<u64>()),
            began: now(),
            roads: JoinSet::new(),
        };
        composition.furnish();
        composition.compose(&["up", "--detach"]);
        composition.arrives().await;
        composition
    }

    /// As a stranger does who has read the head of the file.
    fn furnish(&self) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(&shipped.join("configs"), &self.path("configs"));
        fs::write(self.path("configs/yardarm.toml"), self.settings(shipped)).unwrap();
        fs::write(self.path("configs/ca.pem"), self.cord.ca_pem()).unwrap();
        let template = probed(&read(&shipped.join("configs/agents/demo.json")));
        fs::write(self.path("configs/agents/probed.json"), template).unwrap();
        let keys = read(&shipped.join(".env.example")) + "AGENT_DEMO_KEY=open-sesame\n";
        fs::write(self.path(".env"), keys).unwrap();
        fs::create_dir(self.path("secrets")).unwrap();
        let key = "07".repeat(32);
        for (name, secret) in [("discord_token", self.cord.token()), ("vault_key", &key)] {
            let file = self.path("secrets").join(name);
            fs::write(&file, secret).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// The shipped ones, of which some lines are put into force.
    fn settings(&self, shipped: &Path) -> String {
        let mut text = read(&shipped.join("configs/yardarm.toml"));
        let cord = &self.cord;
        for (shown, meant) in [
            ("#guild = 1", format!("guild = {} #", cord.guild_id())),
            (
                "#endpoint = ",
                format!("endpoint = \"{}\" #", cord.rest_addr()),
            ),
            (
                "#ca_file = ",
                "ca_file = \"/etc/yardarm/configs/ca.pem\" #".to_owned(),
            ),
            (
                "#ops_channel = ",
                format!("ops_channel = {} #", cord.channel("ops").id()),
            ),
            (
                "#name_prefix = ",
                format!("name_prefix = \"{}-\" #", self.name),
            ),
        ] {
            assert!(text.contains(shown), "{shown}");
            text = text.replacen(shown, &meant, 1);
        }
        text
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Compose must succeed; returns what it prints.
    fn compose(&self, arguments: &[&str]) -> String {
        let (code, text) = said(&self.try_compose(arguments));
        assert_eq!(code, Some(0), "compose {arguments:?}: {text}");
        text
    }

    fn try_compose(&self, arguments: &[&str]) -> Output {
        let files = ["docker-compose.yml", "tests/it/composition/override.yml"];
        let mut command = Command::new("docker-compose");
        if try_docker(&["compose", "version"]).status.success() {
            command = Command::new("docker");
            command.arg("compose");
        }
        command.args(["--project-name", &self.name, "--project-directory"]);
        command.arg(self.folder.path());
        for file in files {
            command.arg("--file");
            command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
        }
        command.args(arguments).output().unwrap()
    }

    /// The container of a service.
    fn container(&self, service: &str) -> String {
        let of_it = format!("label=com.docker.compose.service={service}");
        let ours = format!("label=com.docker.compose.project={}", self.name);
        docker(&["ps", "--quiet", "--filter", &of_it, "--filter", &ours])
    }

    fn agent(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// What its Yardarm has laid out for agents, if there is one that tells which instance it is.
    fn secrets(&self) -> Option<PathBuf> {
        let format = format!("{{{{index .Config.Labels \"{INSTANCE_LABEL}\"}}}}");
        let told = try_docker(&["inspect", "--format", &format, &self.agent("scout")]);
        let instance = String::from_utf8(told.stdout).ok()?;
        let instance = Some(instance.trim()).filter(|id| !id.is_empty())?;
        Some(Path::new("/run/yardarm/secrets").join(instance))
    }

    /// Its process finds the local Discord, and serves.
    async fn arrives(&mut self) {
        let gateway = self.cord.gateway();
        let (arrived, _) = gateway.arrivals();
        self.roads = roads(&self.container("yardarm"), &self.cord);
        if let Err(error) = gateway.wait_identified(arrived + 1).await {
            panic!("{error}\n{}", self.compose(&["logs"]));
        }
        self.cord.wait_for_command("help").await.unwrap();
    }

    fn olga(&self) -> Person {
        self.cord.user("olga").in_channel("ops")
    }

    /// Asks until the agent's card says so.
    async fn until_status(&self, agent: &str, wanted: &str) {
        let began = Instant::now();
        loop {
            let slash = self.olga().slash("status").option("agent", agent);
            let card = slash.send().await.unwrap().text();
            if card.contains(wanted) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{card}\n{}",
                self.compose(&["logs"])
            );
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Composition {
    fn drop(&mut self) {
        let secrets = self.secrets();
        self.try_compose(&["down", "--volumes"]);
        sweep_named(&self.name);
        if let Some(folder) = secrets {
            fs::remove_dir_all(folder).unwrap_or_default();
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-R").args([from, to]).status();
    assert!(done.unwrap().success());
}

/// The shipped agent, asked over its network, with a secret.
fn probed(template: &str) -> String {
    let mut template: Value = serde_json::from_str(template).unwrap();
    template["probes"] =
        json!([{ "kind": "http", "port": 8080, "path": "/healthz", "interval_s": 1 }]);
    template["secrets"] = json!([{ "name": "DEMO_KEY", "required": true }]);
    template.to_string()
}

/// What a format of `docker inspect` gives.
fn inspect(what: &str, format: &str) -> String {
    docker(&["inspect", "--format", format, what])
}

fn pid(container: &str) -> String {
    inspect(container, "{{.State.Pid}}")
}

#[tokio::test]
#[ignore = "takes an image that takes minutes: make compose"]
async fn behind_the_proxy_it_looks_after_agents_and_comes_back() {
    let mut composition = Composition::up().await;
    claims(&composition).await;
    deploys(&composition).await;
    is_healthy(&composition).await;
    is_hardened(&composition);
    is_kept_from_the_rest_of_the_engine(&composition).await;
    is_alone_with_its_proxy(&composition);
    comes_back(&mut composition).await;
    does_what_wants_it_stopped(&mut composition).await;
    leaves_its_agents(&composition);
    composition.cord.finish().unwrap();
}

/// By the line of docs/getting-started.md.
async fn claims(composition: &Composition) {
    let line = "exec -T yardarm yardarm claim --set database.path=/var/lib/yardarm/yardarm.db";
    let told = composition.compose(&line.split(' ').collect::<Vec<_>>());
    let code = told.lines().next().unwrap();
    let form = composition.olga().slash("claim").send().await.unwrap();
    let answer = form.modal().unwrap().fill("Code", code).submit().await;
    answer.unwrap().until_text("⚓").await.unwrap();
}

async fn deploys(composition: &Composition) {
    let slash = composition
        .olga()
        .slash("deploy")
        .option("template", "probed");
    let reply = slash.option("name", "scout").send().await.unwrap();
    reply.until_text("running after").await.unwrap();
    composition
        .until_status("scout", "`http :8080/healthz` healthy since")
        .await;
    // It is root for this: the file is the agent's own.
    let agent = pid(&composition.agent("scout"));
    let secret = PathBuf::from(format!("/proc/{agent}/root/run/secrets/DEMO_KEY"));
    assert_eq!(read(&secret), "open-sesame");
    let secret = fs::metadata(secret).unwrap();
    assert_eq!((secret.uid(), secret.mode() & 0o777), (USER, 0o400));
}

/// As the health check of the image says.
async fn is_healthy(composition: &Composition) {
    let container = composition.container("yardarm");
    let filters = [
        format!("container={container}"),
        "event=health_status".to_owned(),
    ];
    let mut happenings = Happenings::since(&composition.began, &filters);
    let first = tokio::time::timeout(PATIENCE, happenings.nth(1)).await;
    let told = inspect(&container, "{{json .State.Health}}");
    assert_eq!(first.expect(&told), "health_status: healthy", "{told}");
}

/// As the kernel sees its process, and as what runs in the image finds it.
fn is_hardened(composition: &Composition) {
    let container = composition.container("yardarm");
    let status = read(&PathBuf::from(format!("/proc/{}/status", pid(&container))));
    // CHOWN is the first bit, DAC_OVERRIDE the second.
    for line in [
        "CapBnd:\t0000000000000003",
        "CapEff:\t0000000000000003",
        "NoNewPrivs:\t1",
    ] {
        assert!(status.contains(line), "{line}: {status}");
    }
    let touch = |path: &str| said(&try_docker(&["exec", &container, "touch", path]));
    let (_, refused) = touch("/etc/yardarm/mine");
    assert!(refused.contains("Read-only file system"), "{refused}");
    let (_, refused) = touch("/etc/yardarm/configs/mine");
    assert!(refused.contains("Read-only file system"), "{refused}");
    assert_eq!(touch("/tmp/mine"), (Some(0), String::new()));
    let limits = inspect(
        &container,
        "{{.HostConfig.PidsLimit}} {{.HostConfig.Memory}}",
    );
    assert_eq!(limits, format!("256 {}", 256 << 20));
    // Without the composition it is nobody.
    let id = docker(&["run", "--rm", "--read-only", "--entrypoint", "id", IMAGE]);
    assert!(id.starts_with("uid=10001(yardarm) gid=10001"), "{id}");
}

/// What docker-compose.yml does not open is 403 by the proxy, whatever the version before it.
async fn is_kept_from_the_rest_of_the_engine(composition: &Composition) {
    let address = inspect(
        &composition.container("engine-proxy"),
        "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
    );
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |method: Method, path: &str| {
        let url = format!("http://{address}:2375{path}");
        let answer = client.request(method, url).send().await.unwrap();
        answer.status().as_u16()
    };
    for path in ["/containers/json", "/v1.41/info", "/version"] {
        assert_eq!(ask(Method::GET, path).await, 200, "{path}");
    }
    for path in [
        "/_ping",
        "/configs",
        "/nodes",
        "/plugins",
        "/secrets",
        "/services",
        "/v1.41/swarm",
        "/system/df",
        "/tasks",
    ] {
        assert_eq!(ask(Method::GET, path).await, 403, "{path}");
    }
    for path in [
        "/auth",
        "/v1.41/build",
        "/commit?container=scout",
        "/exec/1/start",
        "/session",
        "/swarm/init",
    ] {
        assert_eq!(ask(Method::POST, path).await, 403, "{path}");
    }
}

fn is_alone_with_its_proxy(composition: &Composition) {
    let network = format!("{}_engine", composition.name);
    let format = "{{.Internal}} {{len .Containers}}";
    assert_eq!(
        docker(&["network", "inspect", "--format", format, &network]),
        "true 2"
    );
}

/// Its process dies, Docker starts it again, and it knows its agent, which has not noticed.
async fn comes_back(composition: &mut Composition) {
    let agent = pid(&composition.agent("scout"));
    let container = composition.container("yardarm");
    let filters = [format!("container={container}"), "event=start".to_owned()];
    let mut happenings = Happenings::since(&now(), &filters);
    let killed = Command::new("kill")
        .args(["-KILL", &pid(&container)])
        .status();
    assert!(killed.unwrap().success());
    let started = tokio::time::timeout(PATIENCE, happenings.nth(1)).await;
    started.expect("Docker starts it again");
    composition.arrives().await;
    composition
        .until_status("scout", "`http :8080/healthz` healthy since")
        .await;
    assert_eq!(pid(&composition.agent("scout")), agent);
}

/// By the lines of docs/operations.md: a new key, and back to a copy.
async fn does_what_wants_it_stopped(composition: &mut Composition) {
    let line = "exec -T yardarm yardarm backup --set database.path=/var/lib/yardarm/yardarm.db";
    let told = composition.compose(&line.split(' ').collect::<Vec<_>>());
    let copy = told.lines().last().unwrap().trim().to_owned();
    let name = Path::new(&copy).file_name().unwrap();
    assert!(composition.path("backups").join(name).exists(), "{told}");
    let key = composition.path("secrets/vault_key");
    let before = read(&key);
    let blocks = blocks_run_by("tests/it/composition.rs");
    assert_eq!(blocks.len(), 2, "{blocks:?}");
    for line in blocks.iter().flat_map(|block| block.lines()) {
        let line = line
            .replace("$PWD", &composition.folder.path().display().to_string())
            .replace("run --rm", "run --rm -T")
            .replace(
                "/var/lib/yardarm/backups/yardarm-20261121T033000Z.db",
                &copy,
            );
        let words = shlex::split(&line).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        composition.compose(words.strip_prefix(&["docker", "compose"]).unwrap());
        if words.contains(&"up") {
            composition.arrives().await;
        }
    }
    assert_ne!(read(&key), before);
    composition
        .until_status("scout", "`http :8080/healthz` healthy since")
        .await;
}

/// They are the host's, and go on.
fn leaves_its_agents(composition: &Composition) {
    let agent = composition.agent("scout");
    let fleet = composition.agent("main");
    composition.compose(&["down"]);
    assert_eq!(inspect(&agent, "{{.State.Running}}"), "true");
    let members = docker(&[
        "network",
        "inspect",
        "--format",
        "{{len .Containers}}",
        &fleet,
    ]);
    assert_eq!(members, "1", "Yardarm has left the fleet's network");
}
