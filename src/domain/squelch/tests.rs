use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    ids::{AgentId, FleetId},
    incident::{Evidence, Problem, Untold},
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
            untold: None,
            told_at: None,
            told_severity: None,
        });
    }

    /// As the worker does: until nothing is left to be done; returns when to look again.
    fn run(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        for incident in &mut self.incidents {
            if incident.gone_since.is_some() {
                incident.miss(&self.rules.damping, now);
            } else {
                incident.calm(&self.rules.damping, now);
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
            } => self.announce_later((route, group), due_at, (incidents, now)),
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
                alert.unheeded_since = Some(now);
                self.tell(id, None, now);
            }
            Change::Reroute {
                alert,
                route,
                group,
            } => {
                let alert = self.alert(alert);
                (alert.route, alert.group) = (route, group);
                alert.unheeded_since = Some(now);
                (alert.repeats, alert.escalations) = (0, 0);
            }
            Change::Nudge(id, nudge, severity) => {
                let alert = self.alert(id);
                (alert.told_at, alert.told_severity) = (Some(now), Some(severity));
                alert.repeats += u32::from(nudge == Nudge::Repeat);
                alert.escalations += u32::from(nudge == Nudge::Escalation);
                self.tell(id, Some(nudge), now);
            }
            Change::Unheed(id) => {
                let alert = self.alert(id);
                alert.unheeded_since = Some(now);
                (alert.repeats, alert.escalations) = (0, 0);
            }
            Change::Heed(id) => self.alert(id).unheeded_since = None,
            Change::Close(id) => {
                let alert = self.alert(id);
                (alert.closed_at, alert.unheeded_since) = (Some(now), None);
            }
        }
    }

    fn announce_later(
        &mut self,
        (route, group): (String, String),
        due_at: DateTime<Utc>,
        (incidents, now): (Vec<IncidentId>, DateTime<Utc>),
    ) {
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
            unheeded_since: None,
            repeats: 0,
            escalations: 0,
            closed_at: None,
        });
        for incident in incidents {
            self.join(id, incident, now);
        }
    }

    fn tell(&mut self, id: AlertId, why: Option<Nudge>, now: DateTime<Utc>) {
        self.messages.push((now, id, why));
        let pipeline = Pipeline {
            rules: &self.rules,
            silences: &self.silences,
            incidents: &self.incidents,
            alerts: &[],
            now,
        };
        let heard = pipeline.heard(id);
        for incident in self
            .incidents
            .iter_mut()
            .filter(|one| heard.contains(&one.id))
        {
            (incident.untold, incident.told_severity) = (None, Some(incident.severity));
            incident.told_at = Some(now);
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
        let told = |id| {
            self.alerts
                .iter()
                .any(|one: &Alert| one.id == id && one.announced_at.is_some())
        };
        assert!(!one.alert.is_some_and(told), "told in two messages");
        (one.alert, one.joined_at) = (Some(alert), Some(now));
        one.untold = Some(Untold::New);
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
    world.rules.routes[0].escalation = ladder();
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
            (1830, Some(Nudge::Escalation)),
            (5430, Some(Nudge::Escalation))
        ]
    );
    let turns = (0..4).map(|told| {
        let rung = world.rules.routes[0].rung(told);
        rung.map(|(rung, _)| rung.to.clone())
    });
    let to = |name: &str| Some(vec![Destination::Target(name.to_owned())]);
    assert_eq!(
        turns.collect::<Vec<_>>(),
        [to("pager"), to("pager"), to("boss"), None]
    );
}

/// Twice the pager, and once the boss an hour later.
fn ladder() -> Vec<Escalation> {
    let rung = |minutes, name: &str, most| Escalation {
        after: Duration::minutes(minutes),
        to: vec![Destination::Target(name.to_owned())],
        most,
    };
    vec![rung(15, "pager", 2), rung(60, "boss", 1)]
}

#[test]
fn what_is_back_or_heard_of_again_escalates_only_after_people_had_time() {
    let mut world = World::default();
    world.rules.routes[0].escalation = ladder();
    world.set(1, true, at(0));
    world.pass(at(0), at(420));
    world.set(1, false, at(420));
    world.pass(at(420), at(2400));
    world.set(1, true, at(2400));
    world.pass(at(2400), at(3299));
    assert_eq!(world.count(Some(Nudge::Escalation)), 0);
    world.pass(at(3299), at(3300));
    assert_eq!(world.count(Some(Nudge::Escalation)), 1);

    // A silence, and then the ladder from its foot.
    world.silences.push(silence(Matcher::default(), at(7200)));
    world.pass(at(3301), at(7200 + 899));
    assert_eq!(world.count(Some(Nudge::Escalation)), 1);
    world.pass(at(7200 + 899), at(7200 + 6000));
    assert_eq!(world.count(Some(Nudge::Escalation)), 4);
}

/// The rules of an instance where what is critical goes to `pager`, each for itself.
fn paging() -> Rules {
    let pager = Route {
        name: "pager".to_owned(),
        matcher: Matcher {
            severities: vec![Severity::Critical],
            ..Matcher::default()
        },
        to: vec![Destination::Target("pager".to_owned())],
        group_by: GroupBy::Incident,
        escalation: ladder(),
        ..Route::fallback(Pace::default())
    };
    let mut rules = Rules::default();
    rules.routes.insert(0, pager);
    rules
}

impl World {
    fn worsen(&mut self, agent: i64, now: DateTime<Utc>) {
        let (damping, about) = (self.rules.damping, About::Agent(AgentId(agent)));
        let known = self
            .incidents
            .iter_mut()
            .rev()
            .find(|one| one.about == about);
        if let Some(incident) = known.filter(|one| one.is_present()) {
            incident.see(&problem(agent, Severity::Critical), &damping, now);
        }
    }

    fn route(&self, agent: i64) -> Option<&str> {
        let about = About::Agent(AgentId(agent));
        let incident = self.incidents.iter().rev().find(|one| one.about == about)?;
        let alert = self
            .alerts
            .iter()
            .find(|one| Some(one.id) == incident.alert)?;
        Some(&alert.route)
    }
}

#[test]
fn what_becomes_critical_goes_on_where_critical_things_go() {
    let mut world = World {
        rules: paging(),
        ..World::default()
    };
    world.set(1, true, at(0));
    world.pass(at(0), at(155));
    assert_eq!(world.route(1), Some("ops"));
    world.worsen(1, at(155));
    world.pass(at(155), at(156));
    assert_eq!(world.route(1), Some("pager"));
    assert_eq!(
        world.messages.last(),
        Some(&(at(155), AlertId(1), Some(Nudge::Worse)))
    );
    // From there it escalates by the ladder of that route, from its foot.
    world.pass(at(156), at(1054));
    assert_eq!(world.count(Some(Nudge::Escalation)), 0);
    world.pass(at(1054), at(1055));
    assert_eq!(world.count(Some(Nudge::Escalation)), 1);
    // What begins now has nothing to do with it.
    world.set(3, true, at(1100));
    world.pass(at(1100), at(1200));
    assert_eq!(world.route(3), Some("ops"));
}

#[test]
fn what_becomes_critical_before_it_is_told_leaves_the_others() {
    let mut world = World {
        rules: paging(),
        ..World::default()
    };
    world.set(1, true, at(0));
    world.set(3, true, at(0));
    world.pass(at(0), at(20));
    world.worsen(3, at(20));
    world.pass(at(20), at(60));
    assert_eq!(
        (world.route(1), world.route(3)),
        (Some("ops"), Some("pager"))
    );
    let told: Vec<_> = world
        .messages
        .iter()
        .map(|(at, _, why)| (*at, *why))
        .collect();
    assert_eq!(told, [(at(30), None), (at(30), None)]);
    assert_ne!(world.incidents[0].alert, world.incidents[1].alert);
}

#[test]
fn each_that_gets_worse_is_told_at_once_or_with_what_comes_next() {
    let mut world = World::default();
    world.set(1, true, at(0));
    world.set(3, true, at(0));
    world.pass(at(0), at(60));
    world.worsen(1, at(60));
    world.pass(at(60), at(100));
    assert_eq!(world.count(Some(Nudge::Worse)), 1);
    // They know that something is critical.
    world.worsen(3, at(100));
    world.pass(at(100), at(359));
    assert_eq!(world.count(Some(Nudge::Worse)), 1);
    world.pass(at(359), at(360));
    assert_eq!(world.count(Some(Nudge::Worse)), 2);
}

#[test]
fn what_comes_when_a_group_is_over_begins_another() {
    let mut world = World::default();
    world.set(1, true, at(0));
    world.pass(at(0), at(329));
    world.set(3, true, at(329));
    world.pass(at(329), at(330));
    world.set(5, true, at(330));
    world.pass(at(330), at(360));
    let alerts = world.incidents.iter().map(|one| one.alert);
    let alerts: Vec<_> = alerts.flatten().collect();
    assert_eq!(alerts, [1, 1, 2].map(AlertId));
}

#[test]
fn what_healed_unseen_and_is_back_waits_as_if_it_were_new() {
    let mut world = World::default();
    world.set(1, true, at(0));
    world.pass(at(0), at(5));
    world.set(1, false, at(5));
    world.pass(at(5), at(200));
    assert_eq!(world.messages, []);
    world.set(1, true, at(200));
    world.pass(at(200), at(300));
    assert_eq!(world.messages, [(at(230), AlertId(1), None)]);
}

#[test]
fn what_is_acknowledged_hides_no_other_that_gets_worse() {
    let mut world = World {
        rules: paging(),
        ..World::default()
    };
    world.set(1, true, at(0));
    world.pass(at(0), at(60));
    world.incidents[0].acknowledged = Some((UserId(1), at(60)));
    world.worsen(1, at(60));
    world.set(3, true, at(100));
    world.pass(at(60), at(400));
    assert_eq!(world.count(Some(Nudge::More)), 1);
    world.worsen(3, at(400));
    world.pass(at(400), at(401));
    assert_eq!(world.count(Some(Nudge::Worse)), 1);
    assert_eq!(world.route(3), Some("pager"));
}

#[test]
fn a_clock_that_was_set_back_hides_no_newcomer() {
    let mut world = World::default();
    world.set(1, true, at(7200));
    world.pass(at(7200), at(7260));
    // An hour back.
    world.set(3, true, at(3660));
    world.pass(at(3660), at(3700));
    assert_eq!(world.messages.last(), Some(&(at(3690), AlertId(2), None)));
}

#[test]
fn one_that_stays_ill_after_flapping_is_told_of_once_more() {
    let mut world = World::default();
    world.set(1, true, at(0));
    world.pass(at(0), at(60));
    for round in 0..4 {
        let begin = 100 + round * 200;
        world.set(1, false, at(begin));
        world.pass(at(begin), at(begin + 100));
        world.set(1, true, at(begin + 100));
        world.pass(at(begin + 100), at(begin + 200));
    }
    assert!(world.incidents[0].flapping);
    // The last return but one was at 600.
    world.pass(at(900), at(600 + 3599));
    assert_eq!(world.count(Some(Nudge::Back)), 0);
    world.pass(at(600 + 3599), at(600 + 3600));
    assert!(!world.incidents[0].flapping);
    assert_eq!(world.count(Some(Nudge::Back)), 1);
}

fn silence(matcher: Matcher, until: DateTime<Utc>) -> Silence {
    Silence {
        id: SilenceId(1),
        matcher,
        reason: "known".to_owned(),
        author: UserId(1),
        since: at(0),
        until,
    }
}

#[test]
fn a_matcher_is_particular_about_what_it_mentions() {
    let mut world = World::default();
    world.open(7, at(0));
    let incident = &mut world.incidents[0];
    let pattern = |text: &str| vec![Pattern::parse(text).unwrap()];
    let mut matcher = Matcher::default();
    assert!(matcher.matches(incident));
    matcher.severities = vec![Severity::Critical];
    assert!(!matcher.matches(incident));
    matcher.severities.push(Severity::Warning);
    matcher.kinds = vec![Kind::Down];
    matcher.fleets = pattern("ma*");
    matcher.agents = pattern("*-7");
    assert!(matcher.matches(incident));
    for wrong in [
        Matcher {
            kinds: vec![Kind::Unhealthy],
            ..matcher.clone()
        },
        Matcher {
            fleets: pattern("mai"),
            ..matcher.clone()
        },
        Matcher {
            agents: pattern("agent-8"),
            ..matcher.clone()
        },
    ] {
        assert!(!wrong.matches(incident), "{wrong}");
    }
    // What is in no fleet, or about no agent, has no name that could match.
    (incident.agent, incident.fleet) = (None, None);
    assert!(!matcher.matches(incident));
    matcher.agents = Vec::new();
    assert!(!matcher.matches(incident));
    matcher.fleets = Vec::new();
    assert!(matcher.matches(incident));
}

fn hours(from: u32, to: u32) -> Window {
    let time = |hour| chrono::NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    Window {
        days: Vec::new(),
        from: time(from),
        to: time(to),
        zone: chrono_tz::UTC,
    }
}

#[test]
fn a_route_counts_in_its_window_and_groups_as_it_says() {
    let mut world = World::default();
    world.rules.routes[0].group_by = GroupBy::Route;
    let night = Route {
        name: "night".to_owned(),
        window: Some(hours(20, 8)),
        group_by: GroupBy::Incident,
        pace: Pace {
            group_wait: Duration::zero(),
            ..Pace::default()
        },
        ..Route::fallback(Pace::default())
    };
    world.rules.routes.insert(0, night);
    // By day two fleets share a message, by night nothing does.
    let (day, evening) = (at(12 * 3600), at(21 * 3600));
    for agent in [1, 2] {
        world.set(agent, true, day);
        world.set(agent + 2, true, evening);
    }
    world.incidents.sort_by_key(|one| one.opened_at);
    let late = world.incidents.split_off(2);
    world.pass(day, day + Duration::seconds(40));
    assert_eq!(
        world.messages,
        [(day + Duration::seconds(30), AlertId(1), None)]
    );
    world.incidents.extend(late);
    world.pass(evening, evening + Duration::seconds(40));
    let told: Vec<_> = world.messages[1..]
        .iter()
        .filter(|one| one.2.is_none())
        .collect();
    assert_eq!(
        told,
        [&(evening, AlertId(2), None), &(evening, AlertId(3), None)]
    );
    assert_eq!(
        (world.route(1), world.route(3)),
        (Some("ops"), Some("night"))
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
    world.silences.push(silence(Matcher::default(), at(600)));
    world.set(1, true, at(0));
    world.pass(at(0), at(599));
    assert_eq!(world.messages, []);
    world.pass(at(599), at(700));
    assert_eq!(world.messages, [(at(630), AlertId(1), None)]);
}

#[test]
fn what_is_maintained_is_told_if_it_outlasts_that_and_others_at_once() {
    let mut world = World::default();
    world.rules.maintenance.push(Maintenance {
        name: "nights".to_owned(),
        matcher: Matcher {
            agents: patterns(&["agent-1"]),
            ..Matcher::default()
        },
        window: hours(0, 1),
    });
    world.set(1, true, at(0));
    world.set(2, true, at(0));
    world.pass(at(0), at(3599));
    assert_eq!(world.messages, [(at(30), AlertId(1), None)]);
    // Nobody is woken by its end; it is looked again soon enough.
    world.pass(at(3600), at(3700));
    assert_eq!(world.messages[1..], [(at(3630), AlertId(2), None)]);
}

#[test]
fn what_got_worse_while_somebody_looked_after_it_calls_people_when_it_is_back() {
    let mut world = World {
        rules: paging(),
        ..World::default()
    };
    for agent in [1, 3] {
        world.set(agent, true, at(0));
    }
    world.pass(at(0), at(60));
    world.incidents[1].acknowledged = Some((UserId(1), at(60)));
    world.worsen(3, at(60));
    // People are told of a third.
    world.set(5, true, at(70));
    world.pass(at(70), at(400));
    assert_eq!(world.count(Some(Nudge::More)), 1);
    world.set(3, false, at(400));
    world.pass(at(400), at(1000));
    world.set(3, true, at(1000));
    world.worsen(3, at(1001));
    world.pass(at(1001), at(1060));
    assert_eq!(world.route(3), Some("pager"));
}

/// What may happen, and then time passes.
#[derive(Clone, Copy, Debug)]
enum Event {
    Begins(i64),
    Ends(i64),
    Worsens(i64),
    Acknowledged(i64),
    /// For so many minutes.
    Silenced(i64, i64),
    EngineLeaves,
    EngineReturns,
    /// The clock is set, by so many minutes.
    ClockSet(i64),
}

fn any_event() -> impl Strategy<Value = Event> {
    let agent = 0..4_i64;
    prop_oneof![
        6 => agent.clone().prop_map(Event::Begins),
        6 => agent.clone().prop_map(Event::Ends),
        3 => agent.clone().prop_map(Event::Worsens),
        2 => agent.clone().prop_map(Event::Acknowledged),
        2 => (agent, 1..90_i64).prop_map(|(agent, minutes)| Event::Silenced(agent, minutes)),
        1 => Just(Event::EngineLeaves),
        2 => Just(Event::EngineReturns),
        1 => (-90..90_i64).prop_map(Event::ClockSet),
    ]
}

/// A world that is watched: what was told of whom, and since when whom was waited for.
struct Watched {
    world: World,
    now: DateTime<Utc>,
    /// By a clock that nobody sets.
    passed: Duration,
    /// So much the clock was set back in all: what is late by that is not late.
    set_back: Duration,
    /// So much it was set in all, either way: what is early by that is not early.
    set: Duration,
    /// When people were last told of a subject, by either clock, and how much was set by then; but that it is worse, and
    /// but escalations.
    told: BTreeMap<About, (DateTime<Utc>, Duration, Duration)>,
    waiting: BTreeMap<AlertId, (DateTime<Utc>, Duration)>,
    /// Since when an incident is there and not muted.
    loud: BTreeMap<IncidentId, DateTime<Utc>>,
}

const ENGINE: i64 = 9;

impl Watched {
    fn new() -> Self {
        let mut rules = paging();
        rules.maintenance.push(Maintenance {
            name: "nights".to_owned(),
            matcher: Matcher {
                agents: vec![Pattern::parse("agent-3").unwrap()],
                ..Matcher::default()
            },
            window: hours(2, 3),
        });
        Self {
            world: World {
                rules,
                ..World::default()
            },
            now: at(0),
            passed: Duration::zero(),
            set_back: Duration::zero(),
            set: Duration::zero(),
            told: BTreeMap::new(),
            waiting: BTreeMap::new(),
            loud: BTreeMap::new(),
        }
    }

    fn happen(&mut self, event: Event) {
        let (world, now) = (&mut self.world, self.now);
        match event {
            Event::Begins(agent) => world.set(agent, true, now),
            Event::Ends(agent) => world.set(agent, false, now),
            Event::Worsens(agent) => world.worsen(agent, now),
            Event::Acknowledged(agent) => {
                let about = About::Agent(AgentId(agent));
                let known = world
                    .incidents
                    .iter_mut()
                    .rev()
                    .find(|one| one.about == about);
                // The button is on the card.
                let told = world.alerts.iter().filter(|one| one.announced_at.is_some());
                let told: Vec<_> = told.map(|one| Some(one.id)).collect();
                if let Some(incident) =
                    known.filter(|one| one.is_open() && told.contains(&one.alert))
                {
                    incident.acknowledged = Some((UserId(1), now));
                }
            }
            Event::Silenced(agent, minutes) => {
                let agents = vec![Pattern::parse(&format!("agent-{agent}")).unwrap()];
                let matcher = Matcher {
                    agents,
                    ..Matcher::default()
                };
                world
                    .silences
                    .push(silence(matcher, now + Duration::minutes(minutes)));
            }
            Event::EngineLeaves => world.engine(true, now),
            Event::EngineReturns => world.engine(false, now),
            Event::ClockSet(minutes) => {
                let by = Duration::minutes(minutes);
                self.now += by;
                self.set += by.abs();
                self.set_back -= by.min(Duration::zero());
            }
        }
    }

    /// As the worker does: whenever something is due, and now and then.
    fn pass(&mut self, time: Duration) {
        let to = self.now + time;
        while self.now < to {
            let known = self.world.messages.len();
            let before = self.world.incidents.clone();
            let due = self.world.run(self.now);
            self.note(&before, known);
            let look = self.now + Duration::seconds(30);
            let due = due.filter(|due| *due > self.now).unwrap_or(look);
            let next = due.min(look).min(to);
            self.passed += next - self.now;
            self.now = next;
        }
    }

    fn note(&mut self, before: &[Incident], known: usize) {
        for (at, id, why) in &self.world.messages[known..] {
            if *why == Some(Nudge::Escalation) {
                let (then, passed) = self.waiting[id];
                let waited = (*at - then).max(self.passed - passed);
                assert!(waited >= Duration::minutes(15), "escalated after {waited}");
            }
            let heard = |one: &&Incident| one.alert == Some(*id) && !self.is_muted(one);
            let heard = self.world.incidents.iter().filter(heard);
            let told: Vec<About> = heard
                .filter(|one| concerns(before, one, *why))
                .map(|one| one.about.clone())
                .collect();
            for about in told {
                let last = self.told.insert(about, (*at, self.passed, self.set));
                // Either clock may say that it is long ago.
                let pause = last.map(|(then, passed, set)| {
                    (*at - then).max(self.passed - passed) + (self.set - set)
                });
                let window = self.world.rules.damping.window;
                assert!(
                    pause.is_none_or(|pause| pause >= window),
                    "told again after {pause:?}"
                );
            }
        }
        let loud = self.loud();
        self.loud.retain(|id, _| loud.contains(id));
        for id in loud {
            self.loud.entry(id).or_insert(self.now);
        }
        let waits = |alert: &&Alert| {
            let mut members = self
                .world
                .incidents
                .iter()
                .filter(|one| one.alert == Some(alert.id));
            alert.announced_at.is_some()
                && members
                    .any(|one| one.is_open() && one.acknowledged.is_none() && !self.is_muted(one))
        };
        let waiting: Vec<AlertId> = self
            .world
            .alerts
            .iter()
            .filter(waits)
            .map(|one| one.id)
            .collect();
        self.waiting.retain(|id, _| waiting.contains(id));
        for id in waiting {
            self.waiting.entry(id).or_insert((self.now, self.passed));
        }
    }

    fn is_muted(&self, incident: &Incident) -> bool {
        let pipeline = Pipeline {
            rules: &self.world.rules,
            silences: &self.world.silences,
            incidents: &self.world.incidents,
            alerts: &[],
            now: self.now,
        };
        pipeline.mute(incident).is_some()
    }

    /// Who is heard of now.
    fn loud(&self) -> Vec<IncidentId> {
        let all = self.world.incidents.iter();
        let loud = all.filter(|one| one.is_present() && !self.is_muted(one));
        loud.map(|one| one.id).collect()
    }

    /// What was there and heard of all the while is told, as it is.
    fn check(&self, loud: &[IncidentId]) {
        let incidents = self
            .world
            .incidents
            .iter()
            .filter(|one| loud.contains(&one.id));
        for incident in incidents {
            let alert = self
                .world
                .alerts
                .iter()
                .find(|one| Some(one.id) == incident.alert);
            let alert = alert.expect("lost");
            assert!(
                alert.announced_at.is_some() && alert.closed_at.is_none(),
                "lost"
            );
            if incident.acknowledged.is_some() {
                continue;
            }
            let since = incident
                .returns
                .last()
                .copied()
                .max(incident.joined_at)
                .unwrap();
            let late = self.now - since.max(incident.changed_at) - self.set_back;
            let is_told = incident.told_severity >= Some(incident.severity);
            assert!(
                is_told || late <= Duration::minutes(6),
                "worse for {late}, and nobody was told"
            );
            if is_told && incident.severity == Severity::Critical {
                assert_eq!(alert.route, "pager");
            }
            if incident.untold.is_some() {
                let since = since.max(self.loud[&incident.id]);
                let late = self.now - since - self.set_back;
                let window = self.world.rules.damping.window + Duration::seconds(30);
                assert!(late <= window, "back for {late}, and nobody was told");
            }
        }
    }
}

/// Whether a message is about an incident, which was like this before it.
fn concerns(before: &[Incident], incident: &Incident, why: Option<Nudge>) -> bool {
    let before = before.iter().find(|one| one.id == incident.id);
    let unheeded = incident.is_present() && incident.acknowledged.is_none();
    let untold = before.and_then(|one| one.untold);
    match why {
        None => incident.is_present(),
        Some(Nudge::More) => unheeded && untold == Some(Untold::New),
        Some(Nudge::Back) => unheeded && untold == Some(Untold::Back),
        Some(Nudge::Repeat) => unheeded,
        Some(Nudge::Worse | Nudge::Escalation | Nudge::Over) => false,
    }
}

impl World {
    fn engine(&mut self, away: bool, now: DateTime<Utc>) {
        let damping = self.rules.damping;
        let known = self
            .incidents
            .iter_mut()
            .rev()
            .find(|one| one.about == About::Engine);
        match (known, away) {
            (Some(incident), false) if incident.is_open() => {
                incident.miss(&damping, now);
            }
            (Some(incident), true)
                if incident
                    .resolved_at
                    .is_none_or(|over| over > now - damping.window) =>
            {
                let problem = Problem {
                    about: About::Engine,
                    kind: Kind::Engine,
                    ..problem(ENGINE, Severity::Critical)
                };
                incident.see(&problem, &damping, now);
            }
            (_, true) => {
                self.open(ENGINE, now);
                let incident = self.incidents.last_mut().unwrap();
                (incident.about, incident.kind) = (About::Engine, Kind::Engine);
                (incident.agent, incident.fleet) = (None, None);
                incident.severity = Severity::Critical;
            }
            (_, false) => {}
        }
    }
}

proptest! {
    /// None lost, none twice, never more than the squelch allows of a subject, nobody called before others had time, what
    /// is back or worse is told, and every announced one is closed; whatever is muted, and whatever the clock does.
    #[test]
    fn people_are_told_of_everything_once(
        steps in prop::collection::vec((any_event(), 1..1200_i64), 1..80),
    ) {
        let mut watched = Watched::new();
        for (event, seconds) in steps {
            watched.happen(event);
            let loud = watched.loud();
            watched.pass(Duration::seconds(seconds));
            if seconds >= 120 {
                let still = watched.loud();
                let all_the_while: Vec<_> = loud.into_iter().filter(|id| still.contains(id)).collect();
                watched.check(&all_the_while);
            }
        }
        watched.happen(Event::EngineReturns);
        for agent in 0..4 {
            watched.happen(Event::Ends(agent));
        }
        watched.pass(Duration::hours(2));
        prop_assert!(watched.world.alerts.iter().all(|one| one.closed_at.is_some()), "never closed");
        prop_assert!(watched.world.incidents.iter().all(|one| !one.is_open()), "never over");
    }
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts
        .iter()
        .map(|text| Pattern::parse(text).unwrap())
        .collect()
}

#[test]
fn what_a_matcher_takes_is_told_in_words() {
    assert_eq!(Matcher::default().to_string(), "everything");
    let matcher = Matcher {
        severities: vec![Severity::Critical],
        kinds: vec![Kind::Down, Kind::Engine],
        fleets: patterns(&["prod-*"]),
        agents: patterns(&["scout", "guide"]),
    };
    insta::assert_snapshot!(matcher, @"agent scout or guide, fleet prod-*, kind down or engine, severity critical");
    let quiet = Quiet::For {
        matcher: matcher.clone(),
        hours: 2,
    };
    insta::assert_snapshot!(quiet, @"agent scout or guide, fleet prod-*, kind down or engine, severity critical for 2 h");
    let end = Quiet::End {
        silence: SilenceId(7),
        matcher,
    };
    insta::assert_snapshot!(end, @"7: agent scout or guide, fleet prod-*, kind down or engine, severity critical");
}

#[test]
fn why_nobody_is_told_is_told_in_words() {
    let mutes = [
        Mute::Inhibited(Kind::Host),
        Mute::Inhibited(Kind::Engine),
        Mute::Maintenance("night".to_owned()),
        Mute::Silenced(SilenceId(7)),
    ];
    insta::assert_snapshot!(mutes.map(|mute| mute.to_string()).join("\n"), @"
    inhibited: the host is in trouble itself
    inhibited: the engine does not answer
    maintenance `night`
    silence 7
    ");
}

#[test]
fn an_alert_goes_where_its_route_leads_and_then_up_the_ladder() {
    let mut world = World::default();
    let pager = || Destination::Target("pager".to_owned());
    world.rules.routes[0].to = vec![Destination::Ops];
    world.rules.routes[0].escalation = ladder();
    world.rules.routes[0].thread = true;
    let grave = Route {
        name: "grave".to_owned(),
        to: vec![pager(), Destination::Ops],
        ..world.rules.routes[0].clone()
    };
    world.rules.routes.push(grave);
    world.rules.routes.rotate_left(1);
    world.rules.routes[0].matcher.severities = vec![Severity::Critical];
    world.set(1, true, at(0));
    world.run(at(30));
    let pipeline = Pipeline {
        rules: &world.rules,
        silences: &[],
        incidents: &world.incidents,
        alerts: &world.alerts,
        now: at(30),
    };
    let id = AlertId(1);
    assert_eq!(pipeline.destinations(id, None), [Destination::Ops]);
    assert_eq!(
        pipeline.destinations(id, Some(Nudge::Repeat)),
        [Destination::Ops]
    );
    assert_eq!(
        pipeline.destinations(id, Some(Nudge::Escalation)),
        ladder()[0].to
    );
    assert_eq!(pipeline.beyond(id, "grave"), [pager()]);
    assert_eq!(pipeline.beyond(id, "nowhere"), []);
    assert!(pipeline.has_thread(id));
    let other = AlertId(2);
    assert_eq!(pipeline.destinations(other, None), []);
    assert!(!pipeline.has_thread(other));
}

#[test]
fn somebody_who_tries_is_told_what_each_stage_says() {
    let mut rules = Rules::default();
    let trial = Trial {
        kind: Kind::Down,
        severity: Severity::Warning,
        agent: Some(Name::parse("scout").unwrap()),
        fleet: Some(Name::parse("main").unwrap()),
        now: at(0),
    };
    insta::assert_snapshot!(trial.run(&rules, &[], &[]), @"
    inhibit, silence: nothing keeps it quiet
    group: route `ops`, one message per fleet, 30 s after the first
    damp: once within 60 min unless it gets worse; reminded every 240 min, 3 times at most; over after 120 s without it
    notify: the ops channel
    ");
    let route = &mut rules.routes[0];
    route.to = vec![
        Destination::Ops,
        Destination::Channel(ChannelId(7)),
        Destination::Target("pager".to_owned()),
    ];
    (route.users, route.roles, route.thread) = (vec![UserId(1)], vec![RoleId(2)], true);
    route.escalation = ladder();
    let silence = Silence {
        id: SilenceId(1),
        matcher: Matcher {
            fleets: patterns(&["main"]),
            ..Matcher::default()
        },
        reason: "night".to_owned(),
        author: UserId(1),
        since: at(0),
        until: at(60),
    };
    insta::assert_snapshot!(trial.run(&rules, &[silence], &[]), @"
    inhibit, silence: nobody is told now (silence 1)
    group: route `ops`, one message per fleet, 30 s after the first
    damp: once within 60 min unless it gets worse; reminded every 240 min, 3 times at most; over after 120 s without it
    notify: the ops channel, <#7>, `pager` <@1> <@&2>
    thread: what follows is told in a thread of the message
    escalate: `pager` after 15 min without an acknowledgement, 2 times at most
    then: `boss` after 60 min without an acknowledgement, 1 times at most
    ");
    rules.routes.clear();
    insta::assert_snapshot!(trial.run(&rules, &[], &[]), @"No route takes it.");
}

#[test]
fn a_trial_is_about_what_its_kind_is_about() {
    let inhibited = |kind: Kind| {
        let mut world = World::default();
        world.open(1, at(0));
        (world.incidents[0].about, world.incidents[0].kind) = (About::Engine, Kind::Engine);
        let trial = Trial {
            kind,
            severity: Severity::Warning,
            agent: None,
            fleet: None,
            now: at(0),
        };
        trial
            .run(&world.rules, &[], &world.incidents)
            .mute
            .is_some()
    };
    assert!(inhibited(Kind::Down));
    assert!(!inhibited(Kind::Engine));
    assert!(!inhibited(Kind::Host));
    assert!(!inhibited(Kind::Loop));
}
