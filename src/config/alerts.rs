use std::time::Duration;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seconds;
use crate::domain::{
    incident::Damping,
    problem::Problem,
    squelch::{Pace, Route, Rules},
};

/// How soon and how often people are told what is wrong.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// Seconds from the first incident of a group to its message: what comes meanwhile joins it, what heals is never told.
    #[serde(rename = "group_wait_s", with = "seconds")]
    #[schemars(with = "u32", range(max = 3600))]
    pub group_wait: Duration,
    /// Seconds for which more may join a message that was sent.
    #[serde(rename = "group_interval_s", with = "seconds")]
    #[schemars(with = "u32", range(max = 86_400))]
    pub group_interval: Duration,
    /// Seconds from one reminder of what nobody acknowledged to the next; never less than `squelch_s`.
    #[serde(rename = "repeat_interval_s", with = "seconds")]
    #[schemars(with = "u32", range(min = 60, max = 604_800))]
    pub repeat_interval: Duration,
    /// Reminders of one alert.
    #[schemars(range(max = 100))]
    pub repeats: u32,
    /// Seconds within which people are told of the same problem of the same subject once, unless it gets worse.
    #[serde(rename = "squelch_s", with = "seconds")]
    #[schemars(with = "u32", range(min = 60, max = 604_800))]
    pub squelch: Duration,
    /// Seconds a problem must stay away to be over.
    #[serde(rename = "hold_s", with = "seconds")]
    #[schemars(with = "u32", range(max = 86_400))]
    pub hold: Duration,
    /// Seconds it must stay away to be over while it comes and goes.
    #[serde(rename = "hold_flapping_s", with = "seconds")]
    #[schemars(with = "u32", range(max = 86_400))]
    pub hold_flapping: Duration,
    /// So many returns within `squelch_s` are flapping.
    #[schemars(range(min = 2, max = 16))]
    pub flaps: u32,
    /// Days after which what is over is forgotten.
    #[schemars(range(min = 31, max = 3650))]
    pub keep_days: u32,
}

impl Default for Alerts {
    fn default() -> Self {
        let (pace, damping) = (Pace::default(), Damping::default());
        let std = |time: TimeDelta| time.to_std().unwrap_or_default();
        Self {
            group_wait: std(pace.group_wait),
            group_interval: std(pace.group_interval),
            repeat_interval: std(pace.repeat_interval),
            repeats: pace.repeats,
            squelch: std(damping.window),
            hold: std(damping.hold),
            hold_flapping: std(damping.hold_flapping),
            flaps: u32::try_from(damping.flaps).unwrap_or(u32::MAX),
            keep_days: 400,
        }
    }
}

impl Alerts {
    /// As the pipeline goes by it.
    pub fn rules(&self) -> Rules {
        let time = |time: Duration| TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        let pace = Pace {
            group_wait: time(self.group_wait),
            group_interval: time(self.group_interval),
            repeat_interval: time(self.repeat_interval),
            repeats: self.repeats,
        };
        Rules {
            damping: Damping {
                hold: time(self.hold),
                hold_flapping: time(self.hold_flapping),
                window: time(self.squelch),
                flaps: self.flaps as usize,
            },
            maintenance: Vec::new(),
            routes: vec![Route::fallback(pace)],
        }
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> {
        let flaps = 2..=16;
        let repeats = 0..=100;
        // `/alerts list` looks back for 30 days.
        let days = 31..=3650;
        [
            seconds::outside("alerts.group_wait_s", self.group_wait, &(0..=3600)),
            seconds::outside(
                "alerts.group_interval_s",
                self.group_interval,
                &(0..=86_400),
            ),
            seconds::outside(
                "alerts.repeat_interval_s",
                self.repeat_interval,
                &(60..=604_800),
            ),
            seconds::outside("alerts.squelch_s", self.squelch, &(60..=604_800)),
            seconds::outside("alerts.hold_s", self.hold, &(0..=86_400)),
            seconds::outside("alerts.hold_flapping_s", self.hold_flapping, &(0..=86_400)),
            (!flaps.contains(&self.flaps))
                .then(|| Problem::out_of_range("alerts.flaps", self.flaps, &flaps)),
            (!repeats.contains(&self.repeats))
                .then(|| Problem::out_of_range("alerts.repeats", self.repeats, &repeats)),
            (!days.contains(&self.keep_days))
                .then(|| Problem::out_of_range("alerts.keep_days", self.keep_days, &days)),
        ]
        .into_iter()
        .flatten()
    }
}
