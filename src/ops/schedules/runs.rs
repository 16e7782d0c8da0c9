//! Carrying schedules out. What has come is claimed as a run first; a run becomes an action through the one door, in the
//! transaction that writes the action. Cut off anywhere, it goes on from the rows.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use futures::{StreamExt as _, stream};

use super::super::{Ops, actions::Requester};
use crate::{
    domain::{
        action::{Action, Kind, Origin, State},
        event::Event,
        grant::Caller,
        ids::{ChannelId, RunId, UserId},
        outbox::Subject,
        schedule::{Job, Overlap, QUEUE_MAX, Run, Schedule, Stage},
    },
    error::{Error, Result},
    store::{
        Tx,
        actions::Ending,
        outbox,
        schedules::{self as rows, Claim, NewRun},
    },
};

/// Schedules that are claimed in one transaction.
const CLAIMED_AT_ONCE: i64 = 100;
/// A run that could not begin for so long is given up.
const WAIT_MAX: Duration = Duration::days(1);

/// Runs that are begun, and owners who are asked for, at the same time: while Discord hangs each waits for its answer.
const AT_ONCE: usize = 8;

/// Who the owners are now, or why Discord did not say.
type Owners = HashMap<UserId, std::result::Result<Option<Caller>, String>>;

/// For how many days runs are kept that are over.
const RUNS_KEPT: u32 = 90;

/// What became of a run that was tried.
enum Tried {
    /// An action does it, or somebody else has dealt with it.
    Settled,
    /// It was done at once.
    Done,
    /// Its owner may not have it done any more.
    Forbidden(String),
}

impl Ops {
    /// Claims what has come, and begins the runs whose turn it is; `went_on` hears of each answer and each run.
    pub async fn run_schedules(&self, went_on: &(dyn Fn() + Sync)) -> Result<()> {
        self.claim_due().await?;
        let mut due = Vec::new();
        for run in self.store.runs_to_begin().await? {
            if let Some(schedule) = self.store.schedule(run.schedule).await? {
                due.push((schedule, run));
            }
        }
        let owners = &self.owners_of(&due, went_on).await;
        let begun = due
            .into_iter()
            .map(|(schedule, run)| async move { self.begin_run(&schedule, &run, owners).await });
        let mut begun = stream::iter(begun).buffer_unordered(AT_ONCE);
        let mut outcome = Ok(());
        while let Some(done) = begun.next().await {
            went_on();
            outcome = outcome.and(done);
        }
        outcome
    }

    /// Asks Discord who the owners of these runs are now, each once.
    async fn owners_of(&self, due: &[(Schedule, Run)], went_on: &(dyn Fn() + Sync)) -> Owners {
        let owners: HashSet<UserId> = due.iter().filter_map(|(one, _)| one.owner).collect();
        let asked = owners
            .into_iter()
            .map(|owner| async move { (owner, self.members.member(owner).await) });
        let answers = stream::iter(asked).buffer_unordered(AT_ONCE);
        answers.inspect(|_| went_on()).collect().await
    }

    /// What was claimed while the clock was ahead comes at its next time all the same: what ran already is claimed no second
    /// time.
    pub async fn call_back_schedules(&self) -> Result<()> {
        let now = self.now();
        let mut tx = self.store.begin().await?;
        for schedule in self.store.schedules().await? {
            let next = schedule.order.next(now);
            let too_late = |next| schedule.next.is_none_or(|planned| planned > next);
            if schedule.paused.is_none() && next.is_some_and(too_late) {
                rows::call_back(&mut tx, schedule.id, next).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    async fn claim_due(&self) -> Result<()> {
        loop {
            let now = self.now();
            let due = self.store.due_schedules(now, CLAIMED_AT_ONCE).await?;
            if due.is_empty() {
                return Ok(());
            }
            let mut tx = self.store.begin().await?;
            let mut skipped = Vec::new();
            for schedule in &due {
                let runs = claim(&mut tx, schedule, now).await?;
                skipped.extend(std::iter::repeat_n(schedule, runs));
            }
            tx.commit().await?;
            for schedule in skipped {
                self.count_run(schedule, Stage::Skipped);
            }
        }
    }

    fn count_run(&self, schedule: &Schedule, stage: Stage) {
        self.meters.run(schedule.source.as_str(), stage.as_str());
    }

    async fn begin_run(&self, schedule: &Schedule, run: &Run, owners: &Owners) -> Result<()> {
        match self.try_run(schedule, run.id, owners).await {
            Ok(Tried::Settled) => {
                self.count_run(schedule, Stage::Submitted);
                Ok(())
            }
            Err(Error::AlreadyDecided(_)) => Ok(()),
            Ok(Tried::Done) => self.end_run(schedule, run, (Stage::Done, None)).await,
            Ok(Tried::Forbidden(why)) => self.pause_forbidden(schedule, run, &why).await,
            Err(Error::Unavailable(why) | Error::Busy(why)) => self.wait(schedule, run, &why).await,
            Err(Error::Internal(error)) => {
                let error = format!("{error:#}");
                tracing::error!(schedule.name = %schedule.order.name, run.id = run.id.0, error, "a run failed");
                let why = format!(
                    "Yardarm itself failed; its log tells more under run {}.",
                    run.id
                );
                self.end_run(schedule, run, (Stage::Refused, Some(&why)))
                    .await
            }
            Err(error) => {
                let why = error.to_string();
                self.end_run(schedule, run, (Stage::Refused, Some(&why)))
                    .await
            }
        }
    }

    async fn try_run(&self, schedule: &Schedule, run: RunId, owners: &Owners) -> Result<Tried> {
        let order = &schedule.order;
        if order.job.kind().is_none() {
            self.do_own(order.job).await?;
            return Ok(Tried::Done);
        }
        let caller = match schedule.owner.map(|owner| answer_about(owner, owners)) {
            None => None,
            Some((_, Ok(Some(caller)))) => Some(caller),
            Some((owner, Ok(None))) => {
                let why = format!("its owner <@{owner}> has left the server");
                return Ok(Tried::Forbidden(why));
            }
            Some((owner, Err(error))) => {
                return Err(Error::Unavailable(format!(
                    "Discord did not say which roles <@{owner}> has ({error})."
                )));
            }
        };
        let mut request = self.own_sight().request_job(order)?;
        if let Some(Err(why)) = caller.as_ref().map(|caller| self.permit(caller, &request)) {
            return Ok(Tried::Forbidden(lost(caller.as_ref(), &why)));
        }
        request.details.run = Some(run);
        let requester = Requester {
            caller,
            origin: Origin::Schedule,
            reason: Some(format!("schedule {}", order.name)),
            reply: None,
        };
        self.submit(request, requester).await?;
        Ok(Tried::Settled)
    }

    /// What is nobody's business but Yardarm's. Doing it twice does no harm.
    async fn do_own(&self, job: Job) -> Result<()> {
        match job {
            Job::Anchor => self.drop_anchor().await,
            _ => self.drop_old_drafts().await,
        }
    }

    /// It is tried again with the next look, for a day at most.
    async fn wait(&self, schedule: &Schedule, run: &Run, why: &str) -> Result<()> {
        if self.now() - run.since > WAIT_MAX {
            let why = format!("it waited for a day: {why}");
            return self
                .end_run(schedule, run, (Stage::Refused, Some(&why)))
                .await;
        }
        tracing::info!(schedule.name = %schedule.order.name, run.id = run.id.0, why, "a run waits");
        let mut tx = self.store.begin().await?;
        rows::note(&mut tx, run.id, why).await?;
        Ok(tx.commit().await?)
    }

    /// Ends a run without an action. That it could not be is told, unless it was for the same reason the last time.
    async fn end_run(
        &self,
        schedule: &Schedule,
        run: &Run,
        (stage, outcome): (Stage, Option<&str>),
    ) -> Result<()> {
        let now = self.now();
        let before = self.store.refused_before(run).await?;
        let mut tx = self.store.begin().await?;
        let ended = rows::end(&mut tx, run.id, (stage, outcome), now).await?;
        if let Some(why) = outcome.filter(|_| ended && stage == Stage::Refused)
            && before.as_deref() != Some(why)
        {
            rows::tell_refusal(&mut tx, schedule, why, now).await?;
            self.tell_run(&mut tx, schedule, run.id).await?;
        }
        tx.commit().await?;
        if ended {
            self.count_run(schedule, stage);
        }
        self.publish(Event::Outbox);
        Ok(())
    }

    /// A schedule without rights stands still until somebody has looked at it.
    async fn pause_forbidden(&self, schedule: &Schedule, run: &Run, why: &str) -> Result<()> {
        let mut tx = self.store.begin().await?;
        if rows::pause(&mut tx, (schedule, None), why, self.now()).await? {
            self.tell_run(&mut tx, schedule, run.id).await?;
        }
        tx.commit().await?;
        self.count_run(schedule, Stage::Refused);
        self.publish(Event::Outbox);
        self.refresh_schedules().await
    }

    async fn tell_run(&self, tx: &mut Tx, schedule: &Schedule, run: RunId) -> Result<()> {
        let Some(channel) = self.channel_of_schedule(schedule) else {
            return Ok(());
        };
        Ok(outbox::tell(tx, (Subject::Schedule(run), channel), self.now()).await?)
    }

    /// Nobody waits for what a schedule has done, so what went wrong is told.
    pub(in crate::ops) async fn tell_unattended(
        &self,
        tx: &mut Tx,
        action: &Action,
        ending: &Ending,
    ) -> Result<()> {
        let alone = action.origin == Origin::Schedule && action.approval.is_none();
        if !alone || ending.state == State::Succeeded {
            return Ok(());
        }
        let plan = action.plan.as_deref();
        let Some(channel) = plan.and_then(|plan| self.channel_of(action.kind, plan)) else {
            return Ok(());
        };
        Ok(outbox::tell(tx, (Subject::Action(action.id), channel), self.now()).await?)
    }

    /// The ops channel of the fleet that a schedule is about, or of the instance.
    fn channel_of_schedule(&self, schedule: &Schedule) -> Option<ChannelId> {
        let order = &schedule.order;
        let agent = order.agent.as_deref();
        let view = agent.and_then(|agent| self.roster.view(agent));
        let fleet = view.map(|view| view.fleet.to_string());
        let fleet = fleet.or_else(|| order.fleet.clone());
        let own = fleet.and_then(|fleet| {
            self.roster
                .read(|board| board.fleet(&fleet).and_then(|fleet| fleet.channel))
        });
        own.or(self.settings().discord.ops_channel)
    }

    /// What schedules do that concerns no agent.
    pub(in crate::ops) async fn keep_up(&self, action: &Action) -> Result<Option<String>> {
        match action.kind {
            Kind::Backup => self.back_up().await.map(Some),
            Kind::Report => self.post_report(action).await,
            _ => self.purge().await.map(|()| None),
        }
    }

    /// Purges what the settings keep no longer, and runs that nobody will ask about.
    async fn purge(&self) -> Result<()> {
        if let Some(before) = self.lived_ago(RUNS_KEPT).await? {
            let mut tx = self.store.begin().await?;
            rows::drop_runs(&mut tx, before).await?;
            tx.commit().await?;
        }
        let days = self.settings().alerts.keep_days;
        if let Some(before) = self.lived_ago(days).await? {
            self.store.drop_alerts(before).await?;
        }
        self.roll_up_samples().await?;
        self.purge_old().await
    }

    /// A run and its schedule, for the message about it.
    pub async fn run(&self, id: RunId) -> Result<(Schedule, Run)> {
        let missing = || anyhow::anyhow!("there is no run {id}");
        let run = self.store.run(id).await?.ok_or_else(missing)?;
        let schedule = self.store.schedule(run.schedule).await?;
        Ok((schedule.ok_or_else(missing)?, run))
    }
}

fn answer_about(
    owner: UserId,
    owners: &Owners,
) -> (UserId, std::result::Result<Option<Caller>, String>) {
    let answer = owners.get(&owner).cloned();
    (
        owner,
        answer.unwrap_or_else(|| Err("nobody asked".to_owned())),
    )
}

fn lost(caller: Option<&Caller>, why: &Error) -> String {
    let owner = caller.map_or_else(String::new, |caller| format!(" <@{}>", caller.user));
    format!("its owner{owner} may not have it done any more: {why}")
}

/// Claims a schedule's time with the runs that it means; returns how many of them are left out.
async fn claim(tx: &mut Tx, schedule: &Schedule, now: DateTime<Utc>) -> Result<usize> {
    let Some(planned) = schedule.next else {
        return Ok(0);
    };
    let order = &schedule.order;
    let due = order.due(planned, now);
    let open = rows::open_runs(tx, schedule.id).await?;
    let mut runs: Vec<NewRun> = due.missed.map(missed).into_iter().collect();
    for (waiting, at) in (open..).zip(due.runs) {
        runs.push(match order.overlap {
            Overlap::Skip if open > 0 => left_out(at, "the run before was not over"),
            Overlap::Queue if waiting > QUEUE_MAX => left_out(at, "too many runs wait already"),
            Overlap::Skip | Overlap::Queue => NewRun {
                planned: at,
                stage: Stage::Claimed,
                outcome: None,
            },
        });
    }
    let claim = Claim {
        schedule: schedule.id,
        planned,
        next: order.next(planned.max(now)),
    };
    let claimed = rows::claim(tx, &claim, &runs, now).await?;
    let skipped = runs.iter().filter(|run| run.stage == Stage::Skipped);
    Ok(if claimed { skipped.count() } else { 0 })
}

fn missed(at: DateTime<Utc>) -> NewRun {
    left_out(at, "Yardarm was not there at that time")
}

fn left_out(planned: DateTime<Utc>, why: &str) -> NewRun {
    NewRun {
        planned,
        stage: Stage::Skipped,
        outcome: Some(why.to_owned()),
    }
}
