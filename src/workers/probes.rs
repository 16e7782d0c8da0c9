//! Asks agents how they are. One task for all: a heap of due times, and as many questions under way as are allowed. Whoever
//! takes long to answer stands aside meanwhile, so that a slow answer delays nobody.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::broadcast::{
        Receiver,
        error::{RecvError, TryRecvError},
    },
    time::{sleep, timeout},
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
/// A clock that is set back by less is as good as one that stands still.
const A_MOMENT: TimeDelta = TimeDelta::seconds(5);
/// The first questions to a run come within so much time of its start, or within a fourth of their interval if that is less.
const SPREAD_MS: i64 = 5000;

/// A question that is not answered by then takes nobody's place any more.
const PROMPT: Duration = Duration::from_secs(2);
/// Of those, so many may be under way beside the others.
const SLOW_MAX: usize = 1024;

pub(super) async fn ask(ops: Arc<Ops>, pulse: Pulse) {
    let mut events = ops.events();
    let mut rota = Rota::default();
    let mut desk = Desk::default();
    rota.tend_all(&ops);
    loop {
        pulse.beat();
        let now = ops.now();
        rota.notice(now);
        while desk.has_room(ops.settings().probes.parallel as usize)
            && let Some(turn) = rota.take(now)
        {
            desk.put(put(Arc::clone(&ops), turn).boxed());
        }
        let wait = until(rota.next(), now, LOOK_EVERY);
        tokio::select! {
            answer = desk.answered() => if let Some(turn) = answer {
                rota.put_back(&turn, ops.now());
            },
            news = events.recv() => rota.hear(&ops, &news, &mut events),
            () = sleep(wait) => {}
        }
    }
}

async fn put(ops: Arc<Ops>, turn: Turn) -> Turn {
    let place = turn.place;
    ops.run_errand(place.agent, &turn.run, &turn.errand).await;
    turn
}

/// Questions under way: those that may be answered at once, and those that are known to be slow.
struct Desk<T> {
    prompt: FuturesUnordered<BoxFuture<'static, Result<T, BoxFuture<'static, T>>>>,
    slow: FuturesUnordered<BoxFuture<'static, T>>,
}

impl<T> Default for Desk<T> {
    fn default() -> Self {
        Self {
            prompt: FuturesUnordered::new(),
            slow: FuturesUnordered::new(),
        }
    }
}

impl<T: Send + 'static> Desk<T> {
    fn has_room(&self, parallel: usize) -> bool {
        self.prompt.len() < parallel && self.slow.len() < SLOW_MAX
    }

    fn put(&self, mut question: BoxFuture<'static, T>) {
        let first = async move {
            let answer = timeout(PROMPT, &mut question).await;
            answer.map_err(|_| question)
        };
        self.prompt.push(first.boxed());
    }

    /// The next answer; None if there was none yet, and more room perhaps.
    async fn answered(&mut self) -> Option<T> {
        tokio::select! {
            Some(first) = self.prompt.next() => match first {
                Ok(answer) => Some(answer),
                Err(question) => {
                    self.slow.push(question);
                    None
                }
            },
            Some(answer) = self.slow.next() => Some(answer),
            else => std::future::pending().await,
        }
    }
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
    /// The last time that the clock was looked at.
    seen: Option<DateTime<Utc>>,
}

impl Rota {
    /// If the clock was set back by more than a moment, nobody knows how late it is: all are due.
    fn notice(&mut self, now: DateTime<Utc>) {
        let seen = self.seen.replace(now).unwrap_or(now);
        if seen - now <= A_MOMENT {
            return;
        }
        let due = std::mem::take(&mut self.due).into_iter();
        self.due = due
            .map(|Reverse((at, place))| Reverse((at.min(now), place)))
            .collect();
    }

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
            // One that was started later: the clock was set back since.
            let now = ops.now();
            let since = run.started_at.map_or(now, |at| at.min(now));
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
    fn put_back(&mut self, turn: &Turn, now: DateTime<Utc>) {
        let full = turn.errand.interval().num_milliseconds();
        let mixed = Place {
            generation: turn.at.timestamp_millis().cast_unsigned(),
            ..turn.place
        };
        let wait = full * 9 / 10 + share(full / 5, mixed);
        let at = turn.at.min(now) + TimeDelta::milliseconds(wait);
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

#[cfg(test)]
mod tests {
    use futures::future::pending;

    use super::*;
    use crate::domain::{
        ids::ContainerId,
        probe::{Pace, Probe, Question},
    };

    fn turn(agent: i64, at: DateTime<Utc>) -> Turn {
        let question = Question::Tcp { port: 80 };
        let pace = Pace {
            interval_s: 100,
            ..Pace::default()
        };
        Turn {
            at,
            place: Place {
                agent: AgentId(agent),
                index: 0,
                generation: 0,
            },
            run: Run {
                container: ContainerId("c".to_owned()),
                started_at: None,
                version: 1,
            },
            errand: Errand::Ask(0, Probe { question, pace }),
        }
    }

    /// How long it is until each of these is asked again, in seconds, if all were asked at this moment.
    fn waits(agents: i64, at: DateTime<Utc>) -> Vec<i64> {
        let mut rota = Rota::default();
        for agent in 0..agents {
            rota.put_back(&turn(agent, at), at);
        }
        let due = rota.due.into_sorted_vec().into_iter();
        due.map(|Reverse((due, _))| (due - at).num_seconds())
            .collect()
    }

    #[test]
    fn many_do_not_fall_together() {
        let mut waits = waits(1000, DateTime::UNIX_EPOCH);
        assert!(waits.iter().all(|wait| (90..=110).contains(wait)));
        waits.sort_unstable();
        for tenth in waits.chunks(100) {
            let (first, last) = (tenth[0], tenth[99]);
            assert!(last - first < 5, "a tenth of them within {first} to {last}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let back = now - TimeDelta::hours(1);
        let mut rota = Rota::default();
        rota.notice(now);
        rota.put_back(&turn(1, now), now);
        rota.notice(back);
        assert_eq!(rota.next(), Some(back));
        // It was asked before that, and answers after it.
        let mut rota = Rota::default();
        rota.put_back(&turn(1, now), back);
        assert!(rota.next().unwrap() <= back + TimeDelta::seconds(110));
    }

    #[tokio::test]
    async fn so_many_are_asked_at_once_and_the_slow_stand_aside() {
        let mut desk = Desk::default();
        for _ in 0..2 {
            assert!(desk.has_room(2));
            desk.put(pending().boxed());
        }
        assert!(!desk.has_room(2));
        assert_eq!(desk.answered().await, None);
        assert!(desk.has_room(2));
        desk.put(async { "well" }.boxed());
        while desk.prompt.len() > 1 {
            desk.answered().await;
        }
        let answer = desk.answered().await;
        assert!(answer == Some("well") || desk.answered().await == Some("well"));
    }
}
