use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;
use localcord::{Fault, Injected, Localcord, Options, Person, Reply};
use tokio::runtime::{Builder, Runtime};
use tracing::subscriber::DefaultGuard;
use yardarm::{
    app::{App, Parts},
    config::{Environment, Source},
    domain::{action::Origin, agent::State, event::Event, template::DeployForm},
    ops::{Ops, actions::Requester},
};

use super::{clock::FixedClock, errors::Errors, fake_engine::FakeEngine, gauge::FakeGauge, told};

/// Yardarm as it ships, with a Discord and an engine of its own. [`TestApp::finish`] ends every test.
pub(crate) struct TestApp {
    pub(crate) cord: Localcord,
    pub(crate) engine: FakeEngine,
    pub(crate) gauge: FakeGauge,
    pub(crate) clock: FixedClock,
    pub(crate) errors: Errors,
    folder: tempfile::TempDir,
    overrides: BTreeMap<String, String>,
    file: Option<PathBuf>,
    app: Option<Process>,
    _listening: DefaultGuard,
}

/// The app on a runtime of its own, so that it can end in the middle of anything, as a process does.
struct Process {
    app: App,
    runtime: Runtime,
}

/// A template for every test: nothing is asked, nothing is needed.
const DEMO: &str = r#"{ "description": "ticks", "image": "demo:1", "stop_grace_s": 1 }"#;

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With settings as `--set` would give them.
    pub(crate) async fn start_with(overrides: &[(&str, &str)]) -> Self {
        let mut test = Self::prepare(overrides).await;
        test.up().await;
        test
    }

    /// Everything but the app itself.
    pub(crate) async fn prepare(overrides: &[(&str, &str)]) -> Self {
        let (errors, listening) = Errors::listen();
        let cord = Localcord::start(Options::default()).await.unwrap();
        let clock = FixedClock::new();
        let engine_clock = clock.clone();
        let engine = FakeEngine::with_clock(move || yardarm::clock::Clock::now(&engine_clock));
        engine.add_image("demo:1");
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("agents")).unwrap();
        std::fs::write(folder.path().join("ca.pem"), cord.ca_pem()).unwrap();
        let test = Self {
            overrides: defaults(&cord, &folder, overrides),
            cord,
            engine,
            gauge: FakeGauge::new(),
            clock,
            errors,
            folder,
            file: None,
            app: None,
            _listening: listening,
        };
        test.write_template("demo", DEMO);
        test
    }

    pub(crate) fn write_template(&self, name: &str, json: &str) {
        std::fs::write(self.path("agents").join(format!("{name}.json")), json).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes a setting for the next start or reload.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.overrides.insert(key.to_owned(), value.to_owned());
    }

    /// Leaves a setting to the file.
    pub(crate) fn unset(&mut self, key: &str) {
        self.overrides.remove(key);
    }

    pub(crate) fn source(&self) -> Source {
        let token = ("DISCORD_TOKEN".to_owned(), self.cord.token().to_owned());
        let secret = ("AGENT_KNOWN_KEY".to_owned(), "a-planted-secret".to_owned());
        Source {
            path: self.file.clone(),
            overrides: self.overrides.clone().into_iter().collect(),
            environment: Environment::from_iter([token, secret]),
        }
    }

    /// The program itself, on the same settings: for what is done on the host.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yardarm"));
        std::fs::write(self.path("empty.toml"), "").unwrap();
        command.args(words).arg("--config");
        command.arg(self.path("empty.toml"));
        for (key, value) in self.source().overrides {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        give_token(&mut command, words, self.cord.token());
        command
    }

    /// Starts the app in vain; returns why.
    pub(crate) async fn refuses_to_start(&self) -> String {
        let source = self.source();
        let (settings, templates) = source.read().unwrap_or_else(|error| panic!("{error}"));
        let started = App::start(Parts {
            settings,
            templates,
            source,
            engine: Arc::new(self.engine.clone()),
            gauge: Arc::new(self.gauge.clone()),
            clock: Arc::new(self.clock.clone()),
        });
        match started.await {
            Ok(_) => panic!("it started"),
            Err(failure) => failure.to_string(),
        }
    }

    /// Starts the app and waits until both Discord and the engine have answered.
    pub(crate) async fn up(&mut self) {
        let source = self.source();
        let (settings, templates) = source.read().unwrap_or_else(|error| panic!("{error}"));
        let app = App::start(Parts {
            settings,
            templates,
            source,
            engine: Arc::new(self.engine.clone()),
            gauge: Arc::new(self.gauge.clone()),
            clock: Arc::new(self.clock.clone()),
        });
        let errors = self.errors.clone();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .on_thread_start(move || errors.listen_here())
            .build()
            .unwrap();
        let app = runtime.spawn(app).await.unwrap().unwrap();
        self.app = Some(Process { app, runtime });
        self.cord.wait_for_command("help").await.unwrap();
        self.cord.gateway().wait_connected(1).await.unwrap();
        if !self.engine.is_away() {
            self.until(Ops::knows_engine).await;
        }
    }

    /// Starts the app with a file of settings below those of the tests.
    pub(crate) async fn up_from(&mut self, file: &Path) {
        self.file = Some(file.to_owned());
        self.up().await;
    }

    /// Stops the app in good order.
    pub(crate) async fn down(&mut self) {
        let Process { app, runtime } = self.app.take().expect("it runs");
        app.stop().await;
        end(runtime).await;
    }

    /// Ends the app as `kill -9` would: nothing is finished, nothing is said.
    pub(crate) async fn crash(&mut self) {
        let Process { app, runtime } = self.app.take().expect("it runs");
        drop(app);
        end(runtime).await;
    }

    /// Why the app ends by itself.
    pub(crate) async fn ended(&mut self) -> String {
        let app = &mut self.app.as_mut().expect("it runs").app;
        let ended = tokio::time::timeout(Duration::from_secs(30), app.refused());
        ended.await.expect("it did not end").to_string()
    }

    /// Lets time pass on all clocks, and rings for what falls due.
    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.cord.advance(time.to_std().unwrap());
        for ring in [Event::Outbox, Event::Incident, Event::Resynced] {
            self.ops().publish(ring);
        }
    }

    /// Where machines are answered.
    pub(crate) fn door(&self) -> Option<SocketAddr> {
        self.app.as_ref().expect("it runs").app.door
    }

    /// Discord tells so many more times who a member is, and then no more until this is released.
    pub(crate) fn hang_members_after(&self, answers: u32) -> Injected {
        let asked = |fault: Fault| fault.on("GET", "/guilds/*/members/*");
        self.cord
            .inject(asked(Fault::slow(Duration::ZERO).times(answers)));
        self.cord.inject(asked(Fault::hang()))
    }

    pub(crate) async fn restart(&mut self) {
        self.down().await;
        self.up().await;
    }

    pub(crate) fn ops(&self) -> &Arc<Ops> {
        &self.app.as_ref().expect("it runs").app.ops
    }

    /// The owner, in the ops channel.
    pub(crate) fn olga(&self) -> Person {
        self.cord.user("olga").in_channel("ops")
    }

    /// A text without what differs from run to run: ids of people and the host's figures.
    pub(crate) fn said(&self, text: &str) -> String {
        let lines = text.lines().map(|line| {
            if line.starts_with("Host: CPU") {
                "Host: …"
            } else {
                line
            }
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let ops = self.cord.channel("ops").id().to_string();
        let text = text.replace(&format!("<#{ops}>"), "#ops");
        ["olga", "ravi", "mina"]
            .into_iter()
            .fold(text, |text, name| {
                text.replace(&self.cord.user(name).id().to_string(), name)
            })
    }

    /// Deploys a `demo` and waits until it runs.
    pub(crate) async fn deploy(&self, name: &str) -> Reply {
        let slash = self
            .olga()
            .slash("deploy")
            .option("template", "demo")
            .option("name", name);
        let reply = slash.send().await.unwrap();
        let reply = reply.until_text("running after").await.unwrap();
        self.until(|ops| {
            ops.roster
                .view(name)
                .is_some_and(|view| view.state == State::Running)
        })
        .await;
        reply
    }

    /// Deploys a `demo` and waits until that is done, however it is by then.
    pub(crate) async fn deploy_unproven(&self, name: &str) -> Reply {
        let slash = self.olga().slash("deploy").option("template", "demo");
        let reply = slash.option("name", name).send().await.unwrap();
        reply.until_text("running after").await.unwrap()
    }

    /// Deploys a `demo` past Discord, for tests that need many.
    pub(crate) async fn ops_deploy(&self, name: &str) {
        let form = DeployForm {
            template: "demo".to_owned(),
            name: name.to_owned(),
            ..DeployForm::default()
        };
        let requester = Requester {
            caller: None,
            origin: Origin::Chat,
            reason: None,
            reply: None,
        };
        let request = self.ops().own_sight().request_deploy(&form).unwrap();
        self.ops().submit(request, requester).await.unwrap();
        self.until(|ops| {
            ops.roster
                .view(name)
                .is_some_and(|view| view.state == State::Running)
        })
        .await;
    }

    /// Waits for the app's own events until something is true of it.
    pub(crate) async fn until(&self, is_true: impl Fn(&Ops) -> bool) {
        let mut events = self.ops().events();
        let wait = async {
            while !is_true(self.ops()) {
                let _: Event = events.recv().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        waited.expect("it never became true");
    }

    pub(crate) fn state(&self, agent: &str) -> State {
        self.ops().roster.view(agent).expect("an agent").state
    }

    /// Stops everything. Whatever went wrong unseen fails the test here.
    pub(crate) async fn finish(self) {
        self.finish_with_dead(0).await;
    }

    /// As [`Self::finish`], after so many messages that nobody will ever get.
    pub(crate) async fn finish_with_dead(mut self, dead: i64) {
        if self.app.is_some() {
            assert_eq!(
                self.ops().store.outbox_counts().await.unwrap().1,
                dead,
                "dead messages"
            );
            told::assert_told(&self.ops().settings().database.path).await;
            self.down().await;
        }
        self.cord.finish().unwrap();
        assert_eq!(
            self.errors.take(),
            Vec::<String>::new(),
            "errors in the background"
        );
    }
}

/// To what takes one, and to nothing else.
pub(crate) fn give_token(command: &mut Command, words: &[&str], token: &str) {
    match words {
        ["up" | "check" | "doctor", ..] => command.env("DISCORD_TOKEN", token),
        _ => command.env_remove("DISCORD_TOKEN"),
    };
}

/// How a program ended, and all it said.
pub(crate) fn said(output: &Output) -> (Option<i32>, String) {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code(), String::from_utf8(all).unwrap())
}

/// A runtime may not be dropped where one may not block.
async fn end(runtime: Runtime) {
    tokio::task::spawn_blocking(move || drop(runtime))
        .await
        .unwrap();
}

fn defaults(
    cord: &Localcord,
    folder: &tempfile::TempDir,
    more: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let quoted = |text: String| format!("\"{text}\"");
    let mut overrides = BTreeMap::from([
        (
            "discord.guild".to_owned(),
            quoted(cord.guild_id().to_string()),
        ),
        ("discord.endpoint".to_owned(), cord.rest_addr().to_string()),
        ("discord.ca_file".to_owned(), path("ca.pem")),
        (
            "discord.ops_channel".to_owned(),
            quoted(cord.channel("ops").id().to_string()),
        ),
        (
            "access.owners".to_owned(),
            format!("[\"{}\"]", cord.user("olga").id()),
        ),
        ("access.preset".to_owned(), "\"solo\"".to_owned()),
        ("database.path".to_owned(), path("yardarm.db")),
        ("agents.templates".to_owned(), path("agents")),
        ("docker.settle_s".to_owned(), "0".to_owned()),
        ("secrets.dir".to_owned(), path("secrets")),
    ]);
    overrides.extend(
        more.iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
    );
    overrides
}
