//! What looking for due schedules costs, with many that are not due, and what claiming one costs.

use std::time::Instant;

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use yardarm::{
    clock::{Clock as _, SystemClock},
    domain::{
        agent::Name,
        ids::UserId,
        schedule::{Cron, Job, Missed, Order, Source},
    },
    ops::Ops,
    store::schedules::{NewSchedule, insert},
};

use crate::{Counts, fake::FakeFleet, figures::Figures};

const SCHEDULES: usize = 10_000;
/// Of them so many fall due at one time.
const DUE: usize = 1000;

pub(crate) async fn measure(figures: &mut Figures, counts: &Counts) -> Result<()> {
    let fleet = FakeFleet::start(0).await?;
    let ops = fleet.ops();
    let now = SystemClock.now();
    add(ops, 0..SCHEDULES - DUE, now + TimeDelta::days(1)).await?;
    let mut samples = Vec::with_capacity(counts.one);
    for _ in 0..counts.one {
        let began = Instant::now();
        ops.run_schedules(&|| ()).await?;
        samples.push(began.elapsed());
    }
    samples.sort_unstable();
    let median = samples
        .get(samples.len() / 2)
        .context("nothing was measured")?;
    figures.number("tick_us", median.as_secs_f64() * 1e6);
    add(ops, SCHEDULES - DUE..SCHEDULES, now - TimeDelta::days(1)).await?;
    let began = Instant::now();
    ops.run_schedules(&|| ()).await?;
    let took = began.elapsed().as_secs_f64();
    figures.number("claim_us", took * 1e6 / f64::from(u32::try_from(DUE)?));
    fleet.stop().await;
    Ok(())
}

/// Missed times are skipped, so that claiming is measured and no action.
async fn add(ops: &Ops, numbers: std::ops::Range<usize>, next: DateTime<Utc>) -> Result<()> {
    let now = SystemClock.now();
    let mut tx = ops.store.begin().await?;
    for number in numbers {
        let line = format!("{} {} * * *", number % 60, number % 24);
        let name = Name::parse(&format!("schedule-{number}"))?;
        let order = Order {
            missed: Missed::Skip,
            ..Order::built_in(name, (Cron::parse(&line)?, "UTC".parse()?), Job::Backup)
        };
        let new = NewSchedule {
            order: &order,
            source: Source::Chat,
            owner: Some(UserId(1)),
            paused: None,
            next: Some(next),
        };
        insert(&mut tx, &new, now).await?;
    }
    Ok(tx.commit().await?)
}
