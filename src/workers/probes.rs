//! Asks agents how they are. One task for all: a heap of due times, and as many questions under way as are allowed, so that
//! a slow answer delays nobody.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::broadcast::{
        Receiver,
        error::{RecvError, TryRecvError},
    },
    time::sleep,
};

use super::{Pulse, until};
use crate::{
    domain::{event::Event, ids::AgentId},
    ops::{
        Ops,
        probes::{Errand, Run},
    },
};

/// Looks at least this often: a clock may have been set.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The first questions to a run come within so much time of its start, or within a fourth of their interval if that is less.
const SPREAD_MS: i64 = 5000;

pub(super) async fn ask(ops: Arc<Ops>, pulse: Pulse) {
    let mut events = ops.events();
    let mut rota = Rota::default();
    let mut under_way = FuturesUnordered::new();
    rota.tend_all(&ops);
    loop {
        pulse.beat();
        let now = ops.now();
        while under_way.len() < ops.settings().probes.parallel as usize
            && let Some(turn) = rota.take(now)
        {
            under_way.push(put(&ops, turn));
        }
        let wait = until(rota.next(), now, LOOK_EVERY);
        tokio::select! {
            Some(turn) = under_way.next() => rota.put_back(&turn),
            news = events.recv() => rota.hear(&ops, &news, &mut events),
            () = sleep(wait) => {}
        }
    }
}

async fn put(ops: &Ops, turn: Turn) -> Turn {
    let place = turn.place;
    ops.run_errand(place.agent, &turn.run, &turn.errand).await;
    turn
}

/// One question whose time has come.
struct Turn {
    /// When it was asked.
    at: DateTime<Utc>,
    place: Place,
    run: Run,
    errand: Errand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    agent: AgentId,
    index: usize,
    /// Of the run that it was entered for.
    generation: u64,
}

struct Course {
    run: Run,
    errands: Vec<Errand>,
    generation: u64,
}

/// Who is asked what next. Places of a run that is over stay in the heap until their time, and are skipped then.
#[derive(Default)]
struct Rota {
    due: BinaryHeap<Reverse<(DateTime<Utc>, Place)>>,
    courses: HashMap<AgentId, Course>,
    generation: u64,
}

impl Rota {
    fn hear(&mut self, ops: &Ops, news: &Result<Event, RecvError>, events: &mut Receiver<Event>) {
        match news {
            Ok(Event::Agent(agent)) => self.tend(ops, *agent),
            Ok(Event::Resynced | Event::Engine { .. }) | Err(RecvError::Lagged(_)) => {
                // Everything is looked at: what else was told is known by then.
                while matches!(events.try_recv(), Ok(_) | Err(TryRecvError::Lagged(_))) {}
                self.tend_all(ops);
            }
            Ok(_) | Err(RecvError::Closed) => {}
        }
    }

    fn tend_all(&mut self, ops: &Ops) {
        let agents = ops.agents_with_errands();
        let known: Vec<AgentId> = self.courses.keys().copied().collect();
        for agent in agents.into_iter().chain(known) {
            self.tend(ops, agent);
        }
    }

    /// Takes over what is to be asked of an agent now.
    fn tend(&mut self, ops: &Ops, agent: AgentId) {
        let Some((run, errands)) = ops.errands_for(agent).filter(|(_, all)| !all.is_empty()) else {
            self.courses.remove(&agent);
            return;
        };
        if self
            .courses
            .get(&agent)
            .is_some_and(|known| known.run == run)
        {
            return;
        }
        self.generation += 1;
        let generation = self.generation;
        for (index, errand) in errands.iter().enumerate() {
            let place = Place {
                agent,
                index,
                generation,
            };
            let spread = (errand.interval().num_milliseconds() / 4).min(SPREAD_MS);
            let since = run.started_at.unwrap_or_else(|| ops.now());
            let first = since + TimeDelta::milliseconds(share(spread, place));
            self.due.push(Reverse((first, place)));
        }
        let course = Course {
            run,
            errands,
            generation,
        };
        self.courses.insert(agent, course);
    }

    /// When something may be due next.
    fn next(&self) -> Option<DateTime<Utc>> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// The next question whose time has come.
    fn take(&mut self, now: DateTime<Utc>) -> Option<Turn> {
        while self.next().is_some_and(|at| at <= now) {
            let Reverse((_, place)) = self.due.pop()?;
            if let Some(turn) = self.turn(place, now) {
                return Some(turn);
            }
        }
        None
    }

    fn turn(&self, place: Place, at: DateTime<Utc>) -> Option<Turn> {
        let course = self.courses.get(&place.agent)?;
        let errand = course.errands.get(place.index)?;
        (course.generation == place.generation).then(|| Turn {
            at,
            place,
            run: course.run.clone(),
            errand: errand.clone(),
        })
    }

    /// It was asked: it is asked again after its interval, a tenth more or less, so that many do not fall together.
    fn put_back(&mut self, turn: &Turn) {
        let full = turn.errand.interval().num_milliseconds();
        let mixed = Place {
            generation: turn.at.timestamp_millis().cast_unsigned(),
            ..turn.place
        };
        let wait = full * 9 / 10 + share(full / 5, mixed);
        let at = turn.at + TimeDelta::milliseconds(wait);
        self.due.push(Reverse((at, turn.place)));
    }
}

/// A part of `whole`, another one for each place.
fn share(whole: i64, place: Place) -> i64 {
    let seed =
        place.agent.0.cast_unsigned() ^ (place.index as u64).rotate_left(32) ^ place.generation;
    // Fibonacci hashing: neighbours come far apart.
    let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54; // 0 to 1023
    whole * i64::try_from(mixed).unwrap_or_default() / 1024
}
