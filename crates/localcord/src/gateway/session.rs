use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::intents::{self, GUILD_MEMBERS, GUILDS, MESSAGE_CONTENT};
use crate::{discord::Discord, guild::Guild, ids::Id, objects, random};

/// The codes after which Discord has a bot identify anew.
const ENDS_SESSION: [u16; 2] = [4007, 4009];
/// How many dispatches a session keeps for a client that comes back.
const REPLAY: usize = 1000;
/// Sessions without a connection that are remembered.
const LEFT_BEHIND: usize = 8;
/// A snowflake's time, by which Discord spreads guilds over shards.
const SHARD_SHIFT: u32 = 22;

/// What a connection is told to do.
#[derive(Debug)]
pub(crate) enum Order {
    Send(String),
    Close(u16),
    /// Opcode 9, and no session any more unless it can be resumed.
    Invalidate {
        resumable: bool,
    },
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
    /// How many of the next dispatches are sent twice, by event.
    pub(crate) duplicates: BTreeMap<String, u32>,
    /// How many times a bot has identified.
    pub(crate) identified: u32,
    /// How many times a bot has resumed.
    pub(crate) resumed: u32,
}

#[derive(Debug)]
struct Session {
    sequence: u64,
    sent: VecDeque<(u64, String)>,
    asked: Asked,
    line: Option<UnboundedSender<Order>>,
}

/// What a bot asked for when it identified.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) intents: u64,
    /// Which of how many.
    pub(super) shard: (u64, u64),
}

/// What becomes of a wish to resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resumed {
    Done,
    /// The bot names a dispatch that was never sent.
    Ahead,
    /// The session is unknown, or what was missed is no longer kept.
    Lost,
}

impl Sessions {
    /// Opens a session: READY, then the guilds one by one.
    pub(super) fn open(
        &mut self,
        discord: &Discord,
        asked: Asked,
        line: UnboundedSender<Order>,
    ) -> String {
        self.forget_left_behind();
        self.identified += 1;
        let world = discord.world();
        let id = random::letters(32);
        let guilds: Vec<&Guild> = world
            .guilds
            .iter()
            .filter(|guild| asked.serves(Some(guild.id)))
            .collect();
        let ready = json!({
            "v": 10,
            "user": objects::current_user(&world.bot),
            "guilds": guilds.iter().map(|guild| json!({ "id": guild.id, "unavailable": true })).collect::<Vec<_>>(),
            "session_id": id,
            "session_type": "normal",
            "resume_gateway_url": discord.gateway_url(),
            "shard": [asked.shard.0, asked.shard.1],
            "application": { "id": world.bot.id, "flags": 0 },
            "private_channels": [], "presences": [], "relationships": [], "user_settings": {}, "_trace": [],
        });
        let mut session = Session {
            sequence: 0,
            sent: VecDeque::new(),
            asked,
            line: Some(line),
        };
        discord.check_dispatch("READY", &ready);
        session.dispatch("READY", &ready);
        if asked.intents & GUILDS != 0 {
            let everybody = asked.intents & GUILD_MEMBERS != 0;
            for guild in guilds {
                let object = objects::guild_with_members(&world, guild, everybody);
                discord.check_dispatch("GUILD_CREATE", &object);
                session.dispatch("GUILD_CREATE", &object);
            }
        }
        self.by_id.insert(id.clone(), session);
        id
    }

    /// Takes a session up again and replays what came after `sequence`.
    pub(super) fn resume(
        &mut self,
        id: &str,
        sequence: u64,
        line: &UnboundedSender<Order>,
    ) -> Resumed {
        let Some(session) = self.by_id.get_mut(id) else {
            return Resumed::Lost;
        };
        if sequence > session.sequence {
            return Resumed::Ahead;
        }
        let oldest = session
            .sent
            .front()
            .map_or(session.sequence, |(number, _)| number - 1);
        if sequence < oldest {
            self.by_id.remove(id);
            return Resumed::Lost;
        }
        for (_, text) in session.sent.iter().filter(|(number, _)| *number > sequence) {
            drop(line.send(Order::Send(text.clone())));
        }
        let before = session.line.replace(line.clone());
        if let Some(before) = before.filter(|before| !before.same_channel(line)) {
            drop(before.send(Order::Drop));
        }
        session.dispatch("RESUMED", &json!({}));
        self.resumed += 1;
        Resumed::Done
    }

    /// The connection of a session has ended; another one may have taken its place already.
    pub(super) fn left(&mut self, id: &str, line: &UnboundedSender<Order>) {
        if let Some(session) = self.by_id.get_mut(id) {
            session.line.take_if(|current| current.same_channel(line));
        }
    }

    /// The end of a connection is the end of its session, unless another one has taken its place.
    pub(super) fn forget(&mut self, id: &str, line: &UnboundedSender<Order>) {
        let of_this_line = |session: &Session| {
            let current = session.line.as_ref();
            current.is_some_and(|current| current.same_channel(line))
        };
        if self.by_id.get(id).is_some_and(of_this_line) {
            self.by_id.remove(id);
        }
    }

    pub(crate) fn connected(&self) -> usize {
        self.by_id
            .values()
            .filter(|session| session.line.is_some())
            .count()
    }

    /// Sends an event to the sessions whose intents and shard cover it. Use [`Discord::dispatch`], which also
    /// checks the objects in it.
    pub(crate) fn dispatch(&mut self, bot: Id, event: &str, object: &Value) {
        let guild = object["guild_id"].as_str().and_then(|id| id.parse().ok());
        let mut needed = intents::needed(event, guild.is_some());
        if tells_of_own_membership(bot, event, object) {
            needed |= GUILDS;
        }
        let twice = self.takes_duplicate(event);
        let veiled = veiled(bot, event, object);
        for session in self.by_id.values_mut() {
            let asked = session.asked;
            let wanted = needed == 0 || asked.intents & needed != 0;
            if !wanted || !asked.serves(guild) {
                continue;
            }
            let veiled = veiled
                .as_ref()
                .filter(|_| asked.intents & MESSAGE_CONTENT == 0);
            for _ in 0..=u8::from(twice) {
                session.dispatch(event, veiled.unwrap_or(object));
            }
        }
    }

    /// The next dispatch of this event is sent twice.
    pub(crate) fn duplicate_next(&mut self, event: &str) {
        *self.duplicates.entry(event.to_owned()).or_default() += 1;
    }

    fn takes_duplicate(&mut self, event: &str) -> bool {
        let Some(left) = self.duplicates.get_mut(event) else {
            return false;
        };
        *left -= 1;
        if *left == 0 {
            self.duplicates.remove(event);
        }
        true
    }

    /// Sends an event to one session: the answer to what it asked.
    pub(super) fn answer(&mut self, id: &str, event: &str, object: &Value) {
        if let Some(session) = self.by_id.get_mut(id) {
            session.dispatch(event, object);
        }
    }

    pub(super) fn sees_members(&self, id: &str) -> bool {
        let session = self.by_id.get(id);
        session.is_some_and(|session| session.asked.intents & GUILD_MEMBERS != 0)
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

    /// Closes every connection with one of Discord's codes.
    pub(crate) fn close(&mut self, code: u16) {
        self.order(|| Order::Close(code));
        if ENDS_SESSION.contains(&code) {
            self.by_id.clear();
        }
    }

    /// Asks every bot to come again (opcode 7).
    pub(crate) fn reconnect(&mut self) {
        self.order(|| Order::Send(r#"{"op":7,"d":null,"s":null,"t":null}"#.to_owned()));
    }

    /// Tells every bot that its session is invalid (opcode 9).
    pub(crate) fn invalidate(&mut self, resumable: bool) {
        self.order(|| Order::Invalidate { resumable });
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

impl Asked {
    /// Direct messages are the first shard's.
    fn serves(self, guild: Option<Id>) -> bool {
        let (index, count) = self.shard;
        let place = guild.map_or(0, |id| u64::from(id) >> SHARD_SHIFT);
        place % count == index
    }
}

/// Where a bot itself came, went or got roles, it hears of it without the intent for members.
fn tells_of_own_membership(bot: Id, event: &str, object: &Value) -> bool {
    let bot = json!(bot);
    match event {
        "GUILD_MEMBER_UPDATE" => object["user"]["id"] == bot,
        "THREAD_MEMBERS_UPDATE" => {
            let added = objects::list(&object["added_members"]);
            let removed = objects::list(&object["removed_member_ids"]);
            removed.contains(&bot) || added.iter().any(|member| member["user_id"] == bot)
        }
        _ => false,
    }
}

/// What a session sees of a message without the intent for its content: nothing, unless the bot wrote it, is
/// mentioned in it or reads it in a direct message.
fn veiled(bot: Id, event: &str, object: &Value) -> Option<Value> {
    let is_message = matches!(event, "MESSAGE_CREATE" | "MESSAGE_UPDATE");
    let mentioned = objects::list(&object["mentions"])
        .iter()
        .any(|user| user["id"] == json!(bot));
    let own = object["author"]["id"] == json!(bot);
    if !is_message || own || mentioned || object["guild_id"].is_null() {
        return None;
    }
    let empty = json!({ "content": "", "embeds": [], "components": [], "attachments": [] });
    Some(objects::merged(object.clone(), empty))
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
