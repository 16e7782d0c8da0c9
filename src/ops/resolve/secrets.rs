//! Requests about secrets.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret as _, SecretString};

use super::{plain, refuse_busy};
use crate::{
    domain::{
        action::{Details, Kind},
        grant::{self, Caller, Level, Need},
        nearest::did_you_mean,
        problem::capitalised,
        secret::{Listed, Scope, Secret, Source, Subject, VALUE_MAX, check_name},
        view::View,
    },
    error::{Error, Result},
    ops::{Ops, actions::Request, sight::Sight},
    store::actions::NewTarget,
};

/// For whom, as a person says it: exactly one of these.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whose<'a> {
    pub agent: Option<&'a str>,
    pub fleet: Option<&'a str>,
    pub all: bool,
}

impl Sight<'_> {
    /// A secret of that name and scope, whether it is set or not.
    pub fn secret_subject(&self, name: &str, whose: Whose<'_>) -> Result<Subject> {
        check_name(name).map_err(|why| Error::Invalid(format!("`{}` {why}.", plain(name))))?;
        let (scope, whose) = match (whose.agent, whose.fleet, whose.all) {
            (Some(agent), None, false) => {
                let agent = self.agent(agent)?.agent;
                (Scope::Agent(agent.id), Some(agent.name))
            }
            (None, Some(fleet), false) => {
                let fleet = self.fleet(fleet)?;
                (Scope::Fleet(fleet.id), Some(fleet.name))
            }
            (None, None, true) => (Scope::All, None),
            _ => {
                return Err(Error::Invalid(
                    "Say who is given it, one of these: `agent:`, `fleet:` or `all:True`."
                        .to_owned(),
                ));
            }
        };
        let subject = Subject::new(name.to_owned(), scope, whose);
        self.permit(&self.secret_need(Kind::SecretSet.level(), &subject))?;
        Ok(subject)
    }

    /// The subject of a form that comes back, for somebody who may still set it.
    pub fn secret_of_form(&self, name: &str, scope: Scope) -> Result<Subject> {
        let subject = self.secret_subject_of(name, scope)?;
        self.permit(&self.secret_need(Kind::SecretSet.level(), &subject))?;
        Ok(subject)
    }

    /// What is set where the caller sees, and who uses it.
    pub fn secrets_seen(&self) -> Vec<Listed> {
        let mut entries = self.secret_entries();
        for entry in &mut entries {
            entry.users.retain(|name| {
                let fleet = self.roster.view(name.as_str()).map(|view| view.fleet);
                fleet.is_some_and(|fleet| self.sees(&fleet))
            });
        }
        let seen = |entry: &Listed| match self.secret_need(Level::Viewer, &entry.subject).on {
            // Those for all agents concern whoever sees any of them.
            grant::Scope::Everything => true,
            on => self
                .permit(&Need {
                    level: Level::Viewer,
                    on,
                })
                .is_ok(),
        };
        entries.retain(seen);
        entries
    }

    /// Names that are set where the caller sees, or that a template asks for.
    pub fn secret_names(&self) -> BTreeSet<String> {
        let set = self.secrets_seen();
        let set = set.into_iter().map(|entry| entry.subject.name);
        let all = self.catalog.all();
        let asked = all.values().flat_map(|entry| &entry.template.body.secrets);
        let outlets = self.settings().outlet_secrets().into_iter();
        set.chain(asked.map(|secret| secret.name.clone()))
            .chain(outlets.map(|(secret, _)| secret))
            .collect()
    }

    /// As [`Self::secret_subject`], of one that is set.
    pub fn known_secret(&self, name: &str, whose: Whose<'_>) -> Result<Subject> {
        let subject = self.secret_subject(name, whose)?;
        if self.secret_in_force(&subject).is_some() {
            return Ok(subject);
        }
        let known = self.secrets_seen();
        let names: Vec<&str> = known
            .iter()
            .filter(|entry| entry.set.is_some())
            .map(|entry| entry.subject.name.as_str())
            .collect();
        let advice = if names.is_empty() || names.contains(&name) {
            "`/secret list` shows those that are set".to_owned()
        } else {
            did_you_mean(name, &names)
        };
        Err(Error::NotFound(format!(
            "{subject} is not set. {}{}",
            capitalised(&advice),
            if advice.ends_with('?') { "" } else { "." }
        )))
    }
}

impl Ops {
    /// Refuses what would be refused whatever the value is, before it is typed.
    pub async fn foresee_secret(
        &self,
        (subject, rotate): (&Subject, bool),
        caller: &Caller,
    ) -> Result<()> {
        let request = if rotate {
            self.rotation(subject.clone())?
        } else {
            request(Kind::SecretSet, subject.clone(), Vec::new(), None)
        };
        self.foresee(&request, caller).await
    }

    /// Takes effect with the next deployment of whoever uses it.
    pub fn request_secret_set(&self, subject: Subject, value: &SecretString) -> Result<Request> {
        let value = checked(value)?;
        Ok(request(Kind::SecretSet, subject, Vec::new(), Some(value)))
    }

    /// Those who use it are made anew at once, if they run. Whoever does not, and has it as a variable, is named.
    pub fn request_secret_rotate(&self, subject: Subject, value: &SecretString) -> Result<Request> {
        Ok(Request {
            secret: Some(checked(value)?),
            ..self.rotation(subject)?
        })
    }

    fn rotation(&self, mut subject: Subject) -> Result<Request> {
        self.engine_answers()?;
        let mut targets = Vec::new();
        for view in self.secret_users(&subject) {
            let runs = view
                .observed
                .as_ref()
                .is_some_and(|seen| seen.phase.is_up());
            if runs {
                refuse_busy(&view)?;
                targets.push(NewTarget::as_it_is(view.agent.id));
            } else if has_as_variable(&view, &subject.name) {
                subject.keeping.push(view.agent.name);
            }
        }
        Ok(request(Kind::SecretRotate, subject, targets, None))
    }

    /// Whoever is told by means of it is named: nothing is sent there any more.
    pub fn request_secret_delete(&self, mut subject: Subject) -> Request {
        subject.outlets = self.outlets_of(&subject.name, subject.scope);
        request(Kind::SecretDelete, subject, Vec::new(), None)
    }

    /// The level on whatever is given the secret.
    pub(in crate::ops) fn secret_need(&self, level: Level, subject: &Subject) -> Need {
        let fleet = self.roster.read(|board| match subject.scope {
            Scope::Agent(id) => board.by_id(id).map(|view| view.fleet.clone()),
            Scope::Fleet(id) => board.fleet_by_id(id).map(|fleet| fleet.name.clone()),
            Scope::All => None,
        });
        fleet.map_or_else(
            || Need::everything(level),
            |fleet| Need::fleet(level, fleet),
        )
    }

    pub(in crate::ops) fn secret_in_force(&self, subject: &Subject) -> Option<Secret> {
        let meant = |secret: &&Secret| secret.name == subject.name && secret.scope == subject.scope;
        self.secrets.all().iter().find(meant).cloned()
    }

    /// The agents whose containers are given this secret, and not a nearer one of its name.
    fn secret_users(&self, subject: &Subject) -> Vec<View> {
        let secret = self.secret_in_force(subject);
        secret.map_or_else(Vec::new, |secret| {
            self.users_of(&secret.name, Source::Vault(secret.id, secret.scope))
        })
    }
}

fn has_as_variable(view: &View, name: &str) -> bool {
    let version = view.version.as_ref();
    version.is_some_and(|version| version.spec.secrets.iter().any(|own| own == name))
}

fn request(
    kind: Kind,
    subject: Subject,
    targets: Vec<NewTarget>,
    secret: Option<SecretString>,
) -> Request {
    let details = Details {
        secret: Some(Box::new(subject)),
        ..Details::default()
    };
    Request {
        kind,
        targets,
        newcomer: None,
        details,
        secret,
    }
}

/// Without the line ends that pasting brings along.
fn checked(value: &SecretString) -> Result<SecretString> {
    let text = value.expose_secret().trim_end_matches(['\r', '\n']);
    let wrong = match text {
        "" => "is empty",
        text if text.contains('\0') => "holds a NUL character",
        text if text.len() > VALUE_MAX => "is too long",
        _ => return Ok(SecretString::from(text)),
    };
    Err(Error::Invalid(format!(
        "The value {wrong}. Nothing was changed; send the command again."
    )))
}
