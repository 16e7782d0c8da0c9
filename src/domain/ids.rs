//! Ids are types, so that one cannot stand where another belongs.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A row of `agents`; never reused, so a re-created `scout` inherits nothing.
    AgentId(i64)
);
id!(
    /// A row of `fleets`.
    FleetId(i64)
);
id!(
    /// A row of `grants`.
    GrantId(i64)
);
id!(
    /// A row of `actions`.
    ActionId(i64)
);
id!(
    /// A row of `allowances`.
    AllowanceId(i64)
);
id!(
    /// A row of `freezes`.
    FreezeId(i64)
);
id!(
    /// A row of `schedules`.
    ScheduleId(i64)
);
id!(
    /// A row of `runs`.
    RunId(i64)
);
id!(
    /// A row of `incidents`.
    IncidentId(i64)
);
id!(
    /// A row of `alerts`.
    AlertId(i64)
);
id!(
    /// A row of `nudges`.
    NudgeId(i64)
);
id!(
    /// A row of `silences`.
    SilenceId(i64)
);
id!(
    /// A row of `boards`.
    BoardId(i64)
);
id!(
    /// A row of `outbox`.
    OutboxId(i64)
);
id!(
    /// A Discord user (snowflake).
    UserId(u64)
);
id!(
    /// A Discord role (snowflake).
    RoleId(u64)
);
id!(
    /// A Discord guild (snowflake).
    GuildId(u64)
);
id!(
    /// A Discord channel (snowflake).
    ChannelId(u64)
);
id!(
    /// A Discord message (snowflake).
    MessageId(u64)
);
id!(
    /// A Discord interaction (snowflake); claimed once before any side effect.
    InteractionId(u64)
);

macro_rules! snowflake_in_sqlite {
    ($($name:ident),*) => {$(
        impl $name {
            /// As `SQLite` keeps it. Snowflakes stay below 2^63 until the year 2084.
            pub const fn to_db(self) -> i64 {
                self.0.cast_signed()
            }

            /// From what [`Self::to_db`] wrote.
            pub const fn from_db(value: i64) -> Self {
                Self(value.cast_unsigned())
            }
        }
    )*};
}

snowflake_in_sqlite!(UserId, RoleId, GuildId, ChannelId, MessageId, InteractionId);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first twelve characters, as the `docker` command line shows ids.
            pub fn short(&self) -> &str {
                let bare = self.0.strip_prefix("sha256:").unwrap_or(&self.0);
                bare.get(..12).unwrap_or(bare)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_id!(
    /// What the engine calls a container.
    ContainerId
);
text_id!(
    /// What the engine calls an image: the digest of its configuration, `sha256:…`.
    ImageId
);
text_id!(
    /// One database's fleet; every container it makes carries it as a label.
    InstanceId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snowflake_survives_the_database() {
        for number in [0, 7, u64::from(u32::MAX) + 1, u64::MAX] {
            assert_eq!(UserId::from_db(UserId(number).to_db()), UserId(number));
        }
        assert_eq!(ChannelId(7).to_db(), 7);
    }

    #[test]
    fn an_id_of_the_engine_is_told_by_its_beginning() {
        let image = ImageId("sha256:0123456789abcdef".to_owned());
        assert_eq!(image.short(), "0123456789ab");
        assert_eq!(image.to_string(), "sha256:0123456789abcdef");
        assert_eq!(ContainerId("c1".to_owned()).short(), "c1");
    }
}
