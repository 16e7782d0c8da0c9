use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use crate::{guild::World, objects, random};

const GUILDS: u64 = 1;
const GUILD_MEMBERS: u64 = 1 << 1;
const GUILD_MESSAGES: u64 = 1 << 9;
const DIRECT_MESSAGES: u64 = 1 << 12;
const MESSAGE_CONTENT: u64 = 1 << 15;

/// How many dispatches a session keeps for a client that comes back.
const REPLAY: usize = 1000;
/// Sessions without a connection that are remembered.
const LEFT_BEHIND: usize = 8;

/// What a connection is told to do.
#[derive(Debug)]
pub(crate) enum Order {
    Send(String),
    Close(u16),
    /// Cut the connection without a word.
    Drop,
    Thaw,
}

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_id: HashMap<String, Session>,
    /// No heartbeat is acknowledged and nothing is sent.
    pub(crate) frozen: bool,
    /// New connections are turned away.
    pub(crate) refused: bool,
    /// How many of the next interactions are dispatched twice.
    pub(crate) duplicates: u32,
    /// How many times a bot has identified.
    pub(crate) identified: u32,
    /// How many times a bot has resumed.
    pub(crate) resumed: u32,
}

#[derive(Debug)]
struct Session {
    sequence: u64,
    sent: VecDeque<(u64, String)>,
    intents: u64,
    line: Option<UnboundedSender<Order>>,
}

impl Sessions {
    /// Opens a session: READY, then the guilds one by one.
    pub(crate) fn open(
        &mut self,
        world: &World,
        url: &str,
        intents: u64,
        line: UnboundedSender<Order>,
    ) -> String {
        self.forget_left_behind();
        self.identified += 1;
        let id = random::letters(32);
        let ready = json!({
            "v": 10,
            "user": objects::current_user(&world.bot),
            "guilds": world.guilds.iter().map(|guild| json!({ "id": guild.id, "unavailable": true })).collect::<Vec<_>>(),
            "session_id": id,
            "session_type": "normal",
            "resume_gateway_url": url,
            "shard": [0, 1],
            "application": { "id": world.bot.id, "flags": 0 },
            "private_channels": [], "presences": [], "relationships": [], "user_settings": {}, "_trace": [],
        });
        let mut session = Session {
            sequence: 0,
            sent: VecDeque::new(),
            intents,
            line: Some(line),
        };
        session.dispatch("READY", &ready);
        if intents & GUILDS != 0 {
            for guild in &world.guilds {
                session.dispatch("GUILD_CREATE", &objects::guild_with_members(world, guild));
            }
        }
        self.by_id.insert(id.clone(), session);
        id
    }

    /// Takes a session up again and replays what came after `sequence`; false if that cannot be done.
    pub(crate) fn resume(
        &mut self,
        id: &str,
        sequence: u64,
        line: &UnboundedSender<Order>,
    ) -> bool {
        let Some(session) = self.by_id.get_mut(id) else {
            return false;
        };
        let oldest = session
            .sent
            .front()
            .map_or(session.sequence, |(number, _)| number - 1);
        if sequence > session.sequence || sequence < oldest {
            self.by_id.remove(id);
            return false;
        }
        for (_, text) in session.sent.iter().filter(|(number, _)| *number > sequence) {
            drop(line.send(Order::Send(text.clone())));
        }
        session.line = Some(line.clone());
        session.dispatch("RESUMED", &json!({}));
        self.resumed += 1;
        true
    }

    /// The connection of a session has ended; another one may have taken its place already.
    pub(crate) fn left(&mut self, id: &str, line: &UnboundedSender<Order>) {
        if let Some(session) = self.by_id.get_mut(id)
            && session
                .line
                .as_ref()
                .is_some_and(|current| current.same_channel(line))
        {
            session.line = None;
        }
    }

    pub(crate) fn forget(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    pub(crate) fn connected(&self) -> usize {
        self.by_id
            .values()
            .filter(|session| session.line.is_some())
            .count()
    }

    pub(crate) fn interaction(&mut self, object: &Value) {
        let copies = if self.duplicates > 0 { 2 } else { 1 };
        self.duplicates = self.duplicates.saturating_sub(1);
        for session in self.by_id.values_mut() {
            for _ in 0..copies {
                session.dispatch("INTERACTION_CREATE", object);
            }
        }
    }

    /// Dispatches a message event to the sessions whose intents cover it. Without the privileged one they
    /// do not see what people write.
    pub(crate) fn message(
        &mut self,
        event: &'static str,
        object: &Value,
        in_guild: bool,
        by_bot: bool,
    ) {
        let wanted = if in_guild {
            GUILD_MESSAGES
        } else {
            DIRECT_MESSAGES
        };
        for session in self
            .by_id
            .values_mut()
            .filter(|session| session.intents & wanted != 0)
        {
            if by_bot || !in_guild || session.intents & MESSAGE_CONTENT != 0 {
                session.dispatch(event, object);
            } else {
                let empty =
                    json!({ "content": "", "embeds": [], "components": [], "attachments": [] });
                session.dispatch(event, &objects::merged(object.clone(), empty));
            }
        }
    }

    /// Dispatches what happens to channels and threads to the sessions that asked for guilds.
    pub(crate) fn in_guilds(&mut self, event: &'static str, object: &Value) {
        for session in self
            .by_id
            .values_mut()
            .filter(|session| session.intents & GUILDS != 0)
        {
            session.dispatch(event, object);
        }
    }

    /// Who came into a thread and who left it: for others than the bot the privileged intent is needed.
    pub(crate) fn members_of_thread(&mut self, object: &Value, own: bool) {
        let hears = |session: &&mut Session| {
            session.intents & GUILD_MEMBERS != 0 || (own && session.intents & GUILDS != 0)
        };
        for session in self.by_id.values_mut().filter(hears) {
            session.dispatch("THREAD_MEMBERS_UPDATE", object);
        }
    }

    /// Gives an order to every connection.
    pub(crate) fn order(&mut self, order: impl Fn() -> Order) {
        for line in self
            .by_id
            .values()
            .filter_map(|session| session.line.as_ref())
        {
            drop(line.send(order()));
        }
    }

    /// Asks every bot to come again (opcode 7).
    pub(crate) fn reconnect(&mut self) {
        self.order(|| Order::Send(r#"{"op":7,"d":null,"s":null,"t":null}"#.to_owned()));
    }

    /// Tells every bot that its session is invalid (opcode 9).
    pub(crate) fn invalidate(&mut self, resumable: bool) {
        self.order(|| Order::Send(format!(r#"{{"op":9,"d":{resumable},"s":null,"t":null}}"#)));
        if !resumable {
            self.by_id.clear();
        }
    }

    /// Ends the frost; what was held back is sent.
    pub(crate) fn thaw(&mut self) {
        self.frozen = false;
        self.order(|| Order::Thaw);
    }

    fn forget_left_behind(&mut self) {
        if self.by_id.len() - self.connected() > LEFT_BEHIND {
            self.by_id.retain(|_, session| session.line.is_some());
        }
    }
}

impl Session {
    fn dispatch(&mut self, event: &str, object: &Value) {
        self.sequence += 1;
        let text = json!({ "op": 0, "t": event, "s": self.sequence, "d": object }).to_string();
        if self.sent.len() == REPLAY {
            self.sent.pop_front();
        }
        self.sent.push_back((self.sequence, text.clone()));
        if let Some(line) = &self.line {
            drop(line.send(Order::Send(text)));
        }
    }
}
