use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    ids::{AgentId, FleetId},
    incident::{Evidence, Problem},
};

/// The tables, and what people received.
#[derive(Default)]
struct World {
    incidents: Vec<Incident>,
    alerts: Vec<Alert>,
    silences: Vec<Silence>,
    /// When, of which alert, and why; None: the announcement.
    messages: Vec<(DateTime<Utc>, AlertId, Option<Nudge>)>,
    rules: Rules,
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::seconds(seconds)
}

fn problem(agent: i64, severity: Severity) -> Problem {
    Problem {
        about: About::Agent(AgentId(agent)),
        kind: Kind::Down,
        severity,
        cause: "exited with code 1".to_owned(),
        evidence: Evidence::default(),
    }
}

impl World {
    fn set(&mut self, agent: i64, bad: bool, now: DateTime<Utc>) {
        let damping = self.rules.damping;
        let about = About::Agent(AgentId(agent));
        let known = self.incidents.iter_mut().rev().find(|one| {
            one.about == about
                && one
                    .resolved_at
                    .is_none_or(|over| over > now - damping.window)
        });
        match (known, bad) {
            (Some(incident), true) => {
                incident.see(&problem(agent, Severity::Warning), &damping, now);
            }
            (Some(incident), false) => {
                incident.miss(&damping, now);
            }
            (None, true) => self.open(agent, now),
            (None, false) => {}
        }
    }

    fn open(&mut self, agent: i64, now: DateTime<Utc>) {
        let problem = problem(agent, Severity::Warning);
        let number = i64::try_from(self.incidents.len()).unwrap() + 1;
        self.incidents.push(Incident {
            id: IncidentId(number),
            about: problem.about,
            agent: Name::parse(&format!("agent-{agent}")).ok(),
            fleet: Some((FleetId(agent % 2), Name::parse("main").unwrap())),
            kind: problem.kind,
            severity: problem.severity,
            cause: problem.cause,
            evidence: problem.evidence,
            opened_at: now,
            changed_at: now,
            gone_since: None,
            resolved_at: None,
            acknowledged: None,
            returns: Vec::new(),
            flapping: false,
            alert: None,
            joined_at: None,
        });
    }

    /// As the worker does: until nothing is left to be done; returns when to look again.
    fn run(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        for incident in &mut self.incidents {
            if incident.gone_since.is_some() {
                incident.miss(&self.rules.damping, now);
            }
        }
        for _ in 0..8 {
            let open: Vec<Alert> = self
                .alerts
                .iter()
                .filter(|one| one.closed_at.is_none())
                .cloned()
                .collect();
            let pipeline = Pipeline {
                rules: &self.rules,
                silences: &self.silences,
                incidents: &self.incidents,
                alerts: &open,
                now,
            };
            let steps = pipeline.step();
            if steps.changes.is_empty() {
                return steps.next;
            }
            for change in steps.changes {
                self.write(change, now);
            }
        }
        panic!("it never comes to rest");
    }

    fn write(&mut self, change: Change, now: DateTime<Utc>) {
        match change {
            Change::Open {
                route,
                group,
                due_at,
                incidents,
            } => {
                let id = AlertId(i64::try_from(self.alerts.len()).unwrap() + 1);
                self.alerts.push(Alert {
                    id,
                    route,
                    group,
                    opened_at: now,
                    due_at,
                    announced_at: None,
                    told_at: None,
                    told_severity: None,
                    repeats: 0,
                    escalations: 0,
                    closed_at: None,
                });
                for incident in incidents {
                    self.join(id, incident, now);
                }
            }
            Change::Join(alert, incident) => self.join(alert, incident, now),
            Change::Reopen(id, due_at) => {
                let alert = self.alert(id);
                alert.closed_at = None;
                if alert.announced_at.is_none() {
                    alert.due_at = due_at;
                }
            }
            Change::Announce(id, severity) => {
                let alert = self.alert(id);
                assert_eq!(alert.announced_at, None, "announced twice");
                (alert.announced_at, alert.told_at) = (Some(now), Some(now));
                alert.told_severity = Some(severity);
                self.messages.push((now, id, None));
            }
            Change::Nudge(id, nudge, severity) => {
                let alert = self.alert(id);
                (alert.told_at, alert.told_severity) = (Some(now), Some(severity));
                alert.repeats += u32::from(nudge == Nudge::Repeat);
                alert.escalations += u32::from(nudge == Nudge::Escalation);
                self.messages.push((now, id, Some(nudge)));
            }
            Change::Close(id) => self.alert(id).closed_at = Some(now),
        }
    }

    fn alert(&mut self, id: AlertId) -> &mut Alert {
        self.alerts.iter_mut().find(|one| one.id == id).unwrap()
    }

    fn join(&mut self, alert: AlertId, incident: IncidentId, now: DateTime<Utc>) {
        let one = self
            .incidents
            .iter_mut()
            .find(|one| one.id == incident)
            .unwrap();
        assert_eq!(one.alert, None, "told in two messages");
        (one.alert, one.joined_at) = (Some(alert), Some(now));
    }

    /// Lets time pass and looks whenever something is due.
    fn pass(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) {
        let mut due = self.run(from);
        while let Some(next) = due.filter(|next| *next <= to) {
            due = self.run(next);
        }
    }

    fn count(&self, nudge: Option<Nudge>) -> usize {
        self.messages
            .iter()
            .filter(|(_, _, why)| *why == nudge)
            .count()
    }
}

#[test]
fn what_comes_together_is_told_together() {
    let mut world = World::default();
    for agent in 0..50 {
        world.set(2 * agent, true, at(0));
    }
    world.pass(at(0), at(29));
    assert_eq!(world.messages, []);
    world.set(100, true, at(20));
    world.pass(at(29), at(60));
    assert_eq!(world.messages, [(at(30), AlertId(1), None)]);
    // One more within the interval joins it, and is told at its end.
    world.set(102, true, at(100));
    world.pass(at(100), at(1000));
    assert_eq!(
        world.messages.last(),
        Some(&(at(330), AlertId(1), Some(Nudge::More)))
    );
}

#[test]
fn reminders_come_slowly_and_end_with_an_acknowledgement() {
    let mut world = World::default();
    world.set(1, true, at(0));
    world.pass(at(0), at(100 * 3600));
    assert_eq!(world.count(Some(Nudge::Repeat)), 3);
    assert_eq!(world.messages[1].0, at(30 + 4 * 3600));

    let mut world = World::default();
    world.set(1, true, at(0));
    world.pass(at(0), at(60));
    world.incidents[0].acknowledged = Some((UserId(1), at(60)));
    world.pass(at(60), at(100 * 3600));
    assert_eq!(world.messages.len(), 1);
}

#[test]
fn what_gets_worse_is_told_at_once() {
    let mut world = World::default();
    world.set(1, true, at(0));
    world.pass(at(0), at(60));
    let damping = world.rules.damping;
    world.incidents[0].see(&problem(1, Severity::Critical), &damping, at(60));
    world.pass(at(60), at(61));
    assert_eq!(
        world.messages.last(),
        Some(&(at(60), AlertId(1), Some(Nudge::Worse)))
    );
    world.pass(at(61), at(3000));
    assert_eq!(world.messages.len(), 2);
}

#[test]
fn nobody_heeds_it_so_others_are_told() {
    let mut world = World::default();
    world.rules.routes[0].escalation = Some(Escalation {
        after: Duration::minutes(15),
        to: vec![Destination::Target("pager".to_owned())],
        most: 2,
    });
    world.set(1, true, at(0));
    world.pass(at(0), at(3 * 3600));
    let told: Vec<_> = world
        .messages
        .iter()
        .map(|(at, _, why)| (at.timestamp(), *why))
        .collect();
    assert_eq!(
        told,
        [
            (30, None),
            (930, Some(Nudge::Escalation)),
            (1830, Some(Nudge::Escalation))
        ]
    );
}

#[test]
fn an_engine_that_is_away_keeps_its_agents_quiet() {
    let mut world = World::default();
    world.set(1, true, at(0));
    world.open(2, at(0));
    world.incidents[1].about = About::Engine;
    world.incidents[1].kind = Kind::Engine;
    world.pass(at(0), at(1000));
    assert_eq!(world.messages.len(), 1);
    assert_eq!(world.incidents[0].alert, None, "muted");
    let damping = world.rules.damping;
    world.incidents[1].miss(&damping, at(1000));
    world.pass(at(1000), at(1100));
    assert_eq!(
        world.messages.len(),
        2,
        "still down, and nothing else is in trouble"
    );
}

#[test]
fn a_host_in_trouble_explains_what_agents_use_and_not_that_they_end() {
    let mut world = World::default();
    for id in 1..=3 {
        world.open(id, at(0));
    }
    world.incidents[1].kind = Kind::Resources;
    world.incidents[2].about = About::Host("disk /".to_owned());
    world.incidents[2].kind = Kind::Host;
    world.incidents[2].severity = Severity::Critical;
    world.pass(at(0), at(100));
    let told = world.incidents.iter().map(|one| one.alert.is_some());
    assert_eq!(told.collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn what_is_silenced_is_told_when_the_silence_ends() {
    let mut world = World::default();
    world.silences.push(Silence {
        id: SilenceId(1),
        matcher: Matcher::default(),
        reason: "known".to_owned(),
        author: UserId(1),
        since: at(0),
        until: at(600),
    });
    world.set(1, true, at(0));
    world.pass(at(0), at(599));
    assert_eq!(world.messages, []);
    world.pass(at(599), at(700));
    assert_eq!(world.messages, [(at(630), AlertId(1), None)]);
}

proptest! {
    /// None lost, none twice, never more than the squelch allows, every announced one closed.
    #[test]
    fn people_are_told_of_everything_once(
        steps in prop::collection::vec((0..4_i64, any::<bool>(), 1..1200_i64), 1..60),
    ) {
        let mut world = World::default();
        let mut now = at(0);
        for (agent, bad, seconds) in steps {
            world.set(agent, bad, now);
            let later = now + Duration::seconds(seconds);
            world.pass(now, later);
            for incident in world.incidents.iter().filter(|one| one.is_present()) {
                let since = incident.returns.last().copied().unwrap_or(incident.opened_at);
                if since + Duration::seconds(60) <= later {
                    let alert = incident.alert.and_then(|id| world.alerts.iter().find(|one| one.id == id));
                    prop_assert!(alert.is_some_and(|one| one.announced_at.is_some() && one.closed_at.is_none()), "lost");
                }
            }
            now = later;
        }
        let mut told: BTreeMap<AlertId, Vec<DateTime<Utc>>> = BTreeMap::new();
        for (at, id, why) in &world.messages {
            if *why != Some(Nudge::More) {
                told.entry(*id).or_default().push(*at);
            }
        }
        for times in told.values() {
            for pair in times.windows(2) {
                prop_assert!(pair[1] - pair[0] >= world.rules.damping.window, "too often");
            }
        }
        for agent in 0..4 {
            world.set(agent, false, now);
        }
        world.pass(now, now + Duration::hours(2));
        prop_assert!(world.alerts.iter().all(|one| one.closed_at.is_some()), "never closed");
    }
}
