//! Making a container and letting it take an agent's place: deploy, redeploy, rollback.
//!
//! The old container is renamed and stopped but kept until the new one is proven. The registry decides which of
//! the two is the agent, and it moves in one statement. Whatever ends us before that, the new one is left over;
//! whatever ends us after it, the old one is: [`super::tidy`] removes what is left over and mends names.

use std::{collections::BTreeMap, time::Duration};

use futures::TryStreamExt;
use tokio::time::Instant;

use super::{
    Ops,
    actions::newcomers,
    execute::Work,
    plan::{stays, unmade},
    secrets::Recipient,
};
use crate::{
    domain::{
        action::{Arguments, Kind, Step},
        agent::{Agent, Desired, Health, Name, Observation, Phase},
        ids::{ActionId, ContainerId, ImageId},
        plan::{repository, short_image},
        redact::{Redactor, by_shape},
        spec::{Network, Spec},
    },
    engine::{self, Creation, EngineError, Labels, LogLine, LogQuery, NetworkSpec, PullProgress},
    error::{Error, Result},
    store::{actions, agents},
};

/// How often a new container is looked at while it proves itself.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Lines of a failed container's log that its card shows.
const LAST_LINES: u32 = 10;

/// What a container is made from.
struct Blueprint {
    spec: Spec,
    arguments: Arguments,
    /// The very image, if it is bound to one.
    pinned: Option<ImageId>,
}

/// The container that was the agent until now.
struct Old {
    container: ContainerId,
    was_up: bool,
}

impl Work<'_> {
    pub(super) async fn replace(&self) -> Result<Option<String>> {
        let agent = self.agent().await?;
        let blueprint = self.blueprint(&agent).await?;
        let spec = &blueprint.spec;
        let resolved = async {
            self.ops.refuse_unpermitted(spec)?;
            let image = self.resolve_image(spec, blueprint.pinned.clone()).await?;
            self.refuse_unplanned_image(&agent, &blueprint, &image)
                .await?;
            Ok(image)
        };
        let image = match resolved.await {
            Ok(image) => image,
            Err(error) => return self.abandon(&agent, None, error).await,
        };
        let old = self.old(&agent).await?;
        match self
            .make_and_prove(&agent, spec, &image, old.as_ref())
            .await
        {
            Ok(container) => {
                self.swap(&agent, &container, &blueprint, &image).await?;
                let Some(old) = old else { return Ok(None) };
                let left = self.retire(&old.container).await.err();
                Ok(left.map(|error| {
                    format!("The old container goes as soon as Docker lets it: {error}")
                }))
            }
            Err(error) => self.abandon(&agent, old.as_ref(), error).await,
        }
    }

    /// What to make: the target's new spec, or the agent's present one if only its container is missing.
    async fn blueprint(&self, agent: &Agent) -> Result<Blueprint> {
        if let Some(spec) = &self.target.spec {
            return Ok(Blueprint {
                spec: spec.as_ref().clone(),
                arguments: self.target.arguments.clone(),
                pinned: self.target.image.clone(),
            });
        }
        let version = self.ops.store.version(agent.id, agent.version).await?;
        let none = || {
            Error::Invalid(format!(
                "`{}` was never deployed. `/remove` it and `/deploy` it anew.",
                agent.name
            ))
        };
        let version = version.ok_or_else(none)?;
        Ok(Blueprint {
            spec: version.spec,
            arguments: version.arguments,
            pinned: Some(version.image),
        })
    }

    async fn resolve_image(&self, spec: &Spec, pinned: Option<ImageId>) -> Result<ImageId> {
        self.step(Step::Resolving);
        let engine = &self.ops.engine;
        if let Some(pinned) = pinned
            && engine.image(pinned.as_str()).await?.is_some()
        {
            return Ok(pinned);
        }
        if let Some(image) = engine.image(&spec.image).await?
            && stays(&image, spec, self.action.details.pull)
        {
            return Ok(image.id);
        }
        if let Some(unmade) = unmade(spec) {
            return Err(unmade);
        }
        self.step(Step::Pulling(None));
        engine
            .pull(&spec.image, &|progress| {
                self.step(Step::Pulling(percent(progress)));
            })
            .await
            .map_err(|error| unpullable(&spec.image, error))?;
        let missing = || {
            Error::NotFound(format!(
                "`{}` was pulled and is not there. Try again.",
                spec.image
            ))
        };
        Ok(engine.image(&spec.image).await?.ok_or_else(missing)?.id)
    }

    /// Names of images move, and who approved meant one image: what came of the name by now has to be that one.
    async fn refuse_unplanned_image(
        &self,
        agent: &Agent,
        blueprint: &Blueprint,
        image: &ImageId,
    ) -> Result<()> {
        let plan = self.action.plan.as_deref();
        if let Some(planned) = plan.and_then(|plan| plan.image_for(&agent.name)) {
            let bare = self.ops.bare_image(image.as_str()).await?;
            let bare = bare.as_deref().unwrap_or(image.as_str());
            if planned == bare || self.is_called(&blueprint.spec, planned, image).await? {
                return Ok(());
            }
            return Err(Error::Drifted(format!(
                "the plan has changed: `{}`: image digest `{}` → `{}`",
                agent.name,
                short_image(planned),
                short_image(bare)
            )));
        }
        // Only the container of what is there is missing: its version says from which image. That image was approved, or
        // it was given secrets.
        let given = blueprint.spec.all_secrets().next().is_some();
        let is_bound = given || self.action.approval.is_some();
        match &blueprint.pinned {
            Some(pinned) if is_bound && pinned != image => Err(Error::Invalid(format!(
                "The image of `{0}` is gone from this host, and `{1}` is another one by now. `/redeploy agent:{0}` asks for that.",
                agent.name, blueprint.spec.image
            ))),
            _ => Ok(()),
        }
    }

    /// Whether that image has this digest too: one that was pushed twice has several.
    async fn is_called(&self, spec: &Spec, digest: &str, image: &ImageId) -> Result<bool> {
        let reference = format!("{}@{digest}", repository(&spec.image));
        let named = self.ops.engine.image(&reference).await?;
        Ok(named.is_some_and(|named| named.id == *image))
    }

    async fn old(&self, agent: &Agent) -> Result<Option<Old>> {
        let Some(container) = &agent.container else {
            return Ok(None);
        };
        let seen = self.ops.engine.observe(container).await?;
        Ok(seen.map(|seen| Old {
            container: container.clone(),
            was_up: seen.phase.is_up(),
        }))
    }

    async fn make_and_prove(
        &self,
        agent: &Agent,
        spec: &Spec,
        image: &ImageId,
        old: Option<&Old>,
    ) -> Result<ContainerId> {
        let name = self.ops.container_name(&agent.name);
        self.step(Step::Creating);
        let making = if old.is_some() {
            self.ops.passing_name(&agent.name, self.action.id)
        } else {
            name.clone()
        };
        let container = self.create(agent, spec, image, &making).await?;
        if let Some(old) = old {
            self.step(Step::Stopping);
            self.ops
                .engine
                .rename(
                    &old.container,
                    &self.ops.retired_name(&agent.name, self.action.id),
                )
                .await?;
            self.stop_old(old, spec).await?;
            self.ops.engine.rename(&container, &name).await?;
        }
        self.step(Step::Starting);
        self.lay_out_secrets(agent, spec, image).await?;
        self.reach(&container, self.ops.engine.start(&container), |seen| {
            seen.phase != Phase::Created
        })
        .await?;
        self.prove(&container, spec, old.is_some()).await?;
        Ok(container)
    }

    async fn stop_old(&self, old: &Old, spec: &Spec) -> Result<()> {
        let grace = Duration::from_secs(spec.stop_grace_s.into());
        self.reach(
            &old.container,
            self.ops.engine.stop(&old.container, grace),
            |seen| !seen.phase.is_up(),
        )
        .await
    }

    async fn create(
        &self,
        agent: &Agent,
        spec: &Spec,
        image: &ImageId,
        name: &str,
    ) -> Result<ContainerId> {
        let labels = Labels {
            instance: self.ops.instance.clone(),
            agent: agent.id,
            spec: spec.digest(),
            action: self.action.id,
        };
        let network = self.join_network(spec).await?;
        let volumes = self.volumes(spec).await?;
        let secrets = self
            .give_secrets(agent, (spec, &spec.secrets), image)
            .await?;
        let folder = if spec.secret_files.is_empty() {
            None
        } else {
            Some(self.ops.secrets_folder(&self.guard)?)
        };
        let creation = Creation {
            name,
            spec,
            image,
            labels: &labels,
            network: network.as_deref(),
            alias: agent.name.as_str(),
            volumes: &volumes,
            secrets: &secrets,
            secret_files: folder.as_deref(),
        };
        match self.ops.engine.create(&creation).await {
            // It may have been made all the same: its labels tell.
            Err(error) if error.outcome_is_unknown() => {
                self.find_made(&labels).await?.ok_or_else(|| error.into())
            }
            Err(EngineError::Conflict(why)) => Err(Error::Invalid(format!(
                "Docker will not have it: {why}. If the container `{name}` is not ours, `/adopt` or rename it."
            ))),
            answer => Ok(answer?),
        }
    }

    async fn find_made(&self, labels: &Labels) -> Result<Option<ContainerId>> {
        let listed = self.ops.engine.list().await?;
        let made = listed
            .into_iter()
            .find(|listed| listed.labels.as_ref() == Some(labels));
        Ok(made.map(|listed| listed.container))
    }

    async fn join_network(&self, spec: &Spec) -> Result<Option<String>> {
        let view = self.ops.roster.view_of(self.guard.agent());
        let fleet = view.map(|view| view.fleet);
        let (Some(fleet), Network::Fleet) = (fleet, spec.network) else {
            return Ok(None);
        };
        let network = NetworkSpec {
            name: self.ops.network_name(fleet.as_str(), spec.internet),
            instance: self.ops.instance.clone(),
            internal: !spec.internet,
        };
        self.ops.ensure_network(&network).await?;
        Ok(Some(network.name))
    }

    /// Volumes are named after the agent's id, so that a re-created name inherits nothing. What was taken over keeps those
    /// that it came with, unless it was given its own when that was not so yet.
    async fn volumes(&self, spec: &Spec) -> Result<BTreeMap<String, String>> {
        let prefix = &self.ops.settings().docker.name_prefix;
        let agent = self.guard.agent();
        let own = |name: &str| (name.to_owned(), format!("{prefix}{agent}-{name}"));
        let mut volumes: BTreeMap<String, String> = spec.volumes().map(own).collect();
        if spec.was_taken_over() {
            let given = self.ops.engine.volumes(&self.ops.instance, agent);
            let given = given.await?;
            for (name, on_host) in &mut volumes {
                if !given.contains(on_host) {
                    on_host.clone_from(name);
                }
            }
        }
        Ok(volumes)
    }

    /// A first container need only run. One that replaces another must keep running, and be healthy if it can say so.
    async fn prove(&self, container: &ContainerId, spec: &Spec, replaces: bool) -> Result<()> {
        self.step(Step::Proving);
        let docker = &self.ops.settings().docker;
        let began = Instant::now();
        loop {
            let seen = self.ops.engine.observe(container).await?;
            let seen =
                seen.ok_or_else(|| Error::Invalid("The new container vanished.".to_owned()))?;
            if seen.phase != Phase::Running {
                return Err(Error::Invalid(format!(
                    "The new container ended at once: {}.",
                    describe_exit(&seen)
                )));
            }
            if !replaces || self.is_proven(&seen, spec, began.elapsed())? {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY.min(docker.settle)).await;
        }
    }

    fn is_proven(&self, seen: &Observation, spec: &Spec, waited: Duration) -> Result<bool> {
        let docker = &self.ops.settings().docker;
        if spec.health.is_none() {
            return Ok(waited >= docker.settle);
        }
        match seen.health {
            Some(Health::Healthy) => Ok(waited >= docker.settle),
            Some(Health::Unhealthy) => {
                Err(Error::Invalid("The new container is unhealthy.".to_owned()))
            }
            _ if waited >= docker.health_deadline => Err(Error::Invalid(format!(
                "The new container was not healthy within {} s.",
                docker.health_deadline.as_secs()
            ))),
            _ => Ok(false),
        }
    }

    /// The agent is the new container from here on.
    async fn swap(
        &self,
        agent: &Agent,
        container: &ContainerId,
        blueprint: &Blueprint,
        image: &ImageId,
    ) -> Result<()> {
        let now = self.ops.now();
        let mut tx = self.ops.store.begin().await?;
        agents::swap(
            &mut tx,
            agent.id,
            container,
            (&blueprint.spec, image, &blueprint.arguments),
            now,
        )
        .await?;
        agents::set_desired(&mut tx, agent.id, Desired::Running).await?;
        actions::set_step(&mut tx, self.action.id, agent.id, Step::Swapped).await?;
        tx.commit().await?;
        self.ops.refresh(agent.id).await?;
        if let Err(error) = self.ops.observe(container).await {
            // It is done all the same; the next listing tells.
            tracing::warn!(agent.name = agent.name.as_str(), error = %error, "a new container could not be looked at");
        }
        Ok(())
    }

    /// Puts everything back as it was, and says why, with the new container's last words.
    async fn abandon(
        &self,
        agent: &Agent,
        old: Option<&Old>,
        error: Error,
    ) -> Result<Option<String>> {
        self.step(Step::Undoing);
        let words = self.last_words(agent).await;
        let redactor = self.redactor(agent).await;
        let was_up = old.is_some_and(|old| old.was_up);
        let undone = self.undo(agent, was_up).await;
        let fate = match (&undone, self.action.kind) {
            (Err(_), _) => "What it left behind is put right as soon as Docker answers.",
            _ if was_up => "The old container runs again.",
            (_, Kind::Deploy) => "Nothing of it is left.",
            _ => "Nothing else was changed.",
        };
        match error {
            Error::Internal(_) => Err(error),
            Error::Drifted(why) if undone.is_ok() => Err(Error::Drifted(why)),
            error => Err(Error::Invalid(match redactor {
                Ok(redactor) => redactor.redact(&format!("{error} {fate}{words}")),
                // Without the values nobody can tell what else the container has said.
                Err(_) => by_shape(&format!("{error} {fate}")),
            })),
        }
    }

    /// Of what this action was to give, and of what the agent has.
    async fn redactor(&self, agent: &Agent) -> Result<Redactor> {
        let mut names = Vec::new();
        let version = self.ops.store.version(agent.id, agent.version).await?;
        let specs = [
            version.map(|version| version.spec),
            self.target.spec.as_deref().cloned(),
        ];
        for spec in specs.into_iter().flatten() {
            names.extend(spec.all_secrets().cloned());
        }
        self.ops.redactor(Recipient::of(agent), &names).await
    }

    /// Removes what this action made, gives the old container its name back, and starts it if it was up.
    /// Where this fails, [`super::tidy`] does it later.
    pub(super) async fn undo(&self, agent: &Agent, start: bool) -> Result<()> {
        if newcomers(self.action).contains(&agent.id) {
            self.unlist().await?;
        }
        self.discard_made(agent).await?;
        if self.action.kind == Kind::Deploy {
            self.ops.clear_secrets(&self.guard)?;
            return Ok(self.ops.drop_volumes(&self.guard).await?);
        }
        let Some(container) = &agent.container else {
            return Ok(());
        };
        let Some(seen) = self.ops.engine.observe(container).await? else {
            return Ok(());
        };
        if seen.name == self.ops.retired_name(&agent.name, self.action.id) {
            self.ops
                .engine
                .rename(container, &self.ops.container_name(&agent.name))
                .await?;
        }
        if start && !seen.phase.is_up() {
            self.lay_out_present_secrets(agent).await?;
            self.ops.engine.start(container).await?;
        }
        self.ops.observe(container).await?;
        Ok(())
    }

    pub(super) async fn discard_made(&self, agent: &Agent) -> Result<()> {
        for container in self.made(agent).await? {
            self.ops.engine.remove(&container).await?;
        }
        Ok(())
    }

    /// Containers this action made for the agent that did not become it.
    async fn made(&self, agent: &Agent) -> Result<Vec<ContainerId>> {
        let ours = |labels: &Labels| {
            labels.instance == self.ops.instance
                && labels.agent == agent.id
                && labels.action == self.action.id
        };
        let listed = self.ops.engine.list().await?;
        let made = listed
            .into_iter()
            .filter(|listed| listed.labels.as_ref().is_some_and(ours));
        Ok(made
            .map(|listed| listed.container)
            .filter(|made| Some(made) != agent.container.as_ref())
            .collect())
    }

    async fn last_words(&self, agent: &Agent) -> String {
        let Ok(made) = self.made(agent).await else {
            return String::new();
        };
        let Some(container) = made.first() else {
            return String::new();
        };
        let query = LogQuery {
            tail: LAST_LINES,
            since: None,
            stdout: true,
            stderr: true,
            follow: false,
        };
        let Ok(stream) = self.ops.engine.logs(container, &query).await else {
            return String::new();
        };
        let lines: Vec<LogLine> = stream.try_collect().await.unwrap_or_default();
        if lines.is_empty() {
            return " The new one wrote nothing to its log.".to_owned();
        }
        let text: Vec<String> = lines.into_iter().map(|line| line.text).collect();
        format!("\n{}", text.join("\n"))
    }

    /// Moves a running container from one fleet's network to another's.
    pub(super) async fn change_network(&self, from: Option<&Name>, to: &Name) -> Result<()> {
        let agent = self.agent().await?;
        let version = self.ops.store.version(agent.id, agent.version).await?;
        let (Some(container), Some(version), Some(from)) = (&agent.container, version, from) else {
            return Ok(());
        };
        // What we adopted was never in a network of ours; its next redeploy joins one.
        if agent.adopted || version.spec.network != Network::Fleet || from == to {
            return Ok(());
        }
        let internet = version.spec.internet;
        let network = NetworkSpec {
            name: self.ops.network_name(to.as_str(), internet),
            instance: self.ops.instance.clone(),
            internal: !internet,
        };
        self.ops.ensure_network(&network).await?;
        let alias = agent.name.as_str();
        tolerate(
            self.ops
                .engine
                .connect(container, &network.name, alias)
                .await,
        )?;
        let old = self.ops.network_name(from.as_str(), internet);
        tolerate(self.ops.engine.disconnect(container, &old).await)
    }
}

impl Ops {
    pub(super) fn container_name(&self, agent: &Name) -> String {
        format!("{}{agent}", self.settings().docker.name_prefix)
    }

    /// What a new container is called while the old one still has the agent's name.
    pub(super) fn passing_name(&self, agent: &Name, action: ActionId) -> String {
        format!("{}-new-{action}", self.container_name(agent))
    }

    /// What an old container is called while its successor proves itself.
    pub(super) fn retired_name(&self, agent: &Name, action: ActionId) -> String {
        format!("{}-old-{action}", self.container_name(agent))
    }

    pub(super) fn network_name(&self, fleet: &str, internet: bool) -> String {
        let suffix = if internet { "" } else { "-internal" };
        format!("{}{fleet}{suffix}", self.settings().docker.name_prefix)
    }
}

/// It is in, or out, already: that is what was wanted.
fn tolerate(answer: engine::Result<()>) -> Result<()> {
    match answer {
        Err(EngineError::Conflict(_) | EngineError::NotFound(_)) => Ok(()),
        answer => Ok(answer?),
    }
}

fn percent(progress: PullProgress) -> Option<u8> {
    let whole = progress.total_bytes.max(1);
    let percent = progress.done_bytes.min(whole) * 100 / whole;
    if progress.total_bytes == 0 {
        None
    } else {
        u8::try_from(percent).ok()
    }
}

fn unpullable(image: &str, error: EngineError) -> Error {
    match error {
        EngineError::NotFound(why) | EngineError::Refused(why) => Error::NotFound(format!(
            "There is no image `{image}` that this host may pull ({why}). Check its name, or log the host in to its registry."
        )),
        error => error.into(),
    }
}

/// Why a container is not running, in words.
fn describe_exit(seen: &Observation) -> String {
    match (&seen.error, seen.oom_killed, seen.exit_code) {
        (Some(error), ..) if !error.is_empty() => error.clone(),
        (_, true, _) => "it ran out of memory".to_owned(),
        (_, _, Some(code)) => format!("exit code {code}"),
        _ => "no exit code".to_owned(),
    }
}
