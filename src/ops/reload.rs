//! Reading settings and templates again. If anything is wrong with them, everything stays as it is.

use std::sync::PoisonError;

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Ops;
use crate::{
    config::{Database, Discord, Docker, Fingerprints, Http, Secrets, Settings, Vault},
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

/// What the process was built with stays until its next start; returns the keys that differ. Nothing is left out of the
/// patterns, so that whoever adds a key has to say here which it is.
fn keep_fixed(fresh: &mut Settings, old: &Settings) -> Vec<&'static str> {
    let Settings {
        discord,
        database: Database { path: database },
        vault,
        docker,
        secrets: Secrets { dir: secrets },
        http: Http { listen },
        log,
        // These are looked at whenever they are needed.
        access: _,
        policies: _,
        agents: _,
        roster: _,
        alerts: _,
        probes: _,
        squelch: _,
        notify: _,
        ping: _,
        recovery: _,
        resources: _,
        thresholds: _,
        outbox: _,
        audit: _,
        backup: _,
        schedules: _,
        shutdown: _,
    } = fresh;
    let mut kept = Kept::default();
    kept.of_discord(discord, &old.discord);
    kept.put_back("`database.path`", database, &old.database.path);
    // The key itself comes from the environment, which a process never reads again.
    let Vault { key_file, key: _ } = vault;
    kept.put_back("`vault.key_file`", key_file, &old.vault.key_file);
    kept.put_back("`secrets.dir`", secrets, &old.secrets.dir);
    kept.of_docker(docker, &old.docker);
    kept.put_back("`log`", log, &old.log);
    kept.put_back("`http.listen`", listen, &old.http.listen);
    kept.0
}

/// The keys that the files say otherwise than this process was built with.
#[derive(Default)]
struct Kept(Vec<&'static str>);

impl Kept {
    fn put_back<T: Clone + PartialEq>(&mut self, key: &'static str, fresh: &mut T, old: &T) {
        if fresh != old {
            self.0.push(key);
            fresh.clone_from(old);
        }
    }

    fn of_discord(&mut self, fresh: &mut Discord, old: &Discord) {
        let Discord {
            guild,
            token,
            endpoint,
            ops_channel: _,
            gateway_dead: _,
        } = fresh;
        self.put_back("`discord.guild`", guild, &old.guild);
        self.put_back("`discord.endpoint`", endpoint, &old.endpoint);
        if token.expose_secret() != old.token.expose_secret() {
            self.0.push("the bot's token");
            token.clone_from(&old.token);
        }
    }

    fn of_docker(&mut self, fresh: &mut Docker, old: &Docker) {
        let Docker {
            host,
            tls_ca,
            tls_cert,
            tls_key,
            name_prefix,
            call_deadline,
            pull_deadline,
            settle: _,
            health_deadline: _,
            parallel: _,
            allow: _,
        } = fresh;
        self.put_back("`docker.host`", host, &old.host);
        self.put_back("`docker.tls_ca`", tls_ca, &old.tls_ca);
        self.put_back("`docker.tls_cert`", tls_cert, &old.tls_cert);
        self.put_back("`docker.tls_key`", tls_key, &old.tls_key);
        self.put_back("`docker.name_prefix`", name_prefix, &old.name_prefix);
        self.put_back(
            "`docker.call_deadline_s`",
            call_deadline,
            &old.call_deadline,
        );
        self.put_back(
            "`docker.pull_deadline_s`",
            pull_deadline,
            &old.pull_deadline,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn settings(token: &str, more: &[(&str, &str)]) -> Settings {
        let environment = Environment::from_iter([("DISCORD_TOKEN".to_owned(), token.to_owned())]);
        let all = more.iter().chain(&[("discord.guild", "\"1\"")]);
        let set: Vec<_> = all
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Settings::load(None, &set, &environment).unwrap()
    }

    #[test]
    fn what_only_a_start_takes_over_is_told_and_stays() {
        let old = settings("a.b.c", &[]);
        let mut fresh = settings(
            "a.b.d",
            &[
                ("database.path", "other.db"),
                ("docker.name_prefix", "other-"),
                ("docker.call_deadline_s", "20"),
                ("docker.pull_deadline_s", "3600"),
                ("docker.settle_s", "7"),
                ("discord.gateway_dead_s", "7"),
                ("shutdown.grace_s", "7"),
                ("secrets.dir", "/run/other"),
                ("http.listen", "127.0.0.1:9464"),
                ("log.level", "debug"),
            ],
        );
        let kept = keep_fixed(&mut fresh, &old);
        insta::assert_snapshot!(kept.join(" "), @"the bot's token `database.path` `vault.key_file` `secrets.dir` `docker.name_prefix` `docker.call_deadline_s` `docker.pull_deadline_s` `log` `http.listen`");
        assert_eq!(fresh.docker.pull_deadline, old.docker.pull_deadline);
        assert_eq!(fresh.discord.token.expose_secret(), "a.b.c");
        let seven = std::time::Duration::from_secs(7);
        let taken = [
            fresh.discord.gateway_dead,
            fresh.docker.settle,
            fresh.shutdown.grace,
        ];
        assert_eq!(taken, [seven; 3]);
    }
}
