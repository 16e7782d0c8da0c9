//! Grants and teams: asked for through the one door, carried out here.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Ops, access, actions::Request, resolve, sight::Sight};
use crate::{
    config::Settings,
    domain::{
        action::{Action, Details, Kind, TeamChange},
        agent::Name,
        approval::Allowance,
        audit::{self, Entry, What},
        grant::{Grant, Holder, Level, Need, Rights, Source, Team},
        ids::{GrantId, RoleId, UserId},
    },
    error::{Error, Result},
    store::{self, Store, Tx, allowances, grants},
};

/// Actions looked through for the recent ones of a team.
const ACTIVITY: i64 = 40;

impl Sight<'_> {
    pub fn request_grant(&self, grant: Grant) -> Result<Request> {
        self.permit(&Need::everything(Kind::GrantAdd.level()))?;
        if let Holder::Team(name) = &grant.holder {
            self.team(name.as_str())?;
        }
        if let Holder::Role(role) = grant.holder {
            self.refuse_everyone(role)?;
        }
        if grant.until.is_some_and(|until| until <= self.now()) {
            return Err(Error::Invalid(
                "That end has passed already. Give one that is still to come.".to_owned(),
            ));
        }
        Ok(change(Kind::GrantAdd, |details| {
            details.grant = Some(grant);
        }))
    }

    pub async fn request_revoke(&self, id: &str) -> Result<Request> {
        self.permit(&Need::everything(Kind::GrantRemove.level()))?;
        let allowances = self.store.allowances(self.now()).await?;
        let allowance = allowances.into_iter().find(|one| one.label() == id.trim());
        if allowance.is_some() {
            return Ok(change(Kind::GrantRemove, |details| {
                details.allowance = allowance;
            }));
        }
        let rights = self.rights();
        let wanted = id.trim().trim_start_matches('#').parse().map(GrantId).ok();
        let grant = wanted.and_then(|id| rights.grants.iter().find(|grant| grant.id == Some(id)));
        let grant = grant.ok_or_else(|| {
            Error::NotFound(
                "There is no such grant. `/grant list` shows them with their numbers; those of the settings file are \
                 changed there."
                    .to_owned(),
            )
        })?;
        let mut without = Rights::clone(&rights);
        without.grants.retain(|other| other.id != grant.id);
        refuse_last_owner(&rights, &without, self.now())?;
        Ok(change(Kind::GrantRemove, |details| {
            details.grant = Some(grant.clone());
        }))
    }

    /// The grants a caller may know of: all, or those that concern a fleet they see.
    pub fn grants_seen(&self) -> Vec<Grant> {
        let everything = self.permit(&Need::everything(Level::Viewer)).is_ok();
        let fleets: Vec<Name> = self
            .fleets()
            .into_iter()
            .map(|(fleet, _)| fleet.name)
            .collect();
        let concerns = |grant: &&Grant| {
            fleets
                .iter()
                .any(|fleet| grant.fleets.matches(fleet.as_str()))
        };
        let rights = self.rights();
        let seen = rights
            .grants
            .iter()
            .filter(|grant| everything || concerns(grant));
        seen.cloned().collect()
    }

    /// What approvals allow for a while in fleets that the caller sees, in the order of its end.
    pub async fn allowances_seen(&self) -> Result<Vec<Allowance>> {
        let mut live = self.store.allowances(self.now()).await?;
        live.retain(|one| self.sees(&one.fleet_name));
        Ok(live)
    }

    /// The teams a caller may know of: their own, and those that were granted or own a fleet they see. Owners of
    /// everything know all.
    pub fn teams_seen(&self) -> Vec<Team> {
        let everything = self.permit(&Need::everything(Level::Owner)).is_ok();
        let own = |team: &Team| self.caller().is_some_and(|caller| team.includes(caller));
        let granted: BTreeSet<Name> = self
            .grants_seen()
            .into_iter()
            .filter_map(|grant| match grant.holder {
                Holder::Team(name) => Some(name),
                Holder::User(_) | Holder::Role(_) => None,
            })
            .collect();
        let fleets = self.fleets();
        let owning = |team: &Team| fleets.iter().any(|(fleet, _)| team.owns(&fleet.name));
        let rights = self.rights();
        let seen = rights
            .teams
            .values()
            .filter(|team| everything || own(team) || granted.contains(&team.name) || owning(team));
        seen.cloned().collect()
    }

    /// What the people of a team asked for lately, as far as the caller sees it. Newest first.
    pub async fn activity(&self, team: &Team) -> Result<Vec<Action>> {
        let users: Vec<UserId> = team.users.iter().copied().collect();
        let mut seen = Vec::new();
        for id in self.store.actions_by(&users, ACTIVITY).await? {
            let action = self.action(id).await?;
            if self.permit(&self.look(&action)).is_ok() {
                seen.push(action);
            }
        }
        Ok(seen)
    }

    pub fn team(&self, name: &str) -> Result<Team> {
        let seen = self.teams_seen();
        let found = seen.iter().find(|team| team.name.as_str() == name);
        found.cloned().ok_or_else(|| {
            let known: Vec<&str> = seen.iter().map(|team| team.name.as_str()).collect();
            Error::NotFound(format!(
                "There is no team `{}`. {}",
                resolve::plain(name),
                resolve::suggest(name, &known, "`/team create` makes one.")
            ))
        })
    }

    pub fn request_team_create(&self, name: &str) -> Result<Request> {
        self.permit(&Need::everything(Kind::TeamSave.level()))?;
        let name = resolve::parse_name(name)?;
        if self.rights().teams.contains_key(&name) {
            return Err(Error::Invalid(format!("There is a team `{name}` already.")));
        }
        let to = Team::named(name);
        Ok(team_change(TeamChange { was: None, to }))
    }

    /// Changes a team that was made in chat.
    pub fn request_team_change(
        &self,
        name: &str,
        alter: impl FnOnce(&mut Team) -> bool,
    ) -> Result<Request> {
        self.permit(&Need::everything(Kind::TeamSave.level()))?;
        let was = self.own_team(name)?;
        let mut to = was.clone();
        if !alter(&mut to) {
            return Err(Error::Invalid(format!(
                "That changes nothing in `{}`.",
                to.name
            )));
        }
        for role in &to.roles {
            self.refuse_everyone(*role)?;
        }
        Ok(team_change(TeamChange { was: Some(was), to }))
    }

    pub fn request_team_delete(&self, name: &str) -> Result<Request> {
        self.permit(&Need::everything(Kind::TeamDelete.level()))?;
        let team = self.own_team(name)?;
        Ok(change(Kind::TeamDelete, |details| {
            details.name = Some(team.name);
        }))
    }

    fn refuse_everyone(&self, role: RoleId) -> Result<()> {
        if !is_everyone(role, &self.rights()) {
            return Ok(());
        }
        Err(Error::Invalid(
            "That is @everyone, whom Discord does not list as a role. Make a role that people are given."
                .to_owned(),
        ))
    }

    fn own_team(&self, name: &str) -> Result<Team> {
        let team = self.team(name)?;
        if team.source == Source::File {
            return Err(Error::Invalid(format!(
                "`{}` comes from the settings file: change it there, then `/reload`.",
                team.name
            )));
        }
        Ok(team)
    }
}

impl Ops {
    pub(super) async fn apply_access(&self, action: &Action) -> Result<Option<String>> {
        let details = &action.details;
        let unfit = || lacking(action);
        let mut tx = self.store.begin().await?;
        let before = self.rights_in(&mut tx).await?;
        let what = match action.kind {
            Kind::GrantAdd => {
                let grant = details.grant.clone().ok_or_else(unfit)?;
                let granted_by = action.actor;
                grants::insert(
                    &mut tx,
                    &Grant {
                        granted_by,
                        ..grant
                    },
                    self.now(),
                )
                .await?;
                What::Granted
            }
            Kind::GrantRemove => {
                self.take_back(&mut tx, action).await?;
                What::Revoked
            }
            Kind::TeamSave => {
                let change = details.team.as_ref().ok_or_else(unfit)?;
                let (_, teams) = grants::access(&mut tx).await?;
                let is = teams.into_iter().find(|team| team.name == change.to.name);
                if is != change.was {
                    return Err(Error::Invalid(format!(
                        "`{}` was changed meanwhile. Send the command again.",
                        change.to.name
                    )));
                }
                grants::put_team(&mut tx, &change.to, self.now()).await?;
                What::TeamSet
            }
            Kind::TeamDelete => {
                let name = details.name.as_ref().ok_or_else(unfit)?;
                if !grants::delete_team(&mut tx, name).await? {
                    return Err(Error::NotFound(format!(
                        "The team `{name}` is gone already."
                    )));
                }
                What::TeamDeleted
            }
            _ => return Err(unfit()),
        };
        // In the transaction that takes it away: of two who remove each other, one is refused.
        refuse_last_owner(&before, &self.rights_in(&mut tx).await?, self.now())?;
        store::audit::append(&mut tx, &told(action, what), self.now()).await?;
        self.put_in_force(tx, action).await?;
        self.refresh_rights().await?;
        Ok(None)
    }

    /// A grant, or what an approval allows for a while.
    async fn take_back(&self, tx: &mut Tx, action: &Action) -> Result<()> {
        let Details {
            allowance, grant, ..
        } = &action.details;
        let grant = grant.as_ref().and_then(|grant| grant.id);
        let taken = match (allowance, action.actor, grant) {
            (Some(allowance), Some(by), _) => {
                allowances::revoke(tx, allowance.id, by, self.now()).await?
            }
            (_, _, Some(grant)) => grants::delete(tx, grant).await?,
            _ => return Err(lacking(action)),
        };
        if taken {
            Ok(())
        } else {
            Err(Error::NotFound("That grant is gone already.".to_owned()))
        }
    }

    /// Everybody's rights as they would be if the transaction were committed.
    pub(super) async fn rights_in(&self, tx: &mut Tx) -> Result<Rights> {
        Ok(access::of(&self.settings(), grants::access(tx).await?))
    }
}

/// The role that bears the server's own id. Nobody is listed as having it, so that what it holds is nobody's.
const fn is_everyone(role: RoleId, rights: &Rights) -> bool {
    role.0 == rights.home.0
}

fn refuse_last_owner(before: &Rights, after: &Rights, now: DateTime<Utc>) -> Result<()> {
    let must = if before.has_lasting_owner() && !after.has_lasting_owner() {
        "a person who owns `*` without an end must remain, by name or in a team"
    } else if before.has_owner(now) && !after.has_owner(now) {
        "somebody who owns `*` must remain"
    } else {
        return Ok(());
    };
    Err(Error::Denied(format!(
        "That would take away the last owner: {must}. Grant owner to somebody else first."
    )))
}

fn lacking(action: &Action) -> Error {
    Error::Internal(anyhow::anyhow!("action {} lacks its details", action.id))
}

fn told(action: &Action, what: What) -> Entry {
    let grant = action.details.grant.as_ref().map(ToString::to_string);
    let allowance = action.details.allowance.as_ref().map(ToString::to_string);
    let name = action.details.name.as_ref().map(Name::to_string);
    Entry {
        actor: action.actor,
        action: Some(action.id),
        kind: Some(action.kind),
        text: grant.or(allowance).or(name),
        details: json!({
            "grant": action.details.grant,
            "allowance": action.details.allowance,
            "team": action.details.team,
            "name": action.details.name,
        }),
        ..Entry::new(what, audit::Origin::Request(action.origin))
    }
}

/// What has ended counted no more from that moment on. Grants are taken out later, and the audit is told of both.
impl Ops {
    pub async fn drop_ended_grants(&self) -> Result<()> {
        let now = self.now();
        if self.store.has_untold_ends(now).await? {
            let mut tx = self.store.begin().await?;
            allowances::tell_ends(&mut tx, now).await?;
            tx.commit().await?;
        }
        let ended = |grant: &&Grant| grant.id.is_some() && !grant.is_live(long_ago(now));
        let rights = self.rights();
        let ended: Vec<&Grant> = rights.grants.iter().filter(ended).collect();
        if ended.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        for grant in ended {
            let Some(id) = grant.id else { continue };
            if grants::delete(&mut tx, id).await? {
                let entry = Entry {
                    text: Some(grant.to_string()),
                    details: json!({ "grant": grant }),
                    ..Entry::new(What::GrantEnded, audit::Origin::Yardarm)
                };
                store::audit::append(&mut tx, &entry, now).await?;
            }
        }
        tx.commit().await?;
        self.refresh_rights().await
    }
}

/// One that ended stays listed for a day.
fn long_ago(now: DateTime<Utc>) -> DateTime<Utc> {
    now - chrono::TimeDelta::days(1)
}

fn change(kind: Kind, fill: impl FnOnce(&mut Details)) -> Request {
    let mut details = Details::default();
    fill(&mut details);
    resolve::change_of(kind, details)
}

fn team_change(team: TeamChange) -> Request {
    change(Kind::TeamSave, |details| {
        details.name = Some(team.to.name.clone());
        details.team = Some(team);
    })
}

/// From the command line: recorded with the origin `host`. A running Yardarm reads it at its next look.
pub async fn grant_on_host(
    store: &Store,
    settings: &Settings,
    grant: Grant,
    now: DateTime<Utc>,
) -> Result<String> {
    let mut tx = store.begin().await?;
    let rights = access::of(settings, grants::access(&mut tx).await?);
    if let Holder::Team(name) = &grant.holder
        && !rights.teams.contains_key(name)
    {
        return Err(Error::NotFound(format!(
            "there is no team `{name}`\nhint: `[[team]]` in the settings or `/team create` makes one"
        )));
    }
    if let Holder::Role(role) = grant.holder
        && is_everyone(role, &rights)
    {
        return Err(Error::Invalid(
            "that is the server's own id, which stands for @everyone\nhint: make a role that people are given"
                .to_owned(),
        ));
    }
    let id = grants::insert(&mut tx, &grant, now).await?;
    store::audit::append(&mut tx, &on_host(What::Granted, &grant), now).await?;
    tx.commit().await?;
    Ok(format!("#{id} {grant}"))
}

pub async fn revoke_on_host(
    store: &Store,
    settings: &Settings,
    id: GrantId,
    now: DateTime<Utc>,
) -> Result<String> {
    let mut tx = store.begin().await?;
    let rights = access::of(settings, grants::access(&mut tx).await?);
    let grant = rights.grants.iter().find(|grant| grant.id == Some(id));
    let grant = grant.ok_or_else(|| {
        Error::NotFound(format!(
            "there is no grant #{id}\nhint: `yardarm grant list`; those of the settings file are changed there"
        ))
    })?;
    grants::delete(&mut tx, id).await?;
    let left = access::of(settings, grants::access(&mut tx).await?);
    refuse_last_owner(&rights, &left, now)?;
    store::audit::append(&mut tx, &on_host(What::Revoked, grant), now).await?;
    tx.commit().await?;
    Ok(format!("#{id} {grant}: taken back"))
}

/// One line for each.
pub async fn listed_on_host(
    store: &Store,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<String> {
    let rights = access::of(settings, store.access().await?);
    let line = |grant: &Grant| {
        let number = grant
            .id
            .map_or_else(|| "file".to_owned(), |id| format!("#{id}"));
        let ended = if grant.is_live(now) { "" } else { ", ended" };
        format!("{number} {grant}, {}{ended}", grant.source.as_str())
    };
    let lines: Vec<String> = rights.grants.iter().map(line).collect();
    Ok(if lines.is_empty() {
        "nothing is granted\nhint: `yardarm claim` makes the first owner".to_owned()
    } else {
        lines.join("\n")
    })
}

fn on_host(what: What, grant: &Grant) -> Entry {
    Entry {
        text: Some(grant.to_string()),
        details: json!({ "grant": grant }),
        ..Entry::new(what, audit::Origin::HOST)
    }
}
