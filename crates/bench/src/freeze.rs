//! From the tap on Freeze until the last of fifty real containers stands still.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use localcord::Person;

use crate::{Counts, cord::succeeded, figures::Figures, idle::fill, site::Site};

const AGENTS: usize = 50;
const FLEET: &str = "still";

pub(crate) async fn measure(figures: &mut Figures, site: &Site, counts: &Counts) -> Result<()> {
    let people = site.people();
    let person = people.first().context("nobody")?;
    fill(site, (FLEET, "idle"), 0..AGENTS).await?;
    let mut samples = Vec::new();
    for _ in 0..counts.freezes {
        samples.push(freeze(person).await?);
        let thaw = person.slash("unfreeze").option("fleet", FLEET);
        succeeded(&thaw.send().await?).await?;
    }
    let remove = person.slash("remove").option("fleet", FLEET);
    succeeded(&remove.send().await?).await?;
    figures.spread("freeze_ms", &samples)
}

async fn freeze(person: &Person) -> Result<Duration> {
    let command = person.slash("freeze").option("fleet", FLEET);
    let question = command.option("reason", "measured").send().await?;
    question.until_text("?").await?;
    let began = Instant::now();
    let card = question.press("Freeze").await?;
    let all = format!("Agents paused: {AGENTS} of {AGENTS}.");
    card.until_text(&all).await?;
    Ok(began.elapsed())
}
