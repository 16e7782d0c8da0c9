//! From the end of an agent's process until people read of it, and until it runs again; beside the engine's own event and a
//! plain start.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bollard::{
    models::EventMessage,
    query_parameters::{
        CreateContainerOptions, EventsOptions, InspectContainerOptions, StartContainerOptions,
    },
};
use futures::{Stream, StreamExt as _};
use tokio::{
    process::Command,
    time::{sleep, timeout},
};

use crate::{Counts, cord::PATIENCE, deploy::same_as, figures::Figures, idle::fill, site::Site};

/// Every end is a message of its own.
const UNGROUPED: [(&str, &str); 2] = [
    ("alerts.group_wait_s", "0"),
    ("alerts.group_interval_s", "0"),
];
/// Discord takes five messages in five seconds.
const PACE: Duration = Duration::from_millis(1100);
const FLEET: &str = "crashing";

pub(crate) async fn measure(figures: &mut Figures, site: &Site, counts: &Counts) -> Result<()> {
    let (yardarm, _) = site.launch_with(&UNGROUPED).await?;
    fill(site, (FLEET, "idle"), 0..counts.crashes).await?;
    let (mut told, mut died, mut ran, mut started) = (vec![], vec![], vec![], vec![]);
    for number in 0..counts.crashes {
        let name = format!("{FLEET}-{number}");
        let crash = crash(site, &name).await?;
        told.push(crash.told);
        died.push(crash.died);
        ran.push(crash.runs);
        started.push(start_by_hand(site, &name).await?);
        sleep(PACE).await;
    }
    yardarm.stop().await?;
    site.sweep().await?;
    figures.spread("crash_to_alert_ms", &told)?;
    figures.spread("die_event_ms", &died)?;
    figures.spread("crash_to_restart_ms", &ran)?;
    figures.spread("start_raw_ms", &started)
}

/// How long after the kill.
struct Crash {
    /// The engine's own event came.
    died: Duration,
    /// The message was there.
    told: Duration,
    /// The engine started it again.
    runs: Duration,
}

async fn crash(site: &Site, name: &str) -> Result<Crash> {
    let container = format!("{}{name}", site.prefix);
    let mut events = events_of(site, &container);
    let channel = site.cord.channel("ops");
    let (pid, bold) = (pid_of(site, &container).await?, format!("**{name}**"));
    let began = Instant::now();
    kill(&[pid]).await?;
    let seen = async {
        let died = came(&mut events, "die", began).await?;
        let runs = came(&mut events, "start", began).await?;
        anyhow::Ok((died, runs))
    };
    let told = async {
        channel
            .wait_for(|message| message.text().contains(&bold))
            .await?;
        anyhow::Ok(began.elapsed())
    };
    let ((died, runs), told) = tokio::try_join!(seen, told)?;
    Ok(Crash { died, told, runs })
}

fn events_of(
    site: &Site,
    container: &str,
) -> impl Stream<Item = Result<EventMessage, bollard::errors::Error>> + Unpin + use<> {
    let filters = [("container".to_owned(), vec![container.to_owned()])];
    let options = EventsOptions {
        filters: Some(filters.into()),
        ..Default::default()
    };
    Box::pin(site.docker.events(Some(options)))
}

async fn came(
    events: &mut (impl Stream<Item = Result<EventMessage, bollard::errors::Error>> + Unpin),
    action: &str,
    began: Instant,
) -> Result<Duration> {
    let wait = async {
        while let Some(event) = events.next().await {
            if event?.action.as_deref() == Some(action) {
                return Ok(began.elapsed());
            }
        }
        anyhow::bail!("the engine tells no more")
    };
    timeout(PATIENCE, wait)
        .await
        .with_context(|| format!("no `{action}` came"))?
}

pub(crate) async fn pid_of(site: &Site, container: &str) -> Result<i64> {
    let options = None::<InspectContainerOptions>;
    let seen = site.docker.inspect_container(container, options).await?;
    let pid = seen.state.and_then(|state| state.pid);
    pid.filter(|pid| *pid > 0).context("it does not run")
}

/// As the kernel does it when memory is short.
pub(crate) async fn kill(pids: &[i64]) -> Result<()> {
    let mut command = Command::new("kill");
    command.arg("-KILL");
    command.args(pids.iter().map(i64::to_string));
    ensure!(command.status().await?.success(), "a process ended before");
    Ok(())
}

/// A container like that of an agent ends the same way and is started by a plain call.
async fn start_by_hand(site: &Site, name: &str) -> Result<Duration> {
    let agent = format!("{}{name}", site.prefix);
    let copy = format!("{}raw-{name}", site.prefix);
    let seen = site
        .docker
        .inspect_container(&agent, None::<InspectContainerOptions>);
    let body = same_as(seen.await?)?;
    let options = CreateContainerOptions {
        name: Some(copy.clone()),
        ..Default::default()
    };
    site.docker.create_container(Some(options), body).await?;
    let start = || {
        let options = None::<StartContainerOptions>;
        site.docker.start_container(&copy, options)
    };
    start().await?;
    let mut events = events_of(site, &copy);
    kill(&[pid_of(site, &copy).await?]).await?;
    came(&mut events, "die", Instant::now()).await?;
    let began = Instant::now();
    start().await?;
    let took = began.elapsed();
    site.remove(&copy).await?;
    Ok(took)
}
