//! What Yardarm costs while nobody asks for anything, with a hundred agents: itself, and the engine for its sake.

use std::time::{Duration, Instant};

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
    fill(site, ("main", AGENTS)).await?;
    yardarm.stop().await?;
    let engine = process::named(&["dockerd", "containerd"])?;
    // Before and after, because others may use the engine too.
    let before = usage(&engine, counts.window / 2).await?;
    let mut starts = Vec::new();
    for _ in 1..counts.starts {
        let (yardarm, took) = site.launch().await?;
        starts.push(took);
        yardarm.stop().await?;
    }
    let (yardarm, took) = site.launch().await?;
    starts.push(took);
    let ours = [yardarm.pid];
    let (own, with) = tokio::try_join!(usage(&ours, counts.window), usage(&engine, counts.window))?;
    let memory = process::rss_mb(yardarm.pid)?;
    yardarm.stop().await?;
    let after = usage(&engine, counts.window / 2).await?;
    figures.spread("ready_ms", &starts)?;
    figures.number("idle_rss_mb", memory);
    figures.number("idle_cpu_percent", own);
    if !engine.is_empty() {
        figures.number(
            "idle_engine_cpu_percent",
            with - f64::midpoint(before, after),
        );
    }
    Ok(())
}

/// Deploys agents that wait.
pub(crate) async fn fill(site: &Site, (fleet, agents): (&str, usize)) -> Result<()> {
    let people = site.people();
    let numbers: Vec<usize> = (0..agents).collect();
    for few in numbers.chunks(AT_ONCE) {
        let deploy = few.iter().zip(&people).map(|(number, person)| async move {
            let name = format!("{fleet}-{number}");
            let command = person
                .slash("deploy")
                .option("template", "idle")
                .option("name", &name)
                .option("fleet", fleet);
            succeeded(&command.send().await?).await
        });
        try_join_all(deploy).await?;
    }
    Ok(())
}

/// The share of one core that some processes use, in percent.
async fn usage(pids: &[u32], window: Duration) -> Result<f64> {
    sleep(SETTLE).await;
    let (began, before) = (Instant::now(), cpu_time(pids)?);
    sleep(window).await;
    let used = cpu_time(pids)?.saturating_sub(before);
    Ok(used.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0)
}

fn cpu_time(pids: &[u32]) -> Result<Duration> {
    pids.iter().map(|pid| process::cpu_time(*pid)).sum()
}
