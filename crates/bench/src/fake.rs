//! The real app on an engine that answers at once: what is measured is ours alone.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use localcord::{Channel, Localcord, Person};
use tempfile::TempDir;
use yardarm::{
    app::{App, Parts},
    clock::{Clock as _, SystemClock},
    config::{Environment, Source},
    domain::{action::Origin, agent::State, template::DeployForm},
    host::Machine,
    ops::{Ops, actions::Requester},
};

use crate::{cord, support::fake_engine::FakeEngine};

const SETTINGS: &str = "yardarm.toml";
const IMAGE: &str = "demo:1";
const TEMPLATE: &str = r#"{ "description": "ticks", "image": "demo:1", "stop_grace_s": 1 }"#;
const PROBED: &str = r#"{
  "description": "ticks", "image": "demo:1", "stop_grace_s": 1,
  "probes": [{ "kind": "exec", "command": ["true"], "interval_s": 15 }]
}"#;
/// Restarted for as long as the bench looks.
const STUBBORN: &str = r#"{
  "description": "ticks", "image": "demo:1", "stop_grace_s": 1, "recovery": { "attempts": 20 }
}"#;
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) struct FakeFleet {
    pub(crate) size: usize,
    cord: Localcord,
    app: App,
    engine: FakeEngine,
    _folder: TempDir,
}

impl FakeFleet {
    /// Returns once all agents run.
    pub(crate) async fn start(size: usize) -> Result<Self> {
        Self::start_with(size, "").await
    }

    /// With a settings file.
    pub(crate) async fn start_with(size: usize, settings: &str) -> Result<Self> {
        Self::start_of(size, settings, TEMPLATE).await
    }

    /// Of agents that are asked how they are every 15 seconds.
    pub(crate) async fn probed(size: usize) -> Result<Self> {
        Self::start_of(size, "", PROBED).await
    }

    /// Of agents that are not given up soon.
    pub(crate) async fn stubborn(size: usize) -> Result<Self> {
        Self::start_of(size, "", STUBBORN).await
    }

    async fn start_of(size: usize, settings: &str, template: &str) -> Result<Self> {
        let cord = cord::start().await?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join(SETTINGS), settings)?;
        let engine = FakeEngine::with_clock(|| SystemClock.now());
        engine.add_image(IMAGE);
        let app = App::start(parts(&cord, &folder, template, engine.clone())?).await?;
        cord.wait_for_command("help").await?;
        until(&app.ops, Ops::knows_engine).await?;
        for number in 0..size {
            deploy(&app.ops, number).await?;
        }
        until(&app.ops, |ops| running(ops) == size).await?;
        Ok(Self {
            size,
            cord,
            app,
            engine,
            _folder: folder,
        })
    }

    pub(crate) fn people(&self) -> Vec<Person> {
        cord::people(&self.cord)
    }

    pub(crate) fn ops(&self) -> &Ops {
        &self.app.ops
    }

    /// Where questions are put.
    pub(crate) fn channel(&self) -> Channel {
        self.cord.channel("ops")
    }

    /// Ends every agent, now and whenever it is started again.
    pub(crate) fn crash_all(&self) {
        self.engine.crash_on_start(IMAGE, 1);
        for name in self.engine.names() {
            self.engine.kill(&self.engine.id_of(&name), 1);
        }
    }

    /// How often any container was started.
    pub(crate) fn starts(&self) -> usize {
        let calls = self.engine.calls();
        calls
            .iter()
            .filter(|call| call.starts_with("start "))
            .count()
    }

    pub(crate) async fn stop(self) {
        self.app.stop().await;
    }
}

fn parts(cord: &Localcord, folder: &TempDir, template: &str, engine: FakeEngine) -> Result<Parts> {
    let overrides = cord::settings(cord, folder.path())?;
    std::fs::write(folder.path().join("agents/demo.json"), template)?;
    let token = ("DISCORD_TOKEN".to_owned(), cord.token().to_owned());
    let source = Source {
        path: Some(folder.path().join(SETTINGS)),
        overrides,
        environment: Environment::from_iter([token]),
    };
    let (settings, templates) = source.read()?;
    Ok(Parts {
        settings,
        templates,
        source,
        engine: Arc::new(engine),
        gauge: Arc::new(Machine::new()),
        clock: Arc::new(SystemClock),
    })
}

/// Not by chat, which would take as long as all figures together.
async fn deploy(ops: &Ops, number: usize) -> Result<()> {
    let form = DeployForm {
        template: "demo".to_owned(),
        name: agent(number),
        ..DeployForm::default()
    };
    let requester = Requester {
        caller: None,
        origin: Origin::Converge,
        reason: None,
        reply: None,
    };
    ops.submit(ops.own_sight().request_deploy(&form)?, requester)
        .await?;
    Ok(())
}

/// The name of an agent of the fleet.
pub(crate) fn agent(number: usize) -> String {
    format!("agent-{number:04}")
}

fn running(ops: &Ops) -> usize {
    ops.roster.read(|board| {
        let running = board.views().filter(|view| view.state == State::Running);
        running.count()
    })
}

async fn until(ops: &Ops, is_true: impl Fn(&Ops) -> bool) -> Result<()> {
    let wait = async {
        while !is_true(ops) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(cord::PATIENCE, wait)
        .await
        .context("the fake fleet did not come up")
}
