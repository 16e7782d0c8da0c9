use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use super::Options;
use crate::{
    clock::{Clock as _, SystemClock},
    domain::{
        agent::Name,
        incident::{Kind, Severity},
        nearest::did_you_mean,
        squelch::Trial,
    },
};

#[derive(Debug, Subcommand)]
pub enum Alerts {
    Test(Test),
}

/// Tell which way an alert would take, by the settings alone; nobody is told
#[derive(Args, Debug)]
pub struct Test {
    #[command(flatten)]
    options: Options,
    /// What is wrong: `down`, `unhealthy`, `blocked` …
    #[arg(long, value_parser = kind, default_value = "down")]
    kind: Kind,
    #[arg(long, value_parser = severity, default_value = "warning")]
    severity: Severity,
    #[arg(long, value_parser = name)]
    agent: Option<Name>,
    #[arg(long, value_parser = name)]
    fleet: Option<Name>,
    /// When: `2026-12-24T22:00:00Z` [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
}

impl Alerts {
    #[expect(clippy::print_stdout, reason = "this is what a person asked for")]
    pub fn run(self) -> ExitCode {
        let Self::Test(test) = self;
        match test.options.settings_for_host() {
            Ok(settings) => {
                println!("{}", test.trial().run(&settings.squelch, &[], &[]));
                ExitCode::SUCCESS
            }
            Err(code) => code,
        }
    }
}

impl Test {
    fn trial(self) -> Trial {
        Trial {
            kind: self.kind,
            severity: self.severity,
            agent: self.agent,
            fleet: self.fleet,
            now: self.at.unwrap_or_else(|| SystemClock.now()),
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    Kind::parse(text).ok_or_else(|| did_you_mean(text, &known))
}

fn severity(text: &str) -> Result<Severity, String> {
    let known: Vec<&str> = Severity::ALL.iter().map(|one| one.as_str()).collect();
    Severity::parse(text).ok_or_else(|| did_you_mean(text, &known))
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|error| error.to_string())
}
