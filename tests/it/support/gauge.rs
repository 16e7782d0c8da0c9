use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use yardarm::{
    domain::view::{Disk, Host, Process},
    host::Gauge,
};

/// A machine with little to do, unless the test says otherwise.
#[derive(Clone)]
pub(crate) struct FakeGauge(Arc<Mutex<Host>>);

impl FakeGauge {
    pub(crate) fn new() -> Self {
        let disk = Disk {
            folder: "/var/lib/yardarm".to_owned(),
            used_bytes: 40 << 30,
            total_bytes: 100 << 30,
        };
        Self(Arc::new(Mutex::new(Host {
            cpus: 4,
            cpu_percent: 12.0,
            memory_used_bytes: 2 << 30,
            memory_total_bytes: 8 << 30,
            load: 0.5,
            disks: vec![disk],
            ..Host::default()
        })))
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Host)) {
        change(&mut self.0.lock().unwrap());
    }
}

impl Gauge for FakeGauge {
    fn read(&self, _folders: &[PathBuf]) -> Option<Host> {
        Some(self.0.lock().unwrap().clone())
    }

    fn process(&self) -> Option<Process> {
        Some(Process {
            cpu_seconds: 1.5,
            resident_bytes: 30 << 20,
            open_files: Some(40),
            started_at: 1_795_262_400,
        })
    }
}
