//! Who may do what. A grant gives a level on fleets to a person, a role or a team; [`Rights`] are all of them together.

mod rights;

use std::{collections::BTreeSet, fmt};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::rights::{Forbidden, Need, Place, Rights, Scope};
use super::{
    agent::Name,
    ids::{GrantId, GuildId, RoleId, UserId},
    pattern::Pattern,
};

/// How much somebody may do; each level includes those below it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Sees.
    Viewer,
    /// Starts and stops.
    Operator,
    /// Deploys and removes.
    Maintainer,
    /// Decides who may do what.
    Owner,
}

impl Level {
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Maintainer, Self::Owner];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Maintainer => "maintainer",
            Self::Owner => "owner",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who asks, as Discord says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    /// A program, which neither asks nor decides.
    pub bot: bool,
    /// None in a direct message.
    pub guild: Option<GuildId>,
    /// The member's roles in that guild.
    pub roles: Vec<RoleId>,
}

/// Who has a grant. Shown as Discord shows it, so that people can click it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holder {
    User(UserId),
    /// Everybody who has it in the served guild at that moment.
    Role(RoleId),
    Team(Name),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "<@{id}>"),
            Self::Role(id) => write!(f, "<@&{id}>"),
            Self::Team(name) => write!(f, "team `{name}`"),
        }
    }
}

/// Where a grant or a team came from. What a file says is changed in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The settings file.
    File,
    Chat,
    /// The code that `yardarm claim` printed.
    Claim,
    /// `yardarm grant` on the host.
    Host,
    /// "Approve and allow": it always has an end.
    Approval,
}

impl Source {
    pub const ALL: [Self; 5] = [
        Self::File,
        Self::Chat,
        Self::Claim,
        Self::Host,
        Self::Approval,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Chat => "chat",
            Self::Claim => "claim",
            Self::Host => "host",
            Self::Approval => "approval",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// A level on some fleets, for somebody, perhaps until some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// None for one from the settings file.
    pub id: Option<GrantId>,
    pub holder: Holder,
    pub level: Level,
    pub fleets: Pattern,
    /// It counts before this instant only.
    pub until: Option<DateTime<Utc>>,
    pub source: Source,
    /// None if no person in Discord gave it.
    pub granted_by: Option<UserId>,
    /// None for one from the settings file.
    pub created_at: Option<DateTime<Utc>>,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on `{}` for {}", self.level, self.fleets, self.holder)?;
        match self.until {
            Some(until) => write!(f, " until <t:{}:f>", until.timestamp()),
            None => Ok(()),
        }
    }
}

impl Grant {
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Owner of everything, now.
    pub fn owns_everything(&self, now: DateTime<Utc>) -> bool {
        self.level == Level::Owner && self.fleets.is_everything() && self.is_live(now)
    }
}

/// A named set of people and roles, which can hold grants and own fleets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    pub name: Name,
    pub users: BTreeSet<UserId>,
    pub roles: BTreeSet<RoleId>,
    /// Its members are maintainers there, and stand first among those who are asked about it.
    pub owns: BTreeSet<Pattern>,
    pub source: Source,
}

impl Team {
    /// A new one from chat, without anybody.
    pub fn named(name: Name) -> Self {
        Self {
            name,
            users: BTreeSet::new(),
            roles: BTreeSet::new(),
            owns: BTreeSet::new(),
            source: Source::Chat,
        }
    }

    pub fn includes(&self, caller: &Caller) -> bool {
        self.users.contains(&caller.user)
            || caller.roles.iter().any(|role| self.roles.contains(role))
    }

    pub fn owns(&self, fleet: &Name) -> bool {
        self.owns
            .iter()
            .any(|pattern| pattern.matches(fleet.as_str()))
    }

    /// Its people and roles, each as a holder that can be mentioned.
    pub fn members(&self) -> impl Iterator<Item = Holder> {
        let roles = self.roles.iter().copied().map(Holder::Role);
        roles.chain(self.users.iter().copied().map(Holder::User))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(level: Level, fleets: &str, until: Option<i64>) -> Grant {
        Grant {
            id: None,
            holder: Holder::Team(Name::parse("crew").unwrap()),
            level,
            fleets: Pattern::parse(fleets).unwrap(),
            until: until.map(|at| DateTime::from_timestamp(at, 0).unwrap()),
            source: Source::Chat,
            granted_by: None,
            created_at: None,
        }
    }

    #[test]
    fn a_grant_is_told_in_words() {
        let forever = grant(Level::Operator, "prod-*", None);
        assert_eq!(forever.to_string(), "operator on `prod-*` for team `crew`");
        let holders = [Holder::User(UserId(7)), Holder::Role(RoleId(8))];
        assert_eq!(holders.map(|holder| holder.to_string()), ["<@7>", "<@&8>"]);
        let short = grant(Level::Viewer, "*", Some(60));
        assert_eq!(
            short.to_string(),
            "viewer on `*` for team `crew` until <t:60:f>"
        );
    }

    #[test]
    fn it_is_live_until_its_end_and_not_at_it() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let owner = grant(Level::Owner, "*", Some(60));
        assert!(owner.is_live(at(59)) && owner.owns_everything(at(59)));
        assert!(!owner.is_live(at(60)) && !owner.owns_everything(at(60)));
        assert!(!grant(Level::Owner, "prod", None).owns_everything(at(0)));
        assert!(!grant(Level::Maintainer, "*", None).owns_everything(at(0)));
    }

    #[test]
    fn a_team_is_its_people_and_its_roles() {
        let crew = Team {
            users: BTreeSet::from([UserId(1)]),
            roles: BTreeSet::from([RoleId(2)]),
            owns: BTreeSet::from([Pattern::parse("prod-*").unwrap()]),
            ..Team::named(Name::parse("crew").unwrap())
        };
        let caller = |user, roles: &[u64]| Caller {
            user: UserId(user),
            bot: false,
            guild: None,
            roles: roles.iter().copied().map(RoleId).collect(),
        };
        assert!(crew.includes(&caller(1, &[])));
        assert!(crew.includes(&caller(9, &[3, 2])));
        assert!(!crew.includes(&caller(2, &[1])));
        let members: Vec<Holder> = crew.members().collect();
        assert_eq!(members, [Holder::Role(RoleId(2)), Holder::User(UserId(1))]);
        assert!(crew.owns(&Name::parse("prod-eu").unwrap()));
        assert!(!crew.owns(&Name::parse("lab").unwrap()));
    }
}
