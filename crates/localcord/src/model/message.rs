use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Interaction;
use crate::{
    guild::{Channel, World},
    ids::Id,
    objects,
    permissions::MENTION_EVERYONE,
};

/// Seen only by the person whose interaction it answers.
pub(crate) const EPHEMERAL: u64 = 1 << 6;
/// "Thinking…": a deferred answer that is still empty.
pub(crate) const LOADING: u64 = 1 << 7;

/// A thread was started from it.
const HAS_THREAD: u64 = 1 << 5;

/// Discord says "a few minutes".
pub(super) const NONCE_MEMORY: TimeDelta = TimeDelta::minutes(5);

const REPLY: u8 = 19;
const CHAT_INPUT_COMMAND: u8 = 20;
const THREAD_CREATED: u8 = 18;
const THREAD_STARTER_MESSAGE: u8 = 21;

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Message {
    pub(crate) id: Id,
    pub(crate) channel: Id,
    pub(crate) guild: Option<Id>,
    pub(crate) author: Id,
    pub(crate) content: String,
    pub(crate) embeds: Vec<Value>,
    pub(crate) components: Vec<Value>,
    pub(crate) attachments: Vec<Value>,
    pub(crate) allowed_mentions: Option<Value>,
    pub(crate) flags: u64,
    pub(crate) created: DateTime<Utc>,
    pub(crate) edited: Option<DateTime<Utc>>,
    pub(crate) nonce: Option<Value>,
    /// The message this one replies to.
    pub(crate) replies_to: Option<Id>,
    /// The interaction it answers, as Discord's `interaction_metadata`, and the person who sees it if it is ephemeral.
    pub(crate) origin: Option<Origin>,
    #[serde(default)]
    pub(crate) notice: Option<Notice>,
}

/// What Discord itself writes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) enum Notice {
    /// In a channel: a thread that no message began.
    ThreadCreated(Id),
    /// The first in a thread: the message in that channel it began with.
    ThreadStarted(Id, Id),
}

impl Notice {
    fn kind(self) -> u8 {
        match self {
            Self::ThreadCreated(_) => THREAD_CREATED,
            Self::ThreadStarted(..) => THREAD_STARTER_MESSAGE,
        }
    }

    fn reference(self) -> Value {
        match self {
            Self::ThreadCreated(thread) => json!({ "type": 0, "channel_id": thread }),
            Self::ThreadStarted(channel, id) => {
                json!({ "type": 0, "channel_id": channel, "message_id": id })
            }
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Origin {
    pub(crate) person: Id,
    pub(crate) command: Option<String>,
    pub(crate) interaction: Id,
    pub(crate) metadata: Value,
    /// The message that a follow-up stands under.
    pub(crate) first: bool,
}

impl Message {
    pub(crate) fn new(id: Id, channel: Id, author: Id, created: DateTime<Utc>) -> Self {
        Self {
            id,
            channel,
            guild: None,
            author,
            content: String::new(),
            embeds: Vec::new(),
            components: Vec::new(),
            attachments: Vec::new(),
            allowed_mentions: None,
            flags: 0,
            created,
            edited: None,
            nonce: None,
            replies_to: None,
            origin: None,
            notice: None,
        }
    }

    /// An answer to an interaction, with nothing in it yet.
    pub(crate) fn answering(
        world: &World,
        interaction: &Interaction,
        id: Id,
        created: DateTime<Utc>,
    ) -> Self {
        let origin = Origin {
            person: interaction.person,
            command: interaction.command.clone(),
            interaction: interaction.id,
            metadata: interaction.metadata(world),
            first: interaction.message.is_none(),
        };
        let guild = interaction.place.guild;
        Self {
            guild,
            origin: Some(origin),
            ..Self::new(id, interaction.place.channel, world.bot.id, created)
        }
    }

    pub(crate) fn is_ephemeral(&self) -> bool {
        self.flags & EPHEMERAL != 0
    }

    pub(crate) fn is_loading(&self) -> bool {
        self.flags & LOADING != 0
    }

    /// Neither text nor embeds nor components; files count by themselves.
    pub(crate) fn says_nothing(&self) -> bool {
        self.content.trim().is_empty() && self.embeds.is_empty() && self.components.is_empty()
    }

    pub(crate) fn is_visible_to(&self, person: Id) -> bool {
        !self.is_ephemeral()
            || self
                .origin
                .as_ref()
                .is_some_and(|origin| origin.person == person)
    }

    /// Whether the author of the message it replies to is mentioned: by default, but not if mentions are restricted.
    pub(super) fn pings_reply(&self) -> bool {
        let restricted = self
            .allowed_mentions
            .as_ref()
            .filter(|allowed| allowed.is_object());
        let wanted = restricted.is_none_or(|allowed| allowed["replied_user"] == true);
        self.origin.is_none() && wanted
    }

    /// Replaces the parts that `body` names; what it leaves out stays.
    pub(crate) fn fill(&mut self, body: &Value) {
        if let Some(content) = body.get("content") {
            content
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut self.content);
        }
        if let Some(embeds) = body.get("embeds") {
            self.embeds = objects::list(embeds).iter().map(objects::embed).collect();
        }
        if let Some(components) = body.get("components") {
            self.components = objects::numbered(objects::list(components));
        }
        if let Some(mentions) = body.get("allowed_mentions") {
            self.allowed_mentions = Some(mentions.clone());
        }
        if let Some(flags) = body.get("flags").and_then(Value::as_u64) {
            self.flags = (self.flags & (EPHEMERAL | LOADING)) | (flags & !(EPHEMERAL | LOADING));
        }
    }

    pub(crate) fn to_json(&self, world: &World) -> Value {
        let mut object = self.plain(world);
        object.extend(self.optional(world));
        Value::Object(object)
    }

    fn plain(&self, world: &World) -> Map<String, Value> {
        let mut mentions = objects::mentions(&self.content, self.allowed_mentions.as_ref());
        mentions.everyone = mentions.everyone && self.may_mention_everyone(world);
        let users = mentions
            .users
            .iter()
            .filter_map(|id| world.user(*id))
            .map(objects::user);
        let object = json!({
            "id": self.id,
            "channel_id": self.channel,
            "type": self.kind(),
            "author": world.user(self.author).map(objects::user),
            "content": self.content,
            "embeds": self.embeds,
            "components": self.components,
            "attachments": self.attachments,
            "timestamp": time(self.created),
            "edited_timestamp": self.edited.map(time),
            "flags": if self.thread(world).is_some() { self.flags | HAS_THREAD } else { self.flags },
            "mentions": users.collect::<Vec<_>>(),
            "mention_roles": mentions.roles,
            "mention_everyone": mentions.everyone,
            "pinned": false,
            "tts": false,
        });
        match object {
            Value::Object(object) => object,
            _ => Map::new(),
        }
    }

    fn optional(&self, world: &World) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        if let Some(nonce) = &self.nonce {
            put("nonce", nonce.clone());
        }
        if let Some(origin) = &self.origin {
            put("application_id", json!(world.bot.id));
            put("webhook_id", json!(world.bot.id));
            if origin.first {
                put("interaction_metadata", origin.metadata.clone());
            }
            if let (true, Some(command)) = (origin.first, &origin.command) {
                let user = world.user(origin.person).map(objects::user);
                put(
                    "interaction",
                    json!({ "id": origin.interaction, "type": 2, "name": command, "user": user }),
                );
            }
        }
        if let Some(notice) = self.notice {
            put("message_reference", notice.reference());
        }
        if let Some(thread) = self.thread(world) {
            put("thread", objects::channel(world, thread));
        }
        if let Some(id) = self.replies_to {
            put(
                "message_reference",
                json!({ "type": 0, "channel_id": self.channel, "message_id": id }),
            );
        }
        object
    }

    fn may_mention_everyone(&self, world: &World) -> bool {
        let channel = world.channel(self.channel);
        channel.is_some_and(|channel| {
            world
                .permissions(self.author, &channel)
                .contains(MENTION_EVERYONE)
        })
    }

    /// The thread that was started from it: it has the message's id.
    pub(crate) fn thread<'a>(&self, world: &'a World) -> Option<&'a Channel> {
        let thread = world.guild(self.guild?)?.threads.get(&self.id)?;
        let parent = thread.thread.as_ref()?.parent;
        (parent == self.channel).then_some(thread)
    }

    fn kind(&self) -> u8 {
        if let Some(notice) = self.notice {
            return notice.kind();
        }
        match &self.origin {
            Some(origin) if origin.first && origin.command.is_some() => CHAT_INPUT_COMMAND,
            Some(_) => REPLY,
            None if self.replies_to.is_some() => REPLY,
            None => 0,
        }
    }
}

/// Discord's way to write a time.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}
