//! What is known of the fleet at one instant: values that cards are rendered from.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{
    action::Kind,
    agent::{Agent, Name, Observation, State},
    freeze::Freeze,
    ids::{ActionId, RoleId, UserId},
    incident::Incident,
    probe::Probed,
    recovery::{Cause, Course, Recovery, Symptoms},
    spec::{ExitMeaning, LogMeaning, Version},
    squelch::{Alert, Mute},
    stats::Usage,
};

/// Everything known of one agent.
#[derive(Clone, Debug)]
pub struct View {
    pub agent: Agent,
    pub fleet: Name,
    /// What its container was made from.
    pub version: Option<Arc<Version>>,
    pub observed: Option<Observation>,
    pub usage: Option<Usage>,
    /// One for each probe of its spec, in that order.
    pub probed: Vec<Probed>,
    /// What the last line of this run means that its template knows.
    pub log_says: Option<LogMeaning>,
    /// Restarts by itself are used up.
    pub broken: bool,
    pub busy: Option<Busy>,
    pub state: State,
    /// When `state` last changed, as far as we saw.
    pub since: DateTime<Utc>,
}

impl View {
    /// Why it is not as it should be, by the last lines of its log too.
    pub fn cause(&self, lines: &[String]) -> Cause {
        let spec = self.version.as_ref().map(|version| &version.spec);
        let failing = self.failing();
        Cause::find(
            &Symptoms {
                observed: self.observed.as_ref(),
                patterns: spec.map_or(&[][..], |spec| &spec.log_patterns),
                exit: self.exit_means(),
                log_says: self.log_says,
                failing: failing.as_deref(),
            },
            lines,
        )
    }

    /// What its template says that its exit code means.
    pub fn exit_means(&self) -> Option<&ExitMeaning> {
        let seen = self.observed.as_ref().filter(|seen| !seen.phase.is_up())?;
        let code = u8::try_from(seen.exit_code?).ok()?;
        self.version.as_ref()?.spec.exit_codes.get(&code)
    }

    /// How it may be restarted by itself.
    pub fn recovery(&self) -> Recovery {
        let own = self.version.as_ref().and_then(|one| one.spec.recovery);
        let own = own.unwrap_or_default();
        Recovery {
            // What was somebody else's is not touched unless asked.
            restart: own.restart && !self.agent.adopted,
            ..own
        }
    }

    /// The first probe that fails, and why.
    fn failing(&self) -> Option<String> {
        let probes = &self.version.as_ref()?.spec.probes;
        probes.iter().zip(&self.probed).find_map(|(probe, probed)| {
            let trouble = probed.failure()?;
            Some(format!("{}: {trouble}", probe.question))
        })
    }
}

/// What the message about a group of incidents shows.
#[derive(Clone, Debug)]
pub struct AlertView {
    pub alert: Alert,
    /// Oldest first.
    pub incidents: Vec<Incident>,
    /// What is tried by itself, if it is about one agent that is still in trouble.
    pub attempts: Option<Attempts>,
    /// Why nobody is told of what is still wrong.
    pub mute: Option<Mute>,
    /// Whom its route notifies.
    pub users: Vec<UserId>,
    pub roles: Vec<RoleId>,
}

/// Restarts by ourselves, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempts {
    pub done: u32,
    pub most: u32,
    pub course: Course,
}

/// The action at work on an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    pub action: ActionId,
    pub kind: Kind,
    pub actor: Option<UserId>,
    pub since: DateTime<Utc>,
}

/// Whether the engine answers, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineState {
    Unasked,
    Answers {
        since: DateTime<Utc>,
        version: String,
    },
    Silent {
        since: DateTime<Utc>,
        why: String,
    },
}

/// The machine Yardarm runs on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Host {
    pub cpus: u32,
    /// Of all its CPUs together.
    pub cpu_percent: f32,
    pub memory_used_bytes: u64,
    pub memory_total_bytes: u64,
    pub swap_used_bytes: u64,
    /// 0 on a host without swap.
    pub swap_total_bytes: u64,
    /// Processes that ran or waited to, on average over a minute.
    pub load: f64,
    /// Those that Yardarm and the engine write to, each once.
    pub disks: Vec<Disk>,
    /// None if the kernel does not tell: it began to with 4.20, and some leave it out.
    pub memory_pressure: Option<f64>,
    pub io_pressure: Option<f64>,
}

/// Our own process, as the host tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// Since its start, of all CPUs together.
    pub cpu_seconds: f64,
    pub resident_bytes: u64,
    /// None if it may not be known.
    pub open_files: Option<u64>,
    /// Seconds since 1970.
    pub started_at: u64,
}

/// A file system, as `df` counts it.
#[derive(Clone, Debug, PartialEq)]
pub struct Disk {
    /// A folder on it that we write to.
    pub folder: String,
    pub used_bytes: u64,
    /// What we may use altogether: some of it may be kept for root.
    pub total_bytes: u64,
}

impl Disk {
    pub fn percent(&self) -> f64 {
        percent(self.used_bytes, self.total_bytes)
    }
}

impl Host {
    pub fn fullest_disk(&self) -> Option<&Disk> {
        let by_percent = |one: &&Disk, other: &&Disk| one.percent().total_cmp(&other.percent());
        self.disks.iter().max_by(by_percent)
    }
}

/// 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "a share needs no 53 bits")]
pub fn percent(used: u64, total: u64) -> f64 {
    if total == 0 {
        return 0.0;
    }
    used as f64 / total as f64 * 100.0
}

/// What the outbox has not got rid of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: i64,
    pub dead: i64,
}

/// One page of the fleet, with what is true of all of it.
#[derive(Clone, Debug)]
pub struct Glance {
    /// None for all fleets.
    pub fleet: Option<Name>,
    pub counts: BTreeMap<State, usize>,
    pub total: usize,
    /// From 0.
    pub page: usize,
    pub pages: usize,
    /// By fleet, then by name.
    pub views: Vec<View>,
    pub engine: EngineState,
    pub host: Host,
    /// What is frozen now.
    pub freezes: Vec<Freeze>,
    pub backlog: Backlog,
    /// Requests of people who may not, since the start.
    pub refused: u64,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::{
        action::Arguments,
        agent::{self, Desired, Phase},
        ids::{AgentId, FleetId, ImageId},
        probe::{Answer, Asked, Pace},
        spec::tests::spec,
    };

    fn version(more: &str) -> Arc<Version> {
        Arc::new(Version {
            number: 1,
            spec: spec(more),
            image: ImageId("sha256:0".to_owned()),
            arguments: Arguments::new(),
            created_at: DateTime::UNIX_EPOCH,
        })
    }

    pub(crate) fn seen(phase: Phase, exit_code: Option<i64>) -> Observation {
        Observation {
            exit_code,
            ..agent::tests::seen(phase, None)
        }
    }

    /// An agent of a template with `more` in it, of which nothing was seen.
    pub(crate) fn view(more: &str) -> View {
        View {
            agent: Agent {
                id: AgentId(1),
                name: Name::parse("scout").unwrap(),
                fleet: FleetId(1),
                desired: Desired::Running,
                container: None,
                version: 1,
                adopted: false,
                created_at: DateTime::UNIX_EPOCH,
            },
            fleet: Name::parse("main").unwrap(),
            version: Some(version(more)),
            observed: None,
            usage: None,
            probed: Vec::new(),
            log_says: None,
            broken: false,
            busy: None,
            state: State::Down,
            since: DateTime::UNIX_EPOCH,
        }
    }

    fn seen_so(more: &str, observed: Observation) -> View {
        View {
            observed: Some(observed),
            ..view(more)
        }
    }

    #[test]
    fn an_exit_code_means_what_the_template_says_once_it_has_ended() {
        let codes = r#", "exit_codes": { "78": { "means": "blocked", "note": "no licence" } }"#;
        let note = |phase, code| {
            let view = seen_so(codes, seen(phase, Some(code)));
            view.exit_means().map(|exit| exit.note.clone())
        };
        assert_eq!(note(Phase::Exited, 78).unwrap(), "no licence");
        assert_eq!(note(Phase::Exited, 1), None);
        assert_eq!(note(Phase::Exited, 78 + 256), None);
        assert_eq!(note(Phase::Running, 78), None);
        let ended = seen_so(codes, seen(Phase::Exited, Some(78)));
        insta::assert_snapshot!(ended.cause(&[]), @"is blocked: no licence");
    }

    #[test]
    fn the_first_probe_that_fails_is_the_cause() {
        let probes =
            r#", "probes": [{ "kind": "tcp", "port": 80 }, { "kind": "tcp", "port": 81 }]"#;
        let mut view = seen_so(probes, seen(Phase::Running, None));
        let pace = Pace {
            failures: 1,
            ..Pace::default()
        };
        view.probed = [Answer::Well, Answer::Unreachable("refused".to_owned())]
            .map(|answer| {
                let mut probed = Probed::new(DateTime::UNIX_EPOCH);
                let asked = Asked {
                    at: DateTime::UNIX_EPOCH,
                    took: std::time::Duration::ZERO,
                    answer,
                };
                probed.note(asked, &pace, None);
                probed
            })
            .to_vec();
        insta::assert_snapshot!(view.cause(&[]), @"is unhealthy: tcp :81: refused");
    }

    #[test]
    fn what_was_somebody_elses_is_not_restarted_unless_asked() {
        let mut view = view("");
        assert!(view.recovery().restart);
        view.agent.adopted = true;
        assert!(!view.recovery().restart);
    }

    #[test]
    fn of_several_disks_the_fullest_counts() {
        let disk = |folder: &str, used_bytes, total_bytes| Disk {
            folder: folder.to_owned(),
            used_bytes,
            total_bytes,
        };
        let host = Host {
            disks: vec![
                disk("/", 50, 100),
                disk("/data", 3, 4),
                disk("/big", 500, 1000),
                disk("/none", 1, 0),
            ],
            ..Host::default()
        };
        let fullest = host.fullest_disk().unwrap();
        assert_eq!(fullest.folder, "/data");
        assert!((fullest.percent() - 75.0).abs() < 0.001);
        assert!(percent(1, 0).abs() < 0.001);
    }
}
