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
    incident::{About, Damping, Incident, Kind, Severity, Untold},
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

/// A rung of the ladder: who else is told if nobody acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// From the message or from what was told before to this, and from one time to the next.
    pub after: Duration,
    pub to: Vec<Destination>,
    /// So often at most; then the next rung.
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
    /// From the first rung to the last.
    pub escalation: Vec<Escalation>,
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
            escalation: Vec::new(),
        }
    }

    /// Whose turn it is once so many were told, and how long after the beginning; None if it is nobody's any more.
    fn rung(&self, told: u32) -> Option<(&Escalation, Duration)> {
        let turns = self
            .escalation
            .iter()
            .flat_map(|rung| (0..rung.most).map(move |_| rung));
        let mut waited = Duration::zero();
        let mut turns = turns.map(|rung| {
            waited += rung.after;
            (rung, waited)
        });
        turns.nth(usize::try_from(told).ok()?)
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
    /// A route that is gone leaves what took it to the last one.
    pub fn route_named(&self, name: &str) -> Option<&Route> {
        let named = self.routes.iter().find(|route| route.name == name);
        named.or_else(|| self.routes.last())
    }

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
    /// Since when something of it waits for somebody to look after it: reminders and escalations count from here.
    pub unheeded_since: Option<DateTime<Utc>>,
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
    /// It became graver, and that takes another route: it goes on there, too, by the name of that route and its group.
    Reroute {
        alert: AlertId,
        route: String,
        group: String,
    },
    Nudge(AlertId, Nudge, Severity),
    /// It waits for somebody from now on: it was announced before, and was over, muted or looked after meanwhile.
    Unheed(AlertId),
    /// It waits for nobody any more.
    Heed(AlertId),
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

/// A route by its name, and what shares a message there.
type Group<'a> = (&'a str, String);

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
        match (alert.zip(route), nudge) {
            (None, _) => &[],
            (Some((alert, route)), Some(Nudge::Escalation)) => {
                let rung = route.rung(alert.escalations);
                rung.map_or(&[], |(rung, _)| rung.to.as_slice())
            }
            (Some((_, route)), _) => &route.to,
        }
    }

    /// Whether the message about an open alert has a thread.
    pub fn has_thread(&self, id: AlertId) -> bool {
        let alert = self.alerts.iter().find(|one| one.id == id);
        let route = alert.and_then(|alert| self.route_of(alert));
        route.is_some_and(|route| route.thread)
    }

    /// Those of an alert that people hear of now. What somebody looks after is not among them: how grave that has become
    /// is told if it comes back.
    pub fn heard(&self, id: AlertId) -> Vec<IncidentId> {
        let members = self.incidents.iter().filter(|one| one.alert == Some(id));
        let unheeded = members.filter(|one| one.is_present() && one.acknowledged.is_none());
        let heard = unheeded.filter(|one| self.mute(one).is_none());
        heard.map(|one| one.id).collect()
    }

    /// Where a route leads beyond where an open alert was told before.
    pub fn beyond(&self, id: AlertId, route: &str) -> Vec<Destination> {
        let before = self.destinations(id, None);
        let to = self.rules.route_named(route).map(|route| route.to.iter());
        let new = to.into_iter().flatten().filter(|one| !before.contains(one));
        new.cloned().collect()
    }

    fn route_of(&self, alert: &Alert) -> Option<&'a Route> {
        self.rules.route_named(&alert.route)
    }

    /// What an incident has become takes another route than its alert does.
    fn strays(&self, incident: &Incident, alert: &Alert) -> Option<&'a Route> {
        let own = self.route(incident)?;
        let taken = self.route_of(alert);
        Some(own).filter(|_| taken.is_none_or(|taken| taken.name != own.name))
    }

    /// Everything that is due now.
    pub fn step(&self) -> Steps {
        let mut steps = Steps::default();
        self.group(&mut steps);
        for alert in self.alerts {
            self.damp(alert, &mut steps);
        }
        for incident in self.incidents {
            let damping = &self.rules.damping;
            let ends = [incident.over_at(damping), incident.calm_at(damping)];
            ends.into_iter().flatten().for_each(|at| steps.wake(at));
        }
        for silence in self.silences.iter().filter(|one| one.until > self.now) {
            steps.wake(silence.until);
        }
        steps
    }

    /// Whatever is told nowhere yet finds a message that still takes it, or a new one.
    fn group(&self, steps: &mut Steps) {
        let mut fresh: BTreeMap<Group<'_>, (DateTime<Utc>, Vec<IncidentId>)> = BTreeMap::new();
        for incident in self.incidents {
            if !incident.is_present() || self.mute(incident).is_some() {
                continue;
            }
            let has_waited = self.parts(incident);
            if let Some(alert) = incident.alert.filter(|_| !has_waited) {
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
            let wait = if has_waited {
                Duration::zero()
            } else {
                route.pace.group_wait
            };
            let due_at = self.now + wait;
            let (due, incidents) = fresh
                .entry((&route.name, group))
                .or_insert_with(|| (due_at, Vec::new()));
            *due = due_at.min(*due);
            incidents.push(incident.id);
        }
        for ((name, group), (due_at, incidents)) in fresh {
            steps.wake(due_at);
            steps.changes.push(Change::Open {
                route: name.to_owned(),
                group,
                due_at,
                incidents,
            });
        }
    }

    /// Its message is due, and by now it takes another way: it leaves before anybody is told.
    fn parts(&self, incident: &Incident) -> bool {
        let alert = self
            .alerts
            .iter()
            .find(|one| Some(one.id) == incident.alert);
        let due = alert.filter(|one| one.announced_at.is_none() && self.is_due(one));
        due.is_some_and(|alert| self.strays(incident, alert).is_some())
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

    /// Nobody waits for longer than this before an alert is announced: if one would, the clock was set back meanwhile.
    fn is_due(&self, alert: &Alert) -> bool {
        let own = self.route_of(alert).map(|route| route.pace.group_wait);
        let longest = own.unwrap_or_default().max(self.usual_wait());
        alert.due_at <= self.now || alert.due_at > self.now + longest
    }

    fn is_taking(&self, alert: &Alert, route: &Route, group: &str) -> bool {
        // One that is announced only later: the clock was set back, and nobody would be told of what comes to it.
        let in_time = alert
            .announced_at
            .is_none_or(|at| at <= self.now && self.now < at + route.pace.group_interval);
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
        self.heed(alert, steps);
        let loud = |one: &&Incident| one.is_present() && self.mute(one).is_none();
        let loud: Vec<&Incident> = self.members(alert).filter(loud).collect();
        let Some(gravest) = loud.iter().map(|one| one.severity).max() else {
            return;
        };
        if alert.announced_at.is_some() {
            let unheeded = loud.into_iter().filter(|one| one.acknowledged.is_none());
            self.nudge(alert, &unheeded.collect::<Vec<_>>(), steps);
        } else if !self.is_due(alert) {
            steps.wake(alert.due_at);
        } else if !loud.iter().any(|one| self.parts(one)) {
            steps.changes.push(Change::Announce(alert.id, gravest));
        }
    }

    /// A problem that is gone for a moment, or comes and goes, waits all the same.
    fn heed(&self, alert: &Alert, steps: &mut Steps) {
        let waits = |one: &Incident| {
            one.is_open() && one.acknowledged.is_none() && self.mute(one).is_none()
        };
        let waits = self.members(alert).any(waits);
        if alert.announced_at.is_some() && waits != alert.unheeded_since.is_some() {
            let change = if waits { Change::Unheed } else { Change::Heed };
            steps.changes.push(change(alert.id));
        }
    }

    fn nudge(&self, alert: &Alert, unheeded: &[&Incident], steps: &mut Steps) {
        let (Some(route), Some(told)) = (self.route_of(alert), alert.told_at) else {
            return;
        };
        let Some(gravest) = unheeded.iter().map(|one| one.severity).max() else {
            return;
        };
        let due = self.nudges(alert, route, (unheeded, told));
        let Some((at, nudge)) = due.into_iter().min() else {
            return;
        };
        if at <= self.now {
            if nudge == Nudge::Worse {
                self.reroute(alert, unheeded, steps);
            }
            steps.changes.push(Change::Nudge(alert.id, nudge, gravest));
        } else {
            steps.wake(at);
        }
    }

    /// Those whom the gravest of it is for now are told, too. What has risen never falls: they read of the end.
    fn reroute(&self, alert: &Alert, unheeded: &[&Incident], steps: &mut Steps) {
        let worse = unheeded.iter().filter(|one| one.is_worse());
        let gravest = worse.max_by_key(|one| one.severity);
        let Some((incident, route)) = gravest.and_then(|one| Some((one, self.strays(one, alert)?)))
        else {
            return;
        };
        steps.changes.push(Change::Reroute {
            alert: alert.id,
            route: route.name.clone(),
            group: route.group(incident),
        });
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
        // Told only later: the clock was set back.
        let wait = (told <= self.now).then_some(told + pace.group_interval);
        let soon = wait.unwrap_or(self.now);
        let mut worse = unheeded.iter().filter(|one| one.is_worse());
        if worse
            .clone()
            .any(|one| Some(one.severity) > alert.told_severity)
        {
            // Before whatever else is due, which would be all that they hear of it.
            return vec![(self.now, Nudge::Worse)];
        }
        // They know that something is as grave as that: the others share a reply.
        if worse.any(|one| one.untold != Some(Untold::New)) {
            due.push((soon, Nudge::Worse));
        }
        if unheeded.iter().any(|one| one.untold == Some(Untold::New)) {
            due.push((soon, Nudge::More));
        }
        let back = unheeded
            .iter()
            .filter(|one| one.untold == Some(Untold::Back));
        if back.clone().any(|one| !one.flapping) {
            // They share a reply, with those that flap too, so none of them may have been told of lately.
            let heard = back.filter_map(|one| one.told_at).max();
            due.extend(heard.map(|heard| (heard + squelch, Nudge::Back)));
        }
        if alert.repeats < pace.repeats {
            due.push((told + pace.repeat_interval.max(squelch), Nudge::Repeat));
        }
        if let (Some((_, wait)), Some(since)) =
            (route.rung(alert.escalations), alert.unheeded_since)
        {
            due.push((since + wait, Nudge::Escalation));
        }
        due
    }
}
