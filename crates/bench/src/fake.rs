//! The real app on an engine that answers at once: what is measured is ours alone.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use localcord::{Localcord, Person};
use tempfile::TempDir;
use yardarm::{
    app::{App, Parts},
    clock::{Clock as _, SystemClock},
    config::{Environment, Source},
    domain::{action::Origin, agent::State, template::DeployForm},
    ops::{Ops, actions::Requester},
};

use crate::{cord, support::fake_engine::FakeEngine};

const IMAGE: &str = "demo:1";
const TEMPLATE: &str = r#"{ "description": "ticks", "image": "demo:1", "stop_grace_s": 1 }"#;
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) struct FakeFleet {
    pub(crate) cord: Localcord,
    app: App,
    agents: usize,
    _folder: TempDir,
}

impl FakeFleet {
    pub(crate) async fn start() -> Result<Self> {
        let cord = cord::start().await?;
        let folder = tempfile::tempdir()?;
        let overrides = cord::settings(&cord, folder.path())?;
        std::fs::write(folder.path().join("agents/demo.json"), TEMPLATE)?;
        let source = Source {
            path: None,
            overrides,
            environment: Environment::from_iter([(
                "DISCORD_TOKEN".to_owned(),
                cord.token().to_owned(),
            )]),
        };
        let (settings, templates) = source.read()?;
        let engine = FakeEngine::with_clock(|| SystemClock.now());
        engine.add_image(IMAGE);
        let parts = Parts {
            settings,
            templates,
            source,
            engine: Arc::new(engine),
            clock: Arc::new(SystemClock),
        };
        let app = App::start(parts).await?;
        cord.wait_for_command("help").await?;
        until(&app.ops, Ops::knows_engine).await?;
        Ok(Self {
            cord,
            app,
            agents: 0,
            _folder: folder,
        })
    }

    /// Deploys until there are `count` agents, and waits until all of them run.
    pub(crate) async fn grow_to(&mut self, count: usize) -> Result<()> {
        for number in self.agents..count {
            let form = DeployForm {
                template: "demo".to_owned(),
                name: agent(number),
                ..DeployForm::default()
            };
            let request = self.app.ops.request_deploy(&form)?;
            let requester = Requester {
                actor: None,
                origin: Origin::Converge,
                reason: None,
                reply: None,
            };
            self.app.ops.submit(request, requester).await?;
        }
        self.agents = count;
        until(&self.app.ops, |ops| running(ops) == count).await
    }

    pub(crate) fn people(&self) -> Vec<Person> {
        cord::people(&self.cord)
    }

    pub(crate) async fn stop(self) {
        self.app.stop().await;
    }
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
