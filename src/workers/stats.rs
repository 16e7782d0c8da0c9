//! Samples CPU and memory in the background: no answer to a person ever waits for it.

use std::{sync::Arc, time::Duration};

use sysinfo::{Disk, Disks, MemoryRefreshKind, System};
use tokio::time::sleep;

use super::Pulse;
use crate::{domain::view::Host, ops::Ops};

/// One sample of one container costs dockerd between 2 and 3 ms of CPU time. Taken no more often than this for each, all of
/// them together cost it less than 1 % of a core, however many there are.
const APART: Duration = Duration::from_millis(400);

pub(super) async fn sample(ops: Arc<Ops>, pulse: Pulse) {
    let mut system = System::new()
        .inspect_err(|error| tracing::warn!(error = %error, "the host cannot be measured"))
        .ok();
    loop {
        pulse.beat();
        if let Some(system) = &mut system {
            system.refresh_cpu_usage();
            system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
            ops.roster.set_host(host(system));
        }
        let sampled = ops.sample().await;
        sleep(ops.settings().roster.sample.max(APART * sampled)).await;
    }
}

fn host(system: &System) -> Host {
    let disks = Disks::new_with_refreshed_list().ok();
    // The largest one: containers live there on any host that has room for them.
    let disk = disks
        .as_ref()
        .and_then(|disks| disks.iter().max_by_key(|disk| disk.total_space()));
    let disk_total_bytes = disk.map_or(0, Disk::total_space);
    Host {
        cpu_percent: system.global_cpu_usage(),
        memory_used_bytes: system.used_memory(),
        memory_total_bytes: system.total_memory(),
        disk_used_bytes: disk_total_bytes - disk.map_or(0, Disk::available_space),
        disk_total_bytes,
    }
}
