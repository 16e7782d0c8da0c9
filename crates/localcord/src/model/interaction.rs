use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{guild::World, ids::Id, objects, random};

/// Discord waits this long for the callback.
const CALLBACK_DEADLINE: TimeDelta = TimeDelta::seconds(3);
/// Discord accepts edits and follow-ups for this long.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::minutes(15);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Command = 2,
    Component = 3,
    Autocomplete = 4,
    Modal = 5,
}

impl Kind {
    /// The inverse of Discord's number for it.
    pub(crate) fn of(number: u8) -> Option<Self> {
        let all = [
            Self::Command,
            Self::Component,
            Self::Autocomplete,
            Self::Modal,
        ];
        all.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// Where a person is when they act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) guild: Option<Id>,
    pub(crate) channel: Id,
}

/// The first answer of the bot, the callback.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Message,
    Deferred,
    Updated,
    DeferredUpdate,
    Choices(Vec<Value>),
    Modal(Value),
}

#[derive(Clone, Debug)]
pub(crate) struct Interaction {
    pub(crate) id: Id,
    pub(crate) token: String,
    pub(crate) kind: Kind,
    pub(crate) person: Id,
    pub(crate) place: Place,
    /// The command's full name, `fleet create`, if a command began it.
    pub(crate) command: Option<String>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) answer: Option<Answer>,
    pub(crate) sent: Instant,
    pub(crate) acknowledged: Option<Duration>,
    /// When the answer was last changed.
    pub(crate) changed: Option<Duration>,
    /// Wakes who sent it, and nobody else: a hundred people at once do not wake each other.
    pub(crate) answered: Arc<Notify>,
    /// What `@original` means.
    pub(crate) message: Option<Id>,
    /// The message whose component was used.
    pub(crate) source: Option<Id>,
    pub(crate) followups: Vec<Id>,
    /// The metadata of what opened the modal.
    pub(crate) opened_by: Option<Value>,
    /// The files that the person sent with it.
    pub(crate) uploads: Vec<Id>,
}

impl Interaction {
    pub(crate) fn new(
        id: Id,
        kind: Kind,
        person: Id,
        place: Place,
        created: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            token: format!("{id}:{}", random::letters(48)),
            kind,
            person,
            place,
            command: None,
            created,
            answer: None,
            sent: Instant::now(),
            acknowledged: None,
            changed: None,
            answered: Arc::default(),
            message: None,
            source: None,
            followups: Vec::new(),
            opened_by: None,
            uploads: Vec::new(),
        }
    }

    pub(super) fn id_in_token(token: &str) -> Option<Id> {
        token.split_once(':')?.0.parse().ok()
    }

    /// Nobody answered in time: the person has been told so, and no answer is taken any more.
    pub(crate) fn is_dead(&self, now: DateTime<Utc>) -> bool {
        self.answer.is_none() && now > self.deadline()
    }

    pub(crate) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        now > self.created + TOKEN_LIFETIME
    }

    pub(crate) fn deadline(&self) -> DateTime<Utc> {
        self.created + CALLBACK_DEADLINE
    }

    pub(crate) fn settle(&mut self, answer: Answer) {
        self.acknowledged = Some(self.sent.elapsed());
        self.answer = Some(answer);
        self.answered.notify_one();
    }

    pub(crate) fn metadata(&self, world: &World) -> Value {
        let owner = self
            .place
            .guild
            .map_or_else(|| "0".to_owned(), |guild| guild.to_string());
        let mut metadata = json!({
            "id": self.id,
            "type": self.kind as u8,
            "user": world.user(self.person).map(objects::user),
            "authorizing_integration_owners": { "0": owner },
        });
        if let (Kind::Component, Some(source)) = (self.kind, self.source) {
            metadata["interacted_message_id"] = json!(source);
        }
        if let (Kind::Modal, Some(opened_by)) = (self.kind, &self.opened_by) {
            metadata["triggering_interaction_metadata"] = opened_by.clone();
        }
        metadata
    }
}
