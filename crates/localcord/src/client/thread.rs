use super::{Channel, Error, Localcord};
use crate::{
    guild::{self, Thread as Entry},
    ids::Id,
};

/// A thread: a channel that began in another one.
#[derive(Clone, Debug)]
pub struct Thread {
    cord: Localcord,
    id: Id,
}

impl Thread {
    pub(super) fn new(cord: Localcord, id: Id) -> Self {
        Self { cord, id }
    }

    /// Its id; one that was started from a message has the message's.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The thread as the channel that it is, with its messages.
    pub fn channel(&self) -> Channel {
        Channel::new(self.cord.clone(), self.id)
    }

    /// What stands in it, one text per message, without Discord's own first one.
    pub fn texts(&self) -> Vec<String> {
        let messages = self.channel().messages();
        let written = messages.iter().filter(|message| !message.is_notice());
        written.map(super::Message::text).collect()
    }

    /// Its name; empty if it is deleted.
    pub fn name(&self) -> String {
        self.look(|channel, _| channel.name.clone())
            .unwrap_or_default()
    }

    /// Whether it is archived.
    pub fn is_archived(&self) -> bool {
        self.look(|_, thread| thread.archived).unwrap_or_default()
    }

    /// Whether it is there at all.
    pub fn exists(&self) -> bool {
        self.look(|_, _| ()).is_some()
    }

    /// Whether this person, or the bot, is in it.
    pub fn has_member(&self, id: Id) -> bool {
        self.look(|_, thread| thread.members.contains_key(&id))
            .unwrap_or_default()
    }

    /// Archives it, as a moderator could.
    pub fn archive(&self) {
        let now = self.cord.now();
        self.change(|thread| thread.archive(true, now));
    }

    /// Archives and locks it: only who looks after threads can write there again.
    pub fn lock(&self) {
        let now = self.cord.now();
        self.change(|thread| {
            thread.archive(true, now);
            thread.locked = true;
        });
    }

    /// Deletes it with all that stands in it, as a moderator could.
    pub fn delete(&self) {
        let discord = self.cord.discord();
        discord.change(|state| discord.delete_thread(state, self.id));
    }

    fn change(&self, change: impl FnOnce(&mut Entry)) {
        let discord = self.cord.discord();
        discord.change(|state| {
            discord.change_thread(state, self.id, |channel| {
                if let Some(thread) = &mut channel.thread {
                    change(thread);
                }
            })
        });
    }

    fn look<T>(&self, look: impl FnOnce(&guild::Channel, &Entry) -> T) -> Option<T> {
        let channel = self.cord.discord().world().channel(self.id)?;
        let thread = channel.thread.as_ref()?;
        Some(look(&channel, thread))
    }
}

impl Channel {
    /// Its threads, oldest first, the archived ones too.
    pub fn threads(&self) -> Vec<Thread> {
        let world = self.discord().world();
        let guilds = world.guilds.iter().flat_map(|guild| guild.threads.values());
        let parent = |channel: &guild::Channel| Some(channel.thread.as_ref()?.parent);
        guilds
            .filter(|thread| parent(thread) == Some(self.id()))
            .map(|thread| Thread::new(self.cord().clone(), thread.id))
            .collect()
    }

    /// Waits for a thread, now or later, whose name contains this.
    pub async fn wait_for_thread(&self, name: &str) -> Result<Thread, Error> {
        let named = |thread: &Thread| thread.name().contains(name);
        let found = self.cord().wait(|| self.threads().into_iter().find(named));
        found.await.ok_or_else(|| Error::TimedOut {
            wanted: format!("a thread `{name}`"),
            seen: format!(
                "{:?}",
                self.threads().iter().map(Thread::name).collect::<Vec<_>>()
            ),
        })
    }
}
