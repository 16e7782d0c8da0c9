//! What is done again and again: when, by whom, and what becomes of times that were missed.

mod cron;
#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::cron::{BadCron, Cron};
use super::{
    action::{self, Arguments, Kind},
    agent::Name,
    ids::{ActionId, RunId, ScheduleId, UserId},
    nearest::did_you_mean,
    problem::{Problem, shown},
    zone,
};

/// A run that begins no later than this after its time was not missed.
pub const GRACE: Duration = Duration::minutes(5);
/// Missed runs that are made up for at most.
pub const MAKE_UP_MAX: u8 = 10;
/// Runs that wait for one another at most.
pub const QUEUE_MAX: i64 = 10;

/// The names of Yardarm's own.
pub const BUILT_IN: [&str; 5] = [
    "stale-check",
    "retention",
    "backup",
    "audit-anchor",
    "weekly-report",
];

/// What may be done by a schedule. The text is how the database and people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    Deploy,
    Start,
    Stop,
    Restart,
    Report,
    Backup,
    Purge,
    /// Only built in: forms that nobody sent off are put away.
    StaleCheck,
    /// Only built in: the audit's anchor of the day.
    Anchor,
}

impl Job {
    pub const ALL: [Self; 9] = [
        Self::Deploy,
        Self::Start,
        Self::Stop,
        Self::Restart,
        Self::Report,
        Self::Backup,
        Self::Purge,
        Self::StaleCheck,
        Self::Anchor,
    ];

    /// Those that people may ask for.
    pub const OFFERED: [Self; 7] = [
        Self::Deploy,
        Self::Start,
        Self::Stop,
        Self::Restart,
        Self::Report,
        Self::Backup,
        Self::Purge,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Report => "report",
            Self::Backup => "backup",
            Self::Purge => "purge",
            Self::StaleCheck => "stale check",
            Self::Anchor => "audit anchor",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|job| job.as_str() == text)
    }

    /// The action it is; None for what is Yardarm's own and needs nobody's leave.
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::Deploy => Some(Kind::Deploy),
            Self::Start => Some(Kind::Start),
            Self::Stop => Some(Kind::Stop),
            Self::Restart => Some(Kind::Restart),
            Self::Report => Some(Kind::Report),
            Self::Backup => Some(Kind::Backup),
            Self::Purge => Some(Kind::Purge),
            Self::StaleCheck | Self::Anchor => None,
        }
    }

    /// Whether it is about agents.
    const fn has_targets(self) -> bool {
        matches!(
            self,
            Self::Deploy | Self::Start | Self::Stop | Self::Restart
        )
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What becomes of times at which nothing could run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// Nothing.
    #[default]
    Skip,
    /// The last one is made up for.
    Once,
    /// So many of the last ones are made up for.
    All,
}

impl Missed {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::All => "all",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Skip, Self::Once, Self::All]
            .into_iter()
            .find(|rule| rule.as_str() == text)
    }
}

/// What becomes of a time that comes while the run before is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// It is left out.
    #[default]
    Skip,
    /// It waits for its turn.
    Queue,
}

impl Overlap {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Queue => "queue",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Skip, Self::Queue]
            .into_iter()
            .find(|rule| rule.as_str() == text)
    }
}

/// An [`Order`] as people, files and the database write it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// What the schedule is called: a–z, 0–9, `-` and `_`.
    pub name: String,
    /// Five fields with their Unix meaning (minute, hour, day of the month, month, day of the week), or `@daily` and the
    /// like.
    pub cron: String,
    /// Such as `Europe/Berlin`; `schedules.zone` if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// `deploy`, `start`, `stop`, `restart`, `report`, `backup` or `purge`.
    pub action: String,
    /// Whom it is about: a name or a pattern; with `deploy` the name of the agent that is made, or made anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The fleet it is about, or that an agent is deployed into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fleet: Option<String>,
    /// With `deploy`: the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// With `deploy`: what the template is given.
    #[serde(default, skip_serializing_if = "Arguments::is_empty")]
    pub set: Arguments,
    /// What becomes of times at which Yardarm was down.
    #[serde(default)]
    pub missed: Missed,
    /// With `missed = "all"`: how many of the last ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub up_to: Option<u8>,
    /// What becomes of a time that comes while the run before is not over.
    #[serde(default)]
    pub overlap: Overlap,
    /// When it ends, as in `2026-12-31T18:00:00Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What is to be done when, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Order {
    pub name: Name,
    pub cron: Cron,
    pub zone: Tz,
    pub job: Job,
    pub agent: Option<String>,
    pub fleet: Option<String>,
    pub template: Option<String>,
    pub set: Arguments,
    pub missed: Missed,
    pub up_to: u8,
    pub overlap: Overlap,
    /// It comes at this instant at the latest.
    pub until: Option<DateTime<Utc>>,
}

/// What is to run of the times that have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// In order.
    pub runs: Vec<DateTime<Utc>>,
    /// The last time that came and is made up for by nothing.
    pub missed: Option<DateTime<Utc>>,
}

impl Order {
    /// Checks what was written; `zone` counts where none is. Every problem is told, at the key it is about.
    pub fn read(written: &Written, zone: Tz) -> Result<Self, Vec<Problem>> {
        Self::read_one_of(&Job::OFFERED, written, zone)
    }

    fn read_one_of(jobs: &[Job], written: &Written, zone: Tz) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |problem: Problem| problems.push(problem);
        let name = Name::parse(&written.name);
        let name = name
            .map_err(|error| keep(Problem::from_serde("name", &error.to_string())))
            .ok();
        let cron = Cron::parse(&written.cron);
        let cron = cron
            .map_err(|error| keep(Problem::new("cron", error.to_string(), CRON_HINT)))
            .ok();
        let zone = written.zone.as_deref().map_or(Ok(zone), zone::parse);
        let zone = zone
            .map_err(|error| keep(Problem::new("zone", error.message(), error.advice)))
            .ok();
        let job = jobs.iter().find(|job| job.as_str() == written.action);
        let Some(job) = job.copied() else {
            let known: Vec<&str> = jobs.iter().map(|job| job.as_str()).collect();
            let message = format!("{} cannot be scheduled", shown(&written.action));
            keep(Problem::new(
                "action",
                message,
                did_you_mean(&written.action, &known),
            ));
            return Err(problems);
        };
        let until = written.until.as_deref().map(parse_instant).transpose();
        let until = until.map_err(&mut keep).ok();
        written.misfits(job).into_iter().for_each(&mut keep);
        match (name, cron, zone, until) {
            (Some(name), Some(cron), Some(zone), Some(until)) if problems.is_empty() => Ok(Self {
                name,
                cron,
                zone,
                job,
                agent: written.agent.clone(),
                fleet: written.fleet.clone(),
                template: written.template.clone(),
                set: written.set.clone(),
                missed: written.missed,
                up_to: written.up_to.unwrap_or(MAKE_UP_MAX),
                overlap: written.overlap,
                until,
            }),
            _ => Err(problems),
        }
    }

    /// One of Yardarm's own.
    pub fn built_in(name: Name, (cron, zone): (Cron, Tz), job: Job) -> Self {
        Self {
            name,
            cron,
            zone,
            job,
            agent: None,
            fleet: None,
            template: None,
            set: Arguments::new(),
            missed: Missed::Once,
            up_to: MAKE_UP_MAX,
            overlap: Overlap::Skip,
            until: None,
        }
    }

    /// The first time after an instant, if it does not end before.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = self.cron.next(after, self.zone)?;
        self.until.is_none_or(|until| next <= until).then_some(next)
    }

    /// What is to run of the times from `planned` up to now.
    pub fn due(&self, planned: DateTime<Utc>, now: DateTime<Utc>) -> Due {
        let (count, make_up) = match self.missed {
            Missed::Skip => (1, false),
            Missed::Once => (1, true),
            Missed::All => (self.up_to.into(), true),
        };
        let runs = self.last(count, planned, now);
        let last = runs.last().copied().unwrap_or(planned);
        if make_up || now - last <= GRACE {
            return Due { runs, missed: None };
        }
        Due {
            runs: Vec::new(),
            missed: Some(last),
        }
    }

    /// The last times from `planned` up to now. A long time is not walked through: the look back widens until it holds
    /// enough.
    fn last(&self, count: usize, planned: DateTime<Utc>, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut back = Duration::hours(1);
        loop {
            let whole = now - back <= planned;
            let from = if whole { planned } else { now - back };
            let mut times = if whole { vec![planned] } else { Vec::new() };
            let mut at = from;
            while let Some(next) = self.next(at).filter(|next| *next <= now) {
                times.push(next);
                at = next;
            }
            if whole || times.len() >= count {
                return times.split_off(times.len().saturating_sub(count));
            }
            back = back * 4;
        }
    }

    /// What it does, for people.
    pub fn does(&self) -> String {
        let mut words = vec![self.job.to_string()];
        words.extend(self.agent.iter().map(|agent| format!("`{agent}`")));
        words.extend(self.template.iter().map(|name| format!("from `{name}`")));
        words.extend(self.fleet.iter().map(|fleet| format!("in `{fleet}`")));
        words.join(" ")
    }
}

const CRON_HINT: &str = "minute, hour, day of the month, month, day of the week, as in `30 2 * * 1-5`; or @hourly, @daily, @weekly, @monthly, @yearly";

fn parse_instant(text: &str) -> Result<DateTime<Utc>, Problem> {
    let parsed = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    parsed.map_err(|_| {
        Problem::new(
            "until",
            format!("{} is no instant", shown(text)),
            "write it as `2026-12-31T18:00:00Z`",
        )
    })
}

impl Written {
    /// Options that the job needs and lacks, or has no use for.
    fn misfits(&self, job: Job) -> Vec<Problem> {
        let mut problems = Vec::new();
        let deploys = job == Job::Deploy;
        let mut judge = |key: &str, is_given: bool, needed: bool, allowed: bool| {
            if needed && !is_given {
                let message = format!("a {job} needs `{key}`");
                let or = if deploys { "" } else { " or `fleet`" };
                problems.push(Problem::new(key, message, format!("add `{key}`{or}")));
            } else if is_given && !allowed {
                let message = format!("a {job} has no use for `{key}`");
                problems.push(Problem::new(key, message, format!("leave `{key}` out")));
            }
        };
        let targets = job.has_targets();
        let whom = self.agent.is_some() || self.fleet.is_some();
        judge(
            "agent",
            self.agent.is_some(),
            targets && (deploys || !whom),
            targets,
        );
        judge("fleet", self.fleet.is_some(), false, targets);
        judge("template", self.template.is_some(), deploys, deploys);
        judge("set", !self.set.is_empty(), false, deploys);
        if self.up_to.is_some() && self.missed != Missed::All {
            let message = "it counts together with `missed` `all` only";
            problems.push(Problem::new(
                "up_to",
                message,
                "leave it out, or ask for all",
            ));
        }
        let up_to = 1..=MAKE_UP_MAX;
        if let Some(count) = self.up_to.filter(|count| !up_to.contains(count)) {
            problems.push(Problem::out_of_range("up_to", count, &up_to));
        }
        problems
    }
}

impl TryFrom<Written> for Order {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let problems = match Self::read_one_of(&Job::ALL, &written, Tz::UTC) {
            Ok(order) => return Ok(order),
            Err(problems) => problems,
        };
        let told: Vec<String> = problems.iter().map(Problem::to_string).collect();
        Err(told.join("; "))
    }
}

impl From<Order> for Written {
    fn from(order: Order) -> Self {
        Self {
            name: order.name.to_string(),
            cron: order.cron.to_string(),
            zone: Some(order.zone.to_string()),
            action: order.job.to_string(),
            agent: order.agent,
            fleet: order.fleet,
            template: order.template,
            set: order.set,
            missed: order.missed,
            up_to: (order.missed == Missed::All).then_some(order.up_to),
            overlap: order.overlap,
            until: order.until.map(|until| until.to_rfc3339()),
        }
    }
}

/// Where a schedule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody in chat, its owner.
    Chat,
    /// The settings file, and changed there.
    File,
    /// Yardarm itself.
    BuiltIn,
}

impl Source {
    pub const ALL: [Self; 3] = [Self::Chat, Self::File, Self::BuiltIn];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::File => "file",
            Self::BuiltIn => "built-in",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// An order that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub id: ScheduleId,
    pub order: Order,
    pub source: Source,
    /// Whose rights it has; None if no person's.
    pub owner: Option<UserId>,
    /// Why it does not run.
    pub paused: Option<String>,
    /// None if it has ended.
    pub next: Option<DateTime<Utc>>,
    pub last: Option<Run>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is its turn, and there is no action yet.
    Claimed,
    /// An action does it, and tells the rest.
    Submitted,
    /// Done without an action.
    Done,
    /// It could not be.
    Refused,
    /// It was left out.
    Skipped,
}

impl Stage {
    pub const ALL: [Self; 5] = [
        Self::Claimed,
        Self::Submitted,
        Self::Done,
        Self::Refused,
        Self::Skipped,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Submitted => "submitted",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Skipped => "skipped",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

/// One due time of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: RunId,
    pub schedule: ScheduleId,
    pub planned: DateTime<Utc>,
    pub stage: Stage,
    /// When its turn came.
    pub since: DateTime<Utc>,
    /// Why it is refused or was left out; what it waits for.
    pub outcome: Option<String>,
    pub action: Option<(ActionId, action::State)>,
}

/// Yardarm's own schedules. One that posts a report is among them if there is a channel to post it in.
pub fn built_in(zone: Tz, posts: bool) -> Vec<Order> {
    let own = [
        ("*/5 * * * *", zone, Job::StaleCheck),
        ("15 3 * * *", zone, Job::Purge),
        ("30 3 * * *", zone, Job::Backup),
        // A day of the audit is one of UTC.
        ("0 0 * * *", Tz::UTC, Job::Anchor),
        ("0 9 * * 1", zone, Job::Report),
    ];
    let named = BUILT_IN.into_iter().zip(own);
    named
        .filter(|(_, (_, _, job))| posts || *job != Job::Report)
        .filter_map(|(name, (line, zone, job))| {
            let cron = Cron::parse(line).ok()?;
            Some(Order::built_in(Name::parse(name).ok()?, (cron, zone), job))
        })
        .collect()
}
