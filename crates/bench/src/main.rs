//! Measures what Yardarm's documents claim: prints a table and writes `target/bench.json`.

mod aims;
mod audit;
mod chat;
mod cord;
mod crashes;
mod deploy;
mod document;
mod fake;
mod figures;
mod floor;
mod freeze;
mod idle;
mod load;
mod local;
mod logs;
mod loops;
mod machine;
mod policy;
mod process;
mod ratios;
mod schedules;
mod site;
mod stats;
mod storm;
mod table;
mod votes;
mod watch;

/// The tests' fake engine, as it is.
#[path = "../../../tests/it/support"]
#[expect(
    dead_code,
    unused_imports,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "made for tests, of which the bench needs a part"
)]
mod support {
    pub(crate) mod fake_engine;
    pub(crate) mod scene;
}

use std::{fmt::Write as _, panic::AssertUnwindSafe, path::Path, time::Duration};

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};
use futures::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Level;
use tracing_subscriber::{
    Layer as _,
    filter::Targets,
    fmt::{self, writer::BoxMakeWriter},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use self::{figures::Figures, ratios::Ratios, site::Site};

const OUTPUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/bench.json");

/// Measures Yardarm
#[derive(Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
struct Arguments {
    /// Only these; then target/bench.json stays as it is
    groups: Vec<Group>,
    /// Fewer samples: to see whether the bench works, not for figures to publish
    #[arg(long)]
    quick: bool,
    /// Only what needs no Docker
    #[arg(long)]
    fake_only: bool,
    /// Show what the app logs on the fake engine
    #[arg(long)]
    log: bool,
    /// Fail if a ratio is twice the one of the last whole run, in kept.json, or is missing
    #[arg(long)]
    check: bool,
    /// Fail if an aim is missed
    #[arg(long)]
    aims: bool,
    /// Measure all there is, and make this the run to compare with, and the one in docs/performance.md
    #[arg(long, conflicts_with_all = ["check", "quick", "groups"])]
    keep: bool,
}

/// What is measured together.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    Policy,
    Localcord,
    Chat,
    Votes,
    Schedules,
    Audit,
    Deploy,
    Logs,
    Idle,
    Freeze,
    Crashes,
    Storm,
    Watch,
    Load,
    Loops,
}

/// What is measured with real containers.
const ON_DOCKER: [Group; 8] = [
    Group::Deploy,
    Group::Logs,
    Group::Freeze,
    Group::Idle,
    Group::Crashes,
    Group::Storm,
    Group::Watch,
    Group::Load,
];

/// What takes long, and shows that nothing breaks more than how fast it is: only by name, and in a run that is kept.
const BY_NAME: [Group; 2] = [Group::Load, Group::Loops];

impl Arguments {
    fn wants(&self, group: Group) -> bool {
        let all = self.groups.is_empty() && (self.keep || !BY_NAME.contains(&group));
        let named = all || self.groups.contains(&group);
        named && !(ON_DOCKER.contains(&group) && self.fake_only)
    }
}

/// How much is measured.
struct Counts {
    /// Samples, one at a time.
    one: usize,
    /// Rounds of twenty people.
    rounds: usize,
    votes: usize,
    crashes: usize,
    /// Agents that die at once.
    storm: usize,
    /// Sizes of fleets that are only watched: of real agents, and of simulated ones.
    watched: &'static [usize],
    simulated: &'static [usize],
    freezes: usize,
    deploys: usize,
    logs: usize,
    /// Text that the engine stores as about 1.55 times as much.
    log_bytes: usize,
    starts: usize,
    /// How long nothing happens.
    window: Duration,
    /// How long much happens.
    load: Duration,
    /// Commands to the smallest client, and messages that localcord keeps.
    interactions: usize,
    messages: usize,
    /// Rows of the audit in transactions of their own, and in all.
    audit_commits: usize,
    audit_rows: usize,
}

impl Counts {
    const fn new(quick: bool) -> Self {
        if quick {
            return Self {
                one: 50,
                rounds: 3,
                votes: 5,
                crashes: 4,
                storm: 20,
                watched: &[10, 20],
                simulated: &[100, 1000],
                freezes: 2,
                deploys: 5,
                logs: 10,
                log_bytes: 32_500_000,
                starts: 3,
                window: Duration::from_secs(16),
                load: Duration::from_secs(20),
                interactions: 1000,
                messages: 1000,
                audit_commits: 500,
                audit_rows: 20_000,
            };
        }
        Self {
            one: 400,
            rounds: 25,
            votes: 30,
            crashes: 20,
            storm: 200,
            watched: &[10, 100, 300],
            simulated: &[1000, 10_000],
            freezes: 5,
            deploys: 20,
            logs: 40,
            log_bytes: 325_000_000,
            starts: 10,
            window: Duration::from_mins(1),
            load: Duration::from_mins(5),
            interactions: 20_000,
            messages: 10_000,
            audit_commits: 5000,
            audit_rows: 1_000_000,
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let counts = Counts::new(arguments.quick);
    listen(arguments.log);
    let mut figures = Figures::default();
    let measured = measure(&mut figures, &arguments, &counts).await;
    let ratios = ratios::of(&figures);
    let place = machine::describe().await?;
    let run = told(&place, &figures, &ratios);
    // What there is, also if the rest came to nothing.
    show(&run);
    measured?;
    if arguments.groups.is_empty() {
        write(&place, &figures)?;
    }
    if arguments.keep {
        ratios::keep(&ratios)?;
        document::keep(&run)?;
    }
    if arguments.check {
        ratios::check(&ratios)?;
    }
    if arguments.aims {
        aims::check(&figures)?;
    }
    Ok(())
}

async fn measure(figures: &mut Figures, arguments: &Arguments, counts: &Counts) -> Result<()> {
    // First: memory that another group gave back would hide what this one takes.
    if arguments.wants(Group::Watch) {
        watch::simulated(figures, counts).await?;
    }
    if arguments.wants(Group::Policy) {
        policy::measure(figures)?;
    }
    if arguments.wants(Group::Localcord) {
        local::measure(figures, counts).await?;
    }
    if arguments.wants(Group::Chat) {
        chat::measure(figures, counts).await?;
    }
    if arguments.wants(Group::Votes) {
        votes::measure(figures, counts).await?;
    }
    if arguments.wants(Group::Schedules) {
        schedules::measure(figures, counts).await?;
    }
    if arguments.wants(Group::Audit) {
        audit::measure(figures, counts).await?;
    }
    if arguments.wants(Group::Loops) {
        loops::measure(figures, counts).await?;
    }
    if ON_DOCKER.iter().any(|group| arguments.wants(*group)) {
        on_docker(figures, arguments, counts).await?;
    }
    Ok(())
}

/// The app logs as it does in service, so that this is measured too, even if nobody reads it.
fn listen(show: bool) {
    let writer = if show {
        BoxMakeWriter::new(std::io::stderr)
    } else {
        BoxMakeWriter::new(std::io::sink)
    };
    let filter = Targets::new()
        .with_default(Level::WARN)
        .with_target("yardarm", Level::INFO);
    let layer = fmt::layer().with_writer(writer).with_filter(filter);
    tracing_subscriber::registry().with(layer).init();
}

/// Whatever ends it, nothing of ours is left behind.
async fn on_docker(figures: &mut Figures, arguments: &Arguments, counts: &Counts) -> Result<()> {
    let site = Site::prepare().await?;
    let work = async {
        tokio::select! {
            done = by_the_real_binary(figures, &site, (arguments, counts)) => done,
            stopped = told_to_stop() => stopped,
        }
    };
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    site.sweep().await?;
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

async fn by_the_real_binary(
    figures: &mut Figures,
    site: &Site,
    (arguments, counts): (&Arguments, &Counts),
) -> Result<()> {
    let (yardarm, _) = site.launch().await?;
    if arguments.wants(Group::Deploy) {
        deploy::measure(figures, site, counts).await?;
    }
    if arguments.wants(Group::Logs) {
        logs::measure(figures, site, &yardarm, counts).await?;
    }
    if arguments.wants(Group::Freeze) {
        freeze::measure(figures, site, counts).await?;
    }
    yardarm.stop().await?;
    if arguments.wants(Group::Idle) {
        idle::measure(figures, site, counts).await?;
        site.sweep().await?;
    }
    if arguments.wants(Group::Crashes) {
        crashes::measure(figures, site, counts).await?;
    }
    if arguments.wants(Group::Storm) {
        storm::measure(figures, site, counts).await?;
    }
    if arguments.wants(Group::Watch) {
        watch::measure(figures, site, counts).await?;
    }
    if arguments.wants(Group::Load) {
        load::measure(figures, site, counts).await?;
    }
    Ok(())
}

async fn told_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    bail!("stopped half-way")
}

#[expect(clippy::print_stdout, reason = "the table is what it is for")]
fn show(run: &str) {
    print!("{run}");
}

/// A run, for people.
fn told(place: &str, figures: &Figures, ratios: &Ratios) -> String {
    let table = table::render(figures);
    let mut text = format!("{place}\n\n{table}\nratios of medians\n");
    for (name, ratio) in ratios {
        // Writing to a text cannot fail.
        let _written = writeln!(text, "{name:<24} {ratio:.2}");
    }
    text
}

fn write(place: &str, figures: &Figures) -> Result<()> {
    let path = Path::new(OUTPUT);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, figures.to_json(place)?)?;
    Ok(())
}
