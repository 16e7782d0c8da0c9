//! An interaction as Discord sends it, with anything in it, from somebody who may only look: the real app answers it in time,
//! in a way that Discord takes, logs no error and changes nothing.
//!
//! The input is `{"type": 2, "data": {…}}`, with Discord's numbers for the types: a command, a component, an autocompletion,
//! a modal.
#![no_main]

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use libfuzzer_sys::fuzz_target;
use localcord::{Localcord, Message, Options, Person};
use serde_json::Value;
use serenity::all::{CommandData, CommandType, ComponentInteractionData, ModalInteractionData};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::{layer::SubscriberExt as _, registry};
use yardarm::{
    app::{App, Parts},
    clock::SystemClock,
    config::{Environment, Source},
    host::Machine,
};

use self::support::{errors::Errors, fake_engine::FakeEngine};

/// The tests' fake engine and what hears errors, as they are.
#[path = "../../tests/it/support"]
#[expect(
    dead_code,
    unused_imports,
    reason = "made for tests, of which this needs a part"
)]
mod support {
    pub(crate) mod errors;
    pub(crate) mod fake_engine;
    pub(crate) mod scene;
}

/// Needs nothing and is asked nothing.
const TEMPLATE: &str = r#"{ "description": "ticks", "image": "demo:1" }"#;

struct Bench {
    runtime: Runtime,
    /// Somebody who may look at everything and change nothing.
    mina: Person,
    /// The card of the deployment of `scout`.
    card: Message,
    engine: FakeEngine,
    errors: Errors,
    _app: App,
    _folder: TempDir,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let errors = Errors::default();
    let listening = registry().with(errors.clone());
    tracing::subscriber::set_global_default(listening).expect("the only one to listen");
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let engine = FakeEngine::new();
    engine.add_image("demo:1");
    let folder = tempfile::tempdir().expect("a folder");
    let (app, mina, card) = runtime.block_on(deploy(&folder, &engine));
    engine.forget_calls();
    Bench {
        runtime,
        mina,
        card,
        engine,
        errors,
        _app: app,
        _folder: folder,
    }
});

/// The app as it ships, with an agent that Olga has deployed.
async fn deploy(folder: &TempDir, engine: &FakeEngine) -> (App, Person, Message) {
    // What is forged is no shape of Discord's, and need not be checked.
    let options = Options {
        validate: false,
        ..Options::default()
    };
    let cord = Localcord::start(options).await.expect("a Discord");
    let app = App::start(parts(&cord, folder.path(), engine)).await;
    let app = app.expect("it starts");
    cord.wait_for_command("deploy").await.expect("commands");
    let olga = cord.user("olga").in_channel("ops");
    let command = olga.slash("deploy").option("template", "demo");
    let reply = command.option("name", "scout").send().await;
    let reply = reply.expect("an answer").until_text("running after").await;
    let card = reply.expect("a deployment").message();
    let mina = cord.user("mina").in_channel("ops");
    (app, mina, card.expect("a card"))
}

fn parts(cord: &Localcord, folder: &Path, engine: &FakeEngine) -> Parts {
    let path = |name: &str| folder.join(name).display().to_string();
    std::fs::create_dir(path("agents")).expect("a folder");
    std::fs::write(path("agents/demo.json"), TEMPLATE).expect("a template");
    std::fs::write(path("ca.pem"), cord.ca_pem()).expect("a certificate");
    let grant = format!(
        "[[grant]]\nuser = {}\nlevel = \"viewer\"\nfleet = \"*\"\n",
        cord.user("mina").id()
    );
    std::fs::write(path("yardarm.toml"), grant).expect("settings");
    let settings = [
        ("discord.guild", format!("\"{}\"", cord.guild_id())),
        ("discord.endpoint", cord.rest_addr().to_string()),
        ("discord.ca_file", path("ca.pem")),
        ("access.owners", format!("[\"{}\"]", cord.user("olga").id())),
        ("database.path", path("yardarm.db")),
        ("agents.templates", path("agents")),
        ("secrets.dir", path("secrets")),
        ("docker.settle_s", "0".to_owned()),
    ];
    let settings = settings.map(|(key, value)| (key.to_owned(), value));
    let token = ("DISCORD_TOKEN".to_owned(), cord.token().to_owned());
    let source = Source {
        path: Some(folder.join("yardarm.toml")),
        overrides: settings.into(),
        environment: Environment::from_iter([token]),
    };
    let (settings, templates) = source.read().expect("good settings");
    Parts {
        settings,
        templates,
        source,
        engine: Arc::new(engine.clone()),
        gauge: Arc::new(Machine::new()),
        clock: Arc::new(SystemClock),
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, data)) = read(input) else {
        return;
    };
    let forged = BENCH.mina.forge_interaction(&BENCH.card, kind, &data);
    let forged = forged.expect("an interaction");
    let reply = BENCH.runtime.block_on(forged.answered());
    assert!(!reply.is_failed(), "nobody answered in time");
    assert_eq!(BENCH.errors.take(), Vec::<String>::new());
    assert_eq!(BENCH.engine.changes(), Vec::<String>::new());
});

/// None for what serenity would not hand on.
fn read(input: &[u8]) -> Option<(u8, Value)> {
    let mut input: Value = serde_json::from_slice(input).ok()?;
    let kind = u8::try_from(input["type"].as_u64()?).ok()?;
    let data = input["data"].take();
    let is_read = match kind {
        2 | 4 => serde_json::from_value::<CommandData>(data.clone())
            .is_ok_and(|command| is_sent(&command, kind == 4)),
        3 => serde_json::from_value::<ComponentInteractionData>(data.clone()).is_ok(),
        5 => serde_json::from_value::<ModalInteractionData>(data.clone()).is_ok(),
        _ => false,
    };
    is_read.then_some((kind, data))
}

/// poise panics for kinds that it does not know. Whoever is still typing is typing in one option.
fn is_sent(command: &CommandData, is_typed: bool) -> bool {
    command.kind == CommandType::ChatInput && command.autocomplete().is_some() == is_typed
}
