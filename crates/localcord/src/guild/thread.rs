use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Channel, World};
use crate::{
    ids::Id,
    permissions::{MANAGE_THREADS, Permissions},
};

/// Discord's default, in minutes.
const AUTO_ARCHIVE: u64 = 1440;

/// What a thread has that other channels have not.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Thread {
    pub(crate) parent: Id,
    pub(crate) owner: Id,
    pub(crate) privacy: Privacy,
    pub(crate) archived: bool,
    pub(crate) locked: bool,
    /// In minutes. It is told, and nothing is archived by it.
    pub(crate) auto_archive: u64,
    /// In seconds.
    pub(crate) slow_mode: u64,
    pub(crate) created: DateTime<Utc>,
    /// When it was last archived or taken up again.
    pub(crate) turned: DateTime<Utc>,
    /// Neither the first message nor deleted ones count.
    pub(crate) messages: u32,
    pub(crate) ever_sent: u32,
    pub(crate) last_message: Option<Id>,
    /// Since when each is in it.
    pub(crate) members: BTreeMap<Id, DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Privacy {
    Public,
    /// For its members; if `invitable`, they may bring in others.
    Private {
        invitable: bool,
    },
}

impl Thread {
    pub(crate) fn new(parent: Id, owner: Id, now: DateTime<Utc>) -> Self {
        Self {
            parent,
            owner,
            privacy: Privacy::Public,
            archived: false,
            locked: false,
            auto_archive: AUTO_ARCHIVE,
            slow_mode: 0,
            created: now,
            turned: now,
            messages: 0,
            ever_sent: 0,
            last_message: None,
            members: BTreeMap::from([(owner, now)]),
        }
    }

    /// A private thread is for its members and those who look after threads.
    pub(super) fn is_hidden_from(&self, user: Id, held: Permissions) -> bool {
        self.is_private() && !self.members.contains_key(&user) && !held.contains(MANAGE_THREADS)
    }

    pub(crate) fn is_private(&self) -> bool {
        self.privacy != Privacy::Public
    }

    pub(crate) fn archive(&mut self, archived: bool, now: DateTime<Utc>) {
        if self.archived != archived {
            self.archived = archived;
            self.turned = now;
        }
    }
}

impl Channel {
    pub(crate) fn of_thread(id: Id, guild: Id, name: &str, thread: Thread) -> Self {
        Self {
            id,
            guild: Some(guild),
            name: name.to_owned(),
            topic: None,
            overwrites: Vec::new(),
            recipient: None,
            thread: Some(thread),
        }
    }
}

/// A thread as it is kept for a later server.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SavedThread {
    id: Id,
    guild: Id,
    name: String,
    thread: Thread,
}

impl World {
    pub(crate) fn saved_threads(&self) -> Vec<SavedThread> {
        let saved = |channel: &Channel| {
            Some(SavedThread {
                id: channel.id,
                guild: channel.guild?,
                name: channel.name.clone(),
                thread: channel.thread.clone()?,
            })
        };
        let threads = self.guilds.iter().flat_map(|guild| guild.threads.values());
        threads.filter_map(saved).collect()
    }

    /// Takes up the threads of an earlier server, as far as their channels are still there.
    pub(crate) fn take_up(&mut self, saved: Vec<SavedThread>) {
        for entry in saved {
            let mut guilds = self.guilds.iter_mut();
            if let Some(guild) = guilds.find(|guild| guild.id == entry.guild)
                && guild.by_id(entry.thread.parent).is_some()
            {
                let thread = Channel::of_thread(entry.id, guild.id, &entry.name, entry.thread);
                guild.threads.insert(entry.id, thread);
            }
        }
    }
}
