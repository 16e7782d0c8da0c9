//! What a week was like: figures from the rows, without judgement.

use chrono::{DateTime, Duration, Utc};

use super::{
    action::{Kind, State},
    agent::Name,
    ids::AgentId,
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
    /// Starts that nobody asked for and restarts, by agent.
    pub restarts: Vec<(Name, i64)>,
    /// What became of the runs of schedules.
    pub runs: Vec<(Stage, Option<State>, i64)>,
    pub uptimes: Vec<Uptime>,
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

#[cfg(test)]
mod tests {
    use super::*;

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
