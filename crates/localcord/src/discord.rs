//! The heart: one world, one state behind one lock, and a signal whenever it changed.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};

use crate::{
    clock::Clock,
    faults::Faults,
    guild::World,
    ids::Id,
    journal::Journal,
    limits::Limits,
    model::{Message, State},
    objects,
    openapi::Checker,
    record::Record,
    tasks::Tasks,
};

pub(crate) struct Discord {
    /// A person joins, a role goes: the world is replaced, and who looks at the old one sees it whole.
    pub(crate) world: RwLock<Arc<World>>,
    pub(crate) bot_token: String,
    /// What pages and scripts must show.
    pub(crate) people_token: String,
    pub(crate) people_addr: SocketAddr,
    pub(crate) rest_addr: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) faults: Faults,
    pub(crate) limits: Limits,
    pub(crate) record: Record,
    pub(crate) journal: Journal,
    /// Present if requests and responses are checked.
    pub(crate) checker: Option<Checker>,
    pub(crate) heartbeat: Duration,
    /// How long a client may say nothing where something is due.
    pub(crate) silence: Duration,
    pub(crate) state: Mutex<State>,
    pub(crate) changes: watch::Sender<u64>,
}

impl Discord {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The world as it is now.
    pub(crate) fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change_world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let outcome = {
            let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
            change(Arc::make_mut(&mut world))
        };
        self.changed();
        outcome
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let outcome = change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed();
        outcome
    }

    /// Ends a fault; calls that hang by it go on.
    pub(crate) fn release(&self, number: u64) -> bool {
        let released = self.faults.release(number);
        self.changed();
        released
    }

    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Looks again whenever something changed, until `look` finds what it looks for or `patience`, in real
    /// time, is over.
    pub(crate) async fn wait<T>(
        &self,
        patience: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let mut changes = self.changes.subscribe();
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = look() {
                return Some(found);
            }
            let changed = tokio::time::timeout_at(deadline, changes.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return look();
            }
        }
    }

    /// Waits for an interaction's callback, or for the moment when it is too late.
    pub(crate) async fn until_answered(&self, id: Id) {
        let found = self.read(|state| {
            let interaction = state.interactions.get(&id)?;
            Some((interaction.deadline(), Arc::clone(&interaction.answered)))
        });
        let Some((deadline, answered)) = found else {
            return;
        };
        let mut turns = self.clock.turns();
        loop {
            let now = self.now();
            let waiting = |state: &State| {
                let interaction = state.interactions.get(&id);
                interaction.is_some_and(|interaction| {
                    interaction.answer.is_none() && !interaction.is_dead(now)
                })
            };
            if !self.read(waiting) {
                return;
            }
            let left = (deadline - now).to_std().unwrap_or_default() + Duration::from_millis(1);
            tokio::select! {
                () = answered.notified() => {}
                _ = turns.changed() => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }

    pub(crate) fn gateway_url(&self) -> String {
        format!("ws://{}/gateway", self.people_addr)
    }

    pub(crate) fn people_url(&self) -> String {
        format!("http://{}/?token={}", self.people_addr, self.people_token)
    }

    /// Puts a new message into its channel and tells the gateway.
    pub(crate) fn post(&self, state: &mut State, message: Message) {
        let (channel, id) = (message.channel, message.id);
        self.grow_thread(state, &message);
        state.insert(message);
        self.announce(state, "MESSAGE_CREATE", channel, id);
    }

    /// Tells bots about a message that everybody in its channel sees, if they see the channel.
    pub(crate) fn announce(&self, state: &mut State, event: &str, channel: Id, id: Id) {
        let world = self.world();
        let (Some(message), Some(place)) = (state.message(channel, id), world.channel(channel))
        else {
            return;
        };
        if message.is_ephemeral() || !self.bot_sees(&place) {
            return;
        }
        let mut object = state.shown(message, &world);
        object["channel_type"] = json!(objects::channel_type(&place));
        if let Some(guild) = message.guild {
            object["guild_id"] = json!(guild);
            let home = world.guild(guild);
            let home = home.filter(|home| home.members.contains_key(&message.author));
            if let Some(home) = home {
                object["member"] = objects::bare_member(home, message.author);
            }
        }
        self.dispatch(state, event, &object);
    }

    pub(crate) fn announce_deleted(
        &self,
        state: &mut State,
        channel: Id,
        id: Id,
        guild: Option<Id>,
    ) {
        let place = self.world().channel(channel);
        if !place.is_some_and(|place| self.bot_sees(&place)) {
            return;
        }
        let mut object: Value = json!({ "id": id, "channel_id": channel });
        if let Some(guild) = guild {
            object["guild_id"] = json!(guild);
        }
        self.dispatch(state, "MESSAGE_DELETE", &object);
    }

    /// Sends an event to every session that asked for such, and checks the objects in it.
    pub(crate) fn dispatch(&self, state: &mut State, event: &str, object: &Value) {
        self.check_dispatch(event, object);
        state.sessions.dispatch(self.world().bot.id, event, object);
    }

    /// Checks what is sent to one session only.
    pub(crate) fn check_dispatch(&self, event: &str, object: &Value) {
        let Some(checker) = &self.checker else {
            return;
        };
        for violation in checker.dispatched(event, object) {
            self.record.violation(violation);
        }
    }
}
