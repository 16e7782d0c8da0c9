//! What a spec means to Docker: hardened unless the spec says otherwise; pure.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    time::Duration,
};

use bollard::models::{
    ContainerCreateBody, DeviceMapping, EndpointSettings, HealthConfig, HostConfig,
    HostConfigLogConfig, Mount as DockerMount, MountType, NetworkingConfig, PortBinding,
    RestartPolicy, RestartPolicyNameEnum, VolumeCreateRequest,
};
use secrecy::ExposeSecret;

use super::convert::{AGENT, INSTANCE, write_labels};
use crate::{
    domain::spec::{HealthCheck, Limits, Mount, Network, Port, Protocol, Tmpfs},
    engine::{Creation, EngineError, Labels, Result, SECRET_FILES},
};

/// Bytes.
const MIB: i64 = 1024 * 1024;

pub(super) fn body(creation: &Creation<'_>) -> Result<ContainerCreateBody> {
    let spec = creation.spec;
    Ok(ContainerCreateBody {
        image: Some(creation.image.to_string()),
        hostname: hostname(creation),
        cmd: (!spec.command.is_empty()).then(|| spec.command.clone()),
        env: Some(environment(creation)),
        user: spec.user.clone(),
        exposed_ports: Some(spec.ports.iter().map(port_key).collect()),
        healthcheck: spec.health.as_ref().map(health_config),
        labels: Some(write_labels(creation.labels, &spec.image)),
        stop_timeout: Some(spec.stop_grace_s.into()),
        networking_config: endpoint(creation),
        host_config: Some(host_config(creation)?),
        ..Default::default()
    })
}

/// Docker keeps a volume that is there as it is, labels included.
pub(super) fn volume_request(name: &str, labels: &Labels) -> VolumeCreateRequest {
    VolumeCreateRequest {
        name: Some(name.to_owned()),
        labels: Some(HashMap::from([
            (INSTANCE.to_owned(), labels.instance.to_string()),
            (AGENT.to_owned(), labels.agent.to_string()),
        ])),
        ..Default::default()
    }
}

/// Whether a volume may be given to this agent. One without our labels came with an adopted container.
pub(super) fn may_use(volume: &HashMap<String, String>, labels: &Labels) -> bool {
    volume
        .get(INSTANCE)
        .is_none_or(|instance| *instance == labels.instance.0)
        && volume
            .get(AGENT)
            .is_none_or(|agent| *agent == labels.agent.to_string())
}

fn environment(creation: &Creation<'_>) -> Vec<String> {
    let plain = creation
        .spec
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let secret = creation
        .secrets
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()));
    plain
        .chain(secret)
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

fn host_config(creation: &Creation<'_>) -> Result<HostConfig> {
    let spec = creation.spec;
    let asked = &spec.privileges;
    let Limits {
        memory_mb,
        cpus,
        pids,
    } = spec.limits;
    let memory = i64::from(memory_mb) * MIB;
    Ok(HostConfig {
        memory: Some(memory),
        // Equal means no swap on top.
        memory_swap: Some(memory),
        nano_cpus: Some(nano_cpus(cpus)),
        pids_limit: Some(pids.into()),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(asked.capabilities.clone()),
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        privileged: Some(asked.privileged),
        pid_mode: asked.host_pid.then(|| "host".to_owned()),
        ipc_mode: asked.host_ipc.then(|| "host".to_owned()),
        devices: Some(asked.devices.iter().map(|path| device(path)).collect()),
        init: Some(true),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        log_config: Some(bounded_log()),
        readonly_rootfs: Some(spec.read_only_root),
        tmpfs: Some(spec.tmpfs.iter().map(tmpfs).collect()),
        mounts: Some(mounts(creation)?),
        port_bindings: Some(
            spec.ports
                .iter()
                .fold(HashMap::new(), |mut bindings, port| {
                    bindings
                        .entry(port_key(port))
                        .or_insert_with(|| Some(Vec::new()))
                        .get_or_insert_default()
                        .push(port_binding(port));
                    bindings
                }),
        ),
        network_mode: Some(network_mode(creation).to_owned()),
        ..Default::default()
    })
}

/// Docker's unit. 0 is no limit to it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a spec has at most 512 CPUs"
)]
fn nano_cpus(cpus: f64) -> i64 {
    (cpus * 1e9).round() as i64
}

fn device(path: &str) -> DeviceMapping {
    DeviceMapping {
        path_on_host: Some(path.to_owned()),
        path_in_container: Some(path.to_owned()),
        cgroup_permissions: Some("rwm".to_owned()),
    }
}

fn bounded_log() -> HostConfigLogConfig {
    HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(HashMap::from([
            ("max-size".to_owned(), "10m".to_owned()),
            ("max-file".to_owned(), "3".to_owned()),
        ])),
    }
}

/// Agents write scripts to `/tmp` and run them, hence `exec`, which Docker leaves out. A size of 0 is no limit.
fn tmpfs(tmpfs: &Tmpfs) -> (String, String) {
    let size = match tmpfs.size_mb {
        0 => String::new(),
        size_mb => format!(",size={size_mb}m"),
    };
    let options = format!("rw,exec,nosuid,nodev,mode=1777{size}");
    (tmpfs.target.clone(), options)
}

fn mounts(creation: &Creation<'_>) -> Result<Vec<DockerMount>> {
    let own = creation.spec.mounts.iter();
    own.map(|mount| docker_mount(mount, creation.volumes))
        .chain(
            creation
                .secret_files
                .map(|folder| Ok(secrets_mount(folder))),
        )
        .collect()
}

fn secrets_mount(folder: &Path) -> DockerMount {
    DockerMount {
        typ: Some(MountType::BIND),
        source: Some(folder.display().to_string()),
        target: Some(SECRET_FILES.to_owned()),
        read_only: Some(true),
        ..Default::default()
    }
}

fn docker_mount(mount: &Mount, volumes: &BTreeMap<String, String>) -> Result<DockerMount> {
    let (typ, source) = match (&mount.volume, &mount.host) {
        (Some(name), None) => (MountType::VOLUME, volume_name(name, volumes)?),
        // As a mount and not as a bind: Docker makes the missing folder of a bind, owned by root.
        (None, Some(path)) => (MountType::BIND, path.as_str()),
        _ => {
            return Err(EngineError::Refused(format!(
                "the mount at `{}` must have either a volume or a folder of the host",
                mount.target
            )));
        }
    };
    Ok(DockerMount {
        typ: Some(typ),
        source: Some(source.to_owned()),
        target: Some(mount.target.clone()),
        read_only: Some(mount.read_only),
        ..Default::default()
    })
}

fn volume_name<'a>(name: &str, volumes: &'a BTreeMap<String, String>) -> Result<&'a str> {
    volumes
        .get(name)
        .map(String::as_str)
        .ok_or_else(|| EngineError::Refused(format!("volume `{name}` has no name on the host")))
}

fn port_key(port: &Port) -> String {
    let protocol = match port.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    format!("{}/{protocol}", port.container)
}

/// Port 0 is any free port to Docker, too.
fn port_binding(port: &Port) -> PortBinding {
    PortBinding {
        host_ip: Some(port.address.clone()),
        host_port: Some(port.host.to_string()),
    }
}

/// An agent of a fleet that has no network gets none, rather than Docker's bridge, where strangers are.
fn network_mode<'a>(creation: &Creation<'a>) -> &'a str {
    match creation.spec.network {
        Network::None => "none",
        Network::Host => "host",
        Network::Fleet => creation.network.unwrap_or("none"),
    }
}

/// The agent's own name, where it has a host of its own.
fn hostname(creation: &Creation<'_>) -> Option<String> {
    (creation.spec.network != Network::Host).then(|| creation.alias.to_owned())
}

fn endpoint(creation: &Creation<'_>) -> Option<NetworkingConfig> {
    let network = creation
        .network
        .filter(|_| creation.spec.network == Network::Fleet)?;
    Some(NetworkingConfig {
        endpoints_config: Some(HashMap::from([(
            network.to_owned(),
            endpoint_settings(creation.alias),
        )])),
    })
}

pub(super) fn endpoint_settings(alias: &str) -> EndpointSettings {
    EndpointSettings {
        aliases: Some(vec![alias.to_owned()]),
        ..Default::default()
    }
}

fn health_config(check: &HealthCheck) -> HealthConfig {
    let command = check.command.iter().cloned();
    HealthConfig {
        test: Some(std::iter::once("CMD".to_owned()).chain(command).collect()),
        interval: Some(nanoseconds(check.interval_s)),
        timeout: Some(nanoseconds(check.timeout_s)),
        retries: Some(check.retries.into()),
        start_period: Some(nanoseconds(check.start_period_s)),
        start_interval: None,
    }
}

fn nanoseconds(seconds: u32) -> i64 {
    let nanoseconds = Duration::from_secs(seconds.into()).as_nanos();
    i64::try_from(nanoseconds).unwrap_or(i64::MAX)
}
