//! The door to Discord: commands and buttons in, messages out. The only module that knows serenity and poise.

pub mod autocomplete;
pub mod commands;
pub mod components;
pub mod connect;
pub mod deliver;
pub mod doctor;
pub mod errors;
pub mod gateway;
pub mod members;
pub mod press;
pub mod render;
pub mod reply;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use serenity::http::Http;

use crate::{
    domain::{
        grant::{Caller, Need},
        ids::InteractionId,
    },
    error::Error as Answer,
    meters::Interaction,
    ops::Ops,
};

/// Interactions remembered as seen; Discord delivers one twice within moments, if at all.
const SEEN: usize = 1024;

/// What every command and button works with.
pub struct Bot {
    pub ops: Arc<Ops>,
    /// For all that answers an interaction, without serenity's rate limiter; see [`connect::replies`].
    pub replies: Http,
    seen: Mutex<BTreeSet<InteractionId>>,
}

pub type Context<'a> = poise::ApplicationContext<'a, Bot, Error>;

/// What a command may end with besides success.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// For the person who asked.
    #[error(transparent)]
    Answer(#[from] Answer),
    /// Discord did not take it; there may be nobody left to tell.
    #[error(transparent)]
    Discord(Box<serenity::Error>),
}

impl Error {
    /// In a word.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Answer(Answer::Denied(_)) => "refused",
            Self::Answer(Answer::Unavailable(_)) => "unavailable",
            Self::Answer(Answer::Internal(_)) | Self::Discord(_) => "failed",
            Self::Answer(_) => "declined",
        }
    }
}

impl From<serenity::Error> for Error {
    fn from(error: serenity::Error) -> Self {
        Self::Discord(Box::new(error))
    }
}

pub type Result<T = ()> = std::result::Result<T, Error>;

impl Bot {
    pub fn new(ops: Arc<Ops>, replies: Http) -> Self {
        Self {
            ops,
            replies,
            seen: Mutex::default(),
        }
    }

    /// False if this interaction was delivered before: whoever was first answers it.
    fn is_first(&self, interaction: u64) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let first = seen.insert(InteractionId(interaction));
        if seen.len() > SEEN {
            // Interaction ids grow with time.
            seen.pop_first();
        }
        first
    }

    /// An interaction was dealt with, as people see it.
    fn note(&self, (kind, name): (&'static str, String), error: Option<&Error>, began: Instant) {
        let interaction = Interaction {
            kind,
            name,
            outcome: error.map_or("answered", Error::as_str),
        };
        self.ops.meters.interaction(&interaction, began.elapsed());
    }

    /// The one authorisation, for commands, autocomplete, buttons, selects and modals; from memory.
    pub fn authorise(&self, caller: &Caller) -> Result {
        self.ops.authorise(caller, &Need::look())?;
        Ok(())
    }
}
