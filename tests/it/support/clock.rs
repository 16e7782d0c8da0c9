use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use yardarm::clock::Clock;

/// A clock that moves only when the test says so.
#[derive(Clone)]
pub(crate) struct FixedClock(Arc<Mutex<DateTime<Utc>>>);

impl FixedClock {
    pub(crate) fn new() -> Self {
        let noon = DateTime::from_timestamp(1_795_262_400, 0).unwrap();
        Self(Arc::new(Mutex::new(noon)))
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}
