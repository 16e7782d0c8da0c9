//! How much is too much for how long.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    incident::{About, Evidence, Kind, Problem, Severity},
    pattern::Pattern,
    view::{Host, View, percent},
    words::words,
};

words! {
    /// What is measured. Of an agent, the share of what it may have at most.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    pub enum Measure {
        Cpu = "cpu",
        Memory = "memory",
        Pids = "pids",
        Disk = "disk",
        Swap = "swap",
        /// Processes that run or wait to, as a share of the CPUs.
        Load = "load",
        /// The share of a minute in which something waited for memory, or for a disk.
        MemoryPressure = "memory-pressure",
        IoPressure = "io-pressure",
    }
}

words! {
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    pub enum Subject {
        Agents = "agents",
        Host = "host",
    }
}

impl Measure {
    pub const fn is_of(self, subject: Subject) -> bool {
        match subject {
            Subject::Agents => matches!(self, Self::Cpu | Self::Memory | Self::Pids),
            Subject::Host => !matches!(self, Self::Pids),
        }
    }
}

/// Above `above` percent for so long is an incident; it is over below `below`, so that it does not come and go.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub subject: Subject,
    pub measure: Measure,
    pub above: f64,
    pub below: f64,
    pub lasting: TimeDelta,
    pub severity: Severity,
    /// None: all of them. What concerns no fleet matches none.
    pub fleets: Vec<Pattern>,
    pub agents: Vec<Pattern>,
}

impl Threshold {
    /// What counts unless the settings say otherwise: little, so that it is heeded.
    pub fn defaults() -> Vec<Self> {
        let threshold = |subject, measure, above: f64, minutes, severity| Self {
            subject,
            measure,
            above,
            below: above - SLACK,
            lasting: TimeDelta::minutes(minutes),
            severity,
            fleets: Vec::new(),
            agents: Vec::new(),
        };
        vec![
            threshold(Subject::Host, Measure::Disk, 90.0, 5, Severity::Warning),
            // Soon: what restarts meanwhile fills it.
            threshold(Subject::Host, Measure::Disk, 97.0, 1, Severity::Critical),
            threshold(Subject::Host, Measure::Memory, 95.0, 5, Severity::Warning),
            threshold(Subject::Agents, Measure::Memory, 95.0, 5, Severity::Warning),
        ]
    }

    fn is_about(&self, reading: &Reading) -> bool {
        let matches = |patterns: &[Pattern], name: Option<&str>| {
            patterns.is_empty()
                || patterns
                    .iter()
                    .any(|one| name.is_some_and(|name| one.matches(name)))
        };
        let names = reading.names.as_ref();
        self.measure == reading.measure
            && (self.subject == Subject::Agents) == reading.about.agent().is_some()
            && matches(&self.agents, names.map(|(agent, _)| agent.as_str()))
            && matches(&self.fleets, names.map(|(_, fleet)| fleet.as_str()))
    }
}

/// Percent points between the beginning and the end of an incident, unless the settings say otherwise.
pub const SLACK: f64 = 3.0;

/// One figure at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub about: About,
    /// Of an agent: its own and that of its fleet.
    names: Option<(String, String)>,
    pub measure: Measure,
    pub percent: f64,
    /// How people read it: `its 512 MiB of memory`.
    what: String,
}

impl Reading {
    pub fn of_host(host: &Host) -> Vec<Self> {
        let of = |part: &str, measure, percent, what: String| Self {
            about: About::Host(part.to_owned()),
            names: None,
            measure,
            percent,
            what,
        };
        let plain = |part: &str, measure, percent| of(part, measure, percent, String::new());
        let mut readings = vec![
            plain("CPU", Measure::Cpu, host.cpu_percent.into()),
            plain(
                "memory",
                Measure::Memory,
                percent(host.memory_used_bytes, host.memory_total_bytes),
            ),
            plain(
                "load",
                Measure::Load,
                host.load * 100.0 / f64::from(host.cpus.max(1)),
            ),
        ];
        if host.swap_total_bytes > 0 {
            readings.push(plain(
                "swap",
                Measure::Swap,
                percent(host.swap_used_bytes, host.swap_total_bytes),
            ));
        }
        for disk in &host.disks {
            let part = format!("disk ({})", disk.folder);
            readings.push(plain(&part, Measure::Disk, disk.percent()));
        }
        let pressures = [
            (
                "memory pressure",
                Measure::MemoryPressure,
                host.memory_pressure,
            ),
            ("I/O pressure", Measure::IoPressure, host.io_pressure),
        ];
        let known = pressures.into_iter();
        readings
            .extend(known.filter_map(|(part, measure, share)| Some(plain(part, measure, share?))));
        readings
    }

    /// Nothing of an agent that has no limit to compare with, and of one that is not sampled.
    pub fn of_agent(view: &View) -> Vec<Self> {
        let (Some(usage), Some(version)) = (view.usage, view.version.as_ref()) else {
            return Vec::new();
        };
        let limits = version.spec.limits;
        let of = |measure, percent, what: String| Self {
            about: About::Agent(view.agent.id),
            names: Some((view.agent.name.to_string(), view.fleet.to_string())),
            measure,
            percent,
            what,
        };
        let mut readings = Vec::new();
        if limits.cpus > 0.0 {
            let share = usage.cpus / limits.cpus * 100.0;
            readings.push(of(
                Measure::Cpu,
                share,
                format!(
                    "its {} CPU{}",
                    limits.cpus,
                    if limits.cpus > 1.0 { "s" } else { "" }
                ),
            ));
        }
        if limits.memory_mb > 0 {
            let share = percent(usage.memory_bytes, u64::from(limits.memory_mb) << 20);
            readings.push(of(
                Measure::Memory,
                share,
                format!("its {} MiB of memory", limits.memory_mb),
            ));
        }
        if limits.pids > 0 {
            let share = percent(usage.pids, limits.pids.into());
            readings.push(of(
                Measure::Pids,
                share,
                format!("its {} processes", limits.pids),
            ));
        }
        readings
    }

    fn cause(&self, lasted: TimeDelta) -> String {
        let minutes = lasted.num_minutes();
        if self.about.agent().is_some() {
            format!(
                "uses {:.0} % of {} for {minutes} min",
                self.percent, self.what
            )
        } else {
            format!("is at {:.0} % for {minutes} min", self.percent)
        }
    }
}

/// What one threshold says of one subject.
#[derive(Clone, Debug)]
struct Excess {
    /// How long it has been above, as far as we looked.
    held: TimeDelta,
    seen_at: DateTime<Utc>,
    /// What people read, from the moment on at which it had lasted: a text that changed with each look would be told anew.
    raised: Option<String>,
}

/// What stands above its threshold, and since when. Only what has not yet lasted is lost with the process: what had is an open
/// incident, and goes on.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Those of the last look: others begin as after a restart, whatever has become of their order.
    thresholds: Vec<Threshold>,
    excesses: HashMap<Key, Excess>,
    looked_at: HashSet<About>,
}

/// What stands above which threshold, told by its position: several may differ in nothing but whom they are for and how much
/// is too much.
type Key = (About, Measure, Severity, usize);

/// One look counts for no more than this: a clock that jumps ahead, or an hour without a look, proves nothing.
const LOOK_MAX: TimeDelta = TimeDelta::minutes(1);

impl Watch {
    /// Takes in what is measured now. `is_open` tells whether an incident of that subject and at least that severity is
    /// present, for subjects that were never looked at.
    pub fn look(
        &mut self,
        thresholds: &[Threshold],
        readings: &[Reading],
        is_open: impl Fn(&About, Severity) -> bool,
        now: DateTime<Utc>,
    ) {
        if self.thresholds != thresholds {
            *self = Self {
                thresholds: thresholds.to_vec(),
                ..Self::default()
            };
        }
        let mut before = std::mem::take(&mut self.excesses);
        for reading in readings {
            let about = |(_, one): &(usize, &Threshold)| one.is_about(reading);
            for (position, threshold) in thresholds.iter().enumerate().filter(about) {
                let (about, severity) = (reading.about.clone(), threshold.severity);
                let key = (about, reading.measure, severity, position);
                let known = before.remove(&key).or_else(|| {
                    let goes_on = !self.looked_at.contains(&reading.about)
                        && is_open(&reading.about, threshold.severity);
                    goes_on.then(|| Excess {
                        held: threshold.lasting,
                        seen_at: now,
                        raised: Some(reading.cause(threshold.lasting)),
                    })
                });
                if let Some(excess) = threshold.judge(reading, known, now) {
                    self.excesses.insert(key, excess);
                }
            }
        }
        self.looked_at = readings
            .iter()
            .map(|reading| reading.about.clone())
            .collect();
    }

    /// Whether it follows from what is known that a subject is well: of an agent that is not sampled nothing does, and of
    /// the host nothing before the first look.
    pub fn knows(&self, about: &About) -> bool {
        match about {
            About::Agent(_) => self.looked_at.contains(about),
            _ => !self.looked_at.is_empty(),
        }
    }

    /// What has lasted, one problem a subject.
    pub fn problems(&self) -> Vec<Problem> {
        let mut raised: Vec<(&Key, &String)> = self
            .excesses
            .iter()
            .filter_map(|(key, excess)| Some((key, excess.raised.as_ref()?)))
            .collect();
        raised.sort_by(|(one, _), (other, _)| {
            (&one.0, other.2, one.1, one.3).cmp(&(&other.0, one.2, other.1, other.3))
        });
        raised
            .chunk_by(|(one, _), (next, _)| one.0 == next.0)
            .filter_map(problem)
            .collect()
    }

    /// Nothing should be written then, and a restart writes.
    pub fn is_disk_full(&self) -> bool {
        self.excesses
            .iter()
            .any(|((_, measure, severity, _), excess)| {
                *measure == Measure::Disk
                    && *severity == Severity::Critical
                    && excess.raised.is_some()
            })
    }
}

impl Threshold {
    fn judge(
        &self,
        reading: &Reading,
        known: Option<Excess>,
        now: DateTime<Utc>,
    ) -> Option<Excess> {
        let mut excess = known.unwrap_or(Excess {
            held: TimeDelta::zero(),
            seen_at: now,
            raised: None,
        });
        let least = if excess.raised.is_some() {
            self.below
        } else {
            self.above
        };
        if reading.percent < least {
            return None;
        }
        excess.held += (now - excess.seen_at).clamp(TimeDelta::zero(), LOOK_MAX);
        excess.seen_at = now;
        if excess.raised.is_none() && excess.held >= self.lasting {
            excess.raised = Some(reading.cause(excess.held));
        }
        Some(excess)
    }
}

/// The gravest one of each measure, the gravest first.
fn problem(same: &[(&Key, &String)]) -> Option<Problem> {
    let ((about, _, severity, _), _) = same.first()?;
    let mut told = HashSet::new();
    let causes = same
        .iter()
        .filter(|((_, measure, ..), _)| told.insert(*measure));
    let causes: Vec<&str> = causes.map(|(_, cause)| cause.as_str()).collect();
    let kind = if about.agent().is_some() {
        Kind::Resources
    } else {
        Kind::Host
    };
    let notes = same
        .iter()
        .find(|((_, measure, ..), _)| *measure == Measure::Disk);
    Some(Problem {
        about: about.clone(),
        kind,
        severity: *severity,
        cause: causes.join(", "),
        evidence: Evidence {
            notes: notes.map(|_| DISK_NOTE.to_owned()).into_iter().collect(),
            ..Evidence::default()
        },
    })
}

const DISK_NOTE: &str = "`docker system df` on the host tells what takes the room. While a disk is full beyond the critical threshold, nothing is restarted by itself.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        ids::AgentId,
        spec::{Limits, Version},
        stats::{Io, Usage},
        view::{Disk, tests::view},
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn disk(percent: u64) -> Vec<Reading> {
        let host = Host {
            disks: vec![Disk {
                folder: "/data".to_owned(),
                used_bytes: percent,
                total_bytes: 100,
            }],
            memory_total_bytes: 1,
            ..Host::default()
        };
        Reading::of_host(&host)
    }

    fn told(watch: &Watch) -> Vec<String> {
        let told = |one: Problem| format!("{} {}: {}", one.severity.as_str(), one.about, one.cause);
        watch.problems().into_iter().map(told).collect()
    }

    /// Looks every 30 seconds, from `from` on for so many looks.
    fn look(watch: &mut Watch, percent: u64, from: i64, looks: i64) {
        for number in 0..looks {
            let now = at(from + number * 30);
            watch.look(&Threshold::defaults(), &disk(percent), |_, _| false, now);
        }
    }

    #[test]
    fn what_lasts_is_a_problem_and_ends_with_some_slack() {
        let mut watch = Watch::default();
        look(&mut watch, 91, 0, 10);
        assert!(told(&watch).is_empty());
        look(&mut watch, 91, 300, 1);
        assert_eq!(
            told(&watch),
            ["warning host disk (/data): is at 91 % for 5 min"]
        );
        // Its text stays as it is, and it goes on until it is well below.
        look(&mut watch, 88, 330, 4);
        assert_eq!(
            told(&watch),
            ["warning host disk (/data): is at 91 % for 5 min"]
        );
        look(&mut watch, 86, 500, 1);
        assert!(told(&watch).is_empty());
        // Then it has to last again.
        look(&mut watch, 91, 530, 2);
        assert!(told(&watch).is_empty());
    }

    #[test]
    fn a_host_is_read_by_all_that_it_tells() {
        let host = Host {
            cpus: 4,
            cpu_percent: 12.0,
            memory_used_bytes: 3,
            memory_total_bytes: 4,
            swap_used_bytes: 1,
            swap_total_bytes: 2,
            load: 6.0,
            memory_pressure: Some(7.5),
            io_pressure: Some(40.0),
            ..Host::default()
        };
        let read = |host: &Host| -> Vec<String> {
            let readings = Reading::of_host(host).into_iter();
            readings
                .map(|one| format!("{}: {} %", one.about, one.percent))
                .collect()
        };
        assert_eq!(
            read(&host),
            [
                "host CPU: 12 %",
                "host memory: 75 %",
                "host load: 150 %",
                "host swap: 50 %",
                "host memory pressure: 7.5 %",
                "host I/O pressure: 40 %"
            ]
        );
        // One without swap, whose kernel knows no pressure.
        let bare = Host {
            swap_total_bytes: 0,
            memory_pressure: None,
            io_pressure: None,
            ..host
        };
        assert_eq!(
            read(&bare),
            ["host CPU: 12 %", "host memory: 75 %", "host load: 150 %"]
        );
    }

    #[test]
    fn load_swap_and_pressure_have_thresholds_of_their_own() {
        let host = Host {
            cpus: 2,
            load: 5.0,
            memory_total_bytes: 1,
            swap_used_bytes: 9,
            swap_total_bytes: 10,
            memory_pressure: Some(60.0),
            io_pressure: Some(10.0),
            ..Host::default()
        };
        let above = |measure, above| Threshold {
            subject: Subject::Host,
            measure,
            above,
            below: above - SLACK,
            lasting: TimeDelta::zero(),
            severity: Severity::Warning,
            fleets: Vec::new(),
            agents: Vec::new(),
        };
        let thresholds = [
            above(Measure::Load, 200.0),
            above(Measure::Swap, 80.0),
            above(Measure::MemoryPressure, 50.0),
            above(Measure::IoPressure, 50.0),
        ];
        let mut watch = Watch::default();
        let readings = Reading::of_host(&host);
        for seconds in [0, 30] {
            watch.look(&thresholds, &readings, |_, _| false, at(seconds));
        }
        let told = told(&watch).join("\n");
        for part in ["host load:", "host swap:", "host memory pressure:"] {
            assert!(told.contains(part), "{part} is missing: {told}");
        }
        assert!(!told.contains("I/O"), "{told}");
    }

    #[test]
    fn the_gravest_threshold_speaks_for_a_subject() {
        let mut watch = Watch::default();
        look(&mut watch, 98, 0, 3);
        assert_eq!(
            told(&watch),
            ["critical host disk (/data): is at 98 % for 1 min"]
        );
        assert!(watch.is_disk_full());
        look(&mut watch, 98, 90, 10);
        assert_eq!(
            told(&watch),
            ["critical host disk (/data): is at 98 % for 1 min"]
        );
        look(&mut watch, 93, 400, 1);
        assert_eq!(
            told(&watch),
            ["warning host disk (/data): is at 98 % for 5 min"]
        );
        assert!(!watch.is_disk_full());
    }

    #[test]
    fn a_dip_begins_anew_and_a_jump_of_the_clock_proves_nothing() {
        let mut watch = Watch::default();
        look(&mut watch, 91, 0, 9);
        look(&mut watch, 20, 270, 1);
        look(&mut watch, 91, 300, 9);
        assert!(told(&watch).is_empty());
        let mut watch = Watch::default();
        look(&mut watch, 91, 0, 1);
        look(&mut watch, 91, 7200, 1);
        look(&mut watch, 91, 3600, 1);
        assert!(told(&watch).is_empty());
    }

    #[test]
    fn an_open_incident_goes_on_after_a_restart() {
        let mut watch = Watch::default();
        let about = About::Host("disk (/data)".to_owned());
        assert!(!watch.knows(&about));
        let open = |severity: Severity| move |_: &About, least: Severity| severity >= least;
        watch.look(
            &Threshold::defaults(),
            &disk(95),
            open(Severity::Warning),
            at(0),
        );
        assert!(watch.knows(&about));
        assert_eq!(
            told(&watch),
            ["warning host disk (/data): is at 95 % for 5 min"]
        );
        // One that is over is over.
        let mut watch = Watch::default();
        watch.look(
            &Threshold::defaults(),
            &disk(40),
            open(Severity::Critical),
            at(0),
        );
        watch.look(
            &Threshold::defaults(),
            &disk(95),
            open(Severity::Critical),
            at(15),
        );
        assert!(told(&watch).is_empty());
    }

    #[test]
    fn it_is_about_what_it_names() {
        let threshold = Threshold {
            subject: Subject::Agents,
            measure: Measure::Memory,
            above: 90.0,
            below: 87.0,
            lasting: TimeDelta::zero(),
            severity: Severity::Warning,
            fleets: vec![Pattern::parse("prod").unwrap()],
            agents: vec![Pattern::parse("scout-*").unwrap()],
        };
        let reading = |agent: &str, fleet: &str, measure| Reading {
            about: About::Agent(AgentId(1)),
            names: Some((agent.to_owned(), fleet.to_owned())),
            measure,
            percent: 99.0,
            what: String::new(),
        };
        assert!(threshold.is_about(&reading("scout-1", "prod", Measure::Memory)));
        for other in [
            reading("guide", "prod", Measure::Memory),
            reading("scout-1", "lab", Measure::Memory),
            reading("scout-1", "prod", Measure::Cpu),
            Reading {
                about: About::Host("memory".to_owned()),
                ..reading("scout-1", "prod", Measure::Memory)
            },
            Reading {
                names: None,
                ..reading("", "", Measure::Memory)
            },
        ] {
            assert!(!threshold.is_about(&other), "{other:?}");
        }
    }

    #[test]
    fn it_holds_from_its_beginning_on_and_to_its_end() {
        let mut watch = Watch::default();
        look(&mut watch, 90, 0, 11);
        let lasts = ["warning host disk (/data): is at 90 % for 5 min"];
        assert_eq!(told(&watch), lasts);
        look(&mut watch, 87, 330, 1);
        assert_eq!(told(&watch), lasts);
    }

    #[test]
    fn of_an_agent_that_is_not_sampled_nothing_is_known() {
        let mut watch = Watch::default();
        look(&mut watch, 1, 0, 1);
        assert!(!watch.knows(&About::Agent(AgentId(1))));
        assert!(watch.knows(&About::Host("memory".to_owned())));
    }

    #[test]
    fn people_are_told_what_helps_against_a_full_disk_and_no_other_trouble() {
        let mut watch = Watch::default();
        let memory = Host {
            memory_used_bytes: 99,
            memory_total_bytes: 100,
            ..Host::default()
        };
        let mut readings = [disk(91), Reading::of_host(&memory)].concat();
        readings.retain(|one| one.percent > 90.0);
        for number in 0..11 {
            let at = at(number * 30);
            watch.look(&Threshold::defaults(), &readings, |_, _| false, at);
        }
        let notes = watch.problems().into_iter().map(|one| {
            let notes = one.evidence.notes.join(" ");
            (one.about.to_string(), notes)
        });
        let notes: Vec<_> = notes.collect();
        let disk = ("host disk (/data)".to_owned(), DISK_NOTE.to_owned());
        assert_eq!(notes, [disk, ("host memory".to_owned(), String::new())]);
    }

    /// The same measure and severity, as for all and for some of them.
    fn two(above: [f64; 2]) -> Vec<Threshold> {
        let one = |above| Threshold {
            subject: Subject::Host,
            measure: Measure::Disk,
            above,
            below: above - SLACK,
            lasting: TimeDelta::minutes(5),
            severity: Severity::Warning,
            fleets: Vec::new(),
            agents: Vec::new(),
        };
        above.map(one).to_vec()
    }

    #[test]
    fn of_two_thresholds_alike_each_counts_for_itself() {
        let mut watch = Watch::default();
        let thresholds = two([95.0, 80.0]);
        for number in 0..30 {
            watch.look(&thresholds, &disk(99), |_, _| false, at(number * 30));
        }
        let lasts = ["warning host disk (/data): is at 99 % for 5 min"];
        assert_eq!(told(&watch), lasts);
        // Not above the first any more, and still above the second.
        watch.look(&thresholds, &disk(85), |_, _| false, at(900));
        assert_eq!(told(&watch), lasts);
        watch.look(&thresholds, &disk(70), |_, _| false, at(930));
        assert!(told(&watch).is_empty());
    }

    #[test]
    fn what_is_open_goes_on_when_thresholds_change_their_places() {
        let mut watch = Watch::default();
        for number in 0..11 {
            let at = at(number * 30);
            watch.look(&two([95.0, 80.0]), &disk(85), |_, _| false, at);
        }
        let lasts = ["warning host disk (/data): is at 85 % for 5 min"];
        assert_eq!(told(&watch), lasts);
        for number in 11..14 {
            let at = at(number * 30);
            watch.look(&two([80.0, 95.0]), &disk(85), |_, _| true, at);
            assert_eq!(told(&watch), lasts);
        }
        // One that it is below of ends it.
        watch.look(&two([90.0, 95.0]), &disk(85), |_, _| true, at(420));
        assert!(told(&watch).is_empty());
    }

    #[test]
    fn a_measure_is_of_agents_or_of_the_host() {
        let of = |subject: Subject| {
            let all = Measure::ALL.iter().filter(|measure| measure.is_of(subject));
            all.map(|measure| measure.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        insta::assert_snapshot!(of(Subject::Agents), @"cpu, memory, pids");
        insta::assert_snapshot!(of(Subject::Host), @"cpu, memory, disk, swap, load, memory-pressure, io-pressure");
    }

    fn readings(limits: &str) -> Vec<String> {
        let mut view = view(&format!(r#", "limits": {limits}"#));
        view.usage = Some(Usage {
            cpus: 0.5,
            memory_bytes: 64 << 20,
            pids: 8,
            io: Io::default(),
        });
        let told = |one: &Reading| {
            format!(
                "{} {:.0} % of {}",
                one.measure.as_str(),
                one.percent,
                one.what
            )
        };
        Reading::of_agent(&view).iter().map(told).collect()
    }

    #[test]
    fn an_agent_is_measured_by_its_own_limits() {
        insta::assert_snapshot!(readings(r#"{ "memory_mb": 256, "cpus": 1, "pids": 32 }"#).join("\n"), @"
        cpu 50 % of its 1 CPU
        memory 25 % of its 256 MiB of memory
        pids 25 % of its 32 processes
        ");
        insta::assert_snapshot!(readings(r#"{ "memory_mb": 64, "cpus": 2, "pids": 16 }"#).join("\n"), @"
        cpu 25 % of its 2 CPUs
        memory 100 % of its 64 MiB of memory
        pids 50 % of its 16 processes
        ");
        assert_eq!(Reading::of_agent(&view("")).len(), 0);
    }

    #[test]
    fn without_a_limit_there_is_nothing_to_measure_by() {
        let mut view = view("");
        view.usage = Some(Usage {
            cpus: 0.5,
            memory_bytes: 1,
            pids: 8,
            io: Io::default(),
        });
        let mut version = Version::clone(view.version.as_deref().unwrap());
        version.spec.limits = Limits {
            memory_mb: 0,
            cpus: 0.0,
            pids: 0,
        };
        view.version = Some(version.into());
        assert_eq!(Reading::of_agent(&view).len(), 0);
    }
}
