//! What happened, as a chain nobody can rewrite in the middle: each record's hash covers the one before it.
//!
//! The chain is no signature. Whoever can write to the database can make a new one from some row on; what was
//! anchored outside (a row's number and hash, posted in a channel) shows that. See docs/security.md.

pub mod chain;
pub mod search;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    action::{self, Kind, State},
    agent::Name,
    ids::{ActionId, AgentId, FleetId, UserId},
    words::words,
};

words! {
    /// What an entry tells of. The words are part of what is hashed: new ones may come, none may change.
    pub enum What {
        // The life of an action.
        Asked = "asked",
        Accepted = "accepted",
        /// What was accepted has changed: `remove`, with its volumes.
        Altered = "altered",
        Running = "running",
        Succeeded = "succeeded",
        Failed = "failed",
        Interrupted = "interrupted",
        Cancelled = "cancelled",
        Expired = "expired",
        Denied = "denied",
        Void = "void",
        // People decide.
        Voted = "voted",
        /// Of somebody who may not answer any more.
        VoteDropped = "vote dropped",
        Approved = "approved",
        Reminded = "reminded",
        BrokeGlass = "broke glass",
        /// Somebody may not.
        Refused = "refused",
        // Who may do what.
        Claimed = "claimed",
        ClaimFailed = "claim failed",
        ClaimCode = "claim code",
        Granted = "granted",
        Revoked = "revoked",
        GrantEnded = "grant ended",
        TeamSet = "team set",
        TeamDeleted = "team deleted",
        PolicySet = "policy set",
        PolicyDeleted = "policy deleted",
        // Secrets, by name and never by value.
        SecretSet = "secret set",
        SecretDeleted = "secret deleted",
        SecretRotated = "secret rotated",
        SecretsRekeyed = "secrets rekeyed",
        // The one stop for everything.
        Frozen = "frozen",
        Unfrozen = "unfrozen",
        // What is done again and again.
        ScheduleSet = "schedule set",
        ScheduleRemoved = "schedule removed",
        SchedulePaused = "schedule paused",
        ScheduleResumed = "schedule resumed",
        /// A run of a schedule could not be.
        RunRefused = "run refused",
        // Yardarm itself.
        Started = "started",
        Stopped = "stopped",
        Reloaded = "reloaded",
        /// The database is that of a backup.
        Restored = "restored",
        /// The audit itself.
        Exported = "exported",
        Purged = "purged",
        // What the engine told of an agent's container.
        Exited = "exited",
        CameUp = "came up",
        /// Somebody looks after an incident.
        Acknowledged = "acknowledged",
        /// A board cannot be shown any more.
        BoardEnded = "board ended",
    }
}

impl From<State> for What {
    fn from(state: State) -> Self {
        match state {
            State::Asked => Self::Asked,
            State::Pending => Self::Accepted,
            State::Running => Self::Running,
            State::Succeeded => Self::Succeeded,
            State::Failed => Self::Failed,
            State::Interrupted => Self::Interrupted,
            State::Cancelled => Self::Cancelled,
            State::Expired => Self::Expired,
            State::Denied => Self::Denied,
            State::Void => Self::Void,
        }
    }
}

/// Where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// As the action it is about.
    Request(action::Origin),
    /// An entry of the settings or templates that came, changed or went.
    File,
    /// Yardarm itself.
    Yardarm,
}

impl Origin {
    /// A person in Discord.
    pub const CHAT: Self = Self::Request(action::Origin::Chat);
    /// Somebody at the command line of Yardarm's host.
    pub const HOST: Self = Self::Request(action::Origin::Host);

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request(origin) => origin.as_str(),
            Self::File => "file",
            Self::Yardarm => "yardarm",
        }
    }
}

/// Something to be told to the audit. No secret's value belongs into any of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub what: What,
    /// None when no person in Discord did it.
    pub actor: Option<UserId>,
    pub origin: Origin,
    /// The agent it is about, by the name of that time.
    pub agent: Option<(AgentId, Name)>,
    /// The fleet it is about, or that of the agent: who may not see that fleet does not see the entry.
    pub fleet: Option<(FleetId, Name)>,
    pub action: Option<ActionId>,
    /// What kind of action it is about, or what was refused.
    pub kind: Option<Kind>,
    /// The digest of the plan it is about.
    pub plan: Option<String>,
    /// One line for people: a reason, an outcome.
    pub text: Option<String>,
    /// What else there is to know: an object.
    pub details: Value,
}

impl Entry {
    /// One that says no more than that it happened.
    pub fn new(what: What, origin: Origin) -> Self {
        Self {
            what,
            actor: None,
            origin,
            agent: None,
            fleet: None,
            action: None,
            kind: None,
            plan: None,
            text: None,
            details: json!({}),
        }
    }
}

/// A row as it is stored. All of it but the hash is what the hash is made of, so it is kept as it was written,
/// words that this version does not know included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// From 1, without gaps.
    pub number: i64,
    pub at: String,
    pub what: String,
    pub actor: Option<i64>,
    pub origin: String,
    pub agent_id: Option<i64>,
    pub agent_name: Option<String>,
    pub fleet_id: Option<i64>,
    pub fleet_name: Option<String>,
    pub action_id: Option<i64>,
    pub kind: Option<String>,
    pub plan: Option<String>,
    pub text: Option<String>,
    pub details: String,
    /// SHA-256 of the hash before it and of [`Self::canonical`].
    pub hash: Vec<u8>,
}

/// What stands before the first record.
pub const GENESIS: [u8; 32] = [0; 32];

impl Record {
    /// The entry as the row `number`, after the row with the hash `previous`.
    pub fn chain(previous: &[u8], number: i64, entry: &Entry, at: DateTime<Utc>) -> Self {
        let agent = entry.agent.as_ref();
        let fleet = entry.fleet.as_ref();
        let mut record = Self {
            number,
            at: stamp(at),
            what: entry.what.as_str().to_owned(),
            actor: entry.actor.map(UserId::to_db),
            origin: entry.origin.as_str().to_owned(),
            agent_id: agent.map(|(id, _)| id.0),
            agent_name: agent.map(|(_, name)| name.to_string()),
            fleet_id: fleet.map(|(id, _)| id.0),
            fleet_name: fleet.map(|(_, name)| name.to_string()),
            action_id: entry.action.map(|id| id.0),
            kind: entry.kind.map(|kind| kind.as_str().to_owned()),
            plan: entry.plan.clone(),
            text: entry.text.clone(),
            details: entry.details.to_string(),
            hash: Vec::new(),
        };
        record.hash = record.hash_after(previous).to_vec();
        record
    }

    /// One line of JSON with every field, the hash in hexadecimal.
    pub fn to_json(&self) -> Value {
        json!({
            "number": self.number,
            "at": self.at,
            "what": self.what,
            "actor": self.actor,
            "origin": self.origin,
            "agent_id": self.agent_id,
            "agent_name": self.agent_name,
            "fleet_id": self.fleet_id,
            "fleet_name": self.fleet_name,
            "action_id": self.action_id,
            "kind": self.kind,
            "plan": self.plan,
            "text": self.text,
            // A text, because the hash is made of its very bytes.
            "details": self.details,
            "hash": hex::encode(&self.hash),
        })
    }

    /// What its hash should be after a row with the hash `previous`.
    pub fn hash_after(&self, previous: &[u8]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(previous);
        hasher.update(self.canonical());
        hasher.finalize().into()
    }

    /// Every field in the order of the struct, in a form that no other record shares: a byte for its kind (0
    /// nothing, 1 a number, 2 a text), then a number as eight bytes, the highest first, or a text as its length in
    /// bytes, written as a number, and its UTF-8.
    pub fn canonical(&self) -> Vec<u8> {
        let Self {
            number,
            at,
            what,
            actor,
            origin,
            agent_id,
            agent_name,
            fleet_id,
            fleet_name,
            action_id,
            kind,
            plan,
            text,
            details,
            hash: _,
        } = self;
        let mut bytes = Vec::with_capacity(256);
        put_number(&mut bytes, Some(*number));
        put_text(&mut bytes, Some(at));
        put_text(&mut bytes, Some(what));
        put_number(&mut bytes, *actor);
        put_text(&mut bytes, Some(origin));
        put_number(&mut bytes, *agent_id);
        put_text(&mut bytes, agent_name.as_deref());
        put_number(&mut bytes, *fleet_id);
        put_text(&mut bytes, fleet_name.as_deref());
        put_number(&mut bytes, *action_id);
        put_text(&mut bytes, kind.as_deref());
        put_text(&mut bytes, plan.as_deref());
        put_text(&mut bytes, text.as_deref());
        put_text(&mut bytes, Some(details));
        bytes
    }
}

fn put_number(bytes: &mut Vec<u8>, number: Option<i64>) {
    match number {
        None => bytes.push(0),
        Some(number) => {
            bytes.push(1);
            bytes.extend(number.to_be_bytes());
        }
    }
}

fn put_text(bytes: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => bytes.push(0),
        Some(text) => {
            bytes.push(2);
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
    }
}

/// A time as records keep it: always as long, so that texts compare as times do.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let entry = Entry {
            actor: Some(UserId(7)),
            text: Some("lunch".to_owned()),
            ..Entry::new(What::Accepted, Origin::CHAT)
        };
        let at = DateTime::from_timestamp(1_795_262_400, 0).unwrap();
        Record::chain(&GENESIS, 1, &entry, at)
    }

    #[test]
    fn every_word_is_read_again_and_stands_once() {
        for what in What::ALL {
            assert_eq!(What::parse(what.as_str()), Some(*what));
        }
        for state in State::ALL {
            let word = What::from(state).as_str();
            assert!(state == State::Pending || word == state.as_str(), "{word}");
        }
    }

    #[test]
    fn the_canonical_form_is_what_the_documents_say() {
        let record = record();
        let parts = [
            "010000000000000001",
            "02000000000000001b323032362d31312d32315431323a30303a30302e3030303030305a",
            "0200000000000000086163636570746564",
            "010000000000000007",
            "02000000000000000463686174",
            "00000000000000",
            "0200000000000000056c756e6368",
            "0200000000000000027b7d",
        ];
        assert_eq!(hex::encode(record.canonical()), parts.concat());
        // As Python's hashlib says.
        assert_eq!(
            hex::encode(&record.hash),
            "7e37f41f2478641442e37efb6c6714745e17cc35ae0f588e8570cb038d87b876"
        );
    }

    #[test]
    fn nothing_can_move_from_one_field_into_the_next() {
        let (mut left, mut right) = (record(), record());
        left.agent_name = Some("scout".to_owned());
        right.fleet_name = Some("scout".to_owned());
        assert_ne!(left.canonical(), right.canonical());
        left.agent_name = Some(String::new());
        right.fleet_name = None;
        assert_ne!(left.canonical(), right.canonical());
    }

    #[test]
    fn a_row_is_exported_with_every_field() {
        insta::assert_snapshot!(record().to_json(), @r#"{"action_id":null,"actor":7,"agent_id":null,"agent_name":null,"at":"2026-11-21T12:00:00.000000Z","details":"{}","fleet_id":null,"fleet_name":null,"hash":"7e37f41f2478641442e37efb6c6714745e17cc35ae0f588e8570cb038d87b876","kind":null,"number":1,"origin":"chat","plan":null,"text":"lunch","what":"accepted"}"#);
    }

    #[test]
    fn an_origin_is_one_that_an_action_has_or_one_of_its_own() {
        assert_eq!(Origin::File.as_str(), "file");
        assert_eq!(Origin::Yardarm.as_str(), "yardarm");
        assert_eq!(Origin::CHAT.as_str(), "chat");
    }
}
