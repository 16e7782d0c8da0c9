//! Secrets: which an agent is given, from where, and whether what gets them got them before.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{Ops, execute::Work, locks::TargetGuard};
use crate::{
    domain::{
        action::{Action, Kind},
        agent::{Agent, Name},
        audit::{Entry, Origin, What},
        ids::{ActionId, AgentId, FleetId, ImageId, UserId},
        redact::Redactor,
        secret::{
            self, Binding, Listed, Scope, Secret, SecretId, Set, Source, Subject, Use, given_anew,
            nearest,
        },
        spec::Spec,
        view::View,
    },
    error::{Error, Result},
    store::{
        Tx, audit,
        secrets::{self as rows, Put, UsedBy},
    },
    vault::Place,
};

/// The column that all values are sealed for.
const COLUMN: &str = "secret_versions.sealed";

/// What is known of all secrets in force, without their values; in memory, so that refusals come at once.
#[derive(Debug, Default)]
pub struct Known(RwLock<Arc<Vec<Secret>>>);

impl Known {
    pub fn all(&self) -> Arc<Vec<Secret>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whom secrets are looked up for. An agent that is still to be made has no id.
#[derive(Clone, Copy, Debug)]
pub struct Recipient {
    pub agent: Option<AgentId>,
    pub fleet: FleetId,
}

impl Recipient {
    pub const fn of(agent: &Agent) -> Self {
        Self {
            agent: Some(agent.id),
            fleet: agent.fleet,
        }
    }

    pub const fn newcomer(fleet: FleetId) -> Self {
        Self { agent: None, fleet }
    }
}

impl Ops {
    /// Takes over what the database says of secrets.
    pub(super) async fn load_secrets(&self) -> Result<()> {
        let fresh = Arc::new(self.store.secrets().await?);
        *self
            .secrets
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Where the recipient's value for `name` comes from: the nearest scope, then Yardarm's own environment.
    pub fn secret_source(&self, name: &str, recipient: Recipient) -> Source {
        let known = self.secrets.all();
        match nearest(known.iter(), name, recipient.agent, recipient.fleet) {
            Some(secret) => Source::Vault(secret.id, secret.scope),
            None if self.settings().agents.secrets.contains_key(name) => Source::Environment,
            None => Source::Unset,
        }
    }

    pub fn has_secret(&self, name: &str, recipient: Recipient) -> bool {
        self.secret_source(name, recipient) != Source::Unset
    }

    /// Each secret of `spec` as the recipient would be given it if `by` asked for that, and whether the image, by any of
    /// its names (see [`UsedBy::image`]), with those commands got it before. An image that nobody knows yet got nothing.
    pub(super) async fn secret_uses(
        &self,
        recipient: Recipient,
        spec: &Spec,
        (image, by): (&[String], Option<UserId>),
    ) -> Result<Vec<Use>> {
        let mut uses = Vec::new();
        let wanted = image.iter().map(|name| used_by(spec, name.clone()));
        let wanted: Vec<UsedBy> = wanted.collect();
        for name in spec.all_secrets() {
            let source = self.secret_source(name, recipient);
            let known = self.store.secret_uses(id_of(source), name).await?;
            let binding = match known.as_slice() {
                [] if self.may_bind(source, by) => Binding::Own,
                [] => Binding::Fresh,
                known if known.iter().any(|used| wanted.contains(used)) => Binding::Known,
                _ => Binding::Other,
            };
            uses.push(Use {
                name: name.clone(),
                source,
                binding,
            });
        }
        Ok(uses)
    }

    /// Who set a secret decides whom it is given to first. The environment's are the host's, where nobody is asked.
    fn may_bind(&self, source: Source, by: Option<UserId>) -> bool {
        let Source::Vault(id, _) = source else {
            return true;
        };
        let known = self.secrets.all();
        let set_by = known.iter().find(|secret| secret.id == id);
        by.is_some() && set_by.is_some_and(|secret| secret.set_by == by)
    }

    /// By what an image is known: its id, and its digest if a registry has it.
    pub(super) async fn names_of(&self, image: &ImageId) -> Result<Vec<String>> {
        let mut names = vec![image.to_string()];
        let bare = self.bare_image(image.as_str()).await?;
        names.extend(bare.filter(|bare| bare != image.as_str()));
        Ok(names)
    }

    /// Seals a value at once; it waits until its action is carried out, and goes with it otherwise.
    pub(super) async fn propose_secret(
        &self,
        tx: &mut Tx,
        subject: &Subject,
        value: &SecretString,
        by: (ActionId, Option<UserId>),
    ) -> Result<()> {
        let slot = rows::slot(tx, &subject.name, subject.scope, secret::Origin::Chat).await?;
        let sealed = self.vault.seal(place(slot.secret, slot.version), value);
        rows::propose(tx, slot, &sealed, by, self.now()).await?;
        Ok(())
    }

    /// The value that an action brought counts from here on. Done twice it does nothing.
    pub(super) async fn put_secret_in_force(&self, action: &Action) -> Result<()> {
        if !matches!(action.kind, Kind::SecretSet | Kind::SecretRotate) {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        match rows::put_in_force(&mut tx, action.id).await? {
            Put::Now => audit::append(&mut tx, &told(action), self.now()).await?,
            Put::Before => return Ok(()),
            Put::Nothing => {
                return Err(Error::Invalid(
                    "Whoever the secret was for is gone, and its value with them.".to_owned(),
                ));
            }
        };
        self.put_in_force(tx, action).await?;
        self.load_secrets().await
    }

    pub(super) async fn delete_secret(&self, action: &Action) -> Result<Option<String>> {
        let subject = action.details.secret.as_ref();
        let Some(secret) = subject.and_then(|subject| self.secret_in_force(subject)) else {
            return Ok(Some("It was gone already.".to_owned()));
        };
        let mut tx = self.store.begin().await?;
        rows::remove(&mut tx, secret.id, self.now()).await?;
        audit::append(&mut tx, &told(action), self.now()).await?;
        self.put_in_force(tx, action).await?;
        self.load_secrets().await?;
        Ok(None)
    }

    /// What is meant by a name and a scope, if whoever it is for is still there.
    pub fn secret_subject_of(&self, name: &str, scope: Scope) -> Result<Subject> {
        let whose = match scope {
            Scope::Agent(id) => self.roster.view_of(id).map(|view| view.agent.name.clone()),
            Scope::Fleet(id) => self.fleet_called(id),
            Scope::All => None,
        };
        if whose.is_none() && scope != Scope::All {
            return Err(Error::NotFound(
                "Whoever this secret was to be for is gone. `/status` shows who is there."
                    .to_owned(),
            ));
        }
        Ok(Subject::new(name.to_owned(), scope, whose))
    }

    fn fleet_called(&self, id: FleetId) -> Option<Name> {
        self.roster.read(|board| {
            let mut fleets = board.fleets();
            fleets
                .find(|fleet| fleet.id == id)
                .map(|fleet| fleet.name.clone())
        })
    }

    /// Everything people may know of all secrets: those in force, then those of the environment.
    pub fn secret_entries(&self) -> Vec<Listed> {
        let mut entries = Vec::new();
        for secret in self.secrets.all().iter() {
            let Ok(subject) = self.secret_subject_of(&secret.name, secret.scope) else {
                continue;
            };
            let set = Set {
                at: secret.set_at,
                by: secret.set_by,
                origin: secret.origin,
            };
            entries.push(Listed {
                users: self.given(&secret.name, Source::Vault(secret.id, secret.scope)),
                outlets: self.outlets_of(&secret.name, secret.scope),
                subject,
                set: Some(set),
            });
        }
        for name in self.settings().agents.secrets.keys() {
            entries.push(Listed {
                users: self.given(name, Source::Environment),
                outlets: Vec::new(),
                subject: Subject::new(name.clone(), Scope::All, None),
                set: None,
            });
        }
        entries
    }

    /// The agents whose containers are given `name` from there.
    fn given(&self, name: &str, source: Source) -> Vec<Name> {
        self.users_of(name, source)
            .into_iter()
            .map(|view| view.agent.name)
            .collect()
    }

    pub(in crate::ops) fn users_of(&self, name: &str, source: Source) -> Vec<View> {
        let is_given = |view: &&View| {
            let version = view.version.as_ref();
            version.is_some_and(|version| version.spec.all_secrets().any(|own| own == name))
                && self.secret_source(name, Recipient::of(&view.agent)) == source
        };
        self.roster
            .read(|board| board.views().filter(is_given).cloned().collect())
    }

    /// The values of those of `names` that are set.
    pub(super) async fn secret_values(
        &self,
        recipient: Recipient,
        names: &[String],
    ) -> Result<BTreeMap<String, SecretString>> {
        let settings = self.settings();
        let mut values = BTreeMap::new();
        for name in names {
            let value = match self.secret_source(name, recipient) {
                Source::Vault(id, _) => self.open(id, name).await?,
                Source::Environment => settings.agents.secrets.get(name).cloned(),
                Source::Unset => None,
            };
            values.extend(value.map(|value| (name.clone(), value)));
        }
        Ok(values)
    }

    /// Takes out of what `recipient`'s container says the values of `names`, those of all others, our own, and whatever
    /// looks like one. It fails if one of `names` does not open.
    pub(super) async fn redactor(
        &self,
        recipient: Recipient,
        names: &[String],
    ) -> Result<Redactor> {
        let settings = self.settings();
        let given = self.secret_values(recipient, names).await?;
        let others = self.values_that_open().await?;
        let all = given
            .values()
            .chain(&others)
            .chain(settings.agents.secrets.values())
            .chain([&settings.discord.token]);
        let redactor = Redactor::new(all.map(SecretString::expose_secret));
        Ok(redactor.map_err(anyhow::Error::new)?)
    }

    /// An agent may say what another one told it.
    async fn values_that_open(&self) -> Result<Vec<SecretString>> {
        let all = self.store.all_sealed().await?.into_iter();
        let opened = all.filter_map(|(id, kept)| {
            let place = place(id, kept.version);
            self.vault.open(place, &kept.sealed).ok()
        });
        Ok(opened.collect())
    }

    /// As `redactor`, for an agent as it is.
    pub async fn redactor_of(&self, view: &View) -> Result<Redactor> {
        let version = view.version.as_ref();
        let names = version.map_or_else(Vec::new, |version| {
            version.spec.all_secrets().cloned().collect()
        });
        self.redactor(Recipient::of(&view.agent), &names).await
    }

    /// The folder that a container of the held agent is bound to.
    pub(super) fn secrets_folder(&self, guard: &TargetGuard) -> Result<PathBuf> {
        let folder = self.handout.folder(guard.agent());
        folder.map_err(|error| self.not_laid_out(&error))
    }

    /// Its container does not run: nobody needs them there.
    pub(super) fn clear_secrets(&self, guard: &TargetGuard) -> Result<()> {
        let cleared = self.handout.clear(guard.agent());
        cleared.map_err(|error| self.not_laid_out(&error))
    }

    fn not_laid_out(&self, error: &io::Error) -> Error {
        Error::Invalid(format!(
            "Secrets cannot be laid out in `{}`: {error}. Give Yardarm that folder (`secrets.dir`), or let the template say `\"as\": \"env\"`.",
            self.settings().secrets.dir.display()
        ))
    }

    pub(in crate::ops) async fn open(
        &self,
        id: SecretId,
        name: &str,
    ) -> Result<Option<SecretString>> {
        let Some(kept) = self.store.sealed(id).await? else {
            return Ok(None);
        };
        let opened = self.vault.open(place(id, kept.version), &kept.sealed);
        opened.map(Some).map_err(|_| {
            Error::Invalid(format!(
                "The secret `{name}` does not open: its row was changed. `/secret set name:{name}` sets it anew."
            ))
        })
    }
}

/// What the audit is told of a secret: its name and for whom.
fn told(action: &Action) -> Entry {
    let what = match action.kind {
        Kind::SecretDelete => What::SecretDeleted,
        Kind::SecretRotate => What::SecretRotated,
        _ => What::SecretSet,
    };
    let subject = action.details.secret.as_ref();
    let (agent, fleet) = match subject.map(|subject| (subject.scope, subject.whose.clone())) {
        Some((Scope::Agent(id), Some(name))) => (Some((id, name)), None),
        Some((Scope::Fleet(id), Some(name))) => (None, Some((id, name))),
        _ => (None, None),
    };
    Entry {
        actor: action.actor,
        agent,
        fleet,
        action: Some(action.id),
        kind: Some(action.kind),
        text: subject.map(ToString::to_string),
        ..Entry::new(what, Origin::Request(action.origin))
    }
}

impl Work<'_> {
    /// Moves the environment of an adopted container into the vault: nobody said which of it is a secret, and a spec
    /// is kept, shown and compared as it is. It is bound to what had it: the container's `image` by its names, and its
    /// commands.
    pub(super) async fn seal_environment(
        &self,
        tx: &mut Tx,
        spec: &mut Spec,
        image: &[String],
    ) -> Result<()> {
        let by = (self.action.id, self.action.actor);
        let scope = Scope::Agent(self.guard.agent());
        for (name, value) in std::mem::take(&mut spec.env) {
            let slot = rows::slot(tx, &name, scope, secret::Origin::Adopted).await?;
            let place = place(slot.secret, slot.version);
            let sealed = self.ops.vault.seal(place, &SecretString::from(value));
            rows::keep(tx, slot, &sealed, by, self.ops.now()).await?;
            for image in image {
                let used_by = used_by(spec, image.clone());
                rows::note_use(tx, (Some(slot.secret), &name), &used_by, self.ops.now()).await?;
            }
            spec.secrets.push(name);
        }
        Ok(())
    }

    /// The values of those of `names` that a container of `image` is given. A plan says what is given to what did not get
    /// it before. Whatever else makes or starts a container gives it what its like got: what is new to all waits for
    /// a deployment, and what others got is refused.
    pub(super) async fn give_secrets(
        &self,
        agent: &Agent,
        (spec, names): (&Spec, &[String]),
        image: &ImageId,
    ) -> Result<BTreeMap<String, SecretString>> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (recipient, image) = (Recipient::of(agent), self.ops.names_of(image).await?);
        let uses = self
            .ops
            .secret_uses(recipient, spec, (&image, self.action.actor));
        let mut given = Vec::new();
        for used in uses.await? {
            if names.contains(&used.name) && self.may_give(agent, &used)? {
                given.push(used);
            }
        }
        self.note_uses(&given, (spec, &image)).await?;
        let names: Vec<String> = given.into_iter().map(|used| used.name).collect();
        self.ops.secret_values(recipient, &names).await
    }

    fn may_give(&self, agent: &Agent, used: &Use) -> Result<bool> {
        if !used.loosens() || self.is_planned(agent, &given_anew(&used.name)) {
            return Ok(true);
        }
        if used.binding == Binding::Fresh {
            return Ok(false);
        }
        Err(Error::Invalid(format!(
            "The secret `{}` that `{1}` would be given by now was never given to its image with its command. `/redeploy agent:{1}` asks for that.",
            used.name, agent.name
        )))
    }

    fn is_planned(&self, agent: &Agent, loosening: &str) -> bool {
        let plan = self.action.plan.as_deref();
        let mut parts = plan.map_or(&[][..], |plan| &plan.parts).iter();
        let part = parts.find(|part| part.agent == agent.name);
        part.is_some_and(|part| part.loosens.iter().any(|planned| planned == loosening))
    }

    /// Binds secrets to what gets them now, before it does.
    async fn note_uses(&self, given: &[Use], (spec, image): (&Spec, &[String])) -> Result<()> {
        let known = |used: &Use| used.binding == Binding::Known;
        if given.iter().all(known) {
            return Ok(());
        }
        let mut tx = self.ops.store.begin().await?;
        for used in given.iter().filter(|used| used.source != Source::Unset) {
            for image in image {
                let (of, by) = ((id_of(used.source), used.name.as_str()), image.clone());
                rows::note_use(&mut tx, of, &used_by(spec, by), self.ops.now()).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Puts the files where the container that is about to start finds them.
    pub(super) async fn lay_out_secrets(
        &self,
        agent: &Agent,
        spec: &Spec,
        image: &ImageId,
    ) -> Result<()> {
        if spec.secret_files.is_empty() {
            return Ok(());
        }
        let uid = self.uid(spec, image).await?;
        let values = self
            .give_secrets(agent, (spec, &spec.secret_files), image)
            .await?;
        match self.ops.handout.lay_out(agent.id, uid, &values) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(Error::Invalid(format!(
                    "Yardarm may not give files to user {uid} in `{}`. Run it as root or with CAP_CHOWN, or let the template say `\"as\": \"env\"`.",
                    self.ops.settings().secrets.dir.display()
                )))
            }
            laid_out => laid_out.map_err(|error| self.ops.not_laid_out(&error)),
        }
    }

    /// As [`Self::lay_out_secrets`], for the container that the agent is.
    pub(super) async fn lay_out_present_secrets(&self, agent: &Agent) -> Result<()> {
        let version = self.ops.store.version(agent.id, agent.version).await?;
        match version {
            Some(version) => {
                self.lay_out_secrets(agent, &version.spec, &version.image)
                    .await
            }
            None => Ok(()),
        }
    }

    /// Refuses a start that could not give the container that the agent is its files.
    pub(super) async fn refuse_present_secrets(&self, agent: &Agent) -> Result<()> {
        let version = self.ops.store.version(agent.id, agent.version).await?;
        if let Some(version) = version {
            let files = (&version.spec, version.spec.secret_files.as_slice());
            self.give_secrets(agent, files, &version.image).await?;
        }
        Ok(())
    }

    /// As whom the container runs, in figures: files belong to numbers.
    async fn uid(&self, spec: &Spec, image: &ImageId) -> Result<u32> {
        let user = if let Some(user) = &spec.user {
            user.clone()
        } else {
            let image = self.ops.engine.image(image.as_str()).await?;
            image.map(|image| image.user).unwrap_or_default()
        };
        let name = user.split(':').next().unwrap_or_default();
        match name {
            "" | "root" => Ok(0),
            name => name.parse().map_err(|_| {
                Error::Invalid(format!(
                    "Files need a user in figures, and the image runs as `{name}`. Let the template say `\"user\": \"UID:GID\"`, or `\"as\": \"env\"` of its secrets."
                ))
            }),
        }
    }
}

pub(super) const fn place(secret: SecretId, version: i64) -> Place {
    Place {
        secret: secret.0,
        version,
        column: COLUMN,
    }
}

fn used_by(spec: &Spec, image: String) -> UsedBy {
    UsedBy {
        image,
        command: spec.command.clone(),
        checks: spec.checks(),
    }
}

const fn id_of(source: Source) -> Option<SecretId> {
    match source {
        Source::Vault(id, _) => Some(id),
        Source::Environment | Source::Unset => None,
    }
}
