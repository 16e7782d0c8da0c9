//! `yardarm audit`: verify, export and purge the audit, also while Yardarm runs.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Options, up::code_of};
use crate::{
    clock::{Clock as _, SystemClock},
    domain::audit::{
        Entry, Origin, What,
        chain::Anchor,
        search::{Search, Sight, parse_time},
    },
    store::{
        Store, audit,
        ledger::{Ledger, Verdict},
    },
};

/// A row of the audit is not what it was.
const AUDIT_BROKEN: u8 = 3;
/// Rows read at a time.
const PAGE: usize = 500;

#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Follow the chain of hashes, and name the first row that is not what it was
    Verify(Verify),
    /// Print rows as JSON, one a line; the export itself becomes a row
    Export(Export),
    /// Delete what is older than a day; a row that remains says how far
    Purge(Purge),
}

/// Which database.
#[derive(Args, Debug)]
pub struct Place {
    #[command(flatten)]
    options: Options,
    /// This database, whatever the settings say: a backup, for example
    #[arg(long, value_name = "PATH")]
    database: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Verify {
    #[command(flatten)]
    place: Place,
    /// A row and its hash as posted in the channel; may be given more than once
    #[arg(long, value_name = "ROW:HASH", value_parser = anchor)]
    anchor: Vec<Anchor>,
}

#[derive(Args, Debug)]
pub struct Export {
    #[command(flatten)]
    place: Place,
    /// From this day or time on: 2026-11-21, 2026-11-21T10:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<DateTime<Utc>>,
    /// Up to this day or time
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<DateTime<Utc>>,
    /// Only what is about this agent
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
}

#[derive(Args, Debug)]
pub struct Purge {
    #[command(flatten)]
    place: Place,
    /// What happened before this day or time: 2026-11-21, 2026-11-21T10:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    before: DateTime<Utc>,
}

fn anchor(text: &str) -> Result<Anchor, String> {
    Anchor::parse(text).ok_or_else(|| {
        "write it as it was posted: a row, `:`, and 64 hexadecimal digits".to_owned()
    })
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    parse_time(text)
        .ok_or_else(|| "write a day as 2026-11-21 or a time as 2026-11-21T10:00:00Z".to_owned())
}

impl Place {
    /// Needs settings only if no database is named.
    fn path(&self) -> Result<PathBuf, ExitCode> {
        if let Some(path) = &self.database {
            return Ok(path.clone());
        }
        Ok(self.options.settings_for_host()?.database.path)
    }
}

impl Audit {
    pub async fn run(&self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify(verify) => verify.run().await,
            Self::Export(export) => export.run().await,
            Self::Purge(purge) => purge.run().await,
        }
    }
}

impl Verify {
    #[expect(clippy::print_stdout, reason = "this is what a person asked for")]
    async fn run(&self) -> anyhow::Result<ExitCode> {
        let path = match self.place.path() {
            Ok(path) => path,
            Err(code) => return Ok(code),
        };
        let ledger = match Ledger::open(&path).await {
            Ok(ledger) => ledger,
            Err(error) => return Ok(fail(&error)),
        };
        let verdict = ledger.verify(&self.anchor).await?;
        println!("{}", said(&verdict));
        Ok(match verdict.broken {
            Some(_) => ExitCode::from(AUDIT_BROKEN),
            None => ExitCode::SUCCESS,
        })
    }
}

/// One line, and one more for each anchor that says nothing any more.
fn said(verdict: &Verdict) -> String {
    let head = &verdict.head;
    let first = verdict.start.number + 1;
    let line = match verdict.broken {
        Some(broken) => format!(
            "broken: {broken}; what stands before it is whole\nhint: keep this file as it is, and compare it with a \
             backup: `yardarm audit export --database PATH`"
        ),
        None => format!(
            "whole: {} rows, {first} to {}, ending in {head}",
            head.number + 1 - first,
            head.number
        ),
    };
    let unknown = verdict.unknown.iter().map(|anchor| {
        format!(
            "row {} was purged: its anchor says nothing any more",
            anchor.number
        )
    });
    std::iter::once(line)
        .chain(unknown)
        .collect::<Vec<_>>()
        .join("\n")
}

impl Export {
    async fn run(&self) -> anyhow::Result<ExitCode> {
        let path = match self.place.path() {
            Ok(path) => path,
            Err(code) => return Ok(code),
        };
        let store = match Store::open_or_join(&path).await {
            Ok(store) => store,
            Err(error) => return Ok(fail(&error)),
        };
        let search = Search {
            agent: self.agent.clone(),
            since: self.since,
            until: self.until,
            ..Search::default()
        };
        let ledger = store.ledger();
        let mut numbers = ledger.search(&search, &Sight::Everything, (0, -1)).await?;
        numbers.reverse();
        tell_export(&store, &search, numbers.len()).await?;
        let mut out = std::io::stdout().lock();
        for page in numbers.chunks(PAGE) {
            for record in ledger.numbered(page).await? {
                writeln!(out, "{}", record.to_json())?;
            }
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

/// Before anything is printed: what is not told does not happen.
async fn tell_export(store: &Store, search: &Search, rows: usize) -> anyhow::Result<()> {
    let entry = Entry {
        details: json!({ "rows": rows, "search": search }),
        ..Entry::new(What::Exported, Origin::HOST)
    };
    let mut tx = store.begin().await?;
    audit::append(&mut tx, &entry, SystemClock.now()).await?;
    Ok(tx.commit().await?)
}

impl Purge {
    #[expect(clippy::print_stdout, reason = "this is what a person asked for")]
    async fn run(&self) -> anyhow::Result<ExitCode> {
        let path = match self.place.path() {
            Ok(path) => path,
            Err(code) => return Ok(code),
        };
        let store = match Store::open_or_join(&path).await {
            Ok(store) => store,
            Err(error) => return Ok(fail(&error)),
        };
        let mut tx = store.begin().await?;
        let purged = audit::purge(&mut tx, self.before, Origin::HOST, SystemClock.now()).await?;
        tx.commit().await?;
        store.delete_purged().await?;
        store.close().await;
        match purged {
            Some(anchor) => println!(
                "purged: rows up to {}; the chain goes on after {anchor}",
                anchor.number
            ),
            None => println!("nothing is that old"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[expect(clippy::print_stderr, reason = "this is what a person asked for")]
fn fail(error: &crate::store::OpenError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(code_of(error))
}
