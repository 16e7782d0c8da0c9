//! What was used over time: a row a minute, then one a quarter of an hour, and what people see of them.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{agent::Name, ids::AgentId, stats::Usage, view::Host, words::words};

words! {
    /// The time that a chart shows.
    pub enum Range {
        Hour = "hour",
        Day = "day",
        Week = "week",
    }
}

impl Range {
    pub const fn length(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
            Self::Week => TimeDelta::days(7),
        }
    }

    /// Minutes that one point of a line stands for: more points than a phone has room for show nothing.
    pub const fn step(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::Day => 15,
            Self::Week => 60,
        }
    }
}

/// Minutes since 1970.
pub const fn minute(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(60)
}

/// What an agent used within one minute, on average; in the units of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Minute {
    pub agent: i64,
    pub at: i64,
    /// Thousandths of a CPU.
    pub cpu: i64,
    pub memory_kib: i64,
    pub pids: i64,
    /// Bytes a second.
    pub received: i64,
    pub sent: i64,
    pub read: i64,
    pub written: i64,
}

/// What the host used within one minute, on average.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostMinute {
    pub at: i64,
    /// Thousandths of all CPUs.
    pub cpu: i64,
    pub memory_kib: i64,
    pub swap_kib: i64,
    /// Thousandths of the fullest disk.
    pub disk: i64,
    /// Hundredths.
    pub load: i64,
    /// Thousandths of the time; None if the kernel does not tell.
    pub memory_pressure: Option<i64>,
    pub io_pressure: Option<i64>,
}

/// What was seen within the minute that goes on, to be written when it is over.
#[derive(Debug, Default)]
pub struct Diary {
    agents: HashMap<(AgentId, i64), Vec<Usage>>,
    host: HashMap<i64, Vec<Host>>,
}

/// Minutes that are over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    pub agents: Vec<Minute>,
    pub host: Vec<HostMinute>,
}

impl Diary {
    pub fn note(&mut self, agent: AgentId, usage: Usage, now: DateTime<Utc>) {
        let noted = self.agents.entry((agent, minute(now))).or_default();
        noted.push(usage);
    }

    pub fn note_host(&mut self, host: Host, now: DateTime<Utc>) {
        self.host.entry(minute(now)).or_default().push(host);
    }

    /// Takes out every minute but the one that goes on: after a clock was set back, those ahead of it as well.
    pub fn turn(&mut self, now: DateTime<Utc>) -> Pages {
        let now = minute(now);
        let mut pages = Pages::default();
        self.agents.retain(|(agent, at), usages| {
            if *at != now {
                pages.agents.push(mean(*agent, *at, usages));
            }
            *at == now
        });
        self.host.retain(|at, hosts| {
            if *at != now {
                pages.host.push(host_mean(*at, hosts));
            }
            *at == now
        });
        pages
    }
}

impl Pages {
    pub const fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.host.is_empty()
    }
}

fn mean(agent: AgentId, at: i64, usages: &[Usage]) -> Minute {
    let of =
        |figure: fn(&Usage) -> u64| average(usages.iter().map(|usage| unsigned(figure(usage))));
    let thousandths = usages.iter().map(|usage| usage.cpus * 1000.0);
    Minute {
        agent: agent.0,
        at,
        cpu: average(thousandths),
        memory_kib: of(|usage| usage.memory_bytes) / 1024,
        pids: of(|usage| usage.pids),
        received: of(|usage| usage.io.received),
        sent: of(|usage| usage.io.sent),
        read: of(|usage| usage.io.read),
        written: of(|usage| usage.io.written),
    }
}

fn host_mean(at: i64, hosts: &[Host]) -> HostMinute {
    let of = |figure: fn(&Host) -> f64| average(hosts.iter().map(figure));
    HostMinute {
        at,
        cpu: of(|host| f64::from(host.cpu_percent) * 10.0),
        memory_kib: of(|host| unsigned(host.memory_used_bytes)) / 1024,
        swap_kib: of(|host| unsigned(host.swap_used_bytes)) / 1024,
        disk: of(|host| {
            host.fullest_disk()
                .map_or(0.0, |disk| disk.percent() * 10.0)
        }),
        load: of(|host| host.load * 100.0),
        memory_pressure: pressure(hosts, |host| host.memory_pressure),
        io_pressure: pressure(hosts, |host| host.io_pressure),
    }
}

fn pressure(hosts: &[Host], of: fn(&Host) -> Option<f64>) -> Option<i64> {
    let percents: Option<Vec<f64>> = hosts.iter().map(of).collect();
    percents.map(|percents| average(percents.into_iter().map(|percent| percent * 10.0)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an average needs no more than 53 bits"
)]
const fn unsigned(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "what is used is far below 2^53"
)]
fn average(numbers: impl ExactSizeIterator<Item = f64>) -> i64 {
    let count = numbers.len().max(1) as f64;
    (numbers.sum::<f64>() / count).round() as i64
}

/// What an agent used at one step of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub at: DateTime<Utc>,
    pub cpus: f64,
    pub memory_bytes: f64,
}

/// What an agent used over a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Total {
    pub agent: AgentId,
    /// Of one CPU.
    pub cpus: f64,
    pub cpus_peak: f64,
    pub memory_bytes: f64,
    pub memory_peak: f64,
}

/// What the host used over a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostTotal {
    pub cpu_percent: f64,
    pub cpu_peak: f64,
    pub memory_bytes: f64,
    pub memory_peak: f64,
    /// The share of time in which work waited, at most, in percent; None if the kernel does not tell.
    pub memory_pressure: Option<f64>,
    pub io_pressure: Option<f64>,
}

/// Agents of which a chart shows a line, and that are named as those that use most.
pub const MOST: usize = 5;

/// What somebody sees of a range.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Of one agent, of a fleet's, or of all.
    pub whose: Option<String>,
    pub range: Range,
    pub until: DateTime<Utc>,
    /// Those that use most first.
    pub by_cpu: Vec<(Name, Total)>,
    pub by_memory: Vec<(Name, Total)>,
    /// Agents of which something is known, and of all that were asked about.
    pub known: usize,
    pub asked: usize,
    /// None if nothing is known of that time.
    pub host: Option<HostTotal>,
}

impl Figures {
    /// `Last hour, fleet main`.
    pub fn title(&self) -> String {
        let whose = self.whose.as_deref().unwrap_or("all agents");
        format!("Last {}, {whose}", self.range.as_str())
    }
}

/// What a chart is drawn from.
#[derive(Clone, Debug)]
pub struct Picture {
    pub title: String,
    pub range: Range,
    pub until: DateTime<Utc>,
    pub cpu: Vec<Line>,
    pub memory: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub name: String,
    /// The same agent has the same number in both halves.
    pub colour: usize,
    /// Oldest first.
    pub points: Vec<(DateTime<Utc>, f64)>,
}

/// The last hour of one agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    pub cpu: String,
    pub cpu_peak: f64,
    pub memory: String,
    pub memory_peak: f64,
}

/// Minutes that one block of a small chart stands for, and how many there are.
const BLOCK: i64 = 3;
const BLOCKS: usize = 20;

impl Trend {
    /// None if nothing is known of that hour.
    pub fn of(points: &[Point], now: DateTime<Utc>) -> Option<Self> {
        let first = minute(now) - BLOCK * i64::try_from(BLOCKS).unwrap_or_default();
        let mut blocks: Vec<Vec<&Point>> = vec![Vec::new(); BLOCKS];
        for point in points {
            let block = usize::try_from((minute(point.at) - first).div_euclid(BLOCK));
            if let Some(block) = block.ok().and_then(|index| blocks.get_mut(index)) {
                block.push(point);
            }
        }
        let of = |figure: fn(&Point) -> f64| -> Vec<Option<f64>> {
            let highest =
                |points: &Vec<&Point>| points.iter().map(|one| figure(one)).reduce(f64::max);
            blocks.iter().map(highest).collect()
        };
        let (cpu, memory) = (of(|point| point.cpus), of(|point| point.memory_bytes));
        let peak = |values: &[Option<f64>]| values.iter().flatten().copied().reduce(f64::max);
        Some(Self {
            cpu_peak: peak(&cpu)?,
            memory_peak: peak(&memory)?,
            cpu: spark(&cpu),
            memory: spark(&memory),
        })
    }
}

/// One character for each value, from the lowest block for nothing to the highest for the largest; what is missing is a gap.
pub fn spark(values: &[Option<f64>]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let largest = values.iter().flatten().copied().fold(0.0, f64::max);
    let level = |value: f64| {
        let share = if largest > 0.0 { value / largest } else { 0.0 };
        let found = LEVELS.iter().enumerate().rev().find(|(index, _)| {
            let above = u32::try_from(*index).map_or(0.0, f64::from);
            share * 7.0 + 0.5 >= above
        });
        found.map_or(LEVELS[0], |(_, level)| *level)
    };
    let characters = values.iter();
    // As wide as a block, where a space may be swallowed.
    characters
        .map(|value| value.map_or('\u{2007}', level))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{stats::Io, view::Disk};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn usage(cpus: f64) -> Usage {
        Usage {
            cpus,
            memory_bytes: 4096,
            pids: 3,
            io: Io::default(),
        }
    }

    #[test]
    fn a_minute_is_written_once_it_is_over() {
        let mut diary = Diary::default();
        diary.note(AgentId(7), usage(0.1), at(60));
        diary.note(AgentId(7), usage(0.3), at(119));
        assert!(diary.turn(at(119)).is_empty());
        let pages = diary.turn(at(120));
        let [minute] = &pages.agents[..] else {
            panic!("{pages:?}");
        };
        assert_eq!((minute.agent, minute.at, minute.cpu), (7, 1, 200));
        assert_eq!((minute.memory_kib, minute.pids), (4, 3));
        assert!(diary.turn(at(180)).is_empty());
    }

    #[test]
    fn a_clock_that_is_set_back_leaves_no_minute_behind() {
        let mut diary = Diary::default();
        diary.note(AgentId(7), usage(0.1), at(7200));
        diary.note(AgentId(7), usage(0.1), at(60));
        let pages = diary.turn(at(60));
        assert_eq!(pages.agents.len(), 1);
        assert_eq!(pages.agents[0].at, 120);
    }

    #[test]
    fn a_trend_has_gaps_where_nothing_is_known() {
        let now = at(7200);
        let point = |minutes: i64, cpus| Point {
            at: now - TimeDelta::minutes(minutes),
            cpus,
            memory_bytes: 10.0,
        };
        let points = [point(60, 9.0), point(30, 0.5), point(2, 1.0), point(1, 0.0)];
        let trend = Trend::of(&points, now).unwrap();
        assert_eq!(
            trend.cpu,
            "█\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}▁\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}▂"
        );
        assert_eq!(Trend::of(&[], now), None);
        assert_eq!(Trend::of(&points[..0], now), None);
    }

    #[test]
    fn a_title_says_when_and_whose() {
        let mut figures = Figures {
            whose: None,
            range: Range::Week,
            until: at(0),
            by_cpu: Vec::new(),
            by_memory: Vec::new(),
            known: 0,
            asked: 0,
            host: None,
        };
        assert_eq!(figures.title(), "Last week, all agents");
        figures.whose = Some("fleet main".to_owned());
        assert_eq!(figures.title(), "Last week, fleet main");
    }

    #[test]
    fn a_small_chart_goes_from_nothing_to_the_largest() {
        let values = [Some(0.0), Some(1.0), Some(3.5), None, Some(7.0)];
        assert_eq!(spark(&values), "▁▂▅\u{2007}█");
        assert_eq!(spark(&[Some(0.0), Some(0.0)]), "▁▁");
    }

    proptest! {
        #[test]
        fn a_small_chart_is_as_long_as_what_it_shows(values in prop::collection::vec(prop::option::of(0.0..1e12), 0..40)) {
            prop_assert_eq!(spark(&values).chars().count(), values.len());
        }
    }

    #[test]
    fn a_chart_has_as_many_points_as_a_phone_has_room_for() {
        let points = |range: Range| range.length().num_minutes() / range.step();
        let all: Vec<i64> = Range::ALL.iter().map(|range| points(*range)).collect();
        assert_eq!(all, [60, 96, 168]);
    }

    fn host(cpu_percent: f32, memory_pressure: Option<f64>) -> Host {
        let disk = |folder: &str, used_bytes| Disk {
            folder: folder.to_owned(),
            used_bytes,
            total_bytes: 100,
        };
        Host {
            cpus: 2,
            cpu_percent,
            memory_used_bytes: 4096,
            memory_total_bytes: 8192,
            swap_used_bytes: 2048,
            swap_total_bytes: 4096,
            load: 1.5,
            disks: vec![disk("/", 25), disk("/data", 50)],
            memory_pressure,
            io_pressure: Some(2.0),
        }
    }

    #[test]
    fn of_the_host_a_minute_keeps_the_mean_and_the_fullest_disk() {
        let mut diary = Diary::default();
        diary.note_host(host(10.0, Some(1.0)), at(0));
        diary.note_host(host(30.0, None), at(59));
        diary.note_host(host(90.0, None), at(60));
        assert_eq!(
            diary.turn(at(60)).host,
            [HostMinute {
                at: 0,
                cpu: 200,
                memory_kib: 4,
                swap_kib: 2,
                disk: 500,
                load: 150,
                // Not known for all of it.
                memory_pressure: None,
                io_pressure: Some(20),
            }]
        );
        let next = diary.turn(at(120));
        assert!(!next.is_empty());
        assert_eq!(next.host.len(), 1);
        assert!(diary.turn(at(120)).is_empty());
    }
}
