//! From a click on Approve to its acknowledgement, and to the end being told, on an engine that answers at once.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use crate::{
    Counts,
    cord::{acknowledged, succeeded},
    fake::{FakeFleet, agent},
    figures::Figures,
    floor::Floor,
};

const AGENTS: usize = 10;
const RULES: &str = r#"
[[policy]]
name = "stops are asked about"
actions = ["stop"]
effect = "ask"
ask = { approvals = 1 }
"#;
/// The limiter holds back who sends, or edits, more than five messages in a channel within five seconds.
const REST: Duration = Duration::from_secs(6);
/// So many samples come first and do not count.
const WARM_UP: usize = 2;

pub(crate) async fn measure(figures: &mut Figures, counts: &Counts) -> Result<()> {
    let floor = Floor::start().await?;
    let fleet = FakeFleet::start_with(AGENTS, RULES).await?;
    let (mut clicked, mut told, mut least) = (Vec::new(), Vec::new(), Vec::new());
    let others = floor.people();
    let other = others.first().context("nobody")?;
    for _ in 0..counts.votes + WARM_UP {
        let (click, end) = vote(&fleet).await?;
        clicked.push(click);
        told.push(end);
        sleep(REST).await;
        least.push(acknowledged(&other.slash("ping").send().await?)?);
    }
    fleet.stop().await;
    figures.spread("vote_ms", clicked.get(WARM_UP..).unwrap_or_default())?;
    figures.spread("vote_floor_ms", least.get(WARM_UP..).unwrap_or_default())?;
    figures.spread("vote_done_ms", told.get(WARM_UP..).unwrap_or_default())
}

/// One asks, another approves, and the agent is started again.
async fn vote(fleet: &FakeFleet) -> Result<(Duration, Duration)> {
    let people = fleet.people();
    let [one, other, ..] = people.as_slice() else {
        anyhow::bail!("the bench has too few people");
    };
    let asked = one.slash("stop").option("agent", agent(0)).send().await?;
    let asked = asked.until_text("others have to approve").await?.text();
    let number = asked.split("-# action ").nth(1).unwrap_or_default();
    let number = number.split(' ').next().unwrap_or_default();
    let channel = fleet.channel();
    let mark = format!("-# approval {number} ");
    let card = channel.wait_for_text(&mark).await?;
    let began = Instant::now();
    let click = other.press(&card, "Approve").await?;
    let mark = format!("-# result {number}");
    let is_told = |message: &localcord::Message| message.text().ends_with(&mark);
    channel.wait_for(is_told).await?;
    let told = began.elapsed();
    let start = one.slash("start").option("agent", agent(0));
    succeeded(&start.send().await?).await?;
    Ok((acknowledged(&click)?, told))
}
