//! The rules that keep alerts few, as a pipeline with named stages: observe → incident → inhibit → silence → group →
//! damp → notify. The first two are [`super::incident`]'s; the others are here, and all of them only decide.
//!
//! An alert is one message about the incidents of a group. It is announced once, edited through its life, and nudged
//! (by a reply, which notifies) only as often as the rules allow. Both tables are read in the transaction that writes what
//! [`Pipeline::step`] says, so the same picture never gives two messages.

#[cfg(test)]
mod tests;
mod trial;

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

pub use self::trial::{Fate, Trial};
use super::{
    agent::Name,
    ids::{AlertId, ChannelId, IncidentId, RoleId, SilenceId, UserId},
    incident::{About, Damping, Incident, Kind, Severity},
    pattern::Pattern,
    policy::Window,
    words::words,
};

/// Which incidents something is about. What it does not mention, it is not particular about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Matcher {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<Severity>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Kind>,
    /// What is in no fleet matches none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fleets: Vec<Pattern>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Pattern>,
}

impl Matcher {
    pub fn matches(&self, incident: &Incident) -> bool {
        let named = |patterns: &[Pattern], name: Option<&Name>| {
            let fits = |name: &Name| patterns.iter().any(|one| one.matches(name.as_str()));
            patterns.is_empty() || name.is_some_and(fits)
        };
        (self.severities.is_empty() || self.severities.contains(&incident.severity))
            && (self.kinds.is_empty() || self.kinds.contains(&incident.kind))
            && named(&self.fleets, incident.fleet.as_ref().map(|(_, name)| name))
            && named(&self.agents, incident.agent.as_ref())
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |name: &str, words: Vec<&str>| {
            (!words.is_empty()).then(|| format!("{name} {}", words.join(" or ")))
        };
        let parts: Vec<String> = [
            words("agent", self.agents.iter().map(Pattern::as_str).collect()),
            words("fleet", self.fleets.iter().map(Pattern::as_str).collect()),
            words(
                "kind",
                self.kinds.iter().map(|kind| kind.as_str()).collect(),
            ),
            words(
                "severity",
                self.severities.iter().map(|one| one.as_str()).collect(),
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        if parts.is_empty() {
            f.write_str("everything")
        } else {
            f.write_str(&parts.join(", "))
        }
    }
}

/// Somebody wants not to hear of something for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    pub id: SilenceId,
    pub matcher: Matcher,
    pub reason: String,
    pub author: UserId,
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// What somebody asks for: not to hear of something for a while, or to hear of it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quiet {
    For {
        matcher: Matcher,
        hours: u32,
    },
    End {
        silence: SilenceId,
        matcher: Matcher,
    },
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For { matcher, hours } => write!(f, "{matcher} for {hours} h"),
            Self::End { silence, matcher } => write!(f, "{silence}: {matcher}"),
        }
    }
}

/// A time of the week in which nobody is told, and nothing is mended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    pub name: String,
    pub matcher: Matcher,
    pub window: Window,
}

/// Where an alert goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// The ops channel of the fleet, or of the instance.
    Ops,
    Channel(ChannelId),
    /// A `[[notify]]` entry by its name.
    Target(String),
}

words! {
    /// What shares a message, if it comes within the same time.
    #[derive(Serialize, Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "lowercase")]
    pub enum GroupBy {
        /// What happens in one fleet.
        Fleet = "fleet",
        /// Nothing: each incident has its own.
        Incident = "incident",
        /// Whatever takes this route.
        Route = "route",
    }
}

/// Who else is told if nobody acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    pub after: Duration,
    pub to: Vec<Destination>,
    /// So often at most.
    pub most: u32,
}

/// Which way an alert takes. The first route that matches decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub name: String,
    pub matcher: Matcher,
    /// None: always.
    pub window: Option<Window>,
    pub to: Vec<Destination>,
    /// Who is notified by the message.
    pub users: Vec<UserId>,
    pub roles: Vec<RoleId>,
    /// Whether what follows a message is told in a thread of it.
    pub thread: bool,
    pub group_by: GroupBy,
    pub pace: Pace,
    pub escalation: Option<Escalation>,
}

impl Route {
    /// What counts where no `[[route]]` matches: the ops channel.
    pub fn fallback(pace: Pace) -> Self {
        Self {
            name: "ops".to_owned(),
            matcher: Matcher::default(),
            window: None,
            to: vec![Destination::Ops],
            users: Vec::new(),
            roles: Vec::new(),
            thread: false,
            group_by: GroupBy::Fleet,
            pace,
            escalation: None,
        }
    }

    fn takes(&self, incident: &Incident, now: DateTime<Utc>) -> bool {
        let in_time = self.window.as_ref().is_none_or(|one| one.contains(now));
        in_time && self.matcher.matches(incident)
    }

    fn group(&self, incident: &Incident) -> String {
        match self.group_by {
            GroupBy::Fleet => incident
                .fleet
                .as_ref()
                .map_or_else(String::new, |(id, _)| id.to_string()),
            GroupBy::Incident => incident.id.to_string(),
            GroupBy::Route => String::new(),
        }
    }
}

/// How soon and how often people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From the first incident of a group to its message: what comes meanwhile joins it, what heals is never told.
    pub group_wait: Duration,
    /// How long after the message more may join it; told by one reply at the end of that time.
    pub group_interval: Duration,
    /// From one reminder of what nobody acknowledged to the next.
    pub repeat_interval: Duration,
    /// Reminders of one alert.
    pub repeats: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            group_wait: Duration::seconds(30),
            group_interval: Duration::minutes(5),
            repeat_interval: Duration::hours(4),
            repeats: 3,
        }
    }
}

/// Everything the pipeline goes by, in the order in which it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub damping: Damping,
    pub maintenance: Vec<Maintenance>,
    /// The last one takes what no other does.
    pub routes: Vec<Route>,
}

impl Rules {
    /// The time of maintenance that an incident falls into.
    pub fn maintenance_of(&self, incident: &Incident, now: DateTime<Utc>) -> Option<&Maintenance> {
        let on = |one: &&Maintenance| one.window.contains(now) && one.matcher.matches(incident);
        self.maintenance.iter().find(on)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            damping: Damping::default(),
            maintenance: Vec::new(),
            routes: vec![Route::fallback(Pace::default())],
        }
    }
}

/// Why nobody is told of an incident now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mute {
    /// What it depends on is in trouble itself.
    Inhibited(Kind),
    Maintenance(String),
    Silenced(SilenceId),
}

impl fmt::Display for Mute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inhibited(Kind::Host) => f.write_str("inhibited: the host is in trouble itself"),
            Self::Inhibited(_) => f.write_str("inhibited: the engine does not answer"),
            Self::Maintenance(name) => write!(f, "maintenance `{name}`"),
            Self::Silenced(id) => write!(f, "silence {id}"),
        }
    }
}

/// A message about a group of incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub id: AlertId,
    /// The name of its route; a route that is gone leaves its alerts to the last one.
    pub route: String,
    pub group: String,
    pub opened_at: DateTime<Utc>,
    /// When it is announced, if anything is still wrong then.
    pub due_at: DateTime<Utc>,
    pub announced_at: Option<DateTime<Utc>>,
    /// When people were last notified.
    pub told_at: Option<DateTime<Utc>>,
    /// The gravest thing they were told of.
    pub told_severity: Option<Severity>,
    pub repeats: u32,
    pub escalations: u32,
    pub closed_at: Option<DateTime<Utc>>,
}

words! {
    /// Why people are notified once more.
    pub enum Nudge {
        /// More came to it.
        More = "more",
        /// It had gone and is back.
        Back = "back",
        /// It became graver than people were told: this alone the squelch lets through at once.
        Worse = "worse",
        /// Nobody acknowledged it.
        Repeat = "repeat",
        /// Nobody acknowledged it: others are told.
        Escalation = "escalation",
        /// All of it is over: told in its thread, and nobody is notified.
        Over = "over",
    }
}

/// One thing to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These share a new alert.
    Open {
        route: String,
        group: String,
        due_at: DateTime<Utc>,
        incidents: Vec<IncidentId>,
    },
    Join(AlertId, IncidentId),
    /// What was over is back: its message goes on. If it was never announced, it is due then.
    Reopen(AlertId, DateTime<Utc>),
    Announce(AlertId, Severity),
    Nudge(AlertId, Nudge, Severity),
    /// All of it is over. What was never announced goes without a word.
    Close(AlertId),
}

/// What is to be done now, and when to look again though nothing happens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    pub changes: Vec<Change>,
    pub next: Option<DateTime<Utc>>,
}

impl Steps {
    fn wake(&mut self, at: DateTime<Utc>) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

/// The stages, with what they look at.
#[derive(Clone, Copy, Debug)]
pub struct Pipeline<'a> {
    pub rules: &'a Rules,
    pub silences: &'a [Silence],
    /// All that are open, and those of open alerts.
    pub incidents: &'a [Incident],
    /// Those that are open.
    pub alerts: &'a [Alert],
    pub now: DateTime<Utc>,
}

impl<'a> Pipeline<'a> {
    /// Inhibit and silence: why nobody is told of it now.
    pub fn mute(&self, incident: &Incident) -> Option<Mute> {
        self.inhibit(incident)
            .or_else(|| self.maintain(incident))
            .or_else(|| self.silence(incident))
    }

    /// An engine that is away explains everything about its agents; a host in trouble only what they use: it may be in
    /// trouble for weeks, and their ends must be heard of meanwhile.
    fn inhibit(&self, incident: &Incident) -> Option<Mute> {
        incident.about.agent()?;
        let is_explained_by_host = |other: &Incident| {
            incident.kind == Kind::Resources
                && other.kind == Kind::Host
                && other.severity == Severity::Critical
        };
        let grave = |other: &&Incident| {
            other.is_present() && (other.about == About::Engine || is_explained_by_host(other))
        };
        let cause = self.incidents.iter().find(grave)?;
        Some(Mute::Inhibited(cause.kind))
    }

    fn maintain(&self, incident: &Incident) -> Option<Mute> {
        let found = self.rules.maintenance_of(incident, self.now)?;
        Some(Mute::Maintenance(found.name.clone()))
    }

    fn silence(&self, incident: &Incident) -> Option<Mute> {
        let on = |one: &&Silence| one.until > self.now && one.matcher.matches(incident);
        self.silences
            .iter()
            .find(on)
            .map(|one| Mute::Silenced(one.id))
    }

    /// Group: the route an incident takes.
    pub fn route(&self, incident: &Incident) -> Option<&'a Route> {
        let taking = self
            .rules
            .routes
            .iter()
            .find(|one| one.takes(incident, self.now));
        taking.or_else(|| self.rules.routes.last())
    }

    /// Where an open alert goes, or where it goes once nobody heeds it.
    pub fn destinations(&self, id: AlertId, nudge: Option<Nudge>) -> &'a [Destination] {
        let alert = self.alerts.iter().find(|one| one.id == id);
        let route = alert.and_then(|alert| self.route_of(alert));
        match (route, nudge) {
            (None, _) => &[],
            (Some(route), Some(Nudge::Escalation)) => route
                .escalation
                .as_ref()
                .map_or(&[], |one| one.to.as_slice()),
            (Some(route), _) => &route.to,
        }
    }

    /// Whether the message about an open alert has a thread.
    pub fn has_thread(&self, id: AlertId) -> bool {
        let alert = self.alerts.iter().find(|one| one.id == id);
        let route = alert.and_then(|alert| self.route_of(alert));
        route.is_some_and(|route| route.thread)
    }

    fn route_of(&self, alert: &Alert) -> Option<&'a Route> {
        let named = self.rules.routes.iter().find(|one| one.name == alert.route);
        named.or_else(|| self.rules.routes.last())
    }

    /// Everything that is due now.
    pub fn step(&self) -> Steps {
        let mut steps = Steps::default();
        self.group(&mut steps);
        for alert in self.alerts {
            self.damp(alert, &mut steps);
        }
        for incident in self.incidents {
            if let Some(over) = incident.over_at(&self.rules.damping) {
                steps.wake(over);
            }
        }
        for silence in self.silences.iter().filter(|one| one.until > self.now) {
            steps.wake(silence.until);
        }
        steps
    }

    /// Whatever is told nowhere yet finds a message that still takes it, or a new one.
    fn group(&self, steps: &mut Steps) {
        let mut fresh: BTreeMap<(&str, String), (&Route, Vec<IncidentId>)> = BTreeMap::new();
        for incident in self.incidents {
            if !incident.is_present() || self.mute(incident).is_some() {
                continue;
            }
            if let Some(alert) = incident.alert {
                self.reopen(alert, steps);
                continue;
            }
            let Some(route) = self.route(incident) else {
                continue;
            };
            let group = route.group(incident);
            let mut taking = self.alerts.iter();
            if let Some(alert) = taking.find(|one| self.is_taking(one, route, &group)) {
                steps.changes.push(Change::Join(alert.id, incident.id));
                continue;
            }
            let (_, incidents) = fresh
                .entry((&route.name, group))
                .or_insert_with(|| (route, Vec::new()));
            incidents.push(incident.id);
        }
        for ((name, group), (route, incidents)) in fresh {
            let due_at = self.now + route.pace.group_wait;
            steps.wake(due_at);
            steps.changes.push(Change::Open {
                route: name.to_owned(),
                group,
                due_at,
                incidents,
            });
        }
    }

    fn reopen(&self, id: AlertId, steps: &mut Steps) {
        let reopened = Change::Reopen(id, self.now + self.usual_wait());
        if self.alerts.iter().all(|one| one.id != id) && !steps.changes.contains(&reopened) {
            steps.changes.push(reopened);
        }
    }

    fn usual_wait(&self) -> Duration {
        let last = self.rules.routes.last();
        last.map_or_else(Duration::zero, |route| route.pace.group_wait)
    }

    /// Nobody waits for longer before an alert is announced: if one would, the clock was set back meanwhile.
    fn longest_wait(&self, alert: &Alert) -> Duration {
        let own = self.route_of(alert).map(|route| route.pace.group_wait);
        own.unwrap_or_default().max(self.usual_wait())
    }

    fn is_taking(&self, alert: &Alert, route: &Route, group: &str) -> bool {
        let in_time = alert
            .announced_at
            .is_none_or(|at| self.now < at + route.pace.group_interval);
        in_time && alert.closed_at.is_none() && alert.route == route.name && alert.group == group
    }

    fn members(&self, alert: &'a Alert) -> impl Iterator<Item = &'a Incident> {
        let id = alert.id;
        self.incidents
            .iter()
            .filter(move |one| one.alert == Some(id))
    }

    /// When people are told of an alert, again or for the first time, and when it is closed.
    fn damp(&self, alert: &'a Alert, steps: &mut Steps) {
        if self.members(alert).all(|one| !one.is_open()) {
            steps.changes.push(Change::Close(alert.id));
            return;
        }
        let loud = |one: &&Incident| one.is_present() && self.mute(one).is_none();
        let loud: Vec<&Incident> = self.members(alert).filter(loud).collect();
        let Some(gravest) = loud.iter().map(|one| one.severity).max() else {
            return;
        };
        if alert.announced_at.is_some() {
            let unheeded = loud.into_iter().filter(|one| one.acknowledged.is_none());
            self.nudge((alert, gravest), &unheeded.collect::<Vec<_>>(), steps);
        } else if alert.due_at > self.now && alert.due_at <= self.now + self.longest_wait(alert) {
            steps.wake(alert.due_at);
        } else {
            steps.changes.push(Change::Announce(alert.id, gravest));
        }
    }

    fn nudge(
        &self,
        (alert, gravest): (&Alert, Severity),
        unheeded: &[&Incident],
        steps: &mut Steps,
    ) {
        let (Some(route), Some(told)) = (self.route_of(alert), alert.told_at) else {
            return;
        };
        if unheeded.is_empty() {
            return;
        }
        let due = self.nudges(alert, route, (unheeded, told));
        let Some((at, nudge)) = due.into_iter().min() else {
            return;
        };
        if at <= self.now {
            steps.changes.push(Change::Nudge(alert.id, nudge, gravest));
        } else {
            steps.wake(at);
        }
    }

    /// Whatever would notify people again, each with its time.
    fn nudges(
        &self,
        alert: &Alert,
        route: &Route,
        (unheeded, told): (&[&Incident], DateTime<Utc>),
    ) -> Vec<(DateTime<Utc>, Nudge)> {
        let squelch = self.rules.damping.window;
        let pace = &route.pace;
        let mut due = Vec::new();
        if unheeded.iter().map(|one| one.severity).max() > alert.told_severity {
            due.push((self.now, Nudge::Worse));
        }
        if unheeded
            .iter()
            .any(|one| one.joined_at.is_some_and(|at| at > told))
        {
            due.push((told + pace.group_interval, Nudge::More));
        }
        let is_back = |one: &Incident| one.returns.last().is_some_and(|at| *at > told);
        if unheeded.iter().any(|one| is_back(one) && !one.flapping) {
            due.push((told + squelch, Nudge::Back));
        }
        if alert.repeats < pace.repeats {
            due.push((told + pace.repeat_interval.max(squelch), Nudge::Repeat));
        }
        if let (Some(escalation), Some(announced)) = (&route.escalation, alert.announced_at)
            && alert.escalations < escalation.most
        {
            let step = i32::try_from(alert.escalations + 1).unwrap_or(i32::MAX);
            due.push((announced + escalation.after * step, Nudge::Escalation));
        }
        due
    }
}
