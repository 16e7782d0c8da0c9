//! How long people wait for words, on an engine that answers at once.
//!
//! Yardarm and the smallest client take turns, so that whatever else the machine does meets both.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use localcord::{Person, Reply, SlashCommand};
use tokio::time::sleep;

use crate::{
    Counts,
    cord::{acknowledged, finished, succeeded},
    fake::{FakeFleet, agent},
    figures::Figures,
    floor::Floor,
};

const SIZES: [usize; 3] = [10, 100, 1000];
/// Agents while twenty people ask.
const CROWDED: usize = 100;
/// What an action leaves to be done once its end is shown is over by then; nobody types faster.
const REST: Duration = Duration::from_millis(5);
/// So many samples come first and do not count.
const WARM_UP: usize = 10;

pub(crate) async fn measure(figures: &mut Figures, counts: &Counts) -> Result<()> {
    let floor = Floor::start().await?;
    let mut fleets = Vec::new();
    for size in SIZES {
        fleets.push(FakeFleet::start(size).await?);
    }
    for fleet in fleets.iter().filter(|fleet| fleet.size == CROWDED) {
        one_at_a_time(figures, fleet, &floor, counts).await?;
        twenty_at_a_time(figures, fleet, &floor, counts).await?;
        one_after_the_other(figures, fleet, counts).await?;
    }
    status(figures, &fleets, counts).await?;
    for fleet in fleets {
        fleet.stop().await;
    }
    Ok(())
}

async fn one_at_a_time(
    figures: &mut Figures,
    fleet: &FakeFleet,
    floor: &Floor,
    counts: &Counts,
) -> Result<()> {
    let (mut own, mut least) = (Vec::new(), Vec::new());
    let (person, other) = (first(fleet.people())?, first(floor.people())?);
    for turn in 0..counts.one + WARM_UP {
        let command = if turn % 2 == 0 { "stop" } else { "start" };
        let change = person.slash(command).option("agent", agent(0));
        let change = change.send().await?;
        succeeded(&change).await?;
        own.push(acknowledged(&change)?);
        sleep(REST).await;
        least.push(acknowledged(&other.slash("ping").send().await?)?);
        sleep(REST).await;
    }
    figures.spread("ack_ms", warm(&own))?;
    figures.spread("ack_floor_ms", warm(&least))
}

async fn twenty_at_a_time(
    figures: &mut Figures,
    fleet: &FakeFleet,
    floor: &Floor,
    counts: &Counts,
) -> Result<()> {
    let mut crowd = Crowd::default();
    // In the first round connections are opened.
    round(&mut Crowd::default(), fleet, floor).await?;
    for _ in 0..counts.rounds {
        round(&mut crowd, fleet, floor).await?;
    }
    figures.spread("ack_20_ms", &crowd.acknowledged)?;
    figures.spread("ack_floor_20_ms", &crowd.floor)?;
    figures.spread("status_20_ms", &crowd.status)?;
    figures.spread("stop_20_ms", &crowd.stop)
}

/// What twenty people at once waited for.
#[derive(Default)]
struct Crowd {
    floor: Vec<Duration>,
    status: Vec<Duration>,
    stop: Vec<Duration>,
    /// Of the stops.
    acknowledged: Vec<Duration>,
}

async fn round(crowd: &mut Crowd, fleet: &FakeFleet, floor: &Floor) -> Result<()> {
    let (people, others) = (fleet.people(), floor.people());
    for ping in at_once(others.iter().map(|person| person.slash("ping"))).await? {
        crowd.floor.push(acknowledged(&ping)?);
    }
    for status in at_once(people.iter().map(|person| person.slash("status"))).await? {
        crowd.status.push(finished(&status).await?);
    }
    for stop in change(&people, "stop").await? {
        crowd.stop.push(succeeded(&stop).await?);
        crowd.acknowledged.push(acknowledged(&stop)?);
    }
    for start in change(&people, "start").await? {
        succeeded(&start).await?;
    }
    Ok(())
}

/// As many as there can be: everybody asks again as soon as they are answered.
async fn one_after_the_other(
    figures: &mut Figures,
    fleet: &FakeFleet,
    counts: &Counts,
) -> Result<()> {
    let people = fleet.people();
    let began = Instant::now();
    let asked = people.iter().map(|person| async move {
        for _ in 0..counts.one {
            finished(&person.slash("status").send().await?).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(asked).await?;
    figures.rate("status_per_s", counts.one * people.len(), began.elapsed());
    Ok(())
}

/// Everybody changes an agent of their own.
async fn change(people: &[Person], command: &str) -> Result<Vec<Reply>> {
    let own =
        |(number, person): (usize, &Person)| person.slash(command).option("agent", agent(number));
    at_once(people.iter().enumerate().map(own)).await
}

async fn at_once(commands: impl Iterator<Item = SlashCommand>) -> Result<Vec<Reply>> {
    Ok(try_join_all(commands.map(SlashCommand::send)).await?)
}

/// The sizes take turns, too.
async fn status(figures: &mut Figures, fleets: &[FakeFleet], counts: &Counts) -> Result<()> {
    let mut samples = vec![Vec::new(); fleets.len()];
    for _ in 0..counts.one + WARM_UP {
        for (fleet, samples) in fleets.iter().zip(&mut samples) {
            let person = first(fleet.people())?;
            samples.push(finished(&person.slash("status").send().await?).await?);
        }
    }
    for (fleet, samples) in fleets.iter().zip(&samples) {
        figures.of_size("status_ms", fleet.size, warm(samples))?;
    }
    Ok(())
}

fn first(people: Vec<Person>) -> Result<Person> {
    let first = people.into_iter().next();
    first.ok_or_else(|| anyhow::anyhow!("the bench has no people"))
}

fn warm(samples: &[Duration]) -> &[Duration] {
    samples.get(WARM_UP..).unwrap_or_default()
}
