//! Where and when the figures were taken: they mean nothing without it.

use std::{fs, process::Command};

use anyhow::Result;
use bollard::Docker;
use yardarm::clock::{Clock as _, SystemClock};

pub(crate) async fn describe() -> Result<String> {
    let cpus = std::thread::available_parallelism()?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let load = load.split_whitespace().next().unwrap_or_default();
    Ok(format!(
        "Yardarm {} ({}) · {} · {cpus} × {} · load {load} · {} · Docker {} · Linux {}",
        env!("CARGO_PKG_VERSION"),
        said("git", &["describe", "--always", "--dirty", "--abbrev=12"]),
        SystemClock.now().format("%Y-%m-%d %H:%M UTC"),
        processor()?,
        said("rustc", &["--version"]),
        engine().await.unwrap_or_else(|_| "away".to_owned()),
        fs::read_to_string("/proc/sys/kernel/osrelease")?.trim_end(),
    ))
}

/// The first line of what a program prints about where we are.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let first = text
        .ok()
        .and_then(|text| text.lines().next().map(str::to_owned));
    first.unwrap_or_else(|| format!("without {program}"))
}

fn processor() -> Result<String> {
    let known = fs::read_to_string("/proc/cpuinfo")?;
    let name = known
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    Ok(name.map_or_else(
        || std::env::consts::ARCH.to_owned(),
        |name| name.trim_start_matches([' ', '\t', ':']).to_owned(),
    ))
}

async fn engine() -> Result<String> {
    let version = Docker::connect_with_defaults()?.version().await?;
    Ok(version.version.unwrap_or_default())
}
