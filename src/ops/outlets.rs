//! Ways out of Discord whose addresses and keys are in the vault: looked up whenever something is sent, so that a secret
//! that is set counts at once, and one that is deleted no more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{Ops, deliver::Undelivered};
use crate::{
    config::{Outlet, PingUrl, SecretUrl, Target},
    domain::secret::{Scope, Secret},
};

type Found<T> = Result<T, Undelivered>;

/// What keeps something from being sent: the log says it once.
#[derive(Debug, Default)]
pub(super) struct Wanting(Mutex<BTreeSet<String>>);

impl Wanting {
    fn note(&self, secret: &str, why: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.insert(secret.to_owned()) {
            tracing::warn!(
                secret.name = secret,
                error = why,
                "nothing can be sent with a secret; what waits for it goes on waiting"
            );
        }
    }

    fn forget(&self, secret: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(secret);
    }
}

impl Ops {
    /// A target with what the vault holds of it. What the vault does not hold is waited for.
    pub async fn target(&self, name: &str) -> Found<Target> {
        let settings = self.settings();
        let locked = match settings.notify.get(name) {
            Some(Outlet::Open(target)) => return Ok(target.clone()),
            Some(Outlet::Locked(locked)) => locked,
            None => {
                let why = format!("there is no `[[notify]]` entry `{name}` any more");
                return Err(Undelivered::Never(why));
            }
        };
        let mut values = BTreeMap::new();
        for secret in locked.secrets() {
            values.insert(secret.to_owned(), self.outlet_secret(secret).await?);
        }
        locked.open(&values).map_err(|why| {
            let names = locked.secrets().join(", ");
            self.unusable(&names, &why)
        })
    }

    /// The address that is told how we are; None if nobody is.
    pub async fn ping_url(&self) -> Found<Option<SecretUrl>> {
        let settings = self.settings();
        let secret = match &settings.ping.url {
            None => return Ok(None),
            Some(PingUrl::Known(url)) => return Ok(Some(url.clone())),
            Some(PingUrl::Vault(secret)) => secret,
        };
        let value = self.outlet_secret(secret).await?;
        let url = SecretUrl::parse(value.expose_secret());
        let why = "does not hold an address";
        Ok(Some(url.ok_or_else(|| self.unusable(secret, why))?))
    }

    /// Who is told by means of a secret, for people.
    pub(super) fn outlets_of(&self, name: &str, scope: Scope) -> Vec<String> {
        let all = self.settings().outlet_secrets().into_iter();
        let users = all.filter(|(secret, _)| secret == name && scope == Scope::All);
        users.map(|(_, user)| user).collect()
    }

    async fn outlet_secret(&self, name: &str) -> Found<SecretString> {
        let opened = match self.secret_for_all(name) {
            Some(secret) => self.open(secret.id, name).await,
            None => Ok(None),
        };
        match opened {
            Ok(Some(value)) => {
                self.wanting.forget(name);
                Ok(value)
            }
            Ok(None) => Err(self.unusable(name, "is not set")),
            Err(error) => Err(Undelivered::Later(error.to_string())),
        }
    }

    fn unusable(&self, name: &str, why: &str) -> Undelivered {
        let told = format!("the secret `{name}` {why}: `/secret set name:{name} all:True`");
        self.wanting.note(name, &told);
        Undelivered::Later(told)
    }

    fn secret_for_all(&self, name: &str) -> Option<Secret> {
        let known = self.secrets.all();
        let mut meant = known.iter().filter(|one| one.name == name);
        meant.find(|one| one.scope == Scope::All).cloned()
    }
}
