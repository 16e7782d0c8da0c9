use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use super::Options;
use crate::{
    clock::{Clock as _, SystemClock},
    domain::{
        action::{Kind, Origin},
        grant::Level,
        nearest::did_you_mean,
        policy::Trial,
    },
};

#[derive(Debug, Subcommand)]
pub enum Policy {
    Test(Test),
}

/// Explain which rule would decide an action, and why; nothing is started
#[derive(Args, Debug)]
pub struct Test {
    #[command(flatten)]
    options: Options,
    /// What is asked for: `stop`, `secret set` …
    #[arg(long, value_parser = kind)]
    action: Kind,
    #[arg(long)]
    agent: Option<String>,
    #[arg(long)]
    fleet: Option<String>,
    #[arg(long)]
    template: Option<String>,
    /// The level of whoever asks [default: the least that may ask]
    #[arg(long, value_parser = level)]
    level: Option<Level>,
    /// Where it comes from
    #[arg(long, value_parser = origin, default_value = "chat")]
    origin: Origin,
    /// It gives an agent more than it had
    #[arg(long)]
    loosens: bool,
    /// It is about more than one agent
    #[arg(long)]
    several: bool,
    /// Whoever asks is the only owner
    #[arg(long)]
    sole_owner: bool,
    /// When: `2026-12-24T22:00:00Z` [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
}

impl Policy {
    #[expect(clippy::print_stdout, reason = "this is what a person asked for")]
    pub fn run(self) -> ExitCode {
        let Self::Test(test) = self;
        match test.options.settings_for_host() {
            Ok(settings) => {
                println!("{}", test.trial().explain(&settings.policies));
                ExitCode::SUCCESS
            }
            Err(code) => code,
        }
    }
}

impl Test {
    fn trial(self) -> Trial {
        Trial {
            kind: self.action,
            agent: self.agent,
            fleet: self.fleet,
            fleets: Vec::new(),
            template: self.template,
            level: self.level,
            origin: self.origin,
            loosens: self.loosens,
            several: self.several,
            sole_owner: self.sole_owner,
            now: self.at.unwrap_or_else(|| SystemClock.now()),
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| did_you_mean(text, &Kind::ALL.map(Kind::as_str)))
}

fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text).ok_or_else(|| did_you_mean(text, &Origin::ALL.map(Origin::as_str)))
}

fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| did_you_mean(text, &Level::ALL.map(Level::as_str)))
}
