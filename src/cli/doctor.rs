use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io,
    path::Path,
    process::ExitCode,
};

use super::{
    Options, outlets,
    report::{self, BAD_SETTINGS},
    rights,
    up::engine,
};
use crate::{
    clock::{Clock as _, SystemClock},
    config::{Settings, templates},
    discord,
    domain::{finding::Finding, ids::ChannelId, squelch::Destination},
    engine::{Engine, docker::Deadlines},
};

/// Something could not be reached or written; the settings are good.
const UNWELL: u8 = 1;

pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let settings = match options.settings() {
        Ok(settings) => settings,
        Err(error) => return Ok(report::print(&report::failures(&error), BAD_SETTINGS)),
    };
    let deadlines = Deadlines {
        answer: settings.docker.call_deadline,
        ..Deadlines::default()
    };
    let engine = engine(&settings.docker, deadlines)?;
    let now = SystemClock.now();
    let (known, rights) = rights::examine(&settings, now).await;
    let granted = known.rights.roles(now);
    let threaded = channels_with_threads(&settings);
    let mut findings = discord::doctor::examine(&settings.discord, &granted, &threaded).await;
    findings.extend(rights);
    findings.extend(outlets::examine(&settings, &known));
    findings.extend(examine_host(&settings, &engine).await);
    Ok(report::print(&findings, UNWELL))
}

/// Where `[[route]]` entries want threads. The channels of fleets stand in the database and are not among them.
pub fn channels_with_threads(settings: &Settings) -> BTreeSet<ChannelId> {
    let routes = settings.squelch.routes.iter().filter(|route| route.thread);
    let channel = |to: &Destination| match to {
        Destination::Channel(id) => Some(*id),
        Destination::Ops => settings.discord.ops_channel,
        Destination::Target(_) => None,
    };
    routes
        .flat_map(|route| &route.to)
        .filter_map(channel)
        .collect()
}

/// Everything but Discord.
pub async fn examine_host(settings: &Settings, engine: &dyn Engine) -> Vec<Finding> {
    let mut findings = vec![
        database(&settings.database.path),
        docker(&settings.docker.host, engine).await,
        secret_files(&settings.secrets.dir),
    ];
    match templates::load(&settings.agents.templates) {
        Ok(templates) => {
            let folder = settings.agents.templates.display();
            let detail = format!("{} in {folder}", templates.len());
            findings.push(Finding::ok("templates", detail));
        }
        Err(error) => findings.extend(report::failures(&error)),
    }
    findings
}

fn database(path: &Path) -> Finding {
    const SUBJECT: &str = "database";
    match try_to_write(path) {
        Ok(()) => Finding::ok(SUBJECT, format!("{} can be written", path.display())),
        Err(error) => Finding::fail(
            SUBJECT,
            format!("{} cannot be written: {error}", path.display()),
            "make its folder, give it to the user we run as, or set `database.path`",
        ),
    }
}

/// The folder takes a new file, as `SQLite` needs, and the database itself may be changed.
fn try_to_write(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let probe = folder
        .unwrap_or_else(|| Path::new("."))
        .join(format!(".yardarm-doctor-{}", std::process::id()));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe)?;
    fs::remove_file(&probe)?;
    match OpenOptions::new().append(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        opened => opened.map(drop),
    }
}

/// Whether secrets that are laid out as files stay in memory.
fn secret_files(dir: &Path) -> Finding {
    const SUBJECT: &str = "secrets.dir";
    // As `statfs` tells a tmpfs and its elder brother, ramfs.
    const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];
    let there = dir.ancestors().find(|folder| folder.exists());
    match rustix::fs::statfs(there.unwrap_or(dir)) {
        Ok(system) if IN_MEMORY.contains(&system.f_type) => {
            Finding::ok(SUBJECT, format!("{} is in memory", dir.display()))
        }
        Ok(_) => Finding::warn(
            SUBJECT,
            format!(
                "{} is on a disk, and secrets given as files would be, too",
                dir.display()
            ),
            "mount a tmpfs there, or name a folder on one",
        ),
        Err(error) => Finding::warn(
            SUBJECT,
            format!("{} cannot be looked at: {error}", dir.display()),
            "name a folder on a tmpfs",
        ),
    }
}

async fn docker(host: &str, engine: &dyn Engine) -> Finding {
    const SUBJECT: &str = "Docker";
    let failure = match engine.about().await {
        Ok(about) => {
            let detail = format!("{} (API {}) at {host}", about.version, about.api_version);
            return Finding::ok(SUBJECT, detail);
        }
        Err(error) => error.to_string(),
    };
    let next = if host.starts_with("ssh://") {
        "as the user we run as, make `ssh` reach that host without a question, and `docker version` answer there"
    } else if failure.to_lowercase().contains("permission denied") {
        "let us use the socket: add the user we run as to the group `docker`"
    } else {
        "start it (`scripts/ensure-docker` does), or set `docker.host`"
    };
    Finding::fail(SUBJECT, format!("{host}: {failure}"), next)
}
