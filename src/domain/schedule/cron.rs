//! A cron line with its Unix meaning, and when it comes next in a time zone.
//!
//! The crate `cron` knows the calendar. What it reads otherwise than Unix is read here: week days count from Sunday, 0
//! and 7; and if both kinds of days are restricted, either of them suffices.

use std::{collections::BTreeSet, fmt, ops::RangeInclusive, str::FromStr as _};

use chrono::{DateTime, Duration, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

use crate::domain::problem::shown;

/// Longer lines are nobody's.
const LONGEST: usize = 120;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEK_DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Words for lines, as Unix has them.
const WORDS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// Why a line is none; a sentence for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadCron(String);

/// A line that comes at least once.
#[derive(Clone, Debug)]
pub struct Cron {
    text: String,
    /// One, or two of which either suffices.
    days: Vec<cron::Schedule>,
    pace: Pace,
}

/// What a change of the clocks does to it, as in Vixie's cron: whatever it is, all other days go by the clock on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// It names its times, or steps by hours: each comes once, and one that the clocks skip comes when they have skipped.
    Times,
    /// It goes by minutes within hours that it names: an hour that comes twice has them twice.
    Minutes,
    /// It comes in every hour: the same, and what the clocks skip is left out, because the next comes soon.
    Hourly,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Cron {
    /// Five fields, or one of the words with `@`.
    pub fn parse(text: &str) -> Result<Self, BadCron> {
        let text = text.trim().to_lowercase();
        if text.chars().count() > LONGEST {
            return Err(BadCron(format!(
                "the line is longer than {LONGEST} characters"
            )));
        }
        let line = match text.strip_prefix('@') {
            Some(_) => spelt_out(&text)?,
            None => &text,
        };
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [minute, hour, day, month, week_day] = fields.as_slice() else {
            return Err(BadCron(format!(
                "{} has {} fields, and a line has five: minute, hour, day of the month, month, day of the week; as in `30 2 * * 1-5`",
                shown(&text),
                fields.len()
            )));
        };
        let minute = Field::parse(minute, &MINUTE)?;
        let hour = Field::parse(hour, &HOUR)?;
        let day = Field::parse(day, &DAY)?;
        let month = Field::parse(month, &MONTH)?;
        let week_day = Field::parse(week_day, &WEEK_DAY)?;
        let pace = match (minute.steps, hour.values.len()) {
            (_, 24) => Pace::Hourly,
            (true, _) => Pace::Minutes,
            (false, _) => Pace::Times,
        };
        let days = days(&[&minute, &hour, &month], &day, &week_day)?;
        if days.is_empty() {
            return Err(BadCron(format!(
                "{} never comes: none of its months has that day",
                shown(&text)
            )));
        }
        Ok(Self { text, days, pace })
    }

    /// The first time after an instant; None if there is none in this century.
    pub fn next(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let mut wall = after.with_timezone(&zone).naive_local();
        let next = loop {
            wall = self.following(wall)?;
            let at = self.instant(wall, after, zone);
            if let Some(at) = at.filter(|at| *at > after) {
                break at;
            }
        };
        Some(match self.again(after, zone) {
            Some(again) => next.min(again),
            None => next,
        })
    }

    /// The first time after one on a clock that is never changed.
    fn following(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let whole = wall.and_utc().timestamp();
        let wall = DateTime::from_timestamp(whole, 0)?;
        let days = self.days.iter().filter_map(|days| days.after(&wall).next());
        days.min().map(|next| next.naive_utc())
    }

    /// When a clock on the wall shows a time that is to come after an instant; None if it never does and is left out.
    fn instant(
        &self,
        wall: NaiveDateTime,
        after: DateTime<Utc>,
        zone: Tz,
    ) -> Option<DateTime<Utc>> {
        match zone.from_local_datetime(&wall) {
            MappedLocalTime::Single(at) => Some(at.to_utc()),
            MappedLocalTime::Ambiguous(first, second) => {
                let passed = self.pace != Pace::Times && first <= after;
                Some(if passed { second } else { first }.to_utc())
            }
            MappedLocalTime::None if self.pace == Pace::Hourly => None,
            // The first valid instant.
            MappedLocalTime::None => {
                let end = GapInfo::new(&wall, &zone).and_then(|gap| gap.end);
                Some(end.map_or_else(|| wall.and_utc(), |end| end.to_utc()))
            }
        }
    }

    /// In an hour that comes twice, seen from within its first time: the first of the second time, unless the first time
    /// has one that is still to come.
    fn again(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let wall = after.with_timezone(&zone).naive_local();
        let MappedLocalTime::Ambiguous(first, second) = zone.from_local_datetime(&wall) else {
            return None;
        };
        if self.pace == Pace::Times || first != after {
            return None;
        }
        let (now, then) = (first.offset().fix(), second.offset().fix());
        let (mut before, mut set_back) = (first.timestamp(), second.timestamp());
        while set_back - before > 1 {
            let middle = i64::midpoint(before, set_back);
            let at = DateTime::from_timestamp(middle, 0)?.with_timezone(&zone);
            if at.offset().fix() == now {
                before = middle;
            } else {
                set_back = middle;
            }
        }
        let begins = DateTime::from_timestamp(set_back, 0)?.naive_utc() + then;
        let step = self.following(begins - Duration::seconds(1))?;
        (step <= wall).then(|| (step - then).and_utc())
    }
}

fn spelt_out(word: &str) -> Result<&'static str, BadCron> {
    let known = WORDS.iter().find(|(known, _)| *known == word);
    known.map(|(_, line)| *line).ok_or_else(|| {
        BadCron(format!(
            "{} is not known: use @hourly, @daily, @weekly, @monthly or @yearly",
            shown(word)
        ))
    })
}

/// The calendars of a line; both kinds of days suffice if both are restricted. One that never comes is left out.
fn days(
    [minute, hour, month]: &[&Field; 3],
    day: &Field,
    week_day: &Field,
) -> Result<Vec<cron::Schedule>, BadCron> {
    // The crate counts week days from 1.
    let on = |day: &str, week_day: &str| format!("0 {minute} {hour} {day} {month} {week_day}");
    let week_day_of_crate = week_day.shifted(1);
    let lines = if day.steps || week_day.steps {
        vec![on(&day.to_string(), &week_day_of_crate)]
    } else {
        vec![on(&day.to_string(), "*"), on("*", &week_day_of_crate)]
    };
    let mut days = Vec::new();
    for line in lines {
        let schedule = cron::Schedule::from_str(&line)
            .map_err(|error| BadCron(format!("it cannot be read: {error}")))?;
        if schedule.after(&DateTime::UNIX_EPOCH).next().is_some() {
            days.push(schedule);
        }
    }
    Ok(days)
}

/// What a field is about.
struct Unit {
    name: &'static str,
    values: RangeInclusive<u8>,
    names: &'static [&'static str],
    /// The last value that `*` stands for.
    last: u8,
}

const MINUTE: Unit = Unit {
    name: "minute",
    values: 0..=59,
    names: &[],
    last: 59,
};
const HOUR: Unit = Unit {
    name: "hour",
    values: 0..=23,
    names: &[],
    last: 23,
};
const DAY: Unit = Unit {
    name: "day of the month",
    values: 1..=31,
    names: &[],
    last: 31,
};
const MONTH: Unit = Unit {
    name: "month",
    values: 1..=12,
    names: &MONTHS,
    last: 12,
};
/// Sunday is 0 and 7.
const WEEK_DAY: Unit = Unit {
    name: "day of the week",
    values: 0..=7,
    names: &WEEK_DAYS,
    last: 6,
};

/// The values of one field.
struct Field {
    values: BTreeSet<u8>,
    /// It is `*`: all values, those of a crate that counts otherwise, too.
    every: bool,
    /// It begins with `*`, which Unix takes for no restriction of days.
    steps: bool,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shifted(0))
    }
}

impl Field {
    fn parse(text: &str, unit: &Unit) -> Result<Self, BadCron> {
        let mut values = BTreeSet::new();
        for item in text.split(',') {
            let found = unit.item(item).ok_or_else(|| unit.refuse(item))?;
            values.extend(found);
        }
        if unit.names == WEEK_DAYS && values.remove(&7) {
            values.insert(0);
        }
        Ok(Self {
            values,
            every: text == "*",
            steps: text.starts_with('*'),
        })
    }

    fn shifted(&self, by: u8) -> String {
        if self.every {
            return "*".to_owned();
        }
        let values: Vec<String> = self
            .values
            .iter()
            .map(|one| (one + by).to_string())
            .collect();
        values.join(",")
    }
}

impl Unit {
    /// `*`, `5`, `1-5`, and each with `/2` behind it.
    fn item(&self, text: &str) -> Option<Vec<u8>> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step.parse().ok().filter(|step| *step > 0_u8)?)),
            None => (text, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (*self.values.start(), self.last),
            Some((from, to)) => (self.value(from)?, self.end(to)?),
            None => {
                let from = self.value(range)?;
                (from, if step.is_some() { self.last } else { from })
            }
        };
        let values = (from..=to).step_by(step.unwrap_or(1).into());
        (from <= to).then(|| values.collect())
    }

    fn value(&self, text: &str) -> Option<u8> {
        let named = self.names.iter().position(|name| *name == text);
        let value = match named {
            Some(position) => self.values.start() + u8::try_from(position).ok()?,
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        self.values.contains(&value).then_some(value)
    }

    /// A Sunday that ends a range is the one after Saturday.
    fn end(&self, text: &str) -> Option<u8> {
        let sunday = text == "sun" && self.names == WEEK_DAYS;
        if sunday { Some(7) } else { self.value(text) }
    }

    fn refuse(&self, item: &str) -> BadCron {
        let names = match self.names {
            [first, .., last] => format!(" or {first}–{last}"),
            _ => String::new(),
        };
        BadCron(format!(
            "{} is no {}: use {}–{}{names}, `*`, a range `a-b` that goes up, steps `*/n`, or several with commas",
            shown(item),
            self.name,
            self.values.start(),
            self.values.end()
        ))
    }
}
