//! What the figures should come to.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::figures::{Figure, Figures};

/// The size that the aims of watching speak of.
const WATCHED: usize = 100;

/// An aim and whether it is met.
pub(crate) struct Verdict {
    pub(crate) aim: String,
    pub(crate) met: bool,
}

/// None for what has no aim of its own, such as a floor, or if its counterpart is missing.
pub(crate) fn judge(figures: &Figures, name: &str, figure: &Figure) -> Option<Verdict> {
    match (name, figure) {
        ("ack_ms", _) => beside_floor(figures, name, "ack_floor_ms"),
        ("vote_ms", Figure::Spread(vote)) => {
            let floor = figures.get("vote_floor_ms", 0)?;
            Some(at_most(
                "p50 ≤ 2 × vote_floor_ms",
                vote.p50,
                2.0 * floor.p50,
            ))
        }
        ("freeze_ms", Figure::Spread(freeze)) => Some(at_most("max", freeze.max, 2000.0)),
        ("ack_20_ms", _) => beside_floor(figures, name, "ack_floor_20_ms"),
        ("status_ms", _) => {
            let (small, large) = (figures.get(name, 10)?, figures.get(name, 1000)?);
            Some(at_most(
                "p50 at 1000 ≤ 1.5 × at 10",
                large.p50,
                1.5 * small.p50,
            ))
        }
        ("status_20_ms", Figure::Spread(status)) => {
            let floor = figures.get("ack_floor_20_ms", 0)?;
            Some(at_most(
                "p50 ≤ 3 × ack_floor_20_ms",
                status.p50,
                3.0 * floor.p50,
            ))
        }
        // The limiter, where it holds somebody back, does so for its whole window.
        ("stop_20_ms", Figure::Spread(stop)) => {
            Some(at_most("max, never held back", stop.max, 1000.0))
        }
        ("deploy_ms", Figure::Spread(deploy)) => {
            let raw = figures.get("deploy_raw_ms", 0)?;
            Some(at_most(
                "p50 ≤ 1.15 × deploy_raw_ms",
                deploy.p50,
                1.15 * raw.p50,
            ))
        }
        ("logs_ms", Figure::Spread(logs)) => Some(at_most("p50", logs.p50, 50.0)),
        ("policy_us", Figure::Number(value)) => Some(at_most("", *value, 50.0)),
        // For a million rows; fewer take less.
        ("audit_verify_s", Figure::Number(value)) => Some(at_most("", *value, 10.0)),
        ("idle_rss_mb", Figure::Number(value)) => Some(at_most("", *value, 40.0)),
        ("idle_cpu_percent", Figure::Number(value)) => Some(at_most("", *value, 0.5)),
        ("idle_engine_cpu_percent", Figure::Number(value)) => Some(at_most("", *value, 1.0)),
        _ => judge_watching(figures, name, figure),
    }
}

/// Fails if one is missed, or if nothing was measured that has one.
pub(crate) fn check(figures: &Figures) -> Result<()> {
    let judged = figures
        .iter()
        .filter_map(|(name, figure)| Some((name, judge(figures, name, figure)?)));
    let (met, missed): (Vec<_>, Vec<_>) = judged.partition(|(_, verdict)| verdict.met);
    ensure!(
        !met.is_empty() || !missed.is_empty(),
        "nothing was measured that has an aim"
    );
    let missed: Vec<_> = missed
        .iter()
        .map(|(name, verdict)| format!("{name}: {}", verdict.aim))
        .collect();
    ensure!(missed.is_empty(), "missed: {}", missed.join("; "));
    Ok(())
}

fn judge_watching(figures: &Figures, name: &str, figure: &Figure) -> Option<Verdict> {
    match (name, figure) {
        ("crash_to_alert_ms", Figure::Spread(told)) => {
            let died = figures.get("die_event_ms", 0)?;
            Some(at_most(
                "p50 ≤ die_event_ms + 100",
                told.p50,
                died.p50 + 100.0,
            ))
        }
        ("crash_to_restart_ms", Figure::Spread(runs)) => {
            let (died, start) = (
                figures.get("die_event_ms", 0)?,
                figures.get("start_raw_ms", 0)?,
            );
            Some(at_most(
                "p50 ≤ die_event_ms + start_raw_ms + 100",
                runs.p50,
                died.p50 + start.p50 + 100.0,
            ))
        }
        ("storm", Figure::Numbers(storm)) => Some(Verdict {
            aim: "messages 1 to 3, lost 0, down 0".to_owned(),
            met: (1.0..=3.0).contains(storm.get("messages")?)
                && storm.get("lost")? <= &0.0
                && storm.get("down")? <= &0.0,
        }),
        ("watch_cpu_percent", Figure::NumberBySize(sizes)) => Some(watch(sizes, 1.0)?),
        ("watch_rss_mb", Figure::NumberBySize(sizes)) => Some(Verdict {
            aim: format!("per agent even or falling from {WATCHED}"),
            met: is_even_or_falls(sizes),
        }),
        ("watch_engine_cpu_percent", Figure::NumberBySize(sizes)) => {
            Some(at_most("at 100", *sizes.get(&WATCHED)?, 3.0))
        }
        _ => judge_endurance(figures, name, figure),
    }
}

fn judge_endurance(figures: &Figures, name: &str, figure: &Figure) -> Option<Verdict> {
    match (name, figure) {
        ("localcord_interactions_per_s", Figure::Number(value)) => Some(Verdict {
            aim: "≥ 2000".to_owned(),
            met: *value >= 2000.0,
        }),
        // With less to spare, the Discord beside us would be what bounds it.
        ("status_per_s", Figure::Number(value)) => Some(at_most(
            "≤ 0.75 × localcord_interactions_per_s",
            *value,
            0.75 * figures.value("localcord_interactions_per_s")?,
        )),
        ("load", Figure::Numbers(load)) => Some(Verdict {
            aim: "missed 0, errors 0, 50 per s, memory flat (last ≤ 1.1 × first)".to_owned(),
            met: load.get("missed")? <= &0.0
                && load.get("per_s")? >= &49.5
                && load.get("errors")? <= &0.0
                && *load.get("rss_last_mb")? <= 1.1 * load.get("rss_first_mb")?,
        }),
        ("load_ack_ms", Figure::Spread(took)) => {
            Some(at_most("p99, of Discord's 3000", took.p99, 3000.0))
        }
        ("loops_ack_ms", Figure::Spread(took)) => {
            Some(at_most("max, of Discord's 3000", took.max, 3000.0))
        }
        // One message for the group as it begins, and one for each time that it gets graver.
        ("loops", Figure::Numbers(loops)) => Some(Verdict {
            aim: "messages 1 to 5, an incident and a restart for each agent".to_owned(),
            met: (1.0..=5.0).contains(loops.get("messages")?)
                && loops.get("incidents")? >= loops.get("agents")?
                && loops.get("restarts")? >= loops.get("agents")?,
        }),
        ("localcord_start_ms", Figure::Spread(start)) => Some(at_most("p50", start.p50, 100.0)),
        ("localcord_rss_mb", Figure::Number(value)) => Some(at_most("", *value, 60.0)),
        _ => None,
    }
}

/// Not more than `limit` for [`WATCHED`] agents, and from there on not more per agent.
fn watch(sizes: &BTreeMap<usize, f64>, limit: f64) -> Option<Verdict> {
    let hundred = *sizes.get(&WATCHED)?;
    Some(Verdict {
        aim: format!("at {WATCHED} ≤ {limit}; per agent even or falling from there"),
        met: hundred <= limit && is_even_or_falls(sizes),
    })
}

/// What differs by less is noise.
const EVEN: f64 = 1.1;

/// Whether each size costs no more per agent than the one before it, from [`WATCHED`] on.
fn is_even_or_falls(sizes: &BTreeMap<usize, f64>) -> bool {
    let per_agent: Vec<f64> = sizes
        .range(WATCHED..)
        .map(|(size, cost)| cost / f64::from(u32::try_from(*size).unwrap_or(u32::MAX)))
        .collect();
    per_agent
        .windows(2)
        .all(|pair| matches!(pair, [fewer, more] if *more <= fewer * EVEN))
}

fn beside_floor(figures: &Figures, name: &str, floor: &str) -> Option<Verdict> {
    let (own, floor) = (figures.get(name, 0)?, figures.get(floor, 0)?);
    let (p50, p99) = (1.5 * floor.p50, 3.0 * floor.p99);
    Some(Verdict {
        aim: format!("p50 ≤ 1.5 × floor ({p50:.2}), p99 ≤ 3 × floor ({p99:.2})"),
        met: own.p50 <= p50 && own.p99 <= p99,
    })
}

fn at_most(what: &str, value: f64, limit: f64) -> Verdict {
    let aim = if what.contains('≤') {
        format!("{what} ({limit:.2})")
    } else {
        format!("{what} ≤ {limit}").trim_start().to_owned()
    };
    Verdict {
        aim,
        met: value <= limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_aim_fails_by_name_and_so_does_a_run_without_aims() {
        let mut figures = Figures::default();
        assert!(check(&figures).is_err());
        figures.number("policy_us", 50.0);
        check(&figures).unwrap();
        figures.number("idle_rss_mb", 40.1);
        let told = check(&figures).unwrap_err().to_string();
        assert_eq!(told, "missed: idle_rss_mb: ≤ 40");
    }
}
