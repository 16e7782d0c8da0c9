//! What happens to threads, and what the gateway tells of it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    discord::Discord,
    guild::{Channel, Thread, World},
    ids::Id,
    model::{Message, Notice, State},
    objects,
    permissions::{Permissions, VIEW_CHANNEL},
};

impl Discord {
    /// Begins a thread in a channel: from a message, whose id it takes, or from nothing.
    pub(crate) fn open_thread(
        &self,
        state: &mut State,
        name: &str,
        thread: Thread,
        from: Option<Id>,
    ) -> Option<Channel> {
        let parent = self.world().channel(thread.parent)?;
        let (guild, now) = (parent.guild?, self.now());
        let id = from.unwrap_or_else(|| state.next_id(now));
        let thread = Channel::of_thread(id, guild, name, thread);
        self.change_world(|world| {
            let home = world.guilds.iter_mut().find(|entry| entry.id == guild);
            home.map(|home| home.threads.insert(id, thread.clone()));
        });
        let object = objects::channel(&self.world(), &thread);
        let created = objects::merged(object, json!({ "newly_created": true }));
        self.tell_of_thread(state, "THREAD_CREATE", &thread, &created);
        self.note_beginning(state, &thread, from);
        Some(thread)
    }

    /// A thread starts with a reference to its message, or is told of in its channel.
    fn note_beginning(&self, state: &mut State, thread: &Channel, from: Option<Id>) {
        let Some(entry) = &thread.thread else { return };
        if entry.is_private() {
            return;
        }
        let (place, notice) = match from {
            Some(message) => (thread.id, Notice::ThreadStarted(entry.parent, message)),
            None => (entry.parent, Notice::ThreadCreated(thread.id)),
        };
        let mut message = Message::new(
            state.next_id(entry.created),
            place,
            entry.owner,
            entry.created,
        );
        message.guild = thread.guild;
        message.notice = Some(notice);
        if from.is_none() {
            thread.name.clone_into(&mut message.content);
        }
        let id = message.id;
        state.insert(message);
        self.announce(state, "MESSAGE_CREATE", place, id);
        if let Some(message) = from {
            self.announce(state, "MESSAGE_UPDATE", entry.parent, message);
        }
    }

    /// Changes a thread and tells of it.
    pub(crate) fn change_thread(
        &self,
        state: &mut State,
        id: Id,
        change: impl FnOnce(&mut Channel),
    ) -> Option<Value> {
        let changed = self.change_world(|world| {
            let thread = world.thread_mut(id)?;
            change(thread);
            Some(thread.clone())
        })?;
        let object = objects::channel(&self.world(), &changed);
        self.tell_of_thread(state, "THREAD_UPDATE", &changed, &object);
        Some(object)
    }

    /// Deletes a thread with all that stands in it.
    pub(crate) fn delete_thread(&self, state: &mut State, id: Id) -> Option<Value> {
        let thread = self.world().channel(id)?;
        let entry = thread.thread.as_ref()?;
        let object = objects::channel(&self.world(), &thread);
        let told = json!({
            "id": id,
            "guild_id": thread.guild,
            "parent_id": entry.parent,
            "type": objects::thread_type(entry),
        });
        if self.bot_sees(&thread) {
            self.dispatch(state, "THREAD_DELETE", &told);
        }
        self.change_world(|world| {
            for guild in &mut world.guilds {
                guild.threads.remove(&id);
            }
        });
        state.clear(id);
        Some(object)
    }

    /// Lets people and bots into a thread, as far as they see its channel and are not in it yet.
    pub(crate) fn join_thread(&self, state: &mut State, id: Id, users: &BTreeSet<Id>) {
        let now = self.now();
        let world = self.world();
        let Some(thread) = world.channel(id) else {
            return;
        };
        let Some(entry) = &thread.thread else { return };
        let home = world.channel(entry.parent);
        let new = |user: &&Id| {
            let sees = home
                .as_ref()
                .is_some_and(|home| world.permissions(**user, home).contains(VIEW_CHANNEL));
            sees && !entry.members.contains_key(user)
        };
        let added: Vec<Id> = users.iter().filter(new).copied().collect();
        if added.is_empty() {
            return;
        }
        self.change_members(id, |entry| {
            entry.members.extend(added.iter().map(|user| (*user, now)));
        });
        let members: Vec<Value> = added
            .iter()
            .map(|user| self.full_member(&thread, *user, now))
            .collect();
        let change = json!({ "added_members": members, "removed_member_ids": [] });
        self.tell_of_members(state, id, (&added, change));
    }

    pub(crate) fn leave_thread(&self, state: &mut State, id: Id, user: Id) -> bool {
        let left = self.change_members(id, |entry| entry.members.remove(&user).is_some());
        if left == Some(true) {
            let change = json!({ "added_members": [], "removed_member_ids": [user] });
            self.tell_of_members(state, id, (&[user], change));
        }
        left == Some(true)
    }

    /// A message in a thread counts, takes an archived one up again, and brings in its author and whom it mentions.
    pub(crate) fn grow_thread(&self, state: &mut State, message: &Message) {
        let world = self.world();
        let place = world.channel(message.channel);
        let Some(entry) = place.and_then(|place| place.thread) else {
            return;
        };
        if message.is_ephemeral() || message.notice.is_some() {
            return;
        }
        if entry.archived {
            let now = self.now();
            self.change_thread(state, message.channel, |thread| {
                thread
                    .thread
                    .iter_mut()
                    .for_each(|entry| entry.archive(false, now));
            });
        }
        self.change_members(message.channel, |entry| {
            entry.messages += 1;
            entry.ever_sent += 1;
            entry.last_message = Some(message.id);
        });
        let mentions = objects::mentions(&message.content, message.allowed_mentions.as_ref());
        let concerned = mentions.users.into_iter().chain([message.author]).collect();
        self.join_thread(state, message.channel, &concerned);
    }

    /// One message fewer; what was ever sent stays.
    pub(crate) fn shrink_thread(&self, message: &Message) {
        if message.notice.is_none() {
            self.change_members(message.channel, |entry| {
                entry.messages = entry.messages.saturating_sub(1);
            });
        }
    }

    /// The bot sees a channel that it did not see: it gets the channel's threads.
    pub(crate) fn sync_threads(&self, state: &mut State, channel: &Channel) {
        let world = self.world();
        let Some(guild) = channel.guild.and_then(|id| world.guild(id)) else {
            return;
        };
        let of_channel = |place: &&Channel| {
            let parent = place.thread.as_ref().map(|entry| entry.parent);
            parent == Some(channel.id)
        };
        let threads: Vec<&Channel> = objects::active_threads(&world, guild)
            .filter(of_channel)
            .collect();
        let listed: Vec<Value> = threads
            .iter()
            .map(|place| objects::channel(&world, place))
            .collect();
        let object = json!({
            "guild_id": guild.id,
            "channel_ids": [channel.id],
            "threads": listed,
            "members": own_memberships(&world, &threads),
        });
        self.dispatch(state, "THREAD_LIST_SYNC", &object);
    }

    pub(crate) fn bot_may(&self, channel: &Channel, needed: Permissions) -> bool {
        let world = self.world();
        world.permissions(world.bot.id, channel).contains(needed)
    }

    pub(crate) fn bot_sees(&self, channel: &Channel) -> bool {
        self.bot_may(channel, VIEW_CHANNEL)
    }

    fn change_members<T>(&self, id: Id, change: impl FnOnce(&mut Thread) -> T) -> Option<T> {
        // Most channels are no threads: the world is not copied for them.
        self.world().channel(id)?.thread?;
        self.change_world(|world| Some(change(world.thread_mut(id)?.thread.as_mut()?)))
    }

    fn tell_of_thread(
        &self,
        state: &mut State,
        event: &'static str,
        thread: &Channel,
        object: &Value,
    ) {
        if !self.bot_sees(thread) {
            return;
        }
        self.dispatch(state, event, object);
    }

    /// A bot hears of others only with the privileged intent.
    fn tell_of_members(&self, state: &mut State, id: Id, (users, change): (&[Id], Value)) {
        let world = self.world();
        let Some(thread) = world.channel(id) else {
            return;
        };
        let count = thread.thread.as_ref().map(|entry| entry.members.len());
        let object = json!({ "id": id, "guild_id": thread.guild, "member_count": count });
        let own = users.contains(&world.bot.id);
        if own || self.bot_sees(&thread) {
            let object = objects::merged(object, change);
            self.dispatch(state, "THREAD_MEMBERS_UPDATE", &object);
        }
    }

    /// A member of a thread with the member of the guild, as the gateway tells of it.
    fn full_member(&self, thread: &Channel, user: Id, since: DateTime<Utc>) -> Value {
        let world = self.world();
        let mut object = objects::thread_member(thread.id, user, since);
        let guild = thread.guild.and_then(|id| world.guild(id));
        if let (Some(guild), Some(person)) = (guild, world.user(user)) {
            object["member"] = objects::member(guild, &objects::user(person), user);
            object["presence"] = Value::Null;
        }
        object
    }
}

/// The bot's own memberships in these threads.
pub(crate) fn own_memberships(world: &World, threads: &[&Channel]) -> Vec<Value> {
    let own = |place: &&Channel| {
        let since = place.thread.as_ref()?.members.get(&world.bot.id)?;
        Some(objects::thread_member(place.id, world.bot.id, *since))
    };
    threads.iter().filter_map(own).collect()
}
