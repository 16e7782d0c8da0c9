//! Between Docker's words and ours; pure.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use bollard::{
    errors::Error as BollardError,
    models::{
        ContainerInspectResponse, ContainerState, ContainerStateStatusEnum, ContainerStatsResponse,
        ContainerSummary, ContainerSummaryStateEnum, EndpointSettings, EventMessage,
        HealthStatusEnum, ImageInspect, NetworkSettings, PortBinding, SystemInfo, SystemVersion,
    },
};
use chrono::{DateTime, Utc};

use crate::{
    domain::{
        agent::{Health, Observation, Phase},
        ids::{ActionId, AgentId, ContainerId, ImageId, InstanceId},
        redact::by_shape,
        spec::SpecDigest,
        stats::{Io, Sample},
    },
    engine::{About, EngineError, EngineEvent, EngineEventKind, Image, Labels, Listed},
};

pub(super) const INSTANCE: &str = "yardarm.instance";
pub(super) const AGENT: &str = "yardarm.agent";
const SPEC: &str = "yardarm.spec";
const ACTION: &str = "yardarm.action";
/// The reference of the image: a container is bound to the image's id, so Docker would list that.
pub(super) const IMAGE: &str = "yardarm.image";

impl From<BollardError> for EngineError {
    fn from(error: BollardError) -> Self {
        match error {
            BollardError::DockerResponseServerError {
                status_code,
                message,
            } => from_status(status_code, by_shape(&message)),
            BollardError::SocketNotFoundError(path) => {
                Self::Unreachable(format!("there is no socket `{path}`"))
            }
            BollardError::CertPathError { path } | BollardError::CertParseError { path } => {
                Self::Unreachable(format!("`{}` holds no certificate", path.display()))
            }
            BollardError::HyperLegacyError { err } if err.is_connect() => {
                Self::Unreachable(innermost(&err))
            }
            BollardError::DockerStreamError { error } => Self::Refused(by_shape(&error)),
            other => Self::Lost(innermost(&other)),
        }
    }
}

fn from_status(status: u16, message: String) -> EngineError {
    match status {
        404 => EngineError::NotFound(message),
        409 => EngineError::Conflict(message),
        // Docker has no gateway: a proxy in between does not find it.
        502 | 503 => EngineError::Unreachable(message),
        504 => EngineError::Lost(message),
        _ => EngineError::Refused(message),
    }
}

/// The last cause; the layers above only say that something below failed.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// Like [`EngineError::from`], for a pull: Docker tells what is missing by its words alone once the stream has begun.
pub(super) fn pull_error(error: BollardError) -> EngineError {
    match EngineError::from(error) {
        EngineError::Refused(words) if is_about_missing(&words) => EngineError::NotFound(words),
        other => other,
    }
}

fn is_about_missing(words: &str) -> bool {
    ["manifest unknown", "not found", "does not exist"]
        .iter()
        .any(|sign| words.contains(sign))
}

/// An id or a name that may stand in a request's path. bollard puts it there as it is, and `..` or `?` in what a person
/// typed would make it another request.
pub(super) fn plain(id: &str) -> Result<&str, EngineError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let is_plain = id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.chars().all(allowed);
    is_plain
        .then_some(id)
        .ok_or_else(|| EngineError::NotFound(format!("`{id}` is no name of Docker's")))
}

/// As [`plain`], for image references and ids.
pub(super) fn plain_image(reference: &str) -> Result<&str, EngineError> {
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ':' | '@');
    let is_plain = reference.starts_with(|c: char| c.is_ascii_alphanumeric())
        && reference.chars().all(allowed)
        && !reference.contains("..")
        && !reference.contains("//");
    is_plain
        .then_some(reference)
        .ok_or_else(|| EngineError::NotFound(format!("`{reference}` is no image reference")))
}

/// With a tag. Docker's API takes a bare name for all of its tags and pulls every one.
pub(super) fn with_tag(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains([':', '@']) {
        reference.to_owned()
    } else {
        format!("{reference}:latest")
    }
}

pub(super) fn about(version: SystemVersion, info: &SystemInfo) -> About {
    About {
        version: version.version.unwrap_or_default(),
        api_version: version.api_version.unwrap_or_default(),
        cpus: info
            .ncpu
            .and_then(|cpus| cpus.try_into().ok())
            .unwrap_or_default(),
        memory_bytes: unsigned(info.mem_total),
        root: info.docker_root_dir.clone().unwrap_or_default(),
        now: time(info.system_time.as_deref()),
    }
}

/// Docker counts bytes and more in signed numbers, which are never meant to be negative.
pub(super) fn unsigned(value: Option<i64>) -> u64 {
    value
        .and_then(|value| value.try_into().ok())
        .unwrap_or_default()
}

/// None without an id, which has not been seen yet: one bad entry must not empty the list.
pub(super) fn listed(summary: ContainerSummary) -> Option<Listed> {
    let container = ContainerId(summary.id?);
    let labels = summary.labels.unwrap_or_default();
    // Linked containers are listed under `/other/alias` as well.
    let name = summary
        .names
        .unwrap_or_default()
        .into_iter()
        .find_map(|name| {
            let bare = name.strip_prefix('/').unwrap_or(&name);
            (!bare.contains('/')).then(|| bare.to_owned())
        });
    Some(Listed {
        name: name.unwrap_or_else(|| container.short().to_owned()),
        image: labels
            .get(IMAGE)
            .cloned()
            .or(summary.image)
            .unwrap_or_default(),
        phase: summary.state.map_or(Phase::Dead, listed_phase),
        labels: read_labels(&labels),
        container,
    })
}

const fn listed_phase(state: ContainerSummaryStateEnum) -> Phase {
    match state {
        ContainerSummaryStateEnum::CREATED => Phase::Created,
        ContainerSummaryStateEnum::RUNNING | ContainerSummaryStateEnum::STOPPING => Phase::Running,
        ContainerSummaryStateEnum::PAUSED => Phase::Paused,
        ContainerSummaryStateEnum::RESTARTING => Phase::Restarting,
        ContainerSummaryStateEnum::EXITED => Phase::Exited,
        ContainerSummaryStateEnum::REMOVING
        | ContainerSummaryStateEnum::DEAD
        | ContainerSummaryStateEnum::EMPTY => Phase::Dead,
    }
}

const fn phase(status: ContainerStateStatusEnum) -> Phase {
    match status {
        ContainerStateStatusEnum::CREATED => Phase::Created,
        ContainerStateStatusEnum::RUNNING | ContainerStateStatusEnum::STOPPING => Phase::Running,
        ContainerStateStatusEnum::PAUSED => Phase::Paused,
        ContainerStateStatusEnum::RESTARTING => Phase::Restarting,
        ContainerStateStatusEnum::EXITED => Phase::Exited,
        ContainerStateStatusEnum::REMOVING
        | ContainerStateStatusEnum::DEAD
        | ContainerStateStatusEnum::EMPTY => Phase::Dead,
    }
}

pub(super) fn write_labels(labels: &Labels, image: &str) -> HashMap<String, String> {
    let Labels {
        instance,
        agent,
        spec,
        action,
    } = labels;
    HashMap::from([
        (INSTANCE.to_owned(), instance.to_string()),
        (AGENT.to_owned(), agent.to_string()),
        (SPEC.to_owned(), spec.0.clone()),
        (ACTION.to_owned(), action.to_string()),
        (IMAGE.to_owned(), image.to_owned()),
    ])
}

fn read_labels(labels: &HashMap<String, String>) -> Option<Labels> {
    Some(Labels {
        instance: InstanceId(labels.get(INSTANCE)?.clone()),
        agent: AgentId(labels.get(AGENT)?.parse().ok()?),
        spec: SpecDigest(labels.get(SPEC)?.clone()),
        action: ActionId(labels.get(ACTION)?.parse().ok()?),
    })
}

/// Made by us, or by another instance of us.
pub(super) fn is_ours(inspected: &ContainerInspectResponse) -> bool {
    inspected
        .config
        .as_ref()
        .and_then(|config| config.labels.as_ref())
        .is_some_and(|labels| labels.contains_key(INSTANCE))
}

pub(super) fn observation(inspected: ContainerInspectResponse) -> Option<Observation> {
    let state = inspected.state.unwrap_or_default();
    let phase = state.status.map_or(Phase::Dead, phase);
    let finished_at = time(state.finished_at.as_deref());
    Some(Observation {
        container: ContainerId(inspected.id?),
        name: inspected
            .name
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned(),
        phase,
        image: ImageId(inspected.image.unwrap_or_default()),
        started_at: time(state.started_at.as_deref()),
        finished_at,
        // While it runs Docker shows 0, which is no exit code.
        exit_code: state
            .exit_code
            .filter(|_| !phase.is_up() && finished_at.is_some()),
        oom_killed: state.oom_killed.unwrap_or_default(),
        health: health(&state),
        health_said: health_said(&state),
        error: state.error.filter(|error| !error.is_empty()),
        restarts: u32::try_from(unsigned(inspected.restart_count)).unwrap_or(u32::MAX),
        addresses: inspected
            .network_settings
            .as_ref()
            .map(addresses)
            .unwrap_or_default(),
        ports: inspected
            .network_settings
            .and_then(|settings| settings.ports)
            .map(|ports| published(&ports))
            .unwrap_or_default(),
    })
}

/// Docker writes the year 1 for never.
pub(super) fn time(text: Option<&str>) -> Option<DateTime<Utc>> {
    let at: DateTime<Utc> = text?.parse().ok()?;
    (at.timestamp() > 0).then_some(at)
}

fn health(state: &ContainerState) -> Option<Health> {
    match state.health.as_ref()?.status? {
        HealthStatusEnum::STARTING => Some(Health::Starting),
        HealthStatusEnum::HEALTHY => Some(Health::Healthy),
        HealthStatusEnum::UNHEALTHY => Some(Health::Unhealthy),
        HealthStatusEnum::NONE | HealthStatusEnum::EMPTY => None,
    }
}

/// A health check may write much, and the last one counts.
const HEALTH_SAID_MAX: usize = 200;

fn health_said(state: &ContainerState) -> Option<String> {
    let health = state.health.as_ref()?;
    if health.status != Some(HealthStatusEnum::UNHEALTHY) {
        return None;
    }
    let said = health.log.as_ref()?.last()?.output.as_deref()?.trim();
    (!said.is_empty()).then(|| said.chars().take(HEALTH_SAID_MAX).collect())
}

/// By the networks' names. Docker leaves the text empty where there is no address.
fn addresses(settings: &NetworkSettings) -> Vec<IpAddr> {
    let networks: BTreeMap<_, _> = settings.networks.iter().flatten().collect();
    let of = |network: &EndpointSettings| network.ip_address.as_deref()?.parse().ok();
    networks.into_values().filter_map(of).collect()
}

fn published(ports: &HashMap<String, Option<Vec<PortBinding>>>) -> Vec<String> {
    let mut lines = BTreeSet::new();
    for (container, bindings) in ports {
        let container = container.strip_suffix("/tcp").unwrap_or(container);
        for binding in bindings.iter().flatten() {
            let address = binding.host_ip.as_deref().unwrap_or("0.0.0.0");
            let port = binding.host_port.as_deref().unwrap_or("?");
            lines.insert(format!("{address}:{port} → {container}"));
        }
    }
    lines.into_iter().collect()
}

pub(super) fn image(inspected: ImageInspect) -> Option<Image> {
    Some(Image {
        id: ImageId(inspected.id?),
        digest: inspected
            .repo_digests
            .unwrap_or_default()
            .into_iter()
            .next(),
        user: inspected
            .config
            .and_then(|config| config.user)
            .unwrap_or_default(),
    })
}

/// None for what we did not ask for.
pub(super) fn event(message: EventMessage) -> Option<EngineEvent> {
    let action = message.action?;
    // `health_status: healthy` is one word to Docker.
    let kind = match action.split(':').next().unwrap_or(&action) {
        "start" => EngineEventKind::Started,
        "die" => EngineEventKind::Died,
        "oom" => EngineEventKind::OutOfMemory,
        "pause" => EngineEventKind::Paused,
        "unpause" => EngineEventKind::Unpaused,
        "rename" => EngineEventKind::Renamed,
        "destroy" => EngineEventKind::Destroyed,
        "health_status" => EngineEventKind::HealthChanged,
        _ => return None,
    };
    Some(EngineEvent {
        container: ContainerId(message.actor?.id?),
        kind,
    })
}

/// Container events that change what `observe` says; `exec_*`, three for every health check, are not among them.
pub(super) fn event_filters() -> HashMap<String, Vec<String>> {
    let events = [
        "start",
        "die",
        "oom",
        "pause",
        "unpause",
        "rename",
        "destroy",
        "health_status",
    ];
    HashMap::from([
        ("type".to_owned(), vec!["container".to_owned()]),
        ("event".to_owned(), events.map(str::to_owned).to_vec()),
    ])
}

/// None if the container does not run: Docker answers with zeros of the year 1.
pub(super) fn sample(stats: &ContainerStatsResponse) -> Option<Sample> {
    let at = time(stats.read.as_deref())?;
    let cpu = stats.cpu_stats.as_ref()?.cpu_usage.as_ref()?;
    let memory = stats.memory_stats.as_ref()?;
    let page_cache = memory.stats.as_ref().and_then(|stats| {
        // cgroup v1 counts children under `total_`, v2 always.
        stats
            .get("total_inactive_file")
            .or_else(|| stats.get("inactive_file"))
    });
    Some(Sample {
        at,
        cpu_ns: cpu.total_usage?,
        memory_bytes: memory
            .usage?
            .saturating_sub(page_cache.copied().unwrap_or_default()),
        pids: stats
            .pids_stats
            .as_ref()
            .and_then(|pids| pids.current)
            .unwrap_or_default(),
        io: io(stats),
    })
}

/// All its networks and devices together. Without a network, and on hosts that count no block I/O, there is nothing to add up.
fn io(stats: &ContainerStatsResponse) -> Io {
    let networks = stats.networks.iter().flat_map(HashMap::values);
    let (received, sent) = networks.fold((0, 0), |(received, sent), network| {
        (
            received + network.rx_bytes.unwrap_or_default(),
            sent + network.tx_bytes.unwrap_or_default(),
        )
    });
    let blocks = stats.blkio_stats.as_ref();
    let entries = blocks.and_then(|blocks| blocks.io_service_bytes_recursive.as_deref());
    // cgroup v1 says `Read`, v2 `read`; both count more than these two.
    let bytes_of = |op: &str| {
        let all = entries.unwrap_or_default().iter();
        let of_op = all.filter(|entry| {
            let said = entry.op.as_deref();
            said.is_some_and(|said| said.eq_ignore_ascii_case(op))
        });
        of_op.filter_map(|entry| entry.value).sum()
    };
    Io {
        received,
        sent,
        read: bytes_of("read"),
        written: bytes_of("write"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use bollard::models::{
        ContainerBlkioStatEntry, ContainerBlkioStats, ContainerCpuStats, ContainerCpuUsage,
        ContainerMemoryStats, ContainerNetworkStats, ContainerPidsStats, EventActor,
    };

    use super::*;

    #[test]
    fn what_people_type_stays_inside_the_path() {
        for name in ["scout", "a.b_c-1", "4f"] {
            assert_eq!(plain(name), Ok(name));
        }
        for name in ["", ".", "..", "-a", "a/b", "a?b", "a#b", "a%2e", "a b", "ä"] {
            assert!(plain(name).is_err(), "{name}");
        }
        for reference in [
            "demo",
            "ghcr.io/team/demo:1.2",
            "127.0.0.1:5000/demo@sha256:0a",
        ] {
            assert_eq!(plain_image(reference), Ok(reference));
        }
        for reference in ["", "/demo", "a/../b", "a//b", "a?b", "a b", "a%2fb"] {
            assert!(plain_image(reference).is_err(), "{reference}");
        }
    }

    #[test]
    fn a_bare_name_gets_a_tag() {
        assert_eq!(with_tag("demo"), "demo:latest");
        assert_eq!(
            with_tag("127.0.0.1:5000/demo"),
            "127.0.0.1:5000/demo:latest"
        );
        assert_eq!(with_tag("demo:1"), "demo:1");
        assert_eq!(with_tag("demo@sha256:0a"), "demo@sha256:0a");
    }

    #[test]
    fn one_bad_entry_does_not_empty_the_list() {
        assert_eq!(listed(ContainerSummary::default()), None);
        let linked = ContainerSummary {
            id: Some("0123456789abcdef".to_owned()),
            names: Some(vec!["/web/db".to_owned(), "/db".to_owned()]),
            labels: Some(HashMap::from([(AGENT.to_owned(), "no number".to_owned())])),
            ..Default::default()
        };
        let linked = listed(linked).unwrap();
        assert_eq!(linked.name, "db");
        assert_eq!(linked.labels, None);
        assert_eq!(linked.phase, Phase::Dead);
    }

    #[test]
    fn health_events_carry_their_result_in_the_name() {
        let message = |action: &str| EventMessage {
            action: Some(action.to_owned()),
            actor: Some(EventActor {
                id: Some("c1".to_owned()),
                attributes: None,
            }),
            ..Default::default()
        };
        let kind = |action: &str| event(message(action)).map(|event| event.kind);
        assert_eq!(
            kind("health_status: unhealthy"),
            Some(EngineEventKind::HealthChanged)
        );
        assert_eq!(kind("exec_start: true"), None);
    }

    #[test]
    fn bytes_of_all_networks_and_devices_are_added_up() {
        let entry = |op: &str, value| ContainerBlkioStatEntry {
            op: Some(op.to_owned()),
            value: Some(value),
            ..Default::default()
        };
        let network = |received, sent| ContainerNetworkStats {
            rx_bytes: Some(received),
            tx_bytes: Some(sent),
            ..Default::default()
        };
        let stats = |entries| ContainerStatsResponse {
            networks: Some(HashMap::from([
                ("eth0".to_owned(), network(1, 10)),
                ("eth1".to_owned(), network(2, 20)),
            ])),
            blkio_stats: Some(ContainerBlkioStats {
                io_service_bytes_recursive: entries,
                ..Default::default()
            }),
            ..Default::default()
        };
        let v1 = ["Read", "Write", "Sync", "Total", "Read"].map(|op| entry(op, 5));
        let v2 = ["read", "write"].map(|op| entry(op, 7));
        let expected = |read, written| Io {
            received: 3,
            sent: 30,
            read,
            written,
        };
        assert_eq!(io(&stats(Some(v1.to_vec()))), expected(10, 5));
        assert_eq!(io(&stats(Some(v2.to_vec()))), expected(7, 7));
        // Docker answers null where the kernel counts nothing.
        assert_eq!(io(&stats(None)), expected(0, 0));
        assert_eq!(io(&ContainerStatsResponse::default()), Io::default());
    }

    #[test]
    fn memory_is_counted_without_the_page_cache() {
        let stats = |counters: &[(&str, u64)]| ContainerStatsResponse {
            read: Some("2026-11-21T10:00:00.25Z".to_owned()),
            cpu_stats: Some(ContainerCpuStats {
                cpu_usage: Some(ContainerCpuUsage {
                    total_usage: Some(7),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            memory_stats: Some(ContainerMemoryStats {
                usage: Some(100),
                stats: Some(
                    counters
                        .iter()
                        .map(|(name, bytes)| ((*name).to_owned(), *bytes))
                        .collect(),
                ),
                ..Default::default()
            }),
            pids_stats: Some(ContainerPidsStats {
                current: Some(3),
                limit: None,
            }),
            ..Default::default()
        };
        let memory =
            |counters: &[(&str, u64)]| sample(&stats(counters)).map(|sample| sample.memory_bytes);
        assert_eq!(
            memory(&[("inactive_file", 5), ("total_inactive_file", 30)]),
            Some(70)
        );
        assert_eq!(memory(&[("inactive_file", 20)]), Some(80));
        assert_eq!(memory(&[]), Some(100));
        let mut stopped = stats(&[]);
        stopped.read = Some("0001-01-01T00:00:00Z".to_owned());
        assert_eq!(sample(&stopped), None);
    }
}
