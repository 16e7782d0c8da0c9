//! What the kernel knows of a process.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

/// The unit of CPU times in `/proc`, on every Linux there is.
const TICK: Duration = Duration::from_millis(10);

/// CPU time so far, of all threads.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before the bracket may hold spaces; user and system time are the 12th and 13th field after it.
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks = fields.skip(11).take(2).map(str::parse::<u32>);
    let ticks: u32 = ticks.sum::<Result<u32, _>>()?;
    Ok(TICK * ticks)
}

/// Memory now, in MB.
pub(crate) fn rss_mb(pid: u32) -> Result<f64> {
    status(pid, "VmRSS:")
}

/// Memory at its highest since [`forget_peak`], in MB.
pub(crate) fn peak_rss_mb(pid: u32) -> Result<f64> {
    status(pid, "VmHWM:")
}

pub(crate) fn forget_peak(pid: u32) -> Result<()> {
    Ok(fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

fn status(pid: u32, key: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    let kibibytes: f64 = kibibytes
        .with_context(|| format!("the kernel tells no {key}"))?
        .parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}

/// The processes of these names.
pub(crate) fn named(names: &[&str]) -> Result<Vec<u32>> {
    let processes =
        fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_named = |pid: &u32| {
        // It may end while we look.
        let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        names.contains(&comm.trim_end())
    };
    Ok(processes
        .filter_map(|name| name.parse().ok())
        .filter(is_named)
        .collect())
}
