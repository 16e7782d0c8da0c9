//! Whether this process runs in a container, as its own mounts tell. Pure; whether it is one of this engine's, the engine
//! must confirm.

use bollard::models::ContainerInspectResponse;

use crate::domain::ids::ContainerId;

/// The mounts of this process.
pub(super) const MOUNTS: &str = "/proc/self/mountinfo";

/// Digits of a container's id.
const ID: usize = 64;

/// What lies over `/etc/hostname`: engines put a file of each container's own there, in a folder named by its id.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) container: ContainerId,
    /// The end of that file's path on the host.
    file: String,
}

impl Trace {
    /// None if nothing there is an engine's.
    pub(super) fn find(mountinfo: &str) -> Option<Self> {
        // Of each line: id, parent, device, root within its file system, mount point, …; see proc(5).
        let file = mountinfo.lines().find_map(|line| {
            let mut fields = line.split(' ').skip(3);
            let (root, point) = (fields.next()?, fields.next()?);
            (point == "/etc/hostname").then_some(root)
        })?;
        let is_id = |part: &&str| part.len() == ID && part.bytes().all(|b| b.is_ascii_hexdigit());
        let id = file.split('/').find(is_id)?;
        Some(Self {
            container: ContainerId(id.to_owned()),
            file: file.to_owned(),
        })
    }

    /// Whether that container laid this file there, and can join networks.
    pub(super) fn is_of(&self, inspected: &ContainerInspectResponse) -> bool {
        let file = inspected.hostname_path.as_deref().unwrap_or_default();
        let host = inspected.host_config.as_ref();
        let mode = host.and_then(|host| host.network_mode.as_deref());
        let mode = mode.unwrap_or_default();
        let joins = !matches!(mode, "host" | "none") && !mode.starts_with("container:");
        inspected.id.as_deref() == Some(self.container.as_str())
            && file.ends_with(&self.file)
            && joins
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::HostConfig;

    use super::*;

    const HEX: &str = "3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a";

    fn mounts(root: &str) -> String {
        format!(
            "700 600 0:60 / / rw,relatime master:1 - overlay overlay rw\n\
             710 700 254:1 {root} /etc/hostname rw,relatime - ext4 /dev/vda rw\n"
        )
    }

    fn inspected(file: &str, mode: &str) -> ContainerInspectResponse {
        ContainerInspectResponse {
            id: Some(HEX.to_owned()),
            hostname_path: Some(file.to_owned()),
            host_config: Some(HostConfig {
                network_mode: Some(mode.to_owned()),
                ..HostConfig::default()
            }),
            ..ContainerInspectResponse::default()
        }
    }

    #[test]
    fn a_container_is_found_by_its_own_file() {
        let file = format!("/var/lib/docker/containers/{HEX}/hostname");
        // Where /var/lib is a file system of its own, its mounts do not tell of it.
        for root in [&file, &format!("/docker/containers/{HEX}/hostname")] {
            let trace = Trace::find(&mounts(root)).unwrap();
            assert_eq!(trace.container.as_str(), HEX);
            assert!(trace.is_of(&inspected(&file, "yardarm_outside")), "{root}");
        }
    }

    #[test]
    fn another_engines_container_is_none_of_ours() {
        let trace = Trace::find(&mounts(&format!("/docker/containers/{HEX}/hostname"))).unwrap();
        let elsewhere = format!("/home/x/.local/share/docker/overlay/{HEX}/hostname");
        assert!(!trace.is_of(&inspected(&elsewhere, "bridge")));
        let file = format!("/var/lib/docker/containers/{HEX}/hostname");
        for mode in ["host", "none", "container:abc"] {
            assert!(!trace.is_of(&inspected(&file, mode)), "{mode}");
        }
        let other = ContainerInspectResponse {
            id: Some("0".repeat(ID)),
            ..inspected(&file, "bridge")
        };
        assert!(!trace.is_of(&other));
    }

    #[test]
    fn outside_of_containers_there_is_no_trace() {
        for root in ["/etc/hostname", "/containers/abc/hostname"] {
            assert_eq!(Trace::find(&mounts(root)), None, "{root}");
        }
        assert_eq!(Trace::find(""), None);
        assert_eq!(Trace::find("1 2 3\n\n"), None);
    }
}
