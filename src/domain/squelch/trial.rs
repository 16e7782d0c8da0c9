//! What would become of an alert: for `/alerts test` and `yardarm alerts test`.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{Destination, Mute, Pipeline, Route, Rules, Silence};
use crate::domain::{
    agent::Name,
    ids::{AgentId, FleetId, IncidentId},
    incident::{About, Evidence, Incident, Kind, Severity},
};

/// An alert somebody thinks up.
#[derive(Clone, Debug)]
pub struct Trial {
    pub kind: Kind,
    pub severity: Severity,
    pub agent: Option<Name>,
    pub fleet: Option<Name>,
    pub now: DateTime<Utc>,
}

/// What the stages say to it.
#[derive(Clone, Debug)]
pub struct Fate<'a> {
    pub mute: Option<Mute>,
    pub route: Option<&'a Route>,
    rules: &'a Rules,
}

impl Trial {
    /// Asks the stages in their order, with what is open beside it.
    pub fn run<'a>(
        &self,
        rules: &'a Rules,
        silences: &'a [Silence],
        incidents: &'a [Incident],
    ) -> Fate<'a> {
        let pipeline = Pipeline {
            rules,
            silences,
            incidents,
            alerts: &[],
            now: self.now,
        };
        let incident = self.incident();
        Fate {
            mute: pipeline.mute(&incident),
            route: pipeline.route(&incident),
            rules,
        }
    }

    fn incident(&self) -> Incident {
        let about = match self.kind {
            Kind::Engine => About::Engine,
            Kind::Host => About::Host(String::new()),
            Kind::Loop => About::Loop(String::new()),
            _ => About::Agent(AgentId(0)),
        };
        Incident {
            id: IncidentId(0),
            about,
            agent: self.agent.clone(),
            fleet: self.fleet.clone().map(|name| (FleetId(0), name)),
            kind: self.kind,
            severity: self.severity,
            cause: String::new(),
            evidence: Evidence::default(),
            opened_at: self.now,
            changed_at: self.now,
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
        }
    }
}

impl fmt::Display for Fate<'_> {
    /// A line for each stage.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(route) = self.route else {
            return f.write_str("No route takes it.");
        };
        let (pace, damping) = (&route.pace, &self.rules.damping);
        match &self.mute {
            None => writeln!(f, "inhibit, silence: nothing keeps it quiet")?,
            Some(mute) => writeln!(f, "inhibit, silence: nobody is told now ({mute})")?,
        }
        writeln!(
            f,
            "group: route `{}`, one message per {}, {} s after the first",
            route.name,
            route.group_by.as_str(),
            pace.group_wait.num_seconds()
        )?;
        writeln!(
            f,
            "damp: once within {} min unless it gets worse; reminded every {} min, {} times at most; over after {} s without it",
            damping.window.num_minutes(),
            pace.repeat_interval.max(damping.window).num_minutes(),
            pace.repeats,
            damping.hold.num_seconds()
        )?;
        write!(f, "notify: {}", places(&route.to))?;
        for user in &route.users {
            write!(f, " <@{user}>")?;
        }
        for role in &route.roles {
            write!(f, " <@&{role}>")?;
        }
        if route.thread {
            f.write_str("\nthread: what follows is told in a thread of the message")?;
        }
        for (position, rung) in route.escalation.iter().enumerate() {
            write!(
                f,
                "\n{}: {} after {} min without an acknowledgement, {} times at most",
                if position == 0 { "escalate" } else { "then" },
                places(&rung.to),
                rung.after.num_minutes(),
                rung.most
            )?;
        }
        Ok(())
    }
}

fn places(to: &[Destination]) -> String {
    let place = |one: &Destination| match one {
        Destination::Ops => "the ops channel".to_owned(),
        Destination::Channel(id) => format!("<#{id}>"),
        Destination::Target(name) => format!("`{name}`"),
    };
    let all: Vec<String> = to.iter().map(place).collect();
    all.join(", ")
}
