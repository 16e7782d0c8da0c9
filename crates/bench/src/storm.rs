//! Many agents die at once: how many messages people get, and when all run again.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use bollard::query_parameters::ListContainersOptions;
use chrono::DateTime;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::sleep;
use yardarm::{domain::ids::AgentId, store::Store};

use crate::{
    Counts,
    cord::PATIENCE,
    crashes::{kill, pid_of},
    figures::Figures,
    idle::fill,
    site::Site,
};

const FLEET: &str = "storm";
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The message about a group waits for 30 seconds; whatever is to be told was told by then.
const TELLING: Duration = Duration::from_secs(40);
const LOOKS_AT_ONCE: usize = 8;

pub(crate) async fn measure(figures: &mut Figures, site: &Site, counts: &Counts) -> Result<()> {
    let (yardarm, _) = site.launch().await?;
    fill(site, (FLEET, "idle"), 0..counts.storm).await?;
    let pids: Vec<i64> = stream::iter(0..counts.storm)
        .map(
            |number| async move { pid_of(site, &format!("{}{FLEET}-{number}", site.prefix)).await },
        )
        .buffer_unordered(LOOKS_AT_ONCE)
        .try_collect()
        .await?;
    let before = said(site);
    let began = Instant::now();
    kill(&pids).await?;
    let settled = settle(site, counts.storm, began).await?;
    sleep(TELLING).await;
    let messages = said(site) - before;
    let down = counts.storm - running(site).await?;
    yardarm.stop().await?;
    let lost = counts.storm.saturating_sub(noticed(site).await?);
    site.sweep().await?;
    figures.numbers(
        "storm",
        [
            ("messages", count(messages)?),
            ("settle_s", settled.as_secs_f64()),
            ("lost", count(lost)?),
            ("down", count(down)?),
        ],
    );
    Ok(())
}

/// Agents whose end became an incident: who reads `/alerts` or `/why` finds it, though it healed before it was told.
async fn noticed(site: &Site) -> Result<usize> {
    let store = Store::open(&site.database()).await?;
    let incidents = store.incidents_since(DateTime::UNIX_EPOCH).await?;
    store.close().await;
    let agents: HashSet<AgentId> = incidents
        .iter()
        .filter_map(|one| one.about.agent())
        .collect();
    Ok(agents.len())
}

/// Messages, however often each was edited.
fn said(site: &Site) -> usize {
    site.cord.channel("ops").messages().len()
}

fn count(number: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(number)?))
}

/// Until all run again, or for as long as the bench has patience: then the rest is down.
async fn settle(site: &Site, all: usize, began: Instant) -> Result<Duration> {
    // The engine may not have noticed yet.
    while running(site).await? == all {
        ensure!(began.elapsed() < PATIENCE, "nobody died");
        sleep(LOOK_EVERY).await;
    }
    while running(site).await? < all && began.elapsed() < PATIENCE {
        sleep(LOOK_EVERY).await;
    }
    Ok(began.elapsed())
}

async fn running(site: &Site) -> Result<usize> {
    let named = [("name".to_owned(), vec![format!("{}{FLEET}-", site.prefix)])];
    let options = ListContainersOptions {
        filters: Some(named.into()),
        ..Default::default()
    };
    Ok(site.docker.list_containers(Some(options)).await?.len())
}
