//! A thousand simulated agents that end whenever they are started, and are started again and again: how many messages that makes,
//! and whether people are still answered.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use crate::{
    Counts,
    cord::{acknowledged, finished},
    fake::FakeFleet,
    figures::Figures,
};

const AGENTS: usize = 1000;
const ASK_EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn measure(figures: &mut Figures, counts: &Counts) -> Result<()> {
    let fleet = FakeFleet::stubborn(AGENTS).await?;
    let before = fleet.channel().messages().len();
    fleet.crash_all();
    let (mut took, mut all) = (Vec::new(), Vec::new());
    let began = Instant::now();
    let people = fleet.people();
    for person in people.iter().cycle() {
        if began.elapsed() >= counts.load {
            break;
        }
        let status = person.slash("status").send().await?;
        took.push(acknowledged(&status)?);
        all.push(finished(&status).await?);
        sleep(ASK_EVERY).await;
    }
    let messages = fleet.channel().messages().len() - before;
    let known = fleet.ops().store.open_incidents().await?.len();
    let restarts = fleet.starts() - AGENTS;
    fleet.stop().await;
    figures.spread("loops_ack_ms", &took)?;
    figures.spread("loops_status_ms", &all)?;
    figures.numbers(
        "loops",
        [
            ("messages", f64::from(u32::try_from(messages)?)),
            ("agents", f64::from(u32::try_from(AGENTS)?)),
            ("incidents", f64::from(u32::try_from(known)?)),
            ("restarts", f64::from(u32::try_from(restarts)?)),
        ],
    );
    Ok(())
}
