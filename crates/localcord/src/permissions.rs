//! Discord's permission bits, by the names its documentation gives them.

use std::ops::{BitOr, Sub};

use anyhow::{Context as _, Result};
use serde::{Serialize, Serializer};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Permissions(u64);

pub(crate) const ADMINISTRATOR: Permissions = Permissions(1 << 3);
pub(crate) const MANAGE_CHANNELS: Permissions = Permissions(1 << 4);
pub(crate) const VIEW_CHANNEL: Permissions = Permissions(1 << 10);
pub(crate) const SEND_MESSAGES: Permissions = Permissions(1 << 11);
pub(crate) const MANAGE_MESSAGES: Permissions = Permissions(1 << 13);
pub(crate) const EMBED_LINKS: Permissions = Permissions(1 << 14);
pub(crate) const ATTACH_FILES: Permissions = Permissions(1 << 15);
pub(crate) const READ_MESSAGE_HISTORY: Permissions = Permissions(1 << 16);
pub(crate) const MENTION_EVERYONE: Permissions = Permissions(1 << 17);
pub(crate) const USE_APPLICATION_COMMANDS: Permissions = Permissions(1 << 31);
pub(crate) const MANAGE_THREADS: Permissions = Permissions(1 << 34);
pub(crate) const CREATE_PUBLIC_THREADS: Permissions = Permissions(1 << 35);
pub(crate) const CREATE_PRIVATE_THREADS: Permissions = Permissions(1 << 36);
pub(crate) const SEND_MESSAGES_IN_THREADS: Permissions = Permissions(1 << 38);

const NAMES: [(&str, Permissions); 20] = [
    ("KICK_MEMBERS", Permissions(1 << 1)),
    ("BAN_MEMBERS", Permissions(1 << 2)),
    ("ADMINISTRATOR", ADMINISTRATOR),
    ("MANAGE_CHANNELS", MANAGE_CHANNELS),
    ("MANAGE_GUILD", Permissions(1 << 5)),
    ("ADD_REACTIONS", Permissions(1 << 6)),
    ("VIEW_AUDIT_LOG", Permissions(1 << 7)),
    ("VIEW_CHANNEL", VIEW_CHANNEL),
    ("SEND_MESSAGES", SEND_MESSAGES),
    ("MANAGE_MESSAGES", MANAGE_MESSAGES),
    ("EMBED_LINKS", EMBED_LINKS),
    ("ATTACH_FILES", ATTACH_FILES),
    ("READ_MESSAGE_HISTORY", READ_MESSAGE_HISTORY),
    ("MENTION_EVERYONE", MENTION_EVERYONE),
    ("MANAGE_ROLES", Permissions(1 << 28)),
    ("USE_APPLICATION_COMMANDS", USE_APPLICATION_COMMANDS),
    ("MANAGE_THREADS", MANAGE_THREADS),
    ("CREATE_PUBLIC_THREADS", CREATE_PUBLIC_THREADS),
    ("CREATE_PRIVATE_THREADS", CREATE_PRIVATE_THREADS),
    ("SEND_MESSAGES_IN_THREADS", SEND_MESSAGES_IN_THREADS),
];

pub(crate) fn parse(names: &[String]) -> Result<Permissions> {
    names.iter().try_fold(Permissions::default(), |sum, name| {
        let known = NAMES.iter().find(|(known, _)| known == name);
        let (_, bit) =
            known.with_context(|| format!("`{name}` is not a permission localcord knows"))?;
        Ok(sum | *bit)
    })
}

/// What an owner or administrator has: every bit Discord has defined so far.
pub(crate) fn all() -> Permissions {
    Permissions((1 << 53) - 1)
}

/// What both sides have in direct messages.
pub(crate) fn direct() -> Permissions {
    let plain = VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | ATTACH_FILES | READ_MESSAGE_HISTORY;
    plain | USE_APPLICATION_COMMANDS
}

impl Permissions {
    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What a channel asks for, as a thread asks for it: writing there has a permission of its own.
    pub(crate) fn in_threads(self) -> Self {
        if self.contains(SEND_MESSAGES) {
            (self - SEND_MESSAGES) | SEND_MESSAGES_IN_THREADS
        } else {
            self
        }
    }

    /// From Discord's decimal string.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Sub for Permissions {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
