//! What a week was like: figures from the rows, without judgement.

use chrono::{DateTime, Duration, Utc};

use super::{
    action::{Kind, State},
    agent::Name,
    ids::AgentId,
    incident,
    schedule::Stage,
};

/// What a report looks back on.
pub const SPAN: Duration = Duration::days(7);

/// One report.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub actions: Vec<(Kind, State, i64)>,
    /// How the questions to people ended.
    pub approvals: Vec<(State, i64)>,
    /// How often somebody was told that they may not.
    pub refusals: i64,
    /// Incidents that were opened, and how many are open at its end.
    pub incidents: Vec<(incident::Kind, i64)>,
    pub still_open: i64,
    pub restarts: Vec<Restarts>,
    /// What became of the runs of schedules.
    pub runs: Vec<(Stage, Option<State>, i64)>,
    pub uptimes: Vec<Uptime>,
    /// Those that were in trouble at all, longest first.
    pub troubled: Vec<Troubled>,
}

/// Starts that nobody asked for and restarts of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restarts {
    pub name: Name,
    pub count: i64,
    /// Those of them by which Yardarm mended what was wrong.
    pub by_recovery: i64,
}

/// How long an agent had an incident that kept it from its work.
#[derive(Clone, Debug, PartialEq)]
pub struct Troubled {
    pub name: Name,
    pub time: Duration,
    /// 0 to 1: the rest, of the time since the agent is there.
    pub well: f64,
}

/// One incident of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spell {
    pub agent: AgentId,
    pub name: Name,
    pub made_at: DateTime<Utc>,
    pub opened_at: DateTime<Utc>,
    /// When the problem was last seen to be gone; None while it is there.
    pub gone_at: Option<DateTime<Utc>>,
}

/// How much of the time an agent ran, of the time since it is known to have run or stood.
#[derive(Clone, Debug, PartialEq)]
pub struct Uptime {
    pub name: Name,
    /// 0 to 1.
    pub share: f64,
}

/// An agent came up, or went down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub agent: AgentId,
    pub name: Name,
    pub up: bool,
    pub at: DateTime<Utc>,
}

/// The share of each agent in a time, from its turns in order, those before the time included. Before its first turn
/// nothing is known of an agent, and nothing is counted.
pub fn uptimes(turns: &[Turn], from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Uptime> {
    let mut agents: Vec<AgentId> = turns.iter().map(|turn| turn.agent).collect();
    agents.sort_unstable();
    agents.dedup();
    let mut uptimes: Vec<Uptime> = agents
        .into_iter()
        .filter_map(|agent| {
            let own: Vec<&Turn> = turns.iter().filter(|turn| turn.agent == agent).collect();
            uptime(&own, from, to)
        })
        .collect();
    uptimes.sort_by(|one, other| {
        let by_share = one.share.total_cmp(&other.share);
        by_share.then_with(|| one.name.cmp(&other.name))
    });
    uptimes
}

fn uptime(turns: &[&Turn], from: DateTime<Utc>, to: DateTime<Utc>) -> Option<Uptime> {
    let first = turns.first()?;
    let ends = turns.iter().skip(1).map(|turn| turn.at).chain([to]);
    let (mut up, mut known) = (Duration::zero(), Duration::zero());
    for (turn, end) in turns.iter().zip(ends) {
        let span = (end.min(to) - turn.at.max(from)).max(Duration::zero());
        known += span;
        if turn.up {
            up += span;
        }
    }
    let seconds = |span: Duration| span.as_seconds_f64();
    (known > Duration::zero()).then(|| Uptime {
        name: first.name.clone(),
        share: seconds(up) / seconds(known),
    })
}

/// The time each agent spent in trouble. Two incidents at once are one trouble.
pub fn troubled(spells: &[Spell], from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Troubled> {
    let mut agents: Vec<AgentId> = spells.iter().map(|spell| spell.agent).collect();
    agents.sort_unstable();
    agents.dedup();
    let mut troubled: Vec<Troubled> = agents
        .into_iter()
        .filter_map(|agent| {
            let own: Vec<&Spell> = spells.iter().filter(|one| one.agent == agent).collect();
            trouble(own, from, to)
        })
        .collect();
    troubled.sort_by(|one, other| {
        let by_time = other.time.cmp(&one.time);
        by_time.then_with(|| one.name.cmp(&other.name))
    });
    troubled
}

fn trouble(mut spells: Vec<&Spell>, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<Troubled> {
    spells.sort_by_key(|spell| spell.opened_at);
    let first = *spells.first()?;
    let (mut time, mut counted) = (Duration::zero(), from);
    for spell in spells {
        let begin = spell.opened_at.max(counted);
        let end = spell.gone_at.map_or(to, |gone| gone.min(to));
        time += (end - begin).max(Duration::zero());
        counted = counted.max(end);
    }
    let there = to - first.made_at.max(from);
    (time > Duration::zero() && there > Duration::zero()).then(|| Troubled {
        name: first.name.clone(),
        time,
        well: 1.0 - time.as_seconds_f64() / there.as_seconds_f64(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(agent: i64, opened: i64, gone: Option<i64>) -> Spell {
        let at = |hour| DateTime::UNIX_EPOCH + Duration::hours(hour);
        Spell {
            agent: AgentId(agent),
            name: Name::parse(&format!("scout-{agent}")).expect("a name"),
            made_at: at(0),
            opened_at: at(opened),
            gone_at: gone.map(at),
        }
    }

    #[test]
    fn trouble_counts_once_and_within_the_time() {
        let (from, to) = (
            DateTime::UNIX_EPOCH + Duration::hours(10),
            DateTime::UNIX_EPOCH + Duration::hours(20),
        );
        let made_late = Spell {
            made_at: DateTime::UNIX_EPOCH + Duration::hours(15),
            ..spell(4, 19, None)
        };
        // By a clock that was set back.
        let not_made_yet = Spell {
            made_at: to,
            ..spell(5, 19, None)
        };
        let spells = [
            // From before the time, and another kind meanwhile and a little longer.
            spell(1, 8, Some(12)),
            spell(1, 11, Some(13)),
            spell(1, 18, None),
            // Over before the time; begun after it.
            spell(2, 1, Some(9)),
            spell(2, 21, None),
            // One within another.
            spell(3, 11, Some(17)),
            spell(3, 12, Some(13)),
            made_late,
            not_made_yet,
        ];
        let told: Vec<(String, i64, f64)> = troubled(&spells, from, to)
            .into_iter()
            .map(|one| (one.name.to_string(), one.time.num_hours(), one.well))
            .collect();
        let expected = [
            ("scout-3", 6, 0.4),
            ("scout-1", 5, 0.5),
            ("scout-4", 1, 0.8),
        ];
        let expected = expected.map(|(name, hours, well)| (name.to_owned(), hours, well));
        assert_eq!(told, expected);
    }

    fn turn(agent: i64, up: bool, hour: i64) -> Turn {
        Turn {
            agent: AgentId(agent),
            name: Name::parse(&format!("scout-{agent}")).expect("a name"),
            up,
            at: DateTime::UNIX_EPOCH + Duration::hours(hour),
        }
    }

    #[test]
    fn an_agents_share_counts_from_when_it_is_known() {
        let (from, to) = (
            DateTime::UNIX_EPOCH + Duration::hours(10),
            DateTime::UNIX_EPOCH + Duration::hours(20),
        );
        let turns = [
            // Up before, down for two hours of ten.
            turn(1, true, 5),
            turn(1, false, 12),
            turn(1, true, 14),
            // Made in the middle and up ever since.
            turn(2, true, 15),
            // Down all the time, with a word about it twice.
            turn(3, false, 1),
            turn(3, false, 12),
            // Came after the time.
            turn(4, true, 21),
        ];
        let shares: Vec<(String, f64)> = uptimes(&turns, from, to)
            .into_iter()
            .map(|one| (one.name.to_string(), one.share))
            .collect();
        let expected = [("scout-3", 0.0), ("scout-1", 0.8), ("scout-2", 1.0)];
        assert_eq!(
            shares,
            expected.map(|(name, share)| (name.to_owned(), share))
        );
    }
}
