//! What a template and its arguments resolve to: everything a container is made from, but no secret's value.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{action::Arguments, idle::Idle, ids::ImageId, probe::Probe, recovery::Recovery};

/// Everything a container is made from. Kept by version, so that `/rollback` has something to return to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The template it was made from, for people; an adopted container has none.
    pub template: Option<String>,
    /// An image reference as `docker pull` takes it.
    pub image: String,
    /// The command that makes the image on the host, if nobody publishes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Replaces the image's command if not empty.
    pub command: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// Given as environment variables. Names only: values are looked up when the container is made, and are not here.
    pub secrets: Vec<String>,
    /// Given as files in `/run/secrets`; names only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_files: Vec<String>,
    pub limits: Limits,
    pub mounts: Vec<Mount>,
    pub tmpfs: Vec<Tmpfs>,
    pub ports: Vec<Port>,
    pub network: Network,
    /// Whether the agent may reach beyond its fleet's network.
    pub internet: bool,
    /// `uid:gid`, or the image's own user.
    pub user: Option<String>,
    pub read_only_root: bool,
    pub health: Option<HealthCheck>,
    /// Seconds between SIGTERM and SIGKILL.
    pub stop_grace_s: u32,
    pub log_patterns: Vec<LogPattern>,
    /// What it means if it ends with one of these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exit_codes: BTreeMap<u8, ExitMeaning>,
    /// What is asked of it again and again, beside the engine's own health check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
    /// What is done by itself when it is not well; the defaults if None.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// What is done when it does nothing for long; nothing if None.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Idle>,
    /// Agents of the same fleet that it cannot do without: after one of them was restarted by itself, so is this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    pub privileges: Privileges,
}

impl Spec {
    /// The names of all secrets, however they are given.
    pub fn all_secrets(&self) -> impl Iterator<Item = &String> {
        self.secrets.iter().chain(&self.secret_files)
    }

    /// The names of its volumes: its own, or the host's if it was taken over.
    pub fn volumes(&self) -> impl Iterator<Item = &str> {
        let volumes = self.mounts.iter().map(|mount| mount.volume.as_deref());
        volumes.flatten()
    }

    /// Whether it is what Docker told of somebody else's container.
    pub const fn was_taken_over(&self) -> bool {
        self.template.is_none()
    }

    /// The commands that are run in its container beside its own, to learn how it is.
    pub fn checks(&self) -> Vec<Vec<String>> {
        let health = self.health.iter().map(|health| &health.command);
        let probes = self.probes.iter().filter_map(Probe::command);
        health.chain(probes).cloned().collect()
    }

    /// A fingerprint of the whole spec: equal specs make equal containers.
    pub fn digest(&self) -> SpecDigest {
        // Struct fields keep their order and maps are sorted, so equal specs give equal bytes.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        SpecDigest(hex::encode(Sha256::digest(&bytes)))
    }
}

/// One version of what an agent is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub number: i64,
    pub spec: Spec,
    pub image: ImageId,
    pub arguments: Arguments,
    pub created_at: DateTime<Utc>,
}

/// SHA-256 of a spec, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpecDigest(pub String);

impl SpecDigest {
    /// Enough to tell two versions apart in chat.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// Ceilings the engine enforces. None of them can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// MiB of memory; swap is not given on top. Docker refuses less than 6.
    #[schemars(range(min = 6, max = 1_048_576))]
    pub memory_mb: u32,
    /// CPUs, in parts of one if need be.
    #[schemars(range(min = 0.01, max = 512.0))]
    pub cpus: f64,
    /// Processes and threads.
    #[schemars(range(min = 1, max = 65_536))]
    pub pids: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mb: 512,
            cpus: 1.0,
            pids: 256,
        }
    }
}

/// A volume of the agent's own, or a folder of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// A volume of the agent's own; it outlives redeploys and is named after the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// A folder of the host; refused unless `docker.allow.mounts` lists it or a folder above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Where the container sees it; absolute.
    pub target: String,
    #[serde(default)]
    pub read_only: bool,
}

/// Memory that looks like a folder; gone when the container stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tmpfs {
    /// Absolute.
    pub target: String,
    /// MiB.
    pub size_mb: u32,
}

/// A port of the container made reachable from the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Port {
    pub container: u16,
    /// 0 takes any free port.
    #[serde(default)]
    pub host: u16,
    #[serde(default)]
    pub protocol: Protocol,
    /// The host's address to listen on; anything but loopback needs `docker.allow.public_ports`.
    #[serde(default = "loopback")]
    pub address: String,
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The private network of the agent's fleet.
    #[default]
    Fleet,
    /// No network at all.
    None,
    /// The host's own; refused unless `docker.allow.host_network` is set.
    Host,
}

/// The engine asks the container by running a command in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    pub command: Vec<String>,
    /// Seconds between two checks.
    #[serde(default = "health_interval")]
    pub interval_s: u32,
    /// Seconds a check may take.
    #[serde(default = "health_timeout")]
    pub timeout_s: u32,
    /// Failures in a row that make it unhealthy.
    #[serde(default = "health_retries")]
    pub retries: u32,
    /// Seconds after the start during which failures do not count.
    #[serde(default)]
    pub start_period_s: u32,
}

const fn health_interval() -> u32 {
    30
}

const fn health_timeout() -> u32 {
    5
}

const fn health_retries() -> u32 {
    3
}

/// A line in the log that means something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogPattern {
    /// A regular expression over one line.
    pub pattern: String,
    pub means: LogMeaning,
    /// What people are told.
    #[serde(default)]
    pub note: String,
}

/// An exit code that means something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExitMeaning {
    pub means: LogMeaning,
    /// What people are told.
    #[serde(default)]
    pub note: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogMeaning {
    /// It waits for a person.
    Waiting,
    /// Billing or authentication stops it; a restart will not help.
    Blocked,
    /// It gave up.
    Failed,
}

/// What hardening would refuse. Each needs the settings to allow it by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Privileges {
    pub privileged: bool,
    pub host_pid: bool,
    pub host_ipc: bool,
    /// Linux capabilities to add, without `CAP_`.
    pub capabilities: Vec<String>,
    /// Host devices to pass through.
    pub devices: Vec<String>,
}

/// What the settings allow beyond the hardened defaults; nothing unless named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the settings file"
)]
pub struct Allow {
    /// Containers without any confinement.
    pub privileged: bool,
    pub host_network: bool,
    pub host_pid: bool,
    pub host_ipc: bool,
    /// The engine's socket: whoever has it is root on the host.
    pub docker_socket: bool,
    /// Ports on addresses other than loopback.
    pub public_ports: bool,
    /// Folders of the host that may be mounted, with all below them.
    pub mounts: Vec<String>,
    pub capabilities: Vec<String>,
    pub devices: Vec<String>,
}

impl Allow {
    /// Everything in `spec` that these settings do not allow, each with the key that would.
    pub fn refusals(&self, spec: &Spec) -> Vec<String> {
        let mut refused = Vec::new();
        let asked = &spec.privileges;
        let switches = [
            (asked.privileged, self.privileged, "privileged"),
            (
                spec.network == Network::Host,
                self.host_network,
                "host_network",
            ),
            (asked.host_pid, self.host_pid, "host_pid"),
            (asked.host_ipc, self.host_ipc, "host_ipc"),
        ];
        for (wanted, allowed, key) in switches {
            if wanted && !allowed {
                refused.push(format!("{key} is not allowed (`docker.allow.{key}`)"));
            }
        }
        refused.extend(missing(
            "capability",
            "capabilities",
            &asked.capabilities,
            &self.capabilities,
        ));
        refused.extend(missing("device", "devices", &asked.devices, &self.devices));
        refused.extend(
            spec.mounts
                .iter()
                .filter_map(|mount| self.refuse_mount(mount)),
        );
        refused.extend(spec.ports.iter().filter_map(|port| self.refuse_port(port)));
        refused
    }

    fn refuse_mount(&self, mount: &Mount) -> Option<String> {
        let host = mount.host.as_deref()?;
        let path = std::path::Path::new(host);
        let plain = path.is_absolute()
            && path
                .components()
                .all(|part| part != std::path::Component::ParentDir);
        if !plain {
            return Some(format!(
                "mount `{host}` must be an absolute path without `..`"
            ));
        }
        let is_socket = path.file_name().is_some_and(|name| name == "docker.sock");
        if is_socket && !self.docker_socket {
            return Some(
                "the Docker socket is not allowed (`docker.allow.docker_socket`)".to_owned(),
            );
        }
        let listed = self.mounts.iter().any(|root| path.starts_with(root));
        (!listed && !is_socket)
            .then(|| format!("mount `{host}` is not below any of `docker.allow.mounts`"))
    }

    fn refuse_port(&self, port: &Port) -> Option<String> {
        let loopback = port
            .address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
        (!loopback && !self.public_ports).then(|| {
            format!(
                "port {} on `{}` is not allowed (`docker.allow.public_ports`)",
                port.container, port.address
            )
        })
    }
}

fn missing(what: &str, key: &str, wanted: &[String], allowed: &[String]) -> Vec<String> {
    wanted
        .iter()
        .filter(|item| !allowed.contains(item))
        .map(|item| format!("{what} `{item}` is not among `docker.allow.{key}`"))
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::{agent::Name, template::Template};

    /// That of a template with `more` in it.
    pub(crate) fn spec(more: &str) -> Spec {
        let body = format!(r#"{{ "description": "x", "image": "demo:1"{more} }}"#);
        let template = Template::parse(Name::parse("demo").unwrap(), &body).unwrap();
        template.resolve(&Arguments::new()).unwrap()
    }

    #[test]
    fn volumes_are_those_of_its_mounts_and_no_folders_of_the_host() {
        let mounts = r#", "mounts": [{ "volume": "data", "target": "/a" }, { "host": "/srv", "target": "/b" }, { "volume": "cache", "target": "/c" }]"#;
        assert_eq!(
            spec(mounts).volumes().collect::<Vec<_>>(),
            ["data", "cache"]
        );
    }

    #[test]
    fn what_no_template_made_was_taken_over() {
        let made = spec("");
        assert!(!made.was_taken_over());
        let told = Spec {
            template: None,
            ..made
        };
        assert!(told.was_taken_over());
    }

    #[test]
    fn a_plain_spec_needs_no_leave() {
        assert_eq!(Allow::default().refusals(&spec("")), [""; 0]);
        let own = r#", "mounts": [{ "volume": "data", "target": "/data" }], "ports": [{ "container": 80 }]"#;
        assert_eq!(Allow::default().refusals(&spec(own)), [""; 0]);
    }

    #[test]
    fn each_loosening_is_refused_until_its_own_key_allows_it() {
        type Case = (&'static str, fn(&mut Allow));
        let cases: [Case; 9] = [
            (r#", "network": "host""#, |allow| allow.host_network = true),
            (r#", "privileges": { "privileged": true }"#, |allow| {
                allow.privileged = true;
            }),
            (r#", "privileges": { "host_pid": true }"#, |allow| {
                allow.host_pid = true;
            }),
            (r#", "privileges": { "host_ipc": true }"#, |allow| {
                allow.host_ipc = true;
            }),
            (
                r#", "privileges": { "capabilities": ["NET_ADMIN"] }"#,
                |allow| {
                    allow.capabilities.push("NET_ADMIN".to_owned());
                },
            ),
            (r#", "privileges": { "devices": ["/dev/kvm"] }"#, |allow| {
                allow.devices.push("/dev/kvm".to_owned());
            }),
            (
                r#", "ports": [{ "container": 80, "address": "0.0.0.0" }]"#,
                |allow| {
                    allow.public_ports = true;
                },
            ),
            (
                r#", "mounts": [{ "host": "/srv/data/one", "target": "/data" }]"#,
                |allow| {
                    allow.mounts.push("/srv/data".to_owned());
                },
            ),
            (
                r#", "mounts": [{ "host": "/run/docker.sock", "target": "/docker.sock" }]"#,
                |allow| {
                    allow.docker_socket = true;
                },
            ),
        ];
        for (more, change) in cases {
            let (spec, mut allow) = (spec(more), Allow::default());
            assert_eq!(allow.refusals(&spec).len(), 1, "{more}");
            change(&mut allow);
            assert_eq!(allow.refusals(&spec), [""; 0], "{more}");
        }
    }

    #[test]
    fn a_mount_cannot_climb_out_of_what_is_allowed() {
        let allow = Allow {
            mounts: vec!["/srv/data".to_owned()],
            ..Allow::default()
        };
        for host in ["/srv/data/../../etc", "/srv/database", "/", "srv/data"] {
            let mut spec = spec("");
            spec.mounts.push(Mount {
                volume: None,
                host: Some(host.to_owned()),
                target: "/data".to_owned(),
                read_only: true,
            });
            assert_eq!(allow.refusals(&spec).len(), 1, "{host}");
        }
    }

    #[test]
    fn the_socket_needs_its_own_leave_even_below_an_allowed_folder() {
        let allow = Allow {
            mounts: vec!["/var/run".to_owned()],
            ..Allow::default()
        };
        let socket =
            spec(r#", "mounts": [{ "host": "/var/run/docker.sock", "target": "/docker.sock" }]"#);
        assert_eq!(allow.refusals(&socket).len(), 1);
    }

    #[test]
    fn it_tells_all_commands_that_are_run_beside_its_own() {
        let plain = spec("");
        assert!(plain.checks().is_empty());
        let both = spec(
            r#", "health": { "command": ["well"] },
            "probes": [{ "kind": "tcp", "port": 80 }, { "kind": "exec", "command": ["ready", "now"] }]"#,
        );
        assert_eq!(both.checks(), [vec!["well"], vec!["ready", "now"]]);
        let health = both.health.unwrap();
        assert_eq!(
            (health.interval_s, health.timeout_s, health.retries),
            (30, 5, 3)
        );
    }

    #[test]
    fn equal_specs_have_one_fingerprint_and_others_another() {
        let digest = spec("").digest();
        assert_eq!(digest, spec("").digest());
        assert_ne!(digest, spec(r#", "user": "7""#).digest());
        assert_eq!(digest.0.len(), 64);
        assert_eq!(digest.short().len(), 12);
        assert!(digest.0.starts_with(digest.short()));
    }
}
