use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    time::Duration,
};

use super::{
    Options, folders, outlets,
    report::{self, BAD_SETTINGS},
    rights,
    up::engine,
};
use crate::{
    clock::{Clock as _, SystemClock},
    config::{Settings, templates},
    discord,
    domain::{
        agent::Name,
        finding::{Finding, Topic},
        ids::{ChannelId, ContainerId},
        policy::Effect,
        squelch::Destination,
        template::Template,
    },
    engine::{Engine, EngineError, docker::Deadlines},
    ops::access::Known,
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
    let written = channels(&settings, &known);
    let at = (&written, &threaded);
    let mut findings = discord::doctor::examine(&settings.discord, &granted, at).await;
    findings.extend(rights);
    findings.extend(outlets::examine(&settings, &known));
    findings.extend(examine_host(&settings, &engine).await);
    Ok(report::print(&findings, UNWELL))
}

/// Where we write beside the ops channel, each with whose channel it is.
pub fn channels(settings: &Settings, known: &Known) -> BTreeMap<ChannelId, String> {
    let named = |to: &Destination| match to {
        Destination::Channel(id) => Some(*id),
        Destination::Ops | Destination::Target(_) => None,
    };
    let routes = settings.squelch.routes.iter().flat_map(|route| {
        let rungs = route.escalation.iter().flat_map(|rung| &rung.to);
        let all = route.to.iter().chain(rungs).filter_map(named);
        all.map(|id| (id, format!("route {}", route.name)))
    });
    let policies = settings.policies.iter().filter_map(|policy| {
        let Effect::Ask(ask) = &policy.effect else {
            return None;
        };
        ask.channel
            .map(|id| (id, format!("policy {}", policy.name)))
    });
    let anchor = settings.audit.anchor_channel;
    let anchor = anchor.map(|id| (id, "the audit's anchor".to_owned()));
    let mut all: BTreeMap<_, _> = routes.chain(policies).chain(anchor).collect();
    all.extend(known.channels.iter().cloned());
    all.retain(|id, _| Some(*id) != settings.discord.ops_channel);
    all
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
        folders::database(&settings.database.path),
        docker(&settings.docker.host, engine).await,
        folders::secret_files(&settings.secrets.dir),
        folders::backups(&settings.backup),
    ];
    match templates::load(&settings.agents.templates) {
        Ok(templates) => {
            let folder = settings.agents.templates.display();
            let detail = format!("{} in {folder}", templates.len());
            findings.push(Finding::ok(Topic::Templates, detail));
            findings.extend(commands_inside(&templates, engine).await);
        }
        Err(error) => findings.extend(report::failures(&error)),
    }
    findings
}

/// Whether the engine lets us run the commands that templates ask agents by; None if none does. A filtering proxy may not.
async fn commands_inside(
    templates: &BTreeMap<Name, Template>,
    engine: &dyn Engine,
) -> Option<Finding> {
    const TOPIC: Topic = Topic::Probes;
    let runs = |template: &&Template| {
        template
            .body
            .probes
            .iter()
            .any(|one| one.command().is_some())
    };
    let names: Vec<&str> = templates
        .values()
        .filter(runs)
        .map(|template| template.name.as_str())
        .collect();
    if names.is_empty() {
        return None;
    }
    let nobody = ContainerId("yardarm-doctor".to_owned());
    let command = ["true".to_owned()];
    let asked = engine.exec(&nobody, &command, Duration::from_secs(1)).await;
    Some(match asked {
        Err(EngineError::Refused(why)) => Finding::warn(
            TOPIC,
            format!(
                "those of kind `exec` cannot be asked in {}: {why}",
                names.join(", ")
            ),
            "have the proxy before Docker let `exec` through, or use another kind",
        ),
        // That nobody has this name is well, and what is wrong with the engine was told.
        _ => Finding::ok(TOPIC, "Docker runs commands inside agents".to_owned()),
    })
}

async fn docker(host: &str, engine: &dyn Engine) -> Finding {
    const TOPIC: Topic = Topic::Docker;
    let failure = match engine.about().await {
        Ok(about) => {
            let detail = format!("{} (API {}) at {host}", about.version, about.api_version);
            return Finding::ok(TOPIC, detail);
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
    Finding::fail(TOPIC, format!("{host}: {failure}"), next)
}
