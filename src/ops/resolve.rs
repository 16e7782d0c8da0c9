//! From what a person typed to a request: validated from memory alone, so that refusals come at once.

use super::{
    Ops,
    actions::{Newcomer, Request},
    catalog::{Entry, Source},
};
use crate::{
    domain::{
        action::{Arguments, Details, Kind},
        agent::{Desired, Name, Phase, State},
        fleet::Fleet,
        ids::{ChannelId, ContainerId},
        nearest::did_you_mean,
        problem::{Problem, capitalised},
        spec::Spec,
        template::{DeployForm, Secret, Template},
        view::{EngineState, View},
    },
    error::{Error, Result},
    store::actions::NewTarget,
};

/// Whom a command is about: one agent, a pattern with `*`, a fleet, or a pattern within a fleet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    pub agent: Option<&'a str>,
    pub fleet: Option<&'a str>,
}

impl Ops {
    /// The agents a selection means, by name; at least one.
    pub fn select(&self, selection: Selection<'_>) -> Result<Vec<View>> {
        let fleet = selection.fleet.map(|name| self.fleet(name)).transpose()?;
        let pattern = selection.agent.unwrap_or("*");
        if fleet.is_none() && selection.agent.is_none() {
            return Err(Error::Invalid(
                "Say which: `agent:` (a name or a pattern such as `scout-*`) or `fleet:`."
                    .to_owned(),
            ));
        }
        if fleet.is_none() && !pattern.contains('*') {
            return self.agent(pattern).map(|view| vec![view]);
        }
        let found: Vec<View> = self.roster.read(|board| {
            let within = |view: &&View| {
                fleet
                    .as_ref()
                    .is_none_or(|fleet| view.agent.fleet == fleet.id)
            };
            let named = |view: &&View| matches(pattern, view.agent.name.as_str());
            board
                .views()
                .filter(within)
                .filter(named)
                .cloned()
                .collect()
        });
        if found.is_empty() {
            return Err(Error::NotFound(match fleet {
                Some(fleet) if selection.agent.is_none() => format!(
                    "Nobody is in `{0}`. `/deploy fleet:{0} template:` makes an agent in it.",
                    fleet.name
                ),
                Some(fleet) => format!(
                    "No agent of `{}` is called `{}`. `/fleet list` shows who is in it.",
                    fleet.name,
                    plain(pattern)
                ),
                None => format!(
                    "No agent is called `{}`. `/status` shows all.",
                    plain(pattern)
                ),
            }));
        }
        Ok(found)
    }

    pub fn agent(&self, name: &str) -> Result<View> {
        self.roster.view(name).ok_or_else(|| {
            let known: Vec<String> = self.roster.read(|board| {
                board
                    .views()
                    .map(|view| view.agent.name.to_string())
                    .collect()
            });
            Error::NotFound(format!(
                "There is no agent `{}`. {}",
                plain(name),
                suggest(name, &known, "`/deploy` makes the first one.")
            ))
        })
    }

    pub fn fleet(&self, name: &str) -> Result<Fleet> {
        self.roster
            .read(|board| board.fleet(name).cloned())
            .ok_or_else(|| {
                let known: Vec<String> = self
                    .roster
                    .read(|board| board.fleets().map(|fleet| fleet.name.to_string()).collect());
                Error::NotFound(format!(
                    "There is no fleet `{}`. {}",
                    plain(name),
                    suggest(name, &known, "`/fleet create` makes one.")
                ))
            })
    }

    pub fn template(&self, name: &str) -> Result<Entry> {
        self.catalog.get(name).ok_or_else(|| {
            let known: Vec<String> = self.catalog.all().keys().map(Name::to_string).collect();
            let advice = suggest(
                name,
                &known,
                "Put one into the folder `agents.templates`, then `/reload`.",
            );
            Error::NotFound(format!("There is no template `{}`. {advice}", plain(name)))
        })
    }

    /// What can be said against a deployment before its form is filled in.
    pub fn check_deploy(&self, form: &DeployForm) -> Result<()> {
        self.engine_answers()?;
        self.free_name(&form.name)?;
        if let Some(fleet) = &form.fleet {
            self.fleet(fleet)?;
        }
        let template = self.template(&form.template)?.template;
        let misfits = template.misfits(&form.given);
        if !misfits.is_empty() {
            return Err(invalid(&misfits));
        }
        self.check_secrets(&template)
    }

    pub fn request_deploy(&self, form: &DeployForm) -> Result<Request> {
        self.engine_answers()?;
        let template = self.template(&form.template)?.template;
        let name = self.free_name(&form.name)?;
        let default = self.settings().agents.default_fleet.clone();
        let fleet = self.fleet(form.fleet.as_deref().unwrap_or(default.as_str()))?;
        let spec = self.resolve_template(&template, &form.given)?;
        let newcomer = Newcomer {
            name,
            fleet: fleet.id,
            spec: Some(Box::new(spec)),
            arguments: form.given.clone(),
        };
        let details = Details {
            pull: form.pull,
            ..Details::default()
        };
        Ok(Request {
            kind: Kind::Deploy,
            targets: Vec::new(),
            newcomer: Some(newcomer),
            details,
        })
    }

    /// The template as it is now, with what it was given before and what is `given` on top.
    pub fn request_redeploy(
        &self,
        selection: Selection<'_>,
        given: &Arguments,
        pull: bool,
    ) -> Result<Request> {
        self.engine_answers()?;
        let mut targets = Vec::new();
        for view in self.select(selection)? {
            refuse_busy(&view)?;
            targets.push(self.redeployed(&view, given)?);
        }
        let details = Details {
            pull,
            ..Details::default()
        };
        Ok(Request {
            kind: Kind::Redeploy,
            targets,
            newcomer: None,
            details,
        })
    }

    fn redeployed(&self, view: &View, given: &Arguments) -> Result<NewTarget> {
        let name = &view.agent.name;
        let never = || {
            Error::Invalid(format!(
                "`{name}` was never deployed. `/remove` it and `/deploy` it anew."
            ))
        };
        let version = view.version.as_ref().ok_or_else(never)?;
        let template = version
            .spec
            .template
            .as_deref()
            .and_then(|template| self.catalog.get(template));
        let mut arguments = version.arguments.clone();
        if let Some(entry) = &template {
            // What the template has dropped since then is nobody's wish any more.
            arguments.retain(|name, _| entry.template.takes(name));
        }
        arguments.extend(given.clone());
        let spec = match template {
            Some(entry) => self.resolve_template(&entry.template, &arguments)?,
            None if given.is_empty() => self.permitted(version.spec.clone())?,
            None => {
                return Err(Error::Invalid(format!(
                    "`{name}` has no template to give `set:` to."
                )));
            }
        };
        Ok(NewTarget {
            agent: view.agent.id,
            spec: Some(Box::new(spec)),
            arguments,
            image: None,
        })
    }

    pub fn request_rollback(&self, name: &str) -> Result<Request> {
        self.engine_answers()?;
        let view = self.agent(name)?;
        refuse_busy(&view)?;
        if view.agent.version < 2 {
            return Err(Error::Invalid(format!(
                "`{}` has no earlier version to return to.",
                view.agent.name
            )));
        }
        Ok(request(
            Kind::Rollback,
            vec![NewTarget::as_it_is(view.agent.id)],
        ))
    }

    /// `start`, `stop`, `restart`, `pause`, `resume`. Of several, those already there are left out.
    pub fn request_change(&self, kind: Kind, selection: Selection<'_>) -> Result<Request> {
        self.engine_answers()?;
        let views = self.select(selection)?;
        if let [view] = views.as_slice() {
            refuse_busy(view)?;
            if let Some(why) = unneeded(kind, view) {
                return Err(Error::Invalid(format!("`{}` {why}", view.agent.name)));
            }
        }
        let needed: Vec<&View> = views
            .iter()
            .filter(|view| unneeded(kind, view).is_none())
            .collect();
        if needed.is_empty() {
            return Err(Error::Invalid(format!(
                "None of the {} agents needs a {kind}.",
                views.len()
            )));
        }
        for view in &needed {
            refuse_busy(view)?;
        }
        Ok(request(
            kind,
            needed
                .into_iter()
                .map(|view| NewTarget::as_it_is(view.agent.id))
                .collect(),
        ))
    }

    pub fn request_remove(&self, selection: Selection<'_>) -> Result<Request> {
        self.engine_answers()?;
        let views = self.select(selection)?;
        for view in &views {
            refuse_busy(view)?;
        }
        Ok(request(
            Kind::Remove,
            views
                .iter()
                .map(|view| NewTarget::as_it_is(view.agent.id))
                .collect(),
        ))
    }

    /// Asks the engine for the container: to be called after the person was answered.
    pub async fn request_adopt(
        &self,
        container: &str,
        name: Option<&str>,
        fleet: Option<&str>,
    ) -> Result<Request> {
        self.engine_answers()?;
        let seen = self
            .engine
            .observe(&ContainerId(container.to_owned()))
            .await?;
        let seen = seen.ok_or_else(|| {
            Error::NotFound(format!(
                "There is no container `{}` on this host.",
                plain(container)
            ))
        })?;
        if let Some(owner) = self.roster.read(|board| {
            board
                .by_container(&seen.container)
                .map(|view| view.agent.name.clone())
        }) {
            return Err(Error::Invalid(format!(
                "That container is `{owner}` already."
            )));
        }
        let name = match name {
            Some(name) => self.free_name(name)?,
            None => self.free_name(&seen.name).map_err(|error| {
                Error::Invalid(format!("{error} Give the agent another one by `name:`."))
            })?,
        };
        let default = self.settings().agents.default_fleet.clone();
        let newcomer = Newcomer {
            name,
            fleet: self.fleet(fleet.unwrap_or(default.as_str()))?.id,
            spec: None,
            arguments: Arguments::new(),
        };
        let details = Details {
            container: Some(seen.container),
            ..Details::default()
        };
        Ok(Request {
            kind: Kind::Adopt,
            targets: Vec::new(),
            newcomer: Some(newcomer),
            details,
        })
    }

    pub fn request_fleet_create(&self, name: &str, channel: Option<ChannelId>) -> Result<Request> {
        let name = parse_name(name)?;
        if self
            .roster
            .read(|board| board.fleet(name.as_str()).is_some())
        {
            return Err(Error::Invalid(format!(
                "There is a fleet `{name}` already."
            )));
        }
        let details = Details {
            name: Some(name),
            channel,
            ..Details::default()
        };
        Ok(change_of(Kind::FleetCreate, details))
    }

    pub fn request_fleet_delete(&self, name: &str) -> Result<Request> {
        let fleet = self.fleet(name)?;
        if fleet.name == self.settings().agents.default_fleet {
            return Err(Error::Invalid(format!(
                "`{}` is the default fleet (`agents.default_fleet`); it stays.",
                fleet.name
            )));
        }
        let members = self.roster.read(|board| {
            board
                .views()
                .filter(|view| view.agent.fleet == fleet.id)
                .count()
        });
        if members > 0 {
            return Err(Error::Invalid(format!(
                "`{}` is not empty: {members} in it. Move or remove its agents first.",
                fleet.name
            )));
        }
        let details = Details {
            name: Some(fleet.name),
            fleet: Some(fleet.id),
            ..Details::default()
        };
        Ok(change_of(Kind::FleetDelete, details))
    }

    pub fn request_fleet_add(&self, fleet: &str, selection: Selection<'_>) -> Result<Request> {
        self.engine_answers()?;
        let fleet = self.fleet(fleet)?;
        let mut targets = Vec::new();
        for view in self
            .select(selection)?
            .iter()
            .filter(|view| view.agent.fleet != fleet.id)
        {
            refuse_busy(view)?;
            targets.push(NewTarget::as_it_is(view.agent.id));
        }
        if targets.is_empty() {
            return Err(Error::Invalid(format!(
                "They are in `{}` already.",
                fleet.name
            )));
        }
        let details = Details {
            name: Some(fleet.name),
            fleet: Some(fleet.id),
            ..Details::default()
        };
        Ok(Request {
            kind: Kind::FleetAdd,
            targets,
            newcomer: None,
            details,
        })
    }

    pub fn request_template_save(
        &self,
        name: &str,
        agent: &str,
        description: &str,
    ) -> Result<Request> {
        let name = parse_name(name)?;
        if self.catalog.get(name.as_str()).is_some() {
            return Err(Error::Invalid(format!(
                "There is a template `{name}` already."
            )));
        }
        let view = self.agent(agent)?;
        let never = || Error::Invalid(format!("`{}` was never deployed.", view.agent.name));
        let version = view.version.as_ref().ok_or_else(never)?;
        let settings = self.settings();
        let template = Template::from_spec(name.clone(), description, &version.spec, |secret| {
            settings.agents.secrets.contains_key(secret)
        })
        .map_err(|problems| invalid(&problems))?;
        let details = Details {
            name: Some(name),
            template: Some(template.to_json()),
            ..Details::default()
        };
        Ok(change_of(Kind::TemplateSave, details))
    }

    pub fn request_template_delete(&self, name: &str) -> Result<Request> {
        let entry = self.template(name)?;
        if entry.source == Source::File {
            return Err(Error::Invalid(format!(
                "`{}` comes from a file: delete the file, then `/reload`.",
                entry.template.name
            )));
        }
        let details = Details {
            name: Some(entry.template.name),
            ..Details::default()
        };
        Ok(change_of(Kind::TemplateDelete, details))
    }

    /// The spec, or everything that is wrong with it at once.
    pub fn resolve_template(&self, template: &Template, given: &Arguments) -> Result<Spec> {
        let spec = template
            .resolve(given)
            .map_err(|problems| invalid(&problems))?;
        self.check_secrets(template)?;
        self.permitted(spec)
    }

    fn check_secrets(&self, template: &Template) -> Result<()> {
        let settings = self.settings();
        let unset = |secret: &&Secret| {
            secret.required && !settings.agents.secrets.contains_key(&secret.name)
        };
        let missing: Vec<String> = template
            .body
            .secrets
            .iter()
            .filter(unset)
            .map(|secret| format!("`{}{}`", settings.agents.secrets_env_prefix, secret.name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::Invalid(format!(
            "`{}` needs {} in Yardarm's environment (`.env`); set it and restart Yardarm.",
            template.name,
            missing.join(", ")
        )))
    }

    fn permitted(&self, spec: Spec) -> Result<Spec> {
        let refusals = self.settings().docker.allow.refusals(&spec);
        if refusals.is_empty() {
            return Ok(spec);
        }
        Err(Error::Denied(format!(
            "The settings do not permit this: {}.",
            refusals.join("; ")
        )))
    }

    fn free_name(&self, name: &str) -> Result<Name> {
        let name = parse_name(name)?;
        if self.roster.view(name.as_str()).is_some() {
            return Err(Error::Invalid(format!(
                "`{name}` is taken. Choose another name, or `/redeploy agent:{name}`."
            )));
        }
        Ok(name)
    }

    /// Docker's silence is known from memory: nobody waits to learn it.
    fn engine_answers(&self) -> Result<()> {
        self.roster.read(|board| match &board.engine {
            EngineState::Silent { since, why } => Err(Error::Unavailable(format!(
                "Docker has not answered since <t:{}:R>: {}. Nothing was changed. It is asked again all the time; check `systemctl status docker` on the host.",
                since.timestamp(),
                plain(why)
            ))),
            EngineState::Unasked | EngineState::Answers { .. } => Ok(()),
        })
    }
}

fn request(kind: Kind, targets: Vec<NewTarget>) -> Request {
    Request {
        kind,
        targets,
        newcomer: None,
        details: Details::default(),
    }
}

const fn change_of(kind: Kind, details: Details) -> Request {
    Request {
        kind,
        targets: Vec::new(),
        newcomer: None,
        details,
    }
}

fn refuse_busy(view: &View) -> Result<()> {
    let Some(busy) = view.busy else { return Ok(()) };
    let by = busy
        .actor
        .map_or_else(|| "Yardarm".to_owned(), |actor| format!("<@{actor}>"));
    Err(Error::Busy(format!(
        "`{}` is busy: {} by {by}, <t:{}:R>. Wait for it, then send the command again.",
        view.agent.name,
        busy.kind,
        busy.since.timestamp()
    )))
}

/// Why a change would do nothing, as the end of a sentence that begins with the agent's name.
fn unneeded(kind: Kind, view: &View) -> Option<String> {
    let phase = view.observed.as_ref().map(|seen| seen.phase);
    let up = phase.is_some_and(Phase::is_up);
    match (kind, view.state) {
        (Kind::Start, _)
            if phase == Some(Phase::Running) && view.agent.desired == Desired::Running =>
        {
            Some("is running already.".to_owned())
        }
        (Kind::Stop, _) if !up && view.agent.desired == Desired::Stopped => {
            Some("is stopped already.".to_owned())
        }
        (Kind::Pause, State::Paused) => {
            Some("is paused already. `/resume` lets it go on.".to_owned())
        }
        (Kind::Pause, _) if !up => Some("does not run, so there is nothing to pause.".to_owned()),
        (Kind::Resume, _) if phase != Some(Phase::Paused) => Some("is not paused.".to_owned()),
        _ => None,
    }
}

fn parse_name(text: &str) -> Result<Name> {
    Name::parse(text).map_err(|error| Error::Invalid(format!("{error}.")))
}

fn invalid(problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Error::Invalid(lines.join("\n"))
}

/// A sentence that helps on from an unknown name.
fn suggest(name: &str, known: &[String], none: &str) -> String {
    if known.is_empty() {
        return none.to_owned();
    }
    let advice = did_you_mean(name, known);
    let end = if advice.ends_with('?') { "" } else { "." };
    format!("{}{end}", capitalised(&advice))
}

/// Typed text in an answer: short, and unable to leave its code span.
fn plain(text: &str) -> String {
    text.chars()
        .take(80)
        .map(|c| if c == '`' { '\'' } else { c })
        .collect()
}

/// `*` stands for any number of characters; everything else for itself.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| rest.get(at..).is_some_and(|rest| matches(after, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("scout", "scout", true),
            ("scout", "scouts", false),
            ("scout-*", "scout-1", true),
            ("scout-*", "scout", false),
            ("*", "anything", true),
            ("*-eu-*", "scout-eu-2", true),
            ("*a*b*", "xaxxbx", true),
            ("*a*b*", "xbxxax", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }
}
