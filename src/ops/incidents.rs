//! What is wrong now, compared with the incidents that are open. Level-triggered: it may be done at any time, and twice.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Ops, sight::Sight};
use crate::{
    domain::{
        agent::Desired,
        event::Event,
        grant::{Caller, Level, Need, Scope},
        ids::{AlertId, IncidentId, UserId},
        incident::{About, Evidence, Incident, Kind, Problem, Severity, Standing},
        outbox::Subject,
        squelch::Trial,
        view::{EngineState, View},
    },
    error::{Error, Result},
    store::{Tx, incidents, outbox},
};

/// How long a loop that was begun again is a problem.
const SHAKEN: TimeDelta = TimeDelta::minutes(10);

/// Loops of ours that had to be begun again: why and when last, and how often.
#[derive(Debug, Default)]
pub(super) struct Stalls(Mutex<BTreeMap<&'static str, Stall>>);

#[derive(Clone, Copy, Debug)]
struct Stall {
    why: &'static str,
    at: DateTime<Utc>,
    count: u32,
}

impl Stalls {
    fn note(&self, name: &'static str, why: &'static str, at: DateTime<Utc>) {
        let mut stalls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = stalls.get(name).map_or(1, |stall| stall.count + 1);
        stalls.insert(name, Stall { why, at, count });
    }

    /// The loops that were begun again of late, and why.
    pub(super) fn fresh(&self, now: DateTime<Utc>) -> Vec<String> {
        let stalls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = stalls.iter().filter(|(_, stall)| stall.at + SHAKEN > now);
        fresh
            .map(|(name, stall)| format!("{name} {}", stall.why))
            .collect()
    }

    /// How often any of them was.
    pub(super) fn count(&self) -> u32 {
        let stalls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stalls.values().map(|stall| stall.count).sum()
    }

    fn problems(&self, now: DateTime<Utc>) -> Vec<Problem> {
        let stalls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = stalls.iter().filter(|(_, stall)| stall.at + SHAKEN > now);
        let problem = |(name, stall): (&&str, &Stall)| Problem {
            about: About::Loop((*name).to_owned()),
            kind: Kind::Loop,
            severity: Severity::Critical,
            cause: format!(
                "{} and was begun again, {}× since the start; the log tells more",
                stall.why, stall.count
            ),
            evidence: Evidence::default(),
        };
        fresh.map(problem).collect()
    }
}

impl Sight<'_> {
    /// What is wrong, and what was within the time before now: of one fleet, or of all that the caller sees. What is
    /// about no fleet concerns everybody.
    pub async fn incidents(&self, fleet: Option<&str>, back: TimeDelta) -> Result<Vec<Incident>> {
        let fleet = fleet.map(|name| self.look_into(name)).transpose()?;
        let mut found = self.store.incidents_since(self.now() - back).await?;
        found.retain(|incident| match (&incident.fleet, &fleet) {
            (Some((_, name)), Some(wanted)) => *name == wanted.name,
            (None, Some(_)) => false,
            (Some((_, name)), None) => self.sees(name),
            (None, None) => true,
        });
        Ok(found)
    }

    /// What the stages would say to an alert, a line each.
    pub async fn try_alert(
        &self,
        (kind, severity): (Kind, Severity),
        (agent, fleet): (Option<&str>, Option<&str>),
    ) -> Result<String> {
        let view = agent.map(|name| self.look_at(name)).transpose()?;
        let fleet = fleet.map(|name| self.look_into(name)).transpose()?;
        let trial = Trial {
            kind,
            severity,
            agent: view.as_ref().map(|view| view.agent.name.clone()),
            fleet: view
                .map(|view| view.fleet)
                .or(fleet.map(|fleet| fleet.name)),
            now: self.now(),
        };
        let rules = self.squelch_rules();
        let (silences, incidents) = (
            self.store.silences(trial.now).await?,
            self.store.open_incidents().await?,
        );
        Ok(trial.run(&rules, &silences, &incidents).to_string())
    }
}

impl Ops {
    /// Ends what is over and opens what concerns no single agent. What agents suffer from, `recovery` opens.
    pub(super) async fn survey(&self) -> Result<()> {
        let now = self.now();
        let open = self.store.open_incidents().await?;
        let problems = self.common_problems();
        let present: HashMap<(About, Kind), &Problem> = problems
            .iter()
            .map(|problem| ((problem.about.clone(), problem.kind), problem))
            .collect();
        let gone = open
            .iter()
            .filter(|incident| self.standing(incident, &present) == Standing::Gone);
        let mut news = false;
        for incident in gone {
            news |= self.miss(incident.id, now).await?;
        }
        for incident in open.iter().filter(|one| one.flapping) {
            news |= self.calm(incident.id, now).await?;
        }
        for problem in &problems {
            news |= self.see(problem).await?;
        }
        if news {
            self.ring();
        }
        Ok(())
    }

    /// Incidents changed, and so may what is told of them.
    pub(super) fn ring(&self) {
        self.publish(Event::Incident);
        self.publish(Event::Outbox);
    }

    /// The problem is there: opens its incident, or takes over what is new. Returns whether people would read anything
    /// new. An incident that was over a moment ago is the same one.
    pub(super) async fn see(&self, problem: &Problem) -> Result<bool> {
        let (now, rules) = (self.now(), self.squelch_rules());
        let mut tx = self.store.begin().await?;
        let since = now - rules.damping.window;
        let known = incidents::latest(&mut tx, (&problem.about, problem.kind), since).await?;
        let Some(mut incident) = known else {
            let id = incidents::insert(&mut tx, problem, now).await?;
            tx.commit().await?;
            let (kind, severity) = (problem.kind.as_str(), problem.severity.as_str());
            self.meters.incident(kind, severity);
            tracing::info!(incident.id = id.0, incident.about = %problem.about, cause = problem.cause, "incident opened");
            return Ok(true);
        };
        if !incident.see(problem, &rules.damping, now) {
            return Ok(false);
        }
        write(&mut tx, &incident, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The problem is not there; returns whether people would read anything new.
    async fn miss(&self, id: IncidentId, now: DateTime<Utc>) -> Result<bool> {
        let rules = self.squelch_rules();
        let mut tx = self.store.begin().await?;
        let Some(mut incident) = incidents::get(&mut tx, id).await? else {
            return Ok(false);
        };
        let before = incident.clone();
        let news = incident.miss(&rules.damping, now);
        if incident == before {
            return Ok(false);
        }
        if news {
            write(&mut tx, &incident, now).await?;
        } else {
            incidents::update(&mut tx, &incident).await?;
        }
        tx.commit().await?;
        if incident.resolved_at.is_some() {
            tracing::info!(incident.id = id.0, "incident resolved");
        }
        Ok(news)
    }

    /// What flapped may have stood as it is for long enough; returns whether people would read that.
    async fn calm(&self, id: IncidentId, now: DateTime<Utc>) -> Result<bool> {
        let rules = self.squelch_rules();
        let mut tx = self.store.begin().await?;
        let found = incidents::get(&mut tx, id).await?;
        let Some(mut incident) = found.filter(Incident::is_open) else {
            return Ok(false);
        };
        if !incident.calm(&rules.damping, now) {
            return Ok(false);
        }
        write(&mut tx, &incident, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    fn standing(
        &self,
        incident: &Incident,
        present: &HashMap<(About, Kind), &Problem>,
    ) -> Standing {
        let view = incident
            .about
            .agent()
            .map(|agent| self.roster.view_of(agent));
        let measured = matches!(incident.kind, Kind::Resources | Kind::Host);
        match view {
            Some(None) => Standing::Gone,
            Some(Some(view)) if !measured || !is_measured(&view) => {
                incident.kind.standing(view.agent.desired, view.state)
            }
            _ if present.contains_key(&(incident.about.clone(), incident.kind)) => Standing::There,
            _ if measured && !self.watched.knows(&incident.about) => Standing::Unknown,
            _ => Standing::Gone,
        }
    }

    /// What is wrong with what all agents share.
    fn common_problems(&self) -> Vec<Problem> {
        let engine = self.roster.read(|board| board.engine.clone());
        let mut problems = Vec::new();
        if let EngineState::Silent { why, .. } = engine {
            problems.push(Problem {
                about: About::Engine,
                kind: Kind::Engine,
                severity: Severity::Critical,
                cause: format!("does not answer: {why}"),
                evidence: Evidence::default(),
            });
        }
        problems.extend(self.stalls.problems(self.now()));
        // It may have been stopped since it was measured.
        problems.extend(self.watched.problems().into_iter().filter(|problem| {
            let agent = problem.about.agent();
            agent.is_none_or(|agent| self.roster.view_of(agent).as_ref().is_some_and(is_measured))
        }));
        problems
    }

    /// A loop of ours had to be begun again, and why.
    pub fn note_stall(&self, name: &'static str, why: &'static str) {
        tracing::warn!(worker = name, why, "a worker is begun again");
        self.stalls.note(name, why, self.now());
        self.ring();
    }

    /// Somebody looks after all that is open in a message; it is not repeated until it is over.
    pub async fn acknowledge(&self, id: AlertId, caller: &Caller) -> Result<()> {
        let incidents = self.store.incidents_of(id).await?;
        self.authorise(caller, &look_after(&incidents))?;
        let open: Vec<&Incident> = incidents.iter().filter(|one| one.is_open()).collect();
        if open.is_empty() {
            return Err(Error::AlreadyDecided(
                "This is over already: there is nothing left to acknowledge.".to_owned(),
            ));
        }
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let mut any = false;
        for incident in &open {
            any |= incidents::acknowledge(&mut tx, incident, caller.user, now).await?;
        }
        if !any {
            return Err(Error::AlreadyDecided(acknowledged_by(&open)));
        }
        outbox::touch(&mut tx, Subject::Alert(id), now).await?;
        self.tell_targets(&mut tx, id, |_| true).await?;
        tx.commit().await?;
        self.ring();
        Ok(())
    }
}

/// It runs, nobody is at work on it, and nothing but what it uses tells whether that is too much.
fn is_measured(view: &View) -> bool {
    view.agent.desired == Desired::Running && view.state.is_at_work()
}

/// Writes what changed, and has the message about it edited.
async fn write(tx: &mut Tx, incident: &Incident, now: DateTime<Utc>) -> Result<()> {
    incidents::update(tx, incident).await?;
    if let Some(alert) = incident.alert {
        outbox::touch(tx, Subject::Alert(alert), now).await?;
    }
    Ok(())
}

/// Operators of every fleet it is about; what is about none concerns everything.
fn look_after(incidents: &[Incident]) -> Need {
    let fleets: Option<Vec<_>> = incidents
        .iter()
        .map(|one| one.fleet.as_ref().map(|(_, name)| name.clone()))
        .collect();
    Need {
        level: Level::Operator,
        on: fleets.map_or(Scope::Everything, Scope::Fleets),
    }
}

fn acknowledged_by(incidents: &[&Incident]) -> String {
    let by: Option<(UserId, DateTime<Utc>)> = incidents.iter().find_map(|one| one.acknowledged);
    by.map_or_else(
        || "This is over already.".to_owned(),
        |(user, at)| format!("<@{user}> looks after it since <t:{}:R>.", at.timestamp()),
    )
}
