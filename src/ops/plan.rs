//! What an action would do: worked out when it is asked for, when people decide and just before it is done.

use super::{
    Ops,
    actions::{Request, newcomers},
    approvals::fleets,
    secrets::Recipient,
};
use crate::{
    domain::{
        action::{Action, Arguments, Details, Kind},
        agent::Name,
        ids::{FleetId, ImageId, UserId},
        plan::{Made, Part, Plan, loosens},
        secret::{Use, given_anew},
        spec::Spec,
        template::LIMIT_NAMES,
        view::View,
    },
    engine::Image,
    error::{Error, Result},
};

/// One agent that an action is about, however that is written down.
struct Aim<'a> {
    agent: Name,
    fleet: Name,
    /// None for one that is to be.
    view: Option<View>,
    recipient: Recipient,
    spec: Option<&'a Spec>,
    arguments: &'a Arguments,
    /// The very image, if it is bound to one.
    pinned: Option<&'a ImageId>,
    /// Who asks for it.
    by: Option<UserId>,
}

impl Ops {
    /// The plan of what is asked for now. Without `images` the engine is asked for none that need not be known: what
    /// nobody has to approve is written down before anything is waited for.
    pub(super) async fn plan_request(
        &self,
        request: &Request,
        (by, images): (Option<UserId>, bool),
    ) -> Result<Plan> {
        let mut aims = Vec::new();
        for target in &request.targets {
            let view = self.roster.view_of(target.agent);
            let view = view.ok_or_else(|| gone("An agent"))?;
            aims.push(Aim {
                agent: view.agent.name.clone(),
                fleet: view.fleet.clone(),
                recipient: Recipient::of(&view.agent),
                view: Some(view),
                spec: target.spec.as_deref(),
                arguments: &target.arguments,
                pinned: target.image.as_ref(),
                by,
            });
        }
        if let Some(newcomer) = &request.newcomer {
            aims.push(Aim {
                agent: newcomer.name.clone(),
                fleet: self.fleet_name(newcomer.fleet)?,
                view: None,
                recipient: Recipient::newcomer(newcomer.fleet),
                spec: newcomer.spec.as_deref(),
                arguments: &newcomer.arguments,
                pinned: None,
                by,
            });
        }
        self.plan(request.kind, (&request.details, images), aims)
            .await
    }

    /// The plan of an action as it would be made today.
    pub(super) async fn plan_action(&self, action: &Action) -> Result<Plan> {
        let mut aims = Vec::new();
        for target in &action.targets {
            let agent = self.store.agent(target.agent).await?;
            let agent = agent.ok_or_else(|| gone(&format!("`{}`", target.name)))?;
            let is_new = newcomers(action).contains(&agent.id);
            let view = self.roster.view_of(target.agent);
            aims.push(Aim {
                agent: target.name.clone(),
                fleet: self.fleet_name(agent.fleet)?,
                view: view.filter(|_| !is_new),
                recipient: if is_new {
                    Recipient::newcomer(agent.fleet)
                } else {
                    Recipient::of(&agent)
                },
                spec: target.spec.as_deref(),
                arguments: &target.arguments,
                pinned: target.image.as_ref(),
                by: action.actor,
            });
        }
        let images = action.approval.is_some();
        self.plan(action.kind, (&action.details, images), aims)
            .await
    }

    async fn plan(
        &self,
        kind: Kind,
        (details, images): (&Details, bool),
        aims: Vec<Aim<'_>>,
    ) -> Result<Plan> {
        let mut parts = Vec::new();
        for aim in aims {
            parts.push(self.part(aim, (details.pull, images)).await?);
        }
        parts.sort_by(|one, other| one.agent.cmp(&other.agent));
        Ok(Plan {
            kind: kind.as_str().to_owned(),
            parts,
            details: details.clone(),
        })
    }

    async fn part(&self, aim: Aim<'_>, (pull, images): (bool, bool)) -> Result<Part> {
        // Which image gets a secret is a question of rights.
        let images = images
            || aim
                .spec
                .is_some_and(|spec| spec.all_secrets().next().is_some());
        let seal = |name: &str, value: &str| self.vault.hmac(name, value);
        let version = aim.view.as_ref().and_then(|view| view.version.clone());
        let now = match (&version, aim.spec) {
            (Some(version), Some(_)) => {
                let image = if images {
                    self.bare_image(version.image.as_str()).await?
                } else {
                    None
                };
                Some(Made::new(&version.spec, image, seal))
            }
            (Some(version), None) => Some(Made::new(
                &version.spec,
                Some(version.image.to_string()),
                seal,
            )),
            (None, _) => None,
        };
        let before = version.map(|version| version.spec.clone());
        let (then, loosens) = match aim.spec {
            Some(spec) => {
                let image = if images {
                    self.planned_image(spec, &aim, pull).await?
                } else {
                    None
                };
                let mut looser = before
                    .or_else(|| self.plain_spec(spec, aim.arguments))
                    .map_or_else(Vec::new, |before| loosens(&before, spec));
                let uses = self.secret_uses(aim.recipient, spec, (image.as_slice(), aim.by));
                let anew = uses.await?.into_iter().filter(Use::loosens);
                looser.extend(anew.map(|used| given_anew(&used.name)));
                (Some(Made::new(spec, image, seal)), looser)
            }
            None => (None, Vec::new()),
        };
        Ok(Part {
            agent: aim.agent,
            fleet: aim.fleet,
            container: aim.view.and_then(|view| view.agent.container),
            now,
            then,
            loosens,
        })
    }

    /// What a first deployment is measured against: its template without any limit that was asked for.
    fn plain_spec(&self, spec: &Spec, arguments: &Arguments) -> Option<Spec> {
        let entry = self.catalog.get(spec.template.as_deref()?)?;
        let mut plain = arguments.clone();
        plain.retain(|name, _| !LIMIT_NAMES.contains(&name.as_str()));
        entry.template.resolve(&plain).ok()
    }

    /// The image a spec would get: the one it is bound to, the one that is here, or what the registry would give.
    async fn planned_image(
        &self,
        spec: &Spec,
        aim: &Aim<'_>,
        pull: bool,
    ) -> Result<Option<String>> {
        if let Some(pinned) = aim.pinned
            && let Some(here) = self.bare_image(pinned.as_str()).await?
        {
            return Ok(Some(here));
        }
        match self.engine.image(&spec.image).await? {
            Some(image) if stays(&image, spec, pull) => Ok(Some(image.bare())),
            _ if spec.build.is_some() => Ok(None),
            // That no registry knows it is told by whoever has to rely on it.
            _ => Ok(self.engine.resolve(&spec.image).await.ok()),
        }
    }

    /// `sha256:…` as its registry knows it, or its id if it is in none; None if it is not here.
    pub(super) async fn bare_image(&self, reference: &str) -> Result<Option<String>> {
        let image = self.engine.image(reference).await?;
        Ok(image.as_ref().map(Image::bare))
    }

    /// The fleets a plan touches; none if it is about no agent.
    pub(super) fn fleets_of(&self, plan: Option<&Plan>) -> Vec<FleetId> {
        let names = fleets(plan);
        self.roster.read(|board| {
            let found = names.iter().filter_map(|name| board.fleet(name.as_str()));
            found.map(|fleet| fleet.id).collect()
        })
    }

    fn fleet_name(&self, id: FleetId) -> Result<Name> {
        let found = self.roster.read(|board| {
            let mut fleets = board.fleets();
            fleets
                .find(|fleet| fleet.id == id)
                .map(|fleet| fleet.name.clone())
        });
        found.ok_or_else(|| gone("Its fleet"))
    }
}

/// Whether an image that is here is the one to take, and no registry is asked for a newer one.
pub(super) fn stays(image: &Image, spec: &Spec, pull: bool) -> bool {
    // One that was never pushed, or is the host's to make, nobody else has: whoever offers it under that name is a stranger.
    !pull || image.digest.is_none() || spec.build.is_some()
}

/// How an image that is not here and in no registry is made, if its template says so.
pub(super) fn unmade(spec: &Spec) -> Option<Error> {
    let build = spec.build.as_deref()?;
    Some(Error::NotFound(format!(
        "The image `{}` is not on this host, and no registry is asked for it. On the host, in the folder of Yardarm's sources, this makes it: `{build}`.",
        spec.image
    )))
}

fn gone(what: &str) -> Error {
    Error::NotFound(format!(
        "{what} is gone meanwhile. `/status` shows who is there."
    ))
}
