//! Grants and teams: asked for through the one door, carried out here.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Ops, access, actions::Request, resolve, sight::Sight};
use crate::{
    domain::{
        action::{Action, Details, Kind, TeamChange},
        agent::Name,
        audit::{self, Entry, What},
        grant::{Grant, Holder, Need, Rights, Source, Team},
        ids::GrantId,
    },
    error::{Error, Result},
    store::{self, Tx, grants},
};

impl Sight<'_> {
    pub fn request_grant(&self, grant: Grant) -> Result<Request> {
        self.permit(&Need::everything(Kind::GrantAdd.level()))?;
        if let Holder::Team(name) = &grant.holder {
            self.team(name.as_str())?;
        }
        if let Holder::Role(id) = grant.holder
            && id.0 == self.rights().home.0
        {
            return Err(Error::Invalid(
                "That is @everyone, whom Discord does not list as a role. Make a role that people are given."
                    .to_owned(),
            ));
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

    pub fn request_revoke(&self, id: &str) -> Result<Request> {
        self.permit(&Need::everything(Kind::GrantRemove.level()))?;
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
        Ok(change(Kind::GrantRemove, |details| {
            details.grant = Some(grant.clone());
        }))
    }

    pub fn team(&self, name: &str) -> Result<Team> {
        let rights = self.rights();
        let found = rights.teams.values().find(|team| team.name.as_str() == name);
        found.cloned().ok_or_else(|| {
            let known: Vec<&str> = rights.teams.keys().map(Name::as_str).collect();
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
            return Err(Error::Invalid(format!("That changes nothing in `{}`.", to.name)));
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
        let unfit = || Error::Internal(anyhow::anyhow!("action {} lacks its details", action.id));
        let mut tx = self.store.begin().await?;
        let owned = self.rights_in(&mut tx).await?.has_lasting_owner();
        let what = match action.kind {
            Kind::GrantAdd => {
                let grant = details.grant.clone().ok_or_else(unfit)?;
                let granted_by = action.actor;
                grants::insert(&mut tx, &Grant { granted_by, ..grant }, self.now()).await?;
                What::Granted
            }
            Kind::GrantRemove => {
                let id = details.grant.as_ref().and_then(|grant| grant.id);
                if !grants::delete(&mut tx, id.ok_or_else(unfit)?).await? {
                    return Err(Error::NotFound("That grant is gone already.".to_owned()));
                }
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
                    return Err(Error::NotFound(format!("The team `{name}` is gone already.")));
                }
                What::TeamDeleted
            }
            _ => return Err(unfit()),
        };
        // In the transaction that takes it away: of two who remove each other, one is refused.
        if owned && !self.rights_in(&mut tx).await?.has_lasting_owner() {
            return Err(Error::Denied(
                "That would take away the last owner: somebody known who owns `*` without an end must remain. Grant \
                 owner to another person first."
                    .to_owned(),
            ));
        }
        store::audit::append(&mut tx, &told(action, what), self.now()).await?;
        tx.commit().await?;
        self.refresh_rights().await?;
        Ok(None)
    }

    /// Everybody's rights as they would be if the transaction were committed.
    pub(super) async fn rights_in(&self, tx: &mut Tx) -> Result<Rights> {
        Ok(access::of(&self.settings(), grants::access(tx).await?))
    }
}

fn told(action: &Action, what: What) -> Entry {
    Entry {
        actor: action.actor,
        action: Some(action.id),
        kind: Some(action.kind),
        text: action.details.grant.as_ref().map(ToString::to_string),
        details: json!({
            "grant": action.details.grant,
            "team": action.details.team,
            "name": action.details.name,
        }),
        ..Entry::new(what, audit::Origin::Request(action.origin))
    }
}

/// Grants nobody has any more use for are taken out; that they ended counted at once.
impl Ops {
    pub async fn drop_ended_grants(&self) -> Result<()> {
        let now = self.now();
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
