use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Message, State};
use crate::guild::{SavedThread, World};

/// What one server leaves to the next.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Saved {
    pub(crate) messages: Vec<Message>,
    #[serde(default)]
    pub(crate) threads: Vec<SavedThread>,
}

/// Before there were threads, the messages stood alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Now(Saved),
    Before(Vec<Message>),
}

impl Saved {
    pub(crate) fn read(text: Option<&str>) -> Result<Self> {
        let written = text.map(serde_json::from_str).transpose();
        Ok(match written.context("read saved messages")? {
            Some(Written::Now(saved)) => saved,
            Some(Written::Before(messages)) => Self {
                messages,
                ..Self::default()
            },
            None => Self::default(),
        })
    }

    pub(crate) fn write(state: &State, world: &World) -> String {
        let saved = Self {
            messages: state.kept(),
            threads: world.saved_threads(),
        };
        json!(saved).to_string()
    }
}
