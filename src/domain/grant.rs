//! Who may do what. Until grants exist, the owners named in the settings may do everything and nobody else anything.

use super::ids::{GuildId, UserId};

/// Where a request comes from, as Discord says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    /// None in a direct message.
    pub guild: Option<GuildId>,
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
pub fn authorise(caller: Caller, home: GuildId, owners: &[UserId]) -> Result<(), Forbidden> {
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
            guild: guild.map(GuildId),
        }
    }

    #[test]
    fn only_an_owner_at_home_may() {
        assert_eq!(authorise(from(Some(1), OLGA), HOME, &[OLGA]), Ok(()));
        let stranger = UserId(11);
        let refused = Err(Forbidden::NotAnOwner(stranger));
        assert_eq!(authorise(from(Some(1), stranger), HOME, &[OLGA]), refused);
    }

    #[test]
    fn an_owner_elsewhere_is_nobody() {
        assert_eq!(
            authorise(from(None, OLGA), HOME, &[OLGA]),
            Err(Forbidden::DirectMessage)
        );
        assert_eq!(
            authorise(from(Some(2), OLGA), HOME, &[OLGA]),
            Err(Forbidden::OtherGuild)
        );
    }

    #[test]
    fn no_owners_means_nobody() {
        assert_eq!(
            authorise(from(Some(1), OLGA), HOME, &[]),
            Err(Forbidden::NoOwners(OLGA))
        );
    }
}
