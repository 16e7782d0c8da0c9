//! Who may do what. Until grants exist, the owners named in the settings may do everything and nobody else anything.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{GuildId, RoleId, UserId};

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

/// Why somebody may not. The text is for that person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("Yardarm works in its server, not in direct messages. Ask there.")]
    DirectMessage,
    #[error(
        "Yardarm serves another server. Ask its owner to set `discord.guild` if this should be the one."
    )]
    OtherGuild,
    #[error(
        "Nobody may use Yardarm yet. On its host, put your user id <@{0}> = `{0}` into `access.owners` and run `/reload`."
    )]
    NoOwners(UserId),
    #[error("You may not use Yardarm yet. An owner can add your user id `{0}` to `access.owners`.")]
    NotAnOwner(UserId),
}

/// The one rule for commands, buttons, selects, modals and autocomplete.
pub fn authorise(caller: &Caller, home: GuildId, owners: &[UserId]) -> Result<(), Forbidden> {
    match caller.guild {
        None => Err(Forbidden::DirectMessage),
        Some(guild) if guild != home => Err(Forbidden::OtherGuild),
        Some(_) if owners.contains(&caller.user) => Ok(()),
        Some(_) if owners.is_empty() => Err(Forbidden::NoOwners(caller.user)),
        Some(_) => Err(Forbidden::NotAnOwner(caller.user)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: GuildId = GuildId(1);
    const OLGA: UserId = UserId(10);

    fn from(guild: Option<u64>, user: UserId) -> Caller {
        Caller {
            user,
            bot: false,
            guild: guild.map(GuildId),
            roles: Vec::new(),
        }
    }

    #[test]
    fn only_an_owner_at_home_may() {
        assert_eq!(authorise(&from(Some(1), OLGA), HOME, &[OLGA]), Ok(()));
        let stranger = UserId(11);
        let refused = Err(Forbidden::NotAnOwner(stranger));
        assert_eq!(authorise(&from(Some(1), stranger), HOME, &[OLGA]), refused);
    }

    #[test]
    fn an_owner_elsewhere_is_nobody() {
        assert_eq!(
            authorise(&from(None, OLGA), HOME, &[OLGA]),
            Err(Forbidden::DirectMessage)
        );
        assert_eq!(
            authorise(&from(Some(2), OLGA), HOME, &[OLGA]),
            Err(Forbidden::OtherGuild)
        );
    }

    #[test]
    fn no_owners_means_nobody() {
        assert_eq!(
            authorise(&from(Some(1), OLGA), HOME, &[]),
            Err(Forbidden::NoOwners(OLGA))
        );
    }
}
