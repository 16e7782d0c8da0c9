//! Reading settings and templates again. If anything is wrong with them, everything stays as it is.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Ops;
use crate::{
    config::{Fingerprints, Settings},
    domain::{
        action::Action,
        audit::{Entry, Origin, What},
        grant::{Grant, Rights, Team},
        policy::Policy,
    },
    error::{Error, Result},
    store::{Tx, actions, audit, process},
};

impl Ops {
    /// For an action, or for a signal from the host. Returns what people should know, or refuses with everything that
    /// is wrong.
    pub async fn reload(&self, by: Option<&Action>) -> Result<Option<String>> {
        let (mut fresh, templates) = self.source.read().map_err(|error| {
            Error::Invalid(format!(
                "Nothing was changed; everything stays as it was.\n{error}"
            ))
        })?;
        let old = self.settings();
        let kept = keep_fixed(&mut fresh, &old);
        let before = self.rights();
        let count = templates.len();
        self.tell_reload(&fresh, &kept, by).await?;
        self.replace_settings(fresh);
        self.refresh_rights().await?;
        self.sync_schedules().await?;
        self.stock(templates).await?;
        tracing::info!(
            templates = count,
            kept = kept.join(" "),
            "settings reloaded"
        );
        let later = if kept.is_empty() {
            String::new()
        } else {
            format!(" These take effect at the next start: {}.", kept.join(", "))
        };
        let unowned = self.unowned(&before);
        Ok(Some(format!("Templates: {count}.{later}{unowned}")))
    }
}

impl Ops {
    /// The file is the host's word, so it may take the last owner away; but whoever did that should know.
    fn unowned(&self, before: &Rights) -> &'static str {
        let (is, now) = (self.rights(), self.now());
        if before.has_owner(now) && !is.has_owner(now) {
            " Nobody owns `*` any more: `yardarm grant` on the host names somebody."
        } else if before.has_lasting_owner() && !is.has_lasting_owner() {
            " No person owns `*` without an end any more, by name or in a team."
        } else {
            ""
        }
    }

    /// Before anything is replaced: what is not told does not happen.
    async fn tell_reload(
        &self,
        fresh: &Settings,
        kept: &[&str],
        by: Option<&Action>,
    ) -> Result<()> {
        let prints = Fingerprints::take(&self.source, fresh);
        let entry = Entry {
            actor: by.and_then(|action| action.actor),
            action: by.map(|action| action.id),
            details: json!({
                "changes": prints.since(&self.fingerprints()),
                "files": prints.0,
                "at_next_start": kept,
            }),
            ..Entry::new(
                What::Reloaded,
                by.map_or(Origin::HOST, |action| Origin::Request(action.origin)),
            )
        };
        let mut tx = self.store.begin().await?;
        audit::append(&mut tx, &entry, self.now()).await?;
        self.tell_changes(&mut tx, fresh, &entry).await?;
        if let Some(action) = by {
            // Should it be cut off from here on, the next start reads the files.
            actions::put_in_force(&mut tx, action.id).await?;
        }
        tx.commit().await?;
        *self
            .fingerprints
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = prints;
        Ok(())
    }
}

impl Ops {
    /// Tells the rules, grants and teams that the files say otherwise than when they were last read, which may have been
    /// before this start, with who had them read.
    pub(super) async fn tell_changes(
        &self,
        tx: &mut Tx,
        fresh: &Settings,
        by: &Entry,
    ) -> Result<()> {
        let known = process::said_by_files(tx).await?;
        // What another version kept in other words is as good as unknown.
        let known = known.and_then(|body| serde_json::from_str::<Said>(&body).ok());
        let said = Said::by(fresh);
        for (what, text, details) in known.map_or_else(Vec::new, |known| changes(&known, &said)) {
            let change = Entry {
                what,
                origin: Origin::File,
                text: Some(text),
                details,
                ..by.clone()
            };
            audit::append(tx, &change, self.now()).await?;
        }
        let body = serde_json::to_string(&said).map_err(anyhow::Error::new)?;
        Ok(process::keep_said(tx, &body).await?)
    }
}

/// What the files say of rights and rules.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    policies: Vec<Rule>,
    grants: Vec<Grant>,
    teams: Vec<Team>,
}

/// A rule, as far as it must be known again.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    name: String,
    effect: String,
    /// A hash of all that it says.
    hash: String,
}

impl Said {
    fn by(settings: &Settings) -> Self {
        let rule = |policy: &Policy| Rule {
            name: policy.name.clone(),
            effect: policy.effect.to_string(),
            hash: hex::encode(Sha256::digest(format!("{policy:?}"))),
        };
        Self {
            policies: settings.policies.iter().map(rule).collect(),
            grants: settings.access.grants.clone(),
            teams: settings.access.teams.clone(),
        }
    }
}

/// What came, changed or went.
fn changes(was: &Said, is: &Said) -> Vec<(What, String, Value)> {
    let mut changes = policy_changes(&was.policies, &is.policies);
    let granted = |what, grant: &Grant| (what, grant.to_string(), json!({ "grant": grant }));
    let gone = was.grants.iter().filter(|one| !is.grants.contains(one));
    changes.extend(gone.map(|grant| granted(What::Revoked, grant)));
    let new = is.grants.iter().filter(|one| !was.grants.contains(one));
    changes.extend(new.map(|grant| granted(What::Granted, grant)));
    let named = |what, team: &Team| (what, team.name.to_string(), json!({ "team": team }));
    let is_there = |team: &&Team| is.teams.iter().any(|other| other.name == team.name);
    let gone = was.teams.iter().filter(|team| !is_there(team));
    changes.extend(gone.map(|team| named(What::TeamDeleted, team)));
    let new = is.teams.iter().filter(|team| !was.teams.contains(team));
    changes.extend(new.map(|team| named(What::TeamSet, team)));
    changes
}

/// A rule that only moved has changed, too: the first that matches decides.
fn policy_changes(old: &[Rule], fresh: &[Rule]) -> Vec<(What, String, Value)> {
    let among = |policies: &[Rule], name: &str| policies.iter().any(|one| one.name == name);
    let stay = |policies: &[Rule], others: &[Rule], name: &str| {
        let mut both = policies.iter().filter(|one| among(others, &one.name));
        both.position(|one| one.name == name)
    };
    let told = |what, policy: &Rule| {
        let details = json!({ "effect": policy.effect });
        (what, policy.name.clone(), details)
    };
    let is_as_it_was = |policy: &&Rule| {
        old.contains(policy) && stay(old, fresh, &policy.name) == stay(fresh, old, &policy.name)
    };
    let gone = old.iter().filter(|policy| !among(fresh, &policy.name));
    let set = fresh.iter().filter(|policy| !is_as_it_was(policy));
    gone.map(|policy| told(What::PolicyDeleted, policy))
        .chain(set.map(|policy| told(What::PolicySet, policy)))
        .collect()
}

/// What the process was built with stays until its next start; returns the keys that differ.
fn keep_fixed(fresh: &mut Settings, old: &Settings) -> Vec<&'static str> {
    let mut kept = Vec::new();
    let mut keep = |differs: bool, key: &'static str| {
        if differs {
            kept.push(key);
        }
    };
    keep(fresh.discord.guild != old.discord.guild, "`discord.guild`");
    keep(
        fresh.discord.endpoint != old.discord.endpoint,
        "`discord.endpoint`",
    );
    keep(fresh.database.path != old.database.path, "`database.path`");
    keep(
        fresh.vault.key_file != old.vault.key_file,
        "`vault.key_file`",
    );
    keep(fresh.secrets.dir != old.secrets.dir, "`secrets.dir`");
    keep(fresh.docker.host != old.docker.host, "`docker.host`");
    keep(fresh.docker.tls() != old.docker.tls(), "`docker.tls_*`");
    keep(
        fresh.docker.name_prefix != old.docker.name_prefix,
        "`docker.name_prefix`",
    );
    keep(
        fresh.log.level != old.log.level || fresh.log.format != old.log.format,
        "`log`",
    );
    keep(fresh.http.listen != old.http.listen, "`http.listen`");
    let ops_channel = fresh.discord.ops_channel;
    fresh.discord = old.discord.clone();
    fresh.discord.ops_channel = ops_channel;
    fresh.database = old.database.clone();
    fresh.vault = old.vault.clone();
    fresh.secrets = old.secrets.clone();
    fresh.docker.host.clone_from(&old.docker.host);
    fresh.docker.tls_ca.clone_from(&old.docker.tls_ca);
    fresh.docker.tls_cert.clone_from(&old.docker.tls_cert);
    fresh.docker.tls_key.clone_from(&old.docker.tls_key);
    fresh.docker.name_prefix.clone_from(&old.docker.name_prefix);
    fresh.log = old.log.clone();
    fresh.http = old.http.clone();
    kept
}
