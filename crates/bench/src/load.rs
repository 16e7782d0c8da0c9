//! Twenty people who send fifty commands a second to a fleet of a hundred real agents: whether each is acknowledged in time, what
//! that does to memory, and whether anything goes wrong meanwhile.
//!
//! Mostly they look: two processors cannot stop and start fifty containers a second, by whatever means.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use localcord::{Person, SlashCommand};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{Counts, cord::acknowledged, figures::Figures, idle::fill, process, site::Site};

const FLEET: &str = "crowded";
const AGENTS: usize = 100;
const PER_SECOND: u32 = 50;
/// One in so many commands changes an agent.
const CHANGES_ONE_IN: usize = 50;
/// Memory is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// At the beginning and at the end of it, over which memory is compared; less if the whole takes less.
const EDGE: Duration = Duration::from_mins(1);

pub(crate) async fn measure(figures: &mut Figures, site: &Site, counts: &Counts) -> Result<()> {
    let (yardarm, _) = site.launch().await?;
    fill(site, (FLEET, "idle"), 0..AGENTS).await?;
    let people = site.people();
    let (sent, memory) = tokio::try_join!(
        send(&people, counts.load),
        watch_memory(yardarm.pid, counts.load)
    )?;
    yardarm.stop().await?;
    let errors = site.errors_logged()?;
    site.sweep().await?;
    let per_s = f64::from(u32::try_from(sent.len())?) / counts.load.as_secs_f64();
    let missed = sent.iter().filter(|took| took.is_none()).count();
    let took: Vec<Duration> = sent.into_iter().flatten().collect();
    let (first, last) = edges(&memory, counts.load);
    figures.spread("load_ack_ms", &took)?;
    figures.numbers(
        "load",
        [
            ("missed", f64::from(u32::try_from(missed)?)),
            ("per_s", per_s),
            ("errors", f64::from(u32::try_from(errors)?)),
            ("rss_first_mb", first),
            ("rss_last_mb", last),
        ],
    );
    Ok(())
}

/// Sends at the same pace whether or not anybody answers. How long each answer took; None: it came too late.
async fn send(people: &[Person], span: Duration) -> Result<Vec<Option<Duration>>> {
    let mut pace = interval(Duration::from_secs(1) / PER_SECOND);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (began, mut under_way, mut number) = (Instant::now(), JoinSet::new(), 0);
    while began.elapsed() < span {
        pace.tick().await;
        let Some(person) = people.get(number % people.len()) else {
            break;
        };
        let command = command(person, number);
        under_way.spawn(async move { command.send().await });
        number += 1;
    }
    let mut sent = Vec::new();
    while let Some(reply) = under_way.join_next().await {
        sent.push(acknowledged(&reply??).ok());
    }
    ensure!(!sent.is_empty(), "nobody sent anything");
    Ok(sent)
}

/// What the one with this number is.
fn command(person: &Person, number: usize) -> SlashCommand {
    let agent = format!("{FLEET}-{}", number / CHANGES_ONE_IN % AGENTS);
    if number.is_multiple_of(CHANGES_ONE_IN) {
        return person.slash("restart").option("agent", agent);
    }
    match number % 4 {
        0 => person.slash("logs").option("agent", agent),
        1 => person.slash("status").option("agent", agent),
        2 => person.slash("alerts list"),
        _ => person.slash("status"),
    }
}

/// MB, as time goes by.
async fn watch_memory(pid: u32, span: Duration) -> Result<Vec<(Duration, f64)>> {
    let (began, mut seen) = (Instant::now(), Vec::new());
    while began.elapsed() < span {
        seen.push((began.elapsed(), process::rss_mb(pid)?));
        sleep(LOOK_EVERY).await;
    }
    Ok(seen)
}

/// The most in the first and in the last minute.
fn edges(seen: &[(Duration, f64)], span: Duration) -> (f64, f64) {
    let edge = EDGE.min(span / 2);
    let most = |within: &dyn Fn(Duration) -> bool| {
        let values = seen.iter().filter(|(at, _)| within(*at));
        values.map(|(_, mb)| *mb).fold(0.0, f64::max)
    };
    (most(&|at| at < edge), most(&|at| at + edge >= span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_compared_between_the_first_minute_and_the_last() {
        let at = |minute: u64, mb: f64| (Duration::from_secs(60 * minute + 30), mb);
        let seen = [at(0, 30.0), at(1, 50.0), at(2, 31.0)];
        assert_eq!(edges(&seen, Duration::from_mins(3)), (30.0, 31.0));
    }
}
