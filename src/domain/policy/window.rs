//! Times of the week, as a clock on the wall shows them.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveTime, Timelike, Utc, Weekday};
use chrono_tz::Tz;

/// From one time of day to another, on some days, in one place.
///
/// A moment has one wall-clock time, so an hour that a clock shows twice is inside both times, and one that it
/// skips is never. If `to` is not after `from` it is a time of the next day; the night belongs to the day it begins on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Empty: every day.
    pub days: Vec<Weekday>,
    pub from: NaiveTime,
    /// The first moment after it.
    pub to: NaiveTime,
    pub zone: Tz,
}

impl Window {
    pub fn contains(&self, moment: DateTime<Utc>) -> bool {
        let local = moment.with_timezone(&self.zone).naive_local();
        let (today, time) = (local.weekday(), local.time());
        if self.from < self.to {
            return self.on(today) && self.from <= time && time < self.to;
        }
        (self.on(today) && self.from <= time) || (self.on(today.pred()) && time < self.to)
    }

    /// A moment as people there would say it.
    pub fn local(&self, moment: DateTime<Utc>) -> String {
        let local = moment.with_timezone(&self.zone);
        local.format("%a %H:%M").to_string()
    }

    fn on(&self, day: Weekday) -> bool {
        self.days.is_empty() || self.days.contains(&day)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, day) in self.days.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{day}")?;
        }
        if !self.days.is_empty() {
            f.write_str(" ")?;
        }
        let minutes = |time: NaiveTime| format!("{:02}:{:02}", time.hour(), time.minute());
        let (from, to) = (minutes(self.from), minutes(self.to));
        write!(f, "{from}–{to} {}", self.zone)
    }
}
