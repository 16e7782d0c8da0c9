use std::{collections::BTreeMap, process::ExitCode};

use super::{
    Options, outlets,
    report::{self, BAD_SETTINGS},
    rights,
};
use crate::{
    clock::{Clock as _, SystemClock},
    config::{ConfigError, Settings, templates},
    domain::{
        action::Origin,
        agent::Name,
        finding::{Finding, Topic},
        policy::{Effect, Question, Subject, decide},
        schedule::{Job, Order},
        template::Template,
    },
};

pub async fn run(options: &Options) -> ExitCode {
    let settings = options.settings();
    let templates = match &settings {
        Ok(settings) => templates::load(&settings.agents.templates),
        Err(_) => Ok(BTreeMap::new()),
    };
    let mut findings = check(&settings, &templates);
    if let Ok(settings) = &settings {
        let (known, rights) = rights::examine(settings, SystemClock.now()).await;
        findings.extend(rights);
        findings.extend(outlets::examine(settings, &known));
    }
    report::print(&findings, BAD_SETTINGS)
}

/// What would keep us from starting, and what would keep an agent from being deployed.
pub fn check(
    settings: &Result<Settings, ConfigError>,
    templates: &Result<BTreeMap<Name, Template>, ConfigError>,
) -> Vec<Finding> {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return report::failures(error),
    };
    let mut findings = vec![Finding::ok(Topic::Settings, "they can be used")];
    let orders = settings.schedules.orders.iter();
    findings.extend(orders.filter_map(|order| schedule(settings, order)));
    match templates {
        Ok(templates) => findings.extend(templates.values().map(|one| template(settings, one))),
        Err(error) => findings.extend(report::failures(error)),
    }
    findings
}

/// What a schedule of the file would be refused for when it runs.
fn schedule(settings: &Settings, order: &Order) -> Option<Finding> {
    let usual = (order.job == Job::Deploy).then_some(settings.agents.default_fleet.as_str());
    let subject = Subject {
        agent: order.agent.as_deref(),
        fleet: order.fleet.as_deref().or(usual),
        template: order.template.as_deref(),
    };
    let kind = order.job.kind()?;
    // Without an agent's name nobody knows how many there will be.
    let named = order
        .agent
        .as_deref()
        .is_some_and(|name| !name.contains('*'));
    let several = !named && (order.agent.is_some() || order.fleet.is_some());
    let question = Question {
        kind,
        subjects: &[subject],
        several,
        level: None,
        origin: Origin::Schedule,
        loosens: false,
        sole_owner: false,
        now: SystemClock.now(),
    };
    let decision = decide(&settings.policies, &question);
    let why = match decision.effect {
        Effect::Confirm => "wants something typed, and nobody is there to type",
        Effect::Deny { .. } => "denies it",
        Effect::Allow | Effect::Ask(_) => return None,
    };
    let warning = Finding::warn(
        Topic::Schedule,
        format!("the policy `{}` {why}", decision.rule),
        "put a `[[policy]]` with `origins = [\"schedule\"]` before it that allows this or asks people",
    );
    Some(warning.about(format!("schedule {}", order.name)))
}

fn template(settings: &Settings, template: &Template) -> Finding {
    let subject = format!("template {}", template.name);
    let prefix = &settings.agents.secrets_env_prefix;
    let needed = template
        .body
        .secrets
        .iter()
        .filter(|secret| secret.required);
    let unset: Vec<String> = needed
        .filter(|secret| !settings.agents.secrets.contains_key(&secret.name))
        .map(|secret| format!("{prefix}{}", secret.name))
        .collect();
    if unset.is_empty() {
        return Finding::ok(Topic::Template, &template.body.description).about(subject);
    }
    Finding::warn(
        Topic::Template,
        format!("it needs {}", unset.join(", ")),
        "export it (`set -a; . ./.env; set +a`, if `.env` has it), or set it in chat by `/secret set` without the prefix",
    )
    .about(subject)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    const TOKEN: &str = "MTIzNDU2Nzg5.GhIjKl.a-signature_of_Discord";

    fn settings(overrides: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let overrides: Vec<(String, String)> = overrides
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let token = ("DISCORD_TOKEN".to_owned(), TOKEN.to_owned());
        Settings::load(None, &overrides, &Environment::from_iter([token]))
    }

    fn said(
        settings: &Result<Settings, ConfigError>,
        templates: &Result<BTreeMap<Name, Template>, ConfigError>,
    ) -> String {
        let lines: Vec<String> = check(settings, templates)
            .iter()
            .map(ToString::to_string)
            .collect();
        lines.join("\n")
    }

    #[test]
    fn settings_come_first() {
        insta::assert_snapshot!(said(&settings(&[]), &Ok(BTreeMap::new())), @"fail  settings: discord.guild: is missing → give the id of your server: in Developer Mode, right-click it and Copy Server ID");
    }

    #[test]
    fn a_template_without_its_secrets_is_a_warning() {
        let name = Name::parse("claude").expect("a name");
        let json = r#"{ "description": "d", "image": "i",
            "secrets": [{ "name": "KEY" }, { "name": "OTHER", "required": false }] }"#;
        let template = Template::parse(name.clone(), json).expect("a good template");
        let settings = settings(&[("discord.guild", "7")]);
        insta::assert_snapshot!(said(&settings, &Ok(BTreeMap::from([(name, template)]))), @r"
        ok    settings: they can be used
        warn  template claude: it needs AGENT_KEY → export it (`set -a; . ./.env; set +a`, if `.env` has it), or set it in chat by `/secret set` without the prefix
        ");
    }

    #[test]
    fn a_schedule_that_would_be_refused_is_a_warning() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("yardarm.toml");
        let text = r#"
            [discord]
            guild = "7"
            [access]
            owners = ["1"]
            preset = "solo"
            [[schedule]]
            name = "all"
            cron = "@daily"
            action = "restart"
            fleet = "main"
            [[schedule]]
            name = "one"
            cron = "@daily"
            action = "restart"
            agent = "scout"
        "#;
        std::fs::write(&file, text).expect("a file");
        let token = ("DISCORD_TOKEN".to_owned(), TOKEN.to_owned());
        let settings = Settings::load(Some(&file), &[], &Environment::from_iter([token]));
        insta::assert_snapshot!(said(&settings, &Ok(BTreeMap::new())), @r#"
        ok    settings: they can be used
        warn  schedule all: the policy `solo: several at once` wants something typed, and nobody is there to type → put a `[[policy]]` with `origins = ["schedule"]` before it that allows this or asks people
        "#);
    }

    #[test]
    fn bad_templates_fail() {
        let settings = settings(&[("discord.guild", "7"), ("access.owners", "[1]")]);
        let templates = templates::load(std::path::Path::new("/nowhere"));
        insta::assert_snapshot!(said(&settings, &templates), @r"
        ok    settings: they can be used
        fail  /nowhere: the folder: cannot be read: No such file or directory (os error 2) → name a readable folder by `agents.templates`
        ");
    }
}
