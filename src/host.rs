//! The machine's own figures: CPU, memory, swap, load, disks, and pressure where the kernel tells it.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use sysinfo::{
    CpuRefreshKind, MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System,
};

use crate::domain::view::{Disk, Host, Process};

/// Reads the machine; tests have one that they set.
pub trait Gauge: Send + Sync {
    /// With the disks of those folders that are there. None if the machine cannot be measured.
    fn read(&self, folders: &[PathBuf]) -> Option<Host>;
    /// What we ourselves use of it; None if nobody can tell.
    fn process(&self) -> Option<Process>;
}

/// The machine we run on. In a container that is still the host, except for its disks: only what is mounted is seen.
pub struct Machine(Option<Mutex<System>>);

impl Machine {
    pub fn new() -> Self {
        let kinds = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_usage())
            .with_memory(MemoryRefreshKind::everything());
        let system = System::new_with_specifics(kinds)
            .inspect_err(|error| tracing::warn!(error = %error, "the host cannot be measured"));
        Self(system.ok().map(Mutex::new))
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Gauge for Machine {
    fn read(&self, folders: &[PathBuf]) -> Option<Host> {
        let system = self.0.as_ref()?;
        let mut system = system.lock().unwrap_or_else(PoisonError::into_inner);
        system.refresh_cpu_usage();
        system.refresh_memory_specifics(MemoryRefreshKind::everything());
        Some(Host {
            cpus: u32::try_from(system.cpus().len()).unwrap_or(u32::MAX),
            cpu_percent: system.global_cpu_usage(),
            memory_used_bytes: system.used_memory(),
            memory_total_bytes: system.total_memory(),
            swap_used_bytes: system.used_swap(),
            swap_total_bytes: system.total_swap(),
            load: System::load_average().map_or(0.0, |load| load.one),
            disks: disks(folders),
            memory_pressure: pressure("memory"),
            io_pressure: pressure("io"),
        })
    }

    fn process(&self) -> Option<Process> {
        let system = self.0.as_ref()?;
        let mut system = system.lock().unwrap_or_else(PoisonError::into_inner);
        let own = sysinfo::get_current_pid().ok()?;
        let figures = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, figures);
        let process = system.process(own)?;
        let milliseconds = u32::try_from(process.accumulated_cpu_time()).unwrap_or(u32::MAX);
        Some(Process {
            cpu_seconds: f64::from(milliseconds) / 1000.0,
            resident_bytes: process.memory(),
            open_files: process.open_files().map(|count| count as u64),
            started_at: process.start_time(),
        })
    }
}

/// A disk that holds several of the folders comes once, under the first of them.
fn disks(folders: &[PathBuf]) -> Vec<Disk> {
    let mut seen = HashSet::new();
    let disk = |folder: &PathBuf| {
        let device = rustix::fs::stat(folder).ok()?.st_dev;
        let disk = disk(folder)?;
        seen.insert(device).then_some(disk)
    };
    folders.iter().filter_map(disk).collect()
}

fn disk(folder: &Path) -> Option<Disk> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    let used = stat.f_blocks.saturating_sub(stat.f_bfree);
    Some(Disk {
        folder: folder.display().to_string(),
        used_bytes: used.saturating_mul(stat.f_frsize),
        total_bytes: (used + stat.f_bavail).saturating_mul(stat.f_frsize),
    })
}

/// The share of the last minute in which something had to wait for it, in percent.
fn pressure(what: &str) -> Option<f64> {
    let told = std::fs::read_to_string(Path::new("/proc/pressure").join(what)).ok()?;
    some_of_a_minute(&told)
}

/// Of `some avg10=0.00 avg60=1.25 avg300=0.40 total=1234`.
fn some_of_a_minute(told: &str) -> Option<f64> {
    let some = told.lines().find_map(|line| line.strip_prefix("some "))?;
    let share = some
        .split(' ')
        .find_map(|word| word.strip_prefix("avg60="))?;
    share.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_read_as_the_kernel_writes_it() {
        let told = "some avg10=0.00 avg60=1.25 avg300=0.40 total=1\nfull avg10=0.00 avg60=9.00 avg300=0.00 total=1\n";
        assert_eq!(some_of_a_minute(told), Some(1.25));
        assert_eq!(some_of_a_minute(""), None);
    }

    #[test]
    fn our_own_process_is_measured() {
        let process = Machine::new().process().unwrap();
        assert!(process.resident_bytes > 1 << 20, "{process:?}");
        assert!(process.started_at > 1_700_000_000, "{process:?}");
        assert!(
            process.open_files.is_some_and(|count| count > 2),
            "{process:?}"
        );
    }

    #[test]
    fn a_disk_is_told_once_and_a_folder_that_is_not_there_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let folders = [PathBuf::from("/not/there"), folder.path().to_owned(), inner];
        let host = Machine::new().read(&folders).unwrap();
        let [disk] = &host.disks[..] else {
            panic!("{:?}", host.disks);
        };
        assert_eq!(disk.folder, folder.path().display().to_string());
        assert!(disk.used_bytes <= disk.total_bytes && disk.total_bytes > 0);
        assert!(host.cpus > 0);
        assert!(host.memory_used_bytes < host.memory_total_bytes);
    }
}
