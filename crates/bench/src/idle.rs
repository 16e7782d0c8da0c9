//! What Yardarm costs while nobody asks for anything, with a hundred agents: itself, and the engine for its sake.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures::future::try_join_all;
use tokio::time::sleep;

use crate::{Counts, cord::succeeded, figures::Figures, process, site::Site};

const AGENTS: usize = 100;
/// More at once gain nothing on a small machine.
const AT_ONCE: usize = 4;
/// After a start or an end, before anything counts.
const SETTLE: Duration = Duration::from_secs(5);

pub(crate) async fn measure(figures: &mut Figures, site: &Site, counts: &Counts) -> Result<()> {
    let (yardarm, _) = site.launch().await?;
    fill(site, (FIRST, "idle"), 0..AGENTS).await?;
    yardarm.stop().await?;
    let mut starts = Vec::new();
    for _ in 0..counts.starts {
        let (yardarm, took) = site.launch().await?;
        starts.push(took);
        yardarm.stop().await?;
    }
    let cost = cost(site, counts.window).await?;
    figures.spread("ready_ms", &starts)?;
    figures.number("idle_rss_mb", cost.rss_mb);
    figures.number("idle_cpu_percent", cost.own_percent);
    if let Some(engine) = cost.engine_percent {
        figures.number("idle_engine_cpu_percent", engine);
    }
    Ok(())
}

/// What Yardarm costs while nothing happens, in percent of one core.
pub(crate) struct Cost {
    pub(crate) own_percent: f64,
    /// What the engine uses more than without Yardarm; None if it does not run here.
    pub(crate) engine_percent: Option<f64>,
    pub(crate) rss_mb: f64,
}

/// Starts Yardarm, looks at it for a while, and ends it.
pub(crate) async fn cost(site: &Site, window: Duration) -> Result<Cost> {
    let engine = process::named(&["dockerd", "containerd"])?;
    // Before and after, because others may use the engine too.
    let before = usage(&engine, window / 2).await?;
    let (yardarm, _) = site.launch().await?;
    let ours = [yardarm.pid];
    let (own_percent, with) = tokio::try_join!(usage(&ours, window), usage(&engine, window))?;
    let rss_mb = process::rss_mb(yardarm.pid)?;
    yardarm.stop().await?;
    let after = usage(&engine, window / 2).await?;
    let more = with - f64::midpoint(before, after);
    Ok(Cost {
        own_percent,
        engine_percent: (!engine.is_empty()).then_some(more),
        rss_mb,
    })
}

/// The fleet that is there from the beginning.
const FIRST: &str = "main";

/// Deploys agents of a template that wait, and makes their fleet before the first of them.
pub(crate) async fn fill(
    site: &Site,
    (fleet, template): (&str, &str),
    numbers: Range<usize>,
) -> Result<()> {
    let people = site.people();
    if let (true, Some(person)) = (numbers.start == 0 && fleet != FIRST, people.first()) {
        let create = person.slash("fleet create").option("name", fleet);
        succeeded(&create.send().await?).await?;
    }
    let numbers: Vec<usize> = numbers.collect();
    for few in numbers.chunks(AT_ONCE) {
        let deploy = few.iter().zip(&people).map(|(number, person)| async move {
            let name = format!("{fleet}-{number}");
            let command = person
                .slash("deploy")
                .option("template", template)
                .option("name", &name)
                .option("fleet", fleet);
            succeeded(&command.send().await?).await
        });
        try_join_all(deploy).await?;
    }
    Ok(())
}

/// The share of one core that some processes use, in percent.
pub(crate) async fn usage(pids: &[u32], window: Duration) -> Result<f64> {
    sleep(SETTLE).await;
    let (began, before) = (Instant::now(), cpu_time(pids)?);
    sleep(window).await;
    let used = cpu_time(pids)?.saturating_sub(before);
    Ok(used.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0)
}

fn cpu_time(pids: &[u32]) -> Result<Duration> {
    pids.iter().map(|pid| process::cpu_time(*pid)).sum()
}
