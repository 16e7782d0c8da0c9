//! Requests that make containers: deploy, redeploy, rollback.

use super::{Selection, invalid, refuse_busy, request};
use crate::{
    domain::{
        action::{Arguments, Details, Kind},
        fleet::Fleet,
        spec::Spec,
        template::{DeployForm, Secret, Template},
        view::View,
    },
    error::{Error, Result},
    ops::{
        Ops,
        actions::{Newcomer, Request},
        secrets::Recipient,
        sight::Sight,
    },
    store::actions::NewTarget,
};

impl Sight<'_> {
    /// What can be said against a deployment before its form is filled in.
    pub fn check_deploy(&self, form: &DeployForm) -> Result<()> {
        let recipient = Recipient::newcomer(self.fleet_to_deploy_into(form)?.id);
        self.engine_answers()?;
        self.free_name(&form.name)?;
        let template = self.template(&form.template)?.template;
        let misfits = template.misfits(&form.given);
        if !misfits.is_empty() {
            return Err(invalid(&misfits));
        }
        self.check_secrets(&template, recipient)
    }

    fn fleet_to_deploy_into(&self, form: &DeployForm) -> Result<Fleet> {
        let default = self.settings().agents.default_fleet.clone();
        let fleet = self.fleet(form.fleet.as_deref().unwrap_or(default.as_str()))?;
        self.permit_in(Kind::Deploy, &fleet)?;
        Ok(fleet)
    }

    pub fn request_deploy(&self, form: &DeployForm) -> Result<Request> {
        let fleet = self.fleet_to_deploy_into(form)?;
        self.engine_answers()?;
        let template = self.template(&form.template)?.template;
        let name = self.free_name(&form.name)?;
        let recipient = Recipient::newcomer(fleet.id);
        let spec = self.resolve_template(&template, &form.given, recipient)?;
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
            secret: None,
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
        let views = self.select(selection)?;
        self.permit_on(Kind::Redeploy, &views)?;
        self.engine_answers()?;
        let mut targets = Vec::new();
        for view in views {
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
            secret: None,
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
            Some(entry) => {
                self.resolve_template(&entry.template, &arguments, Recipient::of(&view.agent))?
            }
            None if given.is_empty() => {
                self.refuse_unpermitted(&version.spec)?;
                version.spec.clone()
            }
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
        let view = self.agent(name)?;
        self.permit_on(Kind::Rollback, [&view])?;
        self.engine_answers()?;
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
}

impl Ops {
    /// The spec, or everything that is wrong with it at once.
    pub fn resolve_template(
        &self,
        template: &Template,
        given: &Arguments,
        recipient: Recipient,
    ) -> Result<Spec> {
        let spec = template
            .resolve(given)
            .map_err(|problems| invalid(&problems))?;
        self.check_secrets(template, recipient)?;
        self.refuse_unpermitted(&spec)?;
        Ok(spec)
    }

    fn check_secrets(&self, template: &Template, recipient: Recipient) -> Result<()> {
        let unset = |secret: &&Secret| secret.required && !self.has_secret(&secret.name, recipient);
        let missing: Vec<String> = template
            .body
            .secrets
            .iter()
            .filter(unset)
            .map(|secret| format!("`{}`", secret.name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let prefix = &self.settings().agents.secrets_env_prefix;
        Err(Error::Invalid(format!(
            "`{}` needs the secret {}. `/secret set` takes its value, or set it with `{prefix}` before it in `.env` and restart Yardarm.",
            template.name,
            missing.join(", ")
        )))
    }

    /// The settings may have changed since a spec was resolved: every container is made by those in force.
    pub(in crate::ops) fn refuse_unpermitted(&self, spec: &Spec) -> Result<()> {
        let refusals = self.settings().docker.allow.refusals(spec);
        if refusals.is_empty() {
            return Ok(());
        }
        Err(Error::Denied(format!(
            "The settings do not permit this: {}.",
            refusals.join("; ")
        )))
    }
}
