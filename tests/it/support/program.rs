//! The real program: `yardarm up` as a process of its own, with a local Discord and a real engine.

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use localcord::{Localcord, Options, Person, Reply};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::{Instant, sleep, timeout},
};

use super::{
    docker_host::{IMAGE, INSTANCE_LABEL, docker, sweep_label, sweep_named, tools},
    test_app::give_token,
};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at what tells nobody when it changes.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// An instance of its own. What it made goes when it is dropped, after a failure too.
pub(crate) struct Program {
    pub(crate) cord: Localcord,
    folder: tempfile::TempDir,
    /// Before the names of its containers.
    pub(crate) prefix: String,
    settings: Vec<String>,
    /// What it is started by, with that one's arguments.
    under: Vec<String>,
    environment: Vec<(&'static str, OsString)>,
    child: Option<Child>,
    /// How often a process had come to the gateway when the present one was started.
    arrived: u32,
}

impl Program {
    /// Not started yet; with settings as for `--set`.
    pub(crate) async fn new(settings: &[&str]) -> Self {
        tools();
        let cord = Localcord::start(Options::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("agents")).unwrap();
        std::fs::write(folder.path().join("ca.pem"), cord.ca_pem()).unwrap();
        std::fs::write(folder.path().join("yardarm.toml"), "").unwrap();
        let prefix = format!("yt-{:016x}-", rand::random::<u64>());
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut all = vec![
            format!("discord.guild=\"{}\"", cord.guild_id()),
            format!("discord.endpoint={}", cord.rest_addr()),
            format!("discord.ca_file={}", path("ca.pem")),
            format!("discord.ops_channel=\"{}\"", cord.channel("ops").id()),
            format!("access.owners=[\"{}\"]", cord.user("olga").id()),
            format!("database.path={}", path("yardarm.db")),
            format!("agents.templates={}", path("agents")),
            format!("docker.name_prefix={prefix}"),
            "docker.settle_s=1".to_owned(),
            "log.format=json".to_owned(),
        ];
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        let program = Self {
            cord,
            folder,
            prefix,
            settings: all,
            under: Vec::new(),
            environment: Vec::new(),
            child: None,
            arrived: 0,
        };
        program.write_template("calm", "exec sleep 3600");
        program
    }

    /// A template of a shell that does what it is told.
    pub(crate) fn write_template(&self, name: &str, script: &str) {
        self.write_template_with(name, script, json!({}));
    }

    /// And with more keys.
    pub(crate) fn write_template_with(&self, name: &str, script: &str, more: Value) {
        let mut template = json!({
            "description": "a shell",
            "image": IMAGE,
            "command": ["sh", "-c", script],
            "network": "none",
            "stop_grace_s": 3,
        });
        if let (Value::Object(all), Value::Object(more)) = (&mut template, more) {
            all.extend(more);
        }
        let path = self.path("agents").join(format!("{name}.json"));
        std::fs::write(path, template.to_string()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sets a variable for all that is started from now on.
    pub(crate) fn set_variable(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.environment.push((name, value.into()));
    }

    /// Leaves its folder to whoever wants to know what went wrong.
    pub(crate) fn keep(&mut self) -> &Path {
        self.folder.disable_cleanup(true);
        self.folder.path()
    }

    /// Starts it, without waiting for anything.
    pub(crate) fn spawn(&mut self, token: &str) {
        (self.arrived, _) = self.cord.gateway().arrivals();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let mut words = self.under.clone();
        words.push(env!("CARGO_BIN_EXE_yardarm").to_owned());
        words.extend(self.arguments());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env("DISCORD_TOKEN", token)
            .envs(self.environment.clone())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true);
        self.child = Some(command.spawn().unwrap());
    }

    /// Has it started by a program that becomes it, such as `env`, or by none.
    pub(crate) fn start_under(&mut self, words: &[&str]) {
        self.under = words.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Of its process.
    pub(crate) fn process_id(&self) -> u32 {
        let child = self.child.as_ref().expect("it runs");
        child.id().expect("it runs")
    }

    /// What it is started with.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let file = self.path("yardarm.toml").display().to_string();
        let mut all = vec!["up".to_owned(), "--config".to_owned(), file];
        for setting in &self.settings {
            all.extend(["--set".to_owned(), setting.clone()]);
        }
        all
    }

    /// Runs another of its commands on the same settings, beside it or alone.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yardarm"));
        command.args(arguments);
        command.arg("--config").arg(self.path("yardarm.toml"));
        for setting in &self.settings {
            command.arg("--set").arg(setting);
        }
        give_token(command.as_std_mut(), arguments, self.cord.token());
        command.envs(self.environment.clone());
        command.output().await.unwrap()
    }

    /// Starts it and waits until it serves.
    pub(crate) async fn up(&mut self) {
        let token = self.cord.token().to_owned();
        self.spawn(&token);
        self.identified().await;
    }

    /// Waits until what was started serves.
    pub(crate) async fn identified(&mut self) {
        let gateway = self.cord.gateway();
        if let Err(error) = gateway.wait_identified(self.arrived + 1).await {
            panic!("{error}\n{}", self.log());
        }
        self.cord.wait_for_command("help").await.unwrap();
    }

    /// `kill -9`.
    pub(crate) async fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().await.unwrap();
    }

    /// Sends a signal and waits for the end.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        let id = self.process_id().to_string();
        let sent = std::process::Command::new("kill").arg(&id).status();
        assert!(sent.unwrap().success());
        self.exit().await
    }

    pub(crate) async fn exit(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let status = timeout(PATIENCE, child.wait()).await;
        status.expect("it did not end").unwrap()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    /// Waits until it has logged this once more than `before` had.
    pub(crate) async fn until_logged(&self, text: &str, before: usize) {
        let began = Instant::now();
        while self.log().matches(text).count() <= before {
            assert!(began.elapsed() < PATIENCE, "no `{text}` in\n{}", self.log());
            sleep(LOOK_EVERY).await;
        }
    }

    /// Asks until `/status` says so.
    pub(crate) async fn until_status(&self, wanted: &str) {
        let began = Instant::now();
        loop {
            let status = self.olga().slash("status").send().await.unwrap().text();
            if status.contains(wanted) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{status}\n{}", self.log());
            sleep(LOOK_EVERY).await;
        }
    }

    /// The owner, in the ops channel.
    pub(crate) fn olga(&self) -> Person {
        self.cord.user("olga").in_channel("ops")
    }

    pub(crate) async fn send(&self, command: &str, agent: &str) -> Reply {
        let slash = self.olga().slash(command).option("agent", agent);
        slash.send().await.unwrap()
    }

    pub(crate) async fn deploy(&self, template: &str, name: &str) -> Reply {
        let slash = self.olga().slash("deploy").option("template", template);
        slash.option("name", name).send().await.unwrap()
    }

    /// As it said itself at its first start.
    pub(crate) fn instance(&self) -> Option<String> {
        let log = std::fs::read_to_string(self.path("log")).ok()?;
        let (_, rest) = log.split_once("\"instance.id\":\"")?;
        let (id, _) = rest.split_once('"')?;
        Some(id.to_owned())
    }

    fn label(&self) -> Option<String> {
        let instance = self.instance()?;
        Some(format!("{INSTANCE_LABEL}={instance}"))
    }

    /// Containers of this instance as the engine lists them, with what `format` asks for, sorted.
    pub(crate) fn containers(&self, format: &str) -> Vec<String> {
        let filter = format!("label={}", self.label().expect("it was started"));
        let arguments = ["ps", "--all", "--no-trunc", "--filter", &filter];
        let listed = docker(&[&arguments[..], &["--format", format]].concat());
        let mut lines: Vec<String> = listed.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    }

    /// What happens to its containers from now on.
    pub(crate) fn watch(&self) -> Happenings {
        let label = self.label().expect("it was started");
        Happenings::since(&now(), &[format!("label={label}")])
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Dropped, it is killed only some time later, and could still make something.
        if let Some(mut child) = self.child.take()
            && child.start_kill().is_ok()
        {
            while matches!(child.try_wait(), Ok(None)) {
                std::thread::yield_now();
            }
        }
        if let Some(label) = self.label() {
            sweep_label(&label);
        }
        // What a test made under such a name, too.
        sweep_named(&self.prefix);
    }
}

/// As the engine writes a time.
pub(crate) fn now() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{}.{:09}", now.as_secs(), now.subsec_nanos())
}

/// The engine's events of some containers.
pub(crate) struct Happenings {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Happenings {
    /// From a time on, what all of these filters let through.
    pub(crate) fn since(time: &str, filters: &[String]) -> Self {
        let mut command = Command::new("docker");
        command
            .args(["events", "--since", time, "--filter", "type=container"])
            .args(filters.iter().flat_map(|filter| ["--filter", filter]))
            .args(["--format", "{{.Action}}"])
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            lines,
            _child: child,
        }
    }

    /// Returns the last of so many.
    pub(crate) async fn nth(&mut self, count: usize) -> String {
        let mut last = String::new();
        for _ in 0..count {
            last = self.lines.next_line().await.unwrap().unwrap();
        }
        last
    }
}
