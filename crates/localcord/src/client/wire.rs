use super::{Error, Localcord};
use crate::{
    faults::Fault,
    gateway::{Order, Sessions},
};

/// A fault that can be taken back.
#[derive(Debug)]
pub struct Injected {
    cord: Localcord,
    number: u64,
}

impl Injected {
    pub(super) fn new(cord: Localcord, number: u64) -> Self {
        Self { cord, number }
    }

    /// Waits until a call has met the fault.
    pub async fn met(&self) -> Result<(), Error> {
        let faults = &self.cord.discord().faults;
        let met = || faults.was_met(self.number).then_some(());
        self.cord.wait(met).await.ok_or_else(|| Error::TimedOut {
            wanted: "a call that meets the fault".to_owned(),
            seen: "none".to_owned(),
        })
    }

    /// Ends the fault. False if it had ended by itself.
    pub fn release(self) -> bool {
        self.cord.discord().release(self.number)
    }
}

/// Discord is not there: its connections are cut and new ones refused.
#[derive(Debug)]
pub struct Away {
    rest: Injected,
}

impl Away {
    pub(super) fn begin(cord: &Localcord) -> Self {
        cord.gateway().refuse_connections(true);
        cord.gateway().drop_connections();
        Self {
            rest: cord.inject(Fault::refuse()),
        }
    }

    /// Discord comes back. Bots notice when they try again; serenity does every five seconds.
    pub fn end(self) {
        self.rest.cord.gateway().refuse_connections(false);
        self.rest.release();
    }
}

/// The gateway's connections, and what can happen to them.
#[derive(Debug)]
pub struct Gateway {
    cord: Localcord,
}

impl Gateway {
    pub(super) fn new(cord: Localcord) -> Self {
        Self { cord }
    }

    /// How many sessions have a connection.
    pub fn connected(&self) -> usize {
        self.cord.discord().read(|state| state.sessions.connected())
    }

    /// Waits until so many sessions have a connection.
    pub async fn wait_connected(&self, count: usize) -> Result<(), Error> {
        let found = self.until(|sessions| sessions.connected() == count).await;
        found.ok_or_else(|| Error::TimedOut {
            wanted: format!("{count} gateway sessions"),
            seen: format!("{} sessions", self.connected()),
        })
    }

    /// How many times a bot has identified and resumed so far.
    pub fn arrivals(&self) -> (u32, u32) {
        self.cord
            .discord()
            .read(|state| (state.sessions.identified, state.sessions.resumed))
    }

    /// Waits until bots have resumed so many times.
    pub async fn wait_resumed(&self, count: u32) -> Result<(), Error> {
        let found = self.until(|sessions| sessions.resumed >= count).await;
        found.ok_or_else(|| self.arrived("resumed", count))
    }

    /// Waits until bots have identified so many times.
    pub async fn wait_identified(&self, count: u32) -> Result<(), Error> {
        let found = self.until(|sessions| sessions.identified >= count).await;
        found.ok_or_else(|| self.arrived("identified", count))
    }

    /// Cuts every connection without a word.
    pub fn drop_connections(&self) {
        self.order(|| Order::Drop);
    }

    /// Closes every connection with one of Discord's codes.
    pub fn close(&self, code: u16) {
        self.cord
            .discord()
            .change(|state| state.sessions.close(code));
    }

    /// Asks every bot to reconnect (opcode 7).
    pub fn reconnect(&self) {
        self.cord
            .discord()
            .change(|state| state.sessions.reconnect());
    }

    /// Tells every bot that its session is invalid (opcode 9).
    pub fn invalidate(&self, resumable: bool) {
        self.cord
            .discord()
            .change(|state| state.sessions.invalidate(resumable));
    }

    /// Sends nothing any more and acknowledges no heartbeat, on connections that stay open.
    pub fn freeze(&self) {
        self.cord
            .discord()
            .change(|state| state.sessions.frozen = true);
    }

    /// Ends [`Gateway::freeze`]; what was held back is sent.
    pub fn thaw(&self) {
        self.cord.discord().change(|state| state.sessions.thaw());
    }

    /// Turns new connections away, or takes them again.
    pub fn refuse_connections(&self, refuse: bool) {
        self.cord
            .discord()
            .change(|state| state.sessions.refused = refuse);
    }

    /// Dispatches the next interaction twice, as Discord may after a resume.
    pub fn duplicate_next(&self) {
        self.duplicate_next_of("INTERACTION_CREATE");
    }

    /// Dispatches the next event of this name, such as `MESSAGE_CREATE`, twice.
    pub fn duplicate_next_of(&self, event: &str) {
        self.cord
            .discord()
            .change(|state| state.sessions.duplicate_next(event));
    }

    async fn until(&self, is_true: impl Fn(&Sessions) -> bool) -> Option<()> {
        let discord = self.cord.discord();
        self.cord
            .wait(|| discord.read(|state| is_true(&state.sessions)).then_some(()))
            .await
    }

    fn order(&self, order: impl Fn() -> Order) {
        self.cord
            .discord()
            .change(|state| state.sessions.order(order));
    }

    fn arrived(&self, what: &str, count: u32) -> Error {
        let (identified, resumed) = self.arrivals();
        Error::TimedOut {
            wanted: format!("a bot that {what} {count} times"),
            seen: format!("identified {identified} times, resumed {resumed} times"),
        }
    }
}
