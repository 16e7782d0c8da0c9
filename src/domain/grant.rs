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
