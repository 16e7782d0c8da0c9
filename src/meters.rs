//! What Prometheus is told of us: counts and times, noted where they happen. The only module that names its library.
//!
//! No label names an agent, a person or a channel: whoever may scrape need not know them, and there is no bound to their
//! number.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::{
        EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use crate::domain::view::Process;

/// What [`Meters::text`] is written in.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds, from an answer out of memory to the pull of an image. Discord waits for 3 s.
const BOUNDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0, 60.0, 600.0,
];
/// The same for what people need: from a minute to a week.
const PATIENCE: [f64; 8] = [
    10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0, 604_800.0,
];

type Times<L> = Family<L, Histogram, fn() -> Histogram>;

/// A command, a press or a form, and how it was answered.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Interaction {
    pub kind: &'static str,
    pub name: String,
    pub outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Ended {
    pub kind: &'static str,
    pub origin: &'static str,
    pub state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Incident {
    kind: &'static str,
    severity: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Delivery {
    /// `discord`, or `target` for what is told elsewhere.
    to: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Probe {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    call: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Run {
    /// Whether it is built in, of the file or of chat; the name of a schedule may name an agent.
    source: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfState {
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfSeverity {
    severity: &'static str,
}

/// What is as it is at the moment of asking.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    pub agents: Vec<(&'static str, usize)>,
    pub incidents: Vec<(&'static str, usize)>,
    pub frozen: usize,
    pub approvals_waiting: usize,
    pub outbox_waiting: i64,
    pub outbox_dead: i64,
    pub gateway_up: bool,
    pub engine_up: bool,
    /// Since the start.
    pub refusals: u64,
    pub loops_begun_again: u32,
    /// When the newest copy of the database was made, in seconds since 1970; 0 if there is none.
    pub last_backup: i64,
    pub process: Option<Process>,
}

/// All that is counted and timed.
#[derive(Debug)]
pub struct Meters {
    registry: Registry,
    interactions: Times<Interaction>,
    acknowledged: Histogram,
    actions: Family<Ended, Counter>,
    executed: Times<OfKind>,
    decided: Times<Outcome>,
    incidents: Family<Incident, Counter>,
    deliveries: Family<Delivery, Counter>,
    probes: Times<Probe>,
    calls: Times<Call>,
    runs: Family<Run, Counter>,
}

fn bounds() -> Histogram {
    Histogram::new(BOUNDS)
}

fn patience() -> Histogram {
    Histogram::new(PATIENCE)
}

impl Default for Meters {
    fn default() -> Self {
        let mut meters = Self {
            registry: Registry::with_prefix("yardarm"),
            interactions: Family::new_with_constructor(bounds),
            acknowledged: bounds(),
            actions: Family::default(),
            executed: Family::new_with_constructor(bounds),
            decided: Family::new_with_constructor(patience),
            incidents: Family::default(),
            deliveries: Family::default(),
            probes: Family::new_with_constructor(bounds),
            calls: Family::new_with_constructor(bounds),
            runs: Family::default(),
        };
        meters.register();
        meters
    }
}

impl Meters {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register_with_unit(
            "interaction_duration",
            "Commands, presses and forms, until all is said that they say by themselves",
            Unit::Seconds,
            self.interactions.clone(),
        );
        registry.register_with_unit(
            "acknowledgement",
            "From an interaction to its first answer, for which Discord waits 3 s",
            Unit::Seconds,
            self.acknowledged.clone(),
        );
        registry.register_with_unit(
            "action_duration",
            "Actions, from their beginning to their end",
            Unit::Seconds,
            self.executed.clone(),
        );
        registry.register_with_unit(
            "approval_wait",
            "Questions to people, until they were decided or closed",
            Unit::Seconds,
            self.decided.clone(),
        );
        registry.register_with_unit(
            "probe_duration",
            "Questions to agents",
            Unit::Seconds,
            self.probes.clone(),
        );
        registry.register_with_unit(
            "engine_call_duration",
            "Calls of the engine",
            Unit::Seconds,
            self.calls.clone(),
        );
        self.register_counts();
    }

    fn register_counts(&mut self) {
        let registry = &mut self.registry;
        let (actions, incidents) = (self.actions.clone(), self.incidents.clone());
        registry.register("actions", "Actions that ended, however they did", actions);
        registry.register("incidents", "Incidents that were opened", incidents);
        let help = "Attempts to send or edit a message";
        registry.register("deliveries", help, self.deliveries.clone());
        let help = "Times of schedules that came, and what became of them";
        registry.register("runs", help, self.runs.clone());
    }

    pub fn interaction(&self, interaction: &Interaction, took: Duration) {
        let times = self.interactions.get_or_create(interaction);
        times.observe(took.as_secs_f64());
    }

    pub fn acknowledged(&self, took: Duration) {
        self.acknowledged.observe(took.as_secs_f64());
    }

    /// An action is over; it `took` so long if it was begun at all.
    pub fn ended(&self, ended: &Ended, took: Option<Duration>) {
        self.actions.get_or_create(ended).inc();
        if let Some(took) = took {
            let kind = OfKind { kind: ended.kind };
            let times = self.executed.get_or_create(&kind);
            times.observe(took.as_secs_f64());
        }
    }

    /// A question to people is over.
    pub fn decided(&self, outcome: &'static str, waited: Duration) {
        let times = self.decided.get_or_create(&Outcome { outcome });
        times.observe(waited.as_secs_f64());
    }

    pub fn incident(&self, kind: &'static str, severity: &'static str) {
        self.incidents
            .get_or_create(&Incident { kind, severity })
            .inc();
    }

    pub fn delivery(&self, to: &'static str, outcome: &'static str) {
        self.deliveries
            .get_or_create(&Delivery { to, outcome })
            .inc();
    }

    pub fn probe(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        let times = self.probes.get_or_create(&Probe { kind, outcome });
        times.observe(took.as_secs_f64());
    }

    pub fn call(&self, call: &'static str, outcome: &'static str, took: Duration) {
        let times = self.calls.get_or_create(&Call { call, outcome });
        times.observe(took.as_secs_f64());
    }

    pub fn run(&self, source: &'static str, outcome: &'static str) {
        self.runs.get_or_create(&Run { source, outcome }).inc();
    }

    /// All of it, for Prometheus.
    pub fn text(&self, readings: &Readings) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &as_it_is(readings))?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// What is read at the moment of asking needs no memory.
fn as_it_is(readings: &Readings) -> Registry {
    let mut all = Registry::default();
    let registry = all.sub_registry_with_prefix("yardarm");
    let agents = Family::<OfState, Gauge>::default();
    for (state, count) in &readings.agents {
        agents.get_or_create(&OfState { state }).set(number(*count));
    }
    registry.register("agents", "Living agents by state", agents);
    let incidents = Family::<OfSeverity, Gauge>::default();
    for (severity, count) in &readings.incidents {
        let severity = OfSeverity { severity };
        incidents.get_or_create(&severity).set(number(*count));
    }
    registry.register("incidents_open", "Incidents that are not over", incidents);
    for (name, help, value) in numbers(readings) {
        registry.register(name, help, ConstGauge::new(value));
    }
    let refusals = ConstCounter::new(readings.refusals);
    registry.register("refusals", "Times that somebody was refused", refusals);
    let again = ConstCounter::new(u64::from(readings.loops_begun_again));
    let help = "Loops of ours that stood still or fell over and were begun again";
    registry.register("loop_restarts", help, again);
    if let Some(process) = readings.process {
        enter_process(&mut all, process);
    }
    all
}

/// Name, help and value of what has no labels.
fn numbers(readings: &Readings) -> [(&'static str, &'static str, i64); 7] {
    [
        (
            "freezes",
            "What is frozen: fleets, or everything as one",
            number(readings.frozen),
        ),
        (
            "approvals_waiting",
            "Questions that people have not decided",
            number(readings.approvals_waiting),
        ),
        (
            "outbox_waiting",
            "Messages that are not sent yet",
            readings.outbox_waiting,
        ),
        (
            "outbox_dead",
            "Messages that will never arrive",
            readings.outbox_dead,
        ),
        (
            "last_backup_timestamp_seconds",
            "When the newest copy of the database was made, in seconds since 1970",
            readings.last_backup,
        ),
        (
            "gateway_up",
            "Whether Discord's gateway is connected",
            readings.gateway_up.into(),
        ),
        (
            "engine_up",
            "Whether the engine answers",
            readings.engine_up.into(),
        ),
    ]
}

/// By the names that Prometheus' own libraries give them.
fn enter_process(registry: &mut Registry, process: Process) {
    let registry = registry.sub_registry_with_prefix("process");
    let cpu = ConstCounter::new(process.cpu_seconds);
    let help = "CPU time of this process";
    registry.register_with_unit("cpu", help, Unit::Seconds, cpu);
    for (name, help, value) in [
        (
            "resident_memory_bytes",
            "Resident memory",
            Some(process.resident_bytes),
        ),
        ("open_fds", "Open file descriptors", process.open_files),
        (
            "start_time_seconds",
            "When it was started, in seconds since 1970",
            Some(process.started_at),
        ),
    ] {
        if let Some(value) = value {
            registry.register(name, help, ConstGauge::new(value));
        }
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_and_what_is_are_told_together() {
        let meters = Meters::default();
        let stop = Ended {
            kind: "stop",
            origin: "chat",
            state: "succeeded",
        };
        meters.ended(&stop, Some(Duration::from_millis(20)));
        meters.ended(&stop, None);
        meters.call("list", "ok", Duration::from_millis(2));
        let readings = Readings {
            agents: vec![("running", 3)],
            outbox_waiting: 2,
            process: Some(Process {
                cpu_seconds: 1.5,
                ..Process::default()
            }),
            ..Readings::default()
        };
        let text = meters.text(&readings).unwrap();
        for line in [
            r#"yardarm_actions_total{kind="stop",origin="chat",state="succeeded"} 2"#,
            r#"yardarm_action_duration_seconds_count{kind="stop"} 1"#,
            r#"yardarm_action_duration_seconds_bucket{le="0.025",kind="stop"} 1"#,
            r#"yardarm_engine_call_duration_seconds_sum{call="list",outcome="ok"} 0.002"#,
            r#"yardarm_agents{state="running"} 3"#,
            "yardarm_outbox_waiting 2",
            "process_cpu_seconds_total 1.5",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
