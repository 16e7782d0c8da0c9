//! `yardarm grant`: the way back in for whoever has the host, also beside a running Yardarm, which takes it over
//! within seconds.

use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};

use super::{Options, up::code_of};
use crate::{
    clock::{Clock as _, SystemClock},
    config::Settings,
    domain::{
        agent::Name,
        grant::{Grant as Granted, Holder, Level, Source},
        ids::{GrantId, RoleId, UserId},
        pattern::Pattern,
    },
    ops::grants,
    store::Store,
};

#[derive(Debug, Subcommand)]
pub enum Grant {
    /// Let a person, a role or a team do more
    Add(Add),
    /// Take a grant back, by its number in the list
    Remove(Remove),
    /// All grants that count, those of the settings file included
    List(Options),
}

#[derive(Args, Debug)]
pub struct Add {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    whom: Whom,
    /// viewer, operator, maintainer or owner
    #[arg(long, value_parser = level)]
    level: Level,
    /// Where: a fleet, a pattern such as `prod-*`, or `*` for everything
    #[arg(long, value_name = "PATTERN", value_parser = |text: &str| Pattern::parse(text))]
    fleet: Pattern,
    /// It ends after so many hours, a year at most
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=8760))]
    hours: Option<u32>,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Whom {
    /// The id of a user: in Discord's Developer Mode, right-click → Copy User ID
    #[arg(long, value_name = "ID")]
    user: Option<u64>,
    /// The id of a role
    #[arg(long, value_name = "ID")]
    role: Option<u64>,
    /// The name of a team
    #[arg(long, value_name = "NAME", value_parser = |text: &str| Name::parse(text))]
    team: Option<Name>,
}

#[derive(Args, Debug)]
pub struct Remove {
    #[command(flatten)]
    options: Options,
    number: i64,
}

fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| "use viewer, operator, maintainer or owner".to_owned())
}

/// The settings and their database. It may be in use: grants are rows that a running Yardarm reads again and again.
pub(super) async fn open(options: &Options) -> Result<(Settings, Store), ExitCode> {
    let settings = options.settings_for_host()?;
    match Store::open_or_join(&settings.database.path).await {
        Ok(store) => Ok((settings, store)),
        Err(error) => {
            complain(&error);
            Err(ExitCode::from(code_of(&error)))
        }
    }
}

impl Grant {
    pub async fn run(&self) -> anyhow::Result<ExitCode> {
        let options = match self {
            Self::Add(add) => &add.options,
            Self::Remove(remove) => &remove.options,
            Self::List(options) => options,
        };
        let (settings, store) = match open(options).await {
            Ok(opened) => opened,
            Err(code) => return Ok(code),
        };
        let now = SystemClock.now();
        // There may be databases of others on this host.
        let placed = |said| format!("{said}, in `{}`", settings.database.path.display());
        let done = match self {
            Self::Add(add) => grants::grant_on_host(&store, &settings, add.grant(now), now)
                .await
                .map(placed),
            Self::Remove(remove) => {
                grants::revoke_on_host(&store, &settings, GrantId(remove.number), now)
                    .await
                    .map(placed)
            }
            Self::List(_) => grants::listed_on_host(&store, &settings, now).await,
        };
        store.close().await;
        Ok(match done {
            Ok(said) => {
                tell(&said);
                ExitCode::SUCCESS
            }
            Err(error) => {
                complain(&error);
                ExitCode::FAILURE
            }
        })
    }
}

impl Add {
    fn grant(&self, now: DateTime<Utc>) -> Granted {
        let Whom { user, role, team } = &self.whom;
        let holder = match (user, role, team) {
            (Some(user), ..) => Holder::User(UserId(*user)),
            (_, Some(role), _) => Holder::Role(RoleId(*role)),
            (.., team) => team.clone().map_or(Holder::User(UserId(0)), Holder::Team),
        };
        Granted {
            id: None,
            holder,
            level: self.level,
            fleets: self.fleet.clone(),
            until: self.hours.map(|hours| now + TimeDelta::hours(hours.into())),
            source: Source::Host,
            granted_by: None,
            created_at: None,
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is what a person asked for")]
fn tell(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "this is what a person asked for")]
fn complain(error: &dyn std::error::Error) {
    eprintln!("{error}");
}
