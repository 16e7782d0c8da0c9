//! What it costs to watch fleets of different sizes, each agent asked how it is every 15 seconds.

use anyhow::Result;

use crate::{
    Counts,
    fake::FakeFleet,
    figures::Figures,
    idle::{cost, fill, usage},
    process,
    site::Site,
};

const FLEET: &str = "watched";

/// Real agents, asked over HTTP.
pub(crate) async fn measure(figures: &mut Figures, site: &Site, counts: &Counts) -> Result<()> {
    let mut there = 0;
    for &size in counts.watched {
        let (yardarm, _) = site.launch().await?;
        fill(site, (FLEET, "probed"), there..size).await?;
        yardarm.stop().await?;
        there = size;
        let cost = cost(site, counts.window).await?;
        figures.number_of_size("watch_cpu_percent", size, cost.own_percent);
        if let Some(engine) = cost.engine_percent {
            figures.number_of_size("watch_engine_cpu_percent", size, engine);
        }
        figures.number_of_size("watch_rss_mb", size, cost.rss_mb);
    }
    site.sweep().await
}

/// Agents of an engine that answers at once, which shares our process: what it costs is counted, too.
pub(crate) async fn simulated(figures: &mut Figures, counts: &Counts) -> Result<()> {
    let ours = std::process::id();
    // Once: what a smaller fleet gave back is what a larger one is given first.
    let before = process::rss_mb(ours)?;
    for &size in counts.simulated {
        let fleet = FakeFleet::probed(size).await?;
        let cpu = usage(&[ours], counts.window).await?;
        let memory = process::rss_mb(ours)? - before;
        fleet.stop().await;
        figures.number_of_size("watch_cpu_percent", size, cpu);
        figures.number_of_size("watch_rss_mb", size, memory);
    }
    Ok(())
}
