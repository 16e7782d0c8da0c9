//! The fake as a place for the contract suite.

use yardarm::{
    domain::{agent::Health, ids::InstanceId},
    engine::{Engine, LogSource},
};

use super::{Behaviour, FakeEngine};
use crate::support::scene::{Does, World};

pub(crate) struct FakeWorld {
    pub(crate) fake: FakeEngine,
    instance: InstanceId,
}

impl FakeWorld {
    /// With an image for everything an agent does.
    pub(crate) fn new() -> Self {
        let fake = FakeEngine::new();
        fake.behaves(
            "wait:1",
            Behaviour {
                health: Some(Health::Healthy),
                ..Behaviour::default()
            },
        );
        fake.behaves(
            "crash:1",
            Behaviour {
                crash: Some(3),
                ..Behaviour::default()
            },
        );
        fake.behaves(
            "talk:1",
            Behaviour {
                crash: Some(0),
                says: vec![
                    (LogSource::Stdout, "one"),
                    (LogSource::Stderr, "oops"),
                    (LogSource::Stdout, "two"),
                ],
                ..Behaviour::default()
            },
        );
        fake.behaves(
            "bye:1",
            Behaviour {
                says: vec![(LogSource::Stdout, "hello")],
                last_words: Some("bye"),
                ..Behaviour::default()
            },
        );
        Self::over(fake)
    }

    pub(crate) fn over(fake: FakeEngine) -> Self {
        Self {
            fake,
            instance: InstanceId("test".to_owned()),
        }
    }
}

impl World for FakeWorld {
    fn engine(&self) -> &dyn Engine {
        &self.fake
    }

    fn instance(&self) -> &InstanceId {
        &self.instance
    }

    fn image_of(&self, does: Does) -> String {
        let reference = match does {
            Does::Wait => "wait:1",
            Does::Crash => "crash:1",
            Does::Talk => "talk:1",
            Does::SayBye => "bye:1",
        };
        reference.to_owned()
    }

    fn command_of(&self, _does: Does) -> Vec<String> {
        Vec::new()
    }
}
