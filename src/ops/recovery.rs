//! Mending what can be mended: an agent that ended or is not well is looked into, restarted a few times, and then left
//! to people. A restart is an ordinary action; the actions are the count, so it outlives the process.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, stream};
use tokio::time::timeout;

use super::{Ops, actions::Requester, resolve::Selection, roster::Board};
use crate::{
    domain::{
        action::{Arguments, Details, Kind as ActionKind, Origin},
        agent::{Desired, Name, State},
        change::{self, Change},
        event::Event,
        ids::AgentId,
        incident::{About, Evidence, Incident, Kind, Problem, Severity},
        log::LogQuery,
        recovery::{Cause, Course, Past, Reason, Recovery},
        squelch::{Mute, Trial},
        throttle::Throttle,
        view::View,
    },
    error::{Error, Result},
    store::breakers,
};

/// Lines of the log that a cause is told by.
const LINES: u32 = 20;
/// Agents looked into at the same time.
const LOOKS: usize = 16;
/// What is begun is begun one after another: the next one sees who is at work by then.
const IN_TURN: usize = 1;
/// What was done to an agent is told if it was within this time before the problem.
const SHORTLY: TimeDelta = TimeDelta::hours(1);
/// Actions that are told so.
const CHANGES: i64 = 2;
const USED_UP: &str = "Its restarts are used up. It may be restarted by itself again once it has run well for a while.";
/// A log that does not come within this time tells nothing.
const LOG_DEADLINE: Duration = Duration::from_secs(2);

/// Agents whose end was seen and not yet looked into. Lost with the process: what is down then is simply started.
#[derive(Debug, Default)]
pub(super) struct Ended(Mutex<HashSet<AgentId>>);

impl Ended {
    fn with<T>(&self, work: impl FnOnce(&mut HashSet<AgentId>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn note(&self, agent: AgentId) {
        self.with(|agents| agents.insert(agent));
    }

    pub(super) fn contains(&self, agent: AgentId) -> bool {
        self.with(|agents| agents.contains(&agent))
    }

    pub(super) fn forget(&self, agent: AgentId) {
        self.with(|agents| agents.remove(&agent));
    }
}

/// After a no, people are not asked for more memory again for so long.
const NO_MEANS_NO: TimeDelta = TimeDelta::days(1);
/// What could not be put to people, because a registry was away say, is tried again after this time.
const OFFER_AGAIN: TimeDelta = TimeDelta::minutes(10);

/// Whom more memory was offered of late, whether or not anything came of it.
#[derive(Debug)]
pub(super) struct Offers(Mutex<Throttle<AgentId>>);

impl Default for Offers {
    fn default() -> Self {
        Self(Mutex::new(Throttle::new(1, OFFER_AGAIN)))
    }
}

impl Offers {
    fn pass(&self, agent: AgentId, now: DateTime<Utc>) -> bool {
        let mut offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        offers.pass(agent, now).is_some()
    }
}

/// An agent in trouble.
struct Trouble {
    view: View,
    incident: Incident,
    /// People would read something new.
    is_news: bool,
}

impl Trouble {
    fn cause(&self) -> Cause {
        self.view.cause(&self.incident.evidence.lines)
    }
}

impl Ops {
    /// Looks after every agent in trouble, and tells when something is due next. All are looked into first and people are
    /// told, so that nothing is mended before it is told where nobody wanted to wait.
    pub async fn mend(&self) -> Result<Option<DateTime<Utc>>> {
        self.close_breakers().await?;
        self.note_breakers().await?;
        let open: HashMap<(About, Kind), Incident> = self
            .store
            .open_incidents()
            .await?
            .into_iter()
            .map(|incident| ((incident.about.clone(), incident.kind), incident))
            .collect();
        let looks = self.troubled().into_iter().map(|view| {
            let known = open.get(&(About::Agent(view.agent.id), kind_of(&view)));
            let known = known.cloned();
            async move { self.trouble_of(view, known).await }
        });
        let mut troubles = each(LOOKS, looks).await;
        if troubles.iter().any(|trouble| trouble.is_news) {
            self.squelch().await?;
        }
        troubles.retain(|trouble| self.lasts(trouble));
        // To offer memory may take as long as a registry does: nobody else waits for that.
        troubles.sort_by_key(|trouble| trouble.cause() == Cause::OutOfMemory);
        let mended = troubles
            .into_iter()
            .map(|trouble| async move { self.mend_agent(&trouble).await });
        let mut due = each(IN_TURN, mended).await;
        let mended = self
            .dependents()
            .into_iter()
            .map(|(view, needs)| async move { self.mend_dependent(&view, &needs).await });
        due.extend(each(IN_TURN, mended).await);
        Ok(due.into_iter().min())
    }

    /// Agents that should run and do not, or not well, with nobody at work on them.
    fn troubled(&self) -> Vec<View> {
        self.roster.read(|board| {
            let in_trouble = board.views().filter(|view| {
                view.agent.desired == Desired::Running
                    && Kind::of(view.state).is_some()
                    && !board.is_frozen(view.agent.fleet)
            });
            in_trouble.cloned().collect()
        })
    }

    /// Nobody has changed anything since it was looked into.
    fn lasts(&self, trouble: &Trouble) -> bool {
        let view = self.roster.view_of(trouble.view.agent.id);
        view.is_some_and(|view| view.state == trouble.view.state)
    }

    /// The incident of an agent, opened or told anew if its end was seen since the last look.
    async fn trouble_of(&self, view: View, known: Option<Incident>) -> Result<Option<Trouble>> {
        let kind = kind_of(&view);
        let has_ended = self.ended.contains(view.agent.id);
        let is_open = known.is_some();
        if let Some(incident) = known.filter(|one| one.is_present() && !has_ended) {
            return Ok(Some(Trouble {
                view,
                incident,
                is_news: false,
            }));
        }
        if kind == Kind::Down && !has_ended && !is_open {
            // Its end was not seen: `converge` starts it, unless it healed only a moment ago.
            return Ok(None);
        }
        let found = self.look_into(&view, kind).await?;
        Ok(found.map(|(incident, is_news)| Trouble {
            view,
            incident,
            is_news,
        }))
    }

    /// Does what may be done now, and tells when something is due next.
    async fn mend_agent(&self, trouble: &Trouble) -> Result<Option<DateTime<Utc>>> {
        let Trouble { view, incident, .. } = trouble;
        if self.is_maintained(view, incident.kind) {
            return Ok(None);
        }
        let cause = trouble.cause();
        if cause == Cause::OutOfMemory {
            self.offer_memory(view).await?;
        }
        if cause.may_heal() && self.is_full(&view.fleet) {
            // The end of one of them rings.
            return Ok(None);
        }
        let (rule, past) = self.recovery_of(view).await?;
        match rule.course(&cause, &past, view.agent.id, self.now()) {
            Course::Ask(_) => Ok(None),
            Course::Break => self.give_up(incident, &past).await.map(|()| None),
            Course::Restart(at) if at > self.now() => Ok(Some(at)),
            Course::Restart(_) => self.restart(view, &cause).await.map(|()| None),
        }
    }

    /// A time of maintenance in which nothing is done to an agent by itself.
    pub(super) fn is_maintained(&self, view: &View, kind: Kind) -> bool {
        let trial = Trial {
            kind,
            severity: Severity::Warning,
            agent: Some(view.agent.name.clone()),
            fleet: Some(view.fleet.clone()),
            now: self.now(),
        };
        let rules = self.squelch_rules();
        matches!(trial.run(&rules, &[], &[]).mute, Some(Mute::Maintenance(_)))
    }

    /// Finds the cause and opens the incident, or tells it anew; and whether people would read anything new.
    async fn look_into(&self, view: &View, kind: Kind) -> Result<Option<(Incident, bool)>> {
        let lines = self.last_lines(view).await;
        let observed = view.observed.as_ref();
        let cause = view.cause(&lines);
        let notes = self.notes(view, &cause).await?;
        let problem = Problem {
            about: About::Agent(view.agent.id),
            kind,
            severity: cause.severity(),
            cause: cause.to_string(),
            evidence: Evidence {
                exit_code: observed
                    .and_then(|seen| seen.exit_code)
                    .filter(|_| kind != Kind::Unhealthy),
                lines,
                changed: self.changed(view).await?,
                notes,
            },
        };
        let is_news = self.see(&problem).await?;
        self.ended.forget(view.agent.id);
        if is_news {
            self.ring();
        }
        let incident = self.store.open_incident(&problem.about, kind).await?;
        Ok(incident.map(|incident| (incident, is_news)))
    }

    /// What else is worth knowing: what its health check says, what helps, and what else was in trouble then.
    async fn notes(&self, view: &View, cause: &Cause) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        let said = view
            .observed
            .as_ref()
            .and_then(|seen| seen.health_said.as_ref());
        if let Some(said) = said.filter(|_| *cause == Cause::Unhealthy) {
            let line = said.lines().collect::<Vec<_>>().join(" ");
            let said = self.redactor_of(view).await?.redact(&line);
            notes.push(format!("Its health check says: {said}"));
        }
        if let Some((limit, more)) = more_memory(view).filter(|_| *cause == Cause::OutOfMemory) {
            let name = &view.agent.name;
            notes.push(format!("Its limit is {limit} MiB: `/redeploy agent:{name} set:memory_mb={more}` gives it more."));
        }
        for problem in self.watched.problems() {
            if let About::Host(part) = &problem.about {
                notes.push(format!(
                    "At that time the host was in trouble: {part} {}.",
                    problem.cause
                ));
            }
        }
        let engine = self
            .store
            .open_incident(&About::Engine, Kind::Engine)
            .await?;
        if let Some(back) = engine.and_then(|incident| incident.gone_since) {
            notes.push(format!(
                "Docker had been away until <t:{}:R>.",
                back.timestamp()
            ));
        }
        Ok(notes)
    }

    /// What was done to it shortly before.
    async fn changed(&self, view: &View) -> Result<Option<String>> {
        let since = self.now() - SHORTLY;
        let changes = self.store.changes_of(view.agent.id, since, CHANGES).await?;
        let mut differences = Vec::new();
        if changes.iter().any(Change::is_new_container)
            && let Some(after) = &view.version
            && let Some(before) = self.store.version(view.agent.id, after.number - 1).await?
        {
            differences = change::differences(&before, after);
        }
        Ok(change::told(&changes, &differences))
    }

    /// The end of an agent's log, without secrets; empty if it cannot be read in time.
    async fn last_lines(&self, view: &View) -> Vec<String> {
        let query = LogQuery {
            tail: LINES,
            since: None,
            stdout: true,
            stderr: true,
            follow: false,
        };
        let read = async {
            let lines = self.logs(view, &query).await?;
            let lines: Vec<String> = lines
                .filter_map(|line| async { line.ok().map(|line| line.text) })
                .take(LINES as usize)
                .collect()
                .await;
            Ok::<_, Error>(self.redactor_of(view).await?.redact_lines(&lines))
        };
        match timeout(LOG_DEADLINE, read).await {
            Ok(Ok(lines)) => lines,
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }

    /// How an agent may be restarted, and how often it was for its own sake.
    pub(super) async fn recovery_of(&self, view: &View) -> Result<(Recovery, Past)> {
        self.recovery_for(view, Reason::Own).await
    }

    async fn recovery_for(&self, view: &View, reason: Reason) -> Result<(Recovery, Past)> {
        let (rule, now) = (view.recovery(), self.now());
        let span = (rule.counts_since(now), now);
        let past = self.store.past_of(view.agent.id, reason, span).await?;
        let disk_full = self.watched.is_disk_full();
        Ok((rule, Past { disk_full, ..past }))
    }

    async fn restart(&self, view: &View, cause: &Cause) -> Result<()> {
        let kind = match view.state {
            State::Down | State::CrashLooping => ActionKind::Start,
            _ => ActionKind::Restart,
        };
        let requester = Requester::own(Origin::Recovery, format!("it {cause}"));
        self.submit_own(view.agent.id, (kind, Details::default()), requester)
            .await
            .map(drop)
    }

    /// Asks people for more memory, where the policy has somebody to ask, unless they are asked or said no of late.
    async fn offer_memory(&self, view: &View) -> Result<()> {
        let (agent, now) = (view.agent.id, self.now());
        let Some((limit, more)) = more_memory(view) else {
            return Ok(());
        };
        let is_asked = self.store.was_offered(agent, now - NO_MEANS_NO).await?;
        if is_asked || !self.offers.pass(agent, now) {
            return Ok(());
        }
        let given = Arguments::from([("memory_mb".to_owned(), more.to_string())]);
        let selection = Selection {
            agent: Some(view.agent.name.as_str()),
            fleet: None,
        };
        let why = format!("it ran out of memory with {limit} MiB");
        let requester = Requester::own(Origin::Recovery, why);
        let sight = self.own_sight();
        let offered = match sight.request_redeploy(selection, &given, false) {
            Ok(request) => self.submit(request, requester).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = offered {
            // The card says how to do it by hand.
            tracing::info!(agent.name = view.agent.name.as_str(), error = %error, "more memory could not be proposed");
        }
        Ok(())
    }

    /// Restarts what depends on an agent that we restarted after it, as seldom as it would be for its own sake: in order,
    /// because each waits for those before it.
    async fn mend_dependent(&self, view: &View, needs: &[View]) -> Result<Option<DateTime<Utc>>> {
        if self.is_maintained(view, Kind::Down) || self.is_full(&view.fleet) {
            return Ok(None);
        }
        let Some(need) = self.restarted_of(needs).await? else {
            return Ok(None);
        };
        let (rule, past) = self.recovery_for(view, Reason::Need).await?;
        match rule.again(&past, view.agent.id, self.now()) {
            Course::Ask(_) | Course::Break => return Ok(None),
            Course::Restart(at) if at > self.now() => return Ok(Some(at)),
            Course::Restart(_) => {}
        }
        let why = format!("`{}`, which it depends on, was restarted", need.agent.name);
        let requester = Requester::own(Origin::Recovery, why);
        let details = Details {
            after: Some(need.agent.id),
            ..Details::default()
        };
        self.submit_own(view.agent.id, (ActionKind::Restart, details), requester)
            .await
            .map(|_| None)
    }

    /// The first of them that runs again because of us.
    async fn restarted_of<'a>(&self, needs: &'a [View]) -> Result<Option<&'a View>> {
        for need in needs {
            if self.store.was_started_by_recovery(need.agent.id).await? {
                return Ok(Some(need));
            }
        }
        Ok(None)
    }

    /// Agents at work, each with those it depends on that came up after it and do not depend on it themselves.
    fn dependents(&self) -> Vec<(View, Vec<View>)> {
        self.roster.read(|board| {
            let at_work = |view: &&View| {
                view.state == State::Running
                    && view.agent.desired == Desired::Running
                    && !board.is_frozen(view.agent.fleet)
            };
            let of = |view: &View| -> Vec<View> {
                let needs = needs_of(view).iter().filter_map(|name| board.view(name));
                needs
                    .filter(at_work)
                    .filter(|need| need.fleet == view.fleet && started(need) > started(view))
                    .filter(|need| !leads_to(board, need, view))
                    .cloned()
                    .collect()
            };
            let all = board
                .views()
                .filter(at_work)
                .filter(|view| !needs_of(view).is_empty());
            all.map(|view| (view.clone(), of(view))).collect()
        })
    }

    /// No more agents of that fleet are restarted at this moment.
    fn is_full(&self, fleet: &Name) -> bool {
        self.recovering_in(fleet) >= self.settings().recovery.parallel as usize
    }

    fn recovering_in(&self, fleet: &Name) -> usize {
        self.roster.read(|board| {
            let at_work = board.views().filter(|view| {
                view.fleet == *fleet
                    && view.busy.is_some_and(|busy| {
                        busy.actor.is_none()
                            && matches!(busy.kind, ActionKind::Start | ActionKind::Restart)
                    })
            });
            at_work.count()
        })
    }

    /// The restarts are used up: from now on people decide.
    async fn give_up(&self, incident: &Incident, past: &Past) -> Result<()> {
        let Some(agent) = incident.about.agent() else {
            return Ok(());
        };
        if !past.broken {
            let mut tx = self.store.begin().await?;
            breakers::open(&mut tx, agent, self.now()).await?;
            tx.commit().await?;
            self.note_breakers().await?;
        } else if incident.evidence.notes.iter().any(|note| note == USED_UP) {
            return Ok(());
        }
        let mut evidence = incident.evidence.clone();
        evidence.notes.push(USED_UP.to_owned());
        let problem = Problem {
            about: incident.about.clone(),
            kind: incident.kind,
            severity: Severity::Critical,
            cause: incident.cause.clone(),
            evidence,
        };
        if self.see(&problem).await? {
            self.ring();
        }
        Ok(())
    }

    /// Takes over into the roster whose restarts by itself are used up.
    async fn note_breakers(&self) -> Result<()> {
        let open = self.store.breakers().await?;
        let broken = open.into_iter().map(|(agent, _)| agent).collect();
        for agent in self.roster.put_broken(&broken, self.now()) {
            self.publish(Event::Agent(agent));
        }
        Ok(())
    }

    /// What has run well for long enough may be restarted by itself again.
    async fn close_breakers(&self) -> Result<()> {
        let now = self.now();
        for (agent, healthy_since) in self.store.breakers().await? {
            let Some(view) = self.roster.view_of(agent) else {
                continue;
            };
            let rule = view.version.as_ref().and_then(|one| one.spec.recovery);
            let long_enough = TimeDelta::seconds(rule.unwrap_or_default().healthy_s.into());
            // One that lies ahead: the clock was set back meanwhile.
            let healthy_since = healthy_since.filter(|since| *since <= now);
            let since = (view.state == State::Running).then_some(healthy_since.unwrap_or(now));
            let is_well = since.is_some_and(|since| since + long_enough <= now);
            if !is_well && since == healthy_since {
                continue;
            }
            let mut tx = self.store.begin().await?;
            if is_well {
                breakers::close(&mut tx, agent, now).await?;
            } else {
                breakers::set_healthy(&mut tx, agent, since).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

/// What came of each, so many at a time; what failed is logged and hides none of the others.
async fn each<T>(
    at_once: usize,
    work: impl Iterator<Item = impl Future<Output = Result<Option<T>>>>,
) -> Vec<T> {
    let done: Vec<_> = stream::iter(work).buffer_unordered(at_once).collect().await;
    let fine = done.into_iter().filter_map(|done| {
        done.unwrap_or_else(|error| {
            tracing::error!(error = %error, "an agent in trouble could not be looked after");
            None
        })
    });
    fine.collect()
}

/// The limit it has, and half as much again.
fn more_memory(view: &View) -> Option<(u32, u32)> {
    let limit = view.version.as_ref()?.spec.limits.memory_mb;
    Some((limit, limit.checked_mul(3)?.div_ceil(2))).filter(|_| limit > 0)
}

fn needs_of(view: &View) -> &[String] {
    let version = view.version.as_ref();
    version.map_or(&[], |version| version.spec.depends_on.as_slice())
}

fn started(view: &View) -> Option<DateTime<Utc>> {
    view.observed.as_ref().and_then(|seen| seen.started_at)
}

/// Whether one agent depends on another, by however many steps: in a ring nobody comes first.
fn leads_to(board: &Board, from: &View, to: &View) -> bool {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut open: Vec<&View> = vec![from];
    while let Some(view) = open.pop() {
        if !seen.insert(view.agent.name.as_str()) {
            continue;
        }
        if view.agent.id == to.agent.id {
            return true;
        }
        open.extend(needs_of(view).iter().filter_map(|name| board.view(name)));
    }
    false
}

fn kind_of(view: &View) -> Kind {
    Kind::of(view.state).unwrap_or(Kind::Down)
}
