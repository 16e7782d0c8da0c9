//! What a container nobody gave us was made from; pure.

use std::collections::BTreeMap;

use bollard::models::{
    ContainerConfig, ContainerInspectResponse, HealthConfig, HostConfig, ImageConfig, MountPoint,
    PortBinding, RestartPolicyNameEnum,
};

use super::convert::{IMAGE, INSTANCE, unsigned};
use crate::{
    domain::spec::{HealthCheck, Limits, Mount, Network, Port, Privileges, Protocol, Spec, Tmpfs},
    engine::Described,
};

const MIB: u64 = 1024 * 1024;
/// Docker's own: seconds between SIGTERM and SIGKILL, and seconds and failures of a health check.
const STOP_GRACE_S: u32 = 10;
const HEALTH_S: u32 = 30;
const HEALTH_RETRIES: u32 = 3;
const SHM_BYTES: i64 = 64 * 1024 * 1024;

/// `image` is what the container's image says by itself; empty if the image is gone.
pub(super) fn described(inspected: ContainerInspectResponse, image: &ImageConfig) -> Described {
    let id = inspected.id.unwrap_or_default();
    let config = inspected.config.unwrap_or_default();
    let host = inspected.host_config.unwrap_or_default();
    let mounts = inspected.mounts.unwrap_or_default();
    let networks = inspected
        .network_settings
        .and_then(|settings| settings.networks)
        .map_or(0, |networks| networks.len());
    let mut unsaid = unsaid_config(&id, &config, image);
    unsaid.extend(unsaid_host(&host));
    if networks > 1 {
        unsaid.push(format!("{networks} networks"));
    }
    unsaid.extend(mounts.iter().filter_map(unsaid_mount));
    Described {
        spec: spec(config, &host, &mounts, image),
        unsaid,
    }
}

fn spec(
    config: ContainerConfig,
    host: &HostConfig,
    mounts: &[MountPoint],
    image: &ImageConfig,
) -> Spec {
    let reference = config
        .labels
        .as_ref()
        .and_then(|labels| labels.get(IMAGE).cloned());
    Spec {
        template: None,
        image: reference.or(config.image.clone()).unwrap_or_default(),
        build: None,
        command: command(&config, image),
        env: environment(&config, image),
        secrets: Vec::new(),
        secret_files: Vec::new(),
        limits: limits(host),
        mounts: mounts.iter().filter_map(mount).collect(),
        tmpfs: tmpfs(host),
        ports: ports(host),
        network: network(host),
        internet: true,
        user: config
            .user
            .filter(|user| !user.is_empty() && image.user.as_ref() != Some(user)),
        read_only_root: host.readonly_rootfs.unwrap_or_default(),
        health: config.healthcheck.as_ref().and_then(health),
        stop_grace_s: config
            .stop_timeout
            .and_then(|seconds| seconds.try_into().ok())
            .unwrap_or(STOP_GRACE_S),
        log_patterns: Vec::new(),
        exit_codes: BTreeMap::new(),
        probes: Vec::new(),
        recovery: None,
        idle: None,
        depends_on: Vec::new(),
        privileges: privileges(host),
    }
}

/// Only what differs from the image: the rest comes with it.
fn command(config: &ContainerConfig, image: &ImageConfig) -> Vec<String> {
    let arguments = config.cmd.clone().unwrap_or_default();
    let entrypoint = config.entrypoint.clone().unwrap_or_default();
    let image_has_none = image.entrypoint.as_ref().is_none_or(Vec::is_empty);
    if image_has_none && !entrypoint.is_empty() {
        return [entrypoint, arguments].concat();
    }
    if image.cmd.as_ref() == Some(&arguments) {
        return Vec::new();
    }
    arguments
}

fn environment(config: &ContainerConfig, image: &ImageConfig) -> BTreeMap<String, String> {
    let of_the_image = image.env.as_deref().unwrap_or_default();
    config
        .env
        .iter()
        .flatten()
        .filter(|entry| !of_the_image.contains(entry))
        .filter_map(|entry| entry.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn limits(host: &HostConfig) -> Limits {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a number of CPUs needs no 53 bits"
    )]
    let cpus = match (host.nano_cpus, host.cpu_quota, host.cpu_period) {
        (Some(nano), ..) if nano > 0 => nano as f64 / 1e9,
        (_, Some(quota), period) if quota > 0 => {
            let period = period.filter(|period| *period > 0).unwrap_or(100_000);
            quota as f64 / period as f64
        }
        _ => 0.0,
    };
    Limits {
        memory_mb: mebibytes(unsigned(host.memory)),
        cpus,
        pids: u32::try_from(unsigned(host.pids_limit)).unwrap_or_default(),
    }
}

fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MIB)).unwrap_or(u32::MAX)
}

fn mount(point: &MountPoint) -> Option<Mount> {
    let (volume, host) = match point.typ.as_deref()? {
        "volume" => (Some(point.name.clone()?), None),
        "bind" => (None, Some(point.source.clone()?)),
        _ => return None,
    };
    Some(Mount {
        volume,
        host,
        target: point.destination.clone()?,
        read_only: !point.rw.unwrap_or(true),
    })
}

fn unsaid_mount(point: &MountPoint) -> Option<String> {
    let target = point.destination.as_deref().unwrap_or_default();
    let typ = point.typ.as_deref().unwrap_or_default();
    let driver = point
        .driver
        .as_deref()
        .filter(|driver| !driver.is_empty())
        .unwrap_or("local");
    match typ {
        "volume" if driver != "local" => Some(format!("volume driver `{driver}` at {target}")),
        "volume" | "bind" => None,
        other => Some(format!("mount of type `{other}` at {target}")),
    }
}

fn tmpfs(host: &HostConfig) -> Vec<Tmpfs> {
    let mut found: Vec<Tmpfs> = host
        .tmpfs
        .iter()
        .flatten()
        .map(|(target, options)| Tmpfs {
            target: target.clone(),
            size_mb: options
                .split(',')
                .find_map(|option| option.strip_prefix("size="))
                .and_then(bytes)
                .map_or(0, mebibytes),
        })
        .collect();
    found.sort_by(|a, b| a.target.cmp(&b.target));
    found
}

/// `64m` as mount options write it.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits)?.to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1024,
        "m" => MIB,
        "g" => 1024 * MIB,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn ports(host: &HostConfig) -> Vec<Port> {
    let mut found: Vec<Port> = host
        .port_bindings
        .iter()
        .flatten()
        .flat_map(|(key, bindings)| {
            bindings
                .iter()
                .flatten()
                .filter_map(|binding| port(key, binding))
        })
        .collect();
    found.sort_by_key(|port| (port.container, port.host));
    found
}

fn port(key: &str, binding: &PortBinding) -> Option<Port> {
    let (container, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let address = binding.host_ip.as_deref().filter(|ip| !ip.is_empty());
    Some(Port {
        container: container.parse().ok()?,
        host: binding
            .host_port
            .as_deref()
            .and_then(|port| port.parse().ok())
            .unwrap_or_default(),
        protocol,
        address: address.unwrap_or("0.0.0.0").to_owned(),
    })
}

fn network(host: &HostConfig) -> Network {
    match host.network_mode.as_deref() {
        Some("none") => Network::None,
        Some("host") => Network::Host,
        _ => Network::Fleet,
    }
}

fn health(check: &HealthConfig) -> Option<HealthCheck> {
    let test = check.test.as_deref()?;
    let (kind, rest) = test.split_first()?;
    let command = match kind.as_str() {
        "CMD" => rest.to_vec(),
        "CMD-SHELL" => [&["/bin/sh".to_owned(), "-c".to_owned()], rest].concat(),
        _ => return None,
    };
    Some(HealthCheck {
        command,
        interval_s: seconds(check.interval).unwrap_or(HEALTH_S),
        timeout_s: seconds(check.timeout).unwrap_or(HEALTH_S),
        retries: check
            .retries
            .and_then(|retries| retries.try_into().ok())
            .filter(|retries| *retries > 0)
            .unwrap_or(HEALTH_RETRIES),
        start_period_s: seconds(check.start_period).unwrap_or_default(),
    })
}

/// 0 is Docker's default to Docker.
fn seconds(nanoseconds: Option<i64>) -> Option<u32> {
    let seconds = unsigned(nanoseconds).div_ceil(1_000_000_000);
    u32::try_from(seconds).ok().filter(|seconds| *seconds > 0)
}

fn privileges(host: &HostConfig) -> Privileges {
    Privileges {
        privileged: host.privileged.unwrap_or_default(),
        host_pid: host.pid_mode.as_deref() == Some("host"),
        host_ipc: host.ipc_mode.as_deref() == Some("host"),
        capabilities: host
            .cap_add
            .iter()
            .flatten()
            .map(|name| name.strip_prefix("CAP_").unwrap_or(name).to_owned())
            .collect(),
        devices: host
            .devices
            .iter()
            .flatten()
            .filter_map(|device| device.path_on_host.clone())
            .collect(),
    }
}

fn unsaid_config(id: &str, config: &ContainerConfig, image: &ImageConfig) -> Vec<String> {
    let mut unsaid = Vec::new();
    let image_has_entrypoint = image.entrypoint.as_ref().is_some_and(|e| !e.is_empty());
    if image_has_entrypoint && config.entrypoint != image.entrypoint {
        unsaid.push("an entrypoint other than the image's".to_owned());
    }
    let folder = config.working_dir.as_deref().unwrap_or_default();
    if folder != image.working_dir.as_deref().unwrap_or_default() {
        unsaid.push(format!("working folder `{folder}`"));
    }
    let host_name = config.hostname.as_deref().unwrap_or_default();
    // Ours bear their agent's name, and will again.
    let is_ours = config
        .labels
        .as_ref()
        .is_some_and(|labels| labels.contains_key(INSTANCE));
    if !is_ours && !id.starts_with(host_name) {
        unsaid.push(format!("host name `{host_name}`"));
    }
    if config.tty.unwrap_or_default() {
        unsaid.push("a terminal".to_owned());
    }
    if config.stop_signal.is_some() && config.stop_signal != image.stop_signal {
        unsaid.push("a stop signal other than the image's".to_owned());
    }
    let labels = config
        .labels
        .iter()
        .flatten()
        .filter(|(name, _)| !name.starts_with("yardarm."))
        .filter(|(name, value)| image.labels.as_ref().and_then(|l| l.get(*name)) != Some(value))
        .count();
    if labels > 0 {
        unsaid.push(format!("{labels} labels"));
    }
    unsaid
}

fn unsaid_host(host: &HostConfig) -> Vec<String> {
    fn some<T>(list: Option<&Vec<T>>) -> bool {
        list.is_some_and(|list| !list.is_empty())
    }
    let mode = host.network_mode.as_deref().unwrap_or_default();
    let restarts = host.restart_policy.as_ref().and_then(|policy| policy.name);
    let drops_all = host
        .cap_drop
        .iter()
        .flatten()
        .any(|name| name.eq_ignore_ascii_case("ALL"));
    let moved_device = host
        .devices
        .iter()
        .flatten()
        .any(|device| device.path_on_host != device.path_in_container);
    let log_driver = host.log_config.as_ref().and_then(|log| log.typ.as_deref());
    let found = [
        (mode.starts_with("container:"), "another's network"),
        (
            !matches!(
                restarts,
                None | Some(RestartPolicyNameEnum::NO | RestartPolicyNameEnum::EMPTY)
            ),
            "Docker's restart policy",
        ),
        (
            !drops_all && !host.privileged.unwrap_or_default(),
            "Docker's default capabilities",
        ),
        (moved_device, "devices under other names"),
        (
            some(host.device_requests.as_ref()),
            "requested devices (GPU)",
        ),
        (some(host.extra_hosts.as_ref()), "extra hosts"),
        (some(host.dns.as_ref()), "DNS servers"),
        (some(host.group_add.as_ref()), "extra groups"),
        (some(host.ulimits.as_ref()), "ulimits"),
        (some(host.volumes_from.as_ref()), "another's volumes"),
        (
            host.sysctls.as_ref().is_some_and(|map| !map.is_empty()),
            "sysctls",
        ),
        (
            host.shm_size
                .is_some_and(|size| size > 0 && size != SHM_BYTES),
            "a size of /dev/shm",
        ),
        (
            log_driver.is_some_and(|driver| driver != "json-file"),
            "a log driver",
        ),
    ];
    found
        .into_iter()
        .filter(|(is_so, _)| *is_so)
        .map(|(_, words)| words.to_owned())
        .collect()
}
