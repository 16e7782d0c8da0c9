//! Schedules and their runs. A time that has come is claimed together with its run, so that it is never lost nor done
//! twice.

use chrono::{DateTime, Utc};

use super::{Store, Tx, audit, json, to_json, unreadable};
use crate::domain::{
    action::{Origin, State},
    audit::{Entry, Origin as Told, What},
    ids::{ActionId, RunId, ScheduleId, UserId},
    schedule::{Missed, Order, Overlap, Run, Schedule, Source, Stage, Written},
};

/// A schedule about to be written.
#[derive(Clone, Debug)]
pub struct NewSchedule<'a> {
    pub order: &'a Order,
    pub source: Source,
    pub owner: Option<UserId>,
    pub paused: Option<&'a str>,
    pub next: Option<DateTime<Utc>>,
}

/// A run about to be written.
#[derive(Clone, Debug)]
pub struct NewRun {
    pub planned: DateTime<Utc>,
    pub stage: Stage,
    pub outcome: Option<String>,
}

/// What a claim looks like before it is made: nobody else may have claimed that time.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    pub schedule: ScheduleId,
    pub planned: DateTime<Utc>,
    pub next: Option<DateTime<Utc>>,
}

impl Store {
    /// All that are not removed, by name, each with its last run.
    pub async fn schedules(&self) -> sqlx::Result<Vec<Schedule>> {
        let rows = sqlx::query_as!(
            ScheduleRow,
            r#"SELECT id AS "id!", name, source, owner, cron, zone, action, agent, fleet, template, arguments, missed,
                      up_to, overlap, until, paused, next_run_at AS "next: DateTime<Utc>"
               FROM schedules WHERE removed_at IS NULL ORDER BY name"#
        )
        .fetch_all(&self.reader)
        .await?;
        let mut schedules = Vec::new();
        for row in rows {
            let mut schedule = row.read()?;
            schedule.last = self.last_run(schedule.id).await?;
            schedules.push(schedule);
        }
        Ok(schedules)
    }

    /// One, removed or not.
    pub async fn schedule(&self, id: ScheduleId) -> sqlx::Result<Option<Schedule>> {
        let row = sqlx::query_as!(
            ScheduleRow,
            r#"SELECT id AS "id!", name, source, owner, cron, zone, action, agent, fleet, template, arguments, missed,
                      up_to, overlap, until, paused, next_run_at AS "next: DateTime<Utc>"
               FROM schedules WHERE id = ?"#,
            id.0
        )
        .fetch_optional(&self.reader)
        .await?;
        row.map(ScheduleRow::read).transpose()
    }

    /// Those whose time has come, the earliest first, without their last run.
    pub async fn due_schedules(
        &self,
        now: DateTime<Utc>,
        limit: i64,
    ) -> sqlx::Result<Vec<Schedule>> {
        let rows = sqlx::query_as!(
            ScheduleRow,
            r#"SELECT id AS "id!", name, source, owner, cron, zone, action, agent, fleet, template, arguments, missed,
                      up_to, overlap, until, paused, next_run_at AS "next: DateTime<Utc>"
               FROM schedules WHERE removed_at IS NULL AND paused IS NULL AND next_run_at <= ?
               ORDER BY next_run_at LIMIT ?"#,
            now,
            limit
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter().map(ScheduleRow::read).collect()
    }

    /// When the next one is due.
    pub async fn next_schedule(&self) -> sqlx::Result<Option<DateTime<Utc>>> {
        sqlx::query_scalar!(
            r#"SELECT next_run_at AS "next!: DateTime<Utc>" FROM schedules
               WHERE removed_at IS NULL AND paused IS NULL AND next_run_at IS NOT NULL
               ORDER BY next_run_at LIMIT 1"#
        )
        .fetch_optional(&self.reader)
        .await
    }

    pub async fn run(&self, id: RunId) -> sqlx::Result<Option<Run>> {
        let row = sqlx::query_as!(
            RunRow,
            r#"SELECT runs.id AS "id!", schedule_id, planned_at AS "planned: DateTime<Utc>", stage, runs.outcome,
                      runs.created_at AS "since: DateTime<Utc>", action_id, actions.state AS "state?"
               FROM runs LEFT JOIN actions ON actions.id = action_id WHERE runs.id = ?"#,
            id.0
        )
        .fetch_optional(&self.reader)
        .await?;
        row.map(RunRow::read).transpose()
    }

    async fn last_run(&self, schedule: ScheduleId) -> sqlx::Result<Option<Run>> {
        let row = sqlx::query_as!(
            RunRow,
            r#"SELECT runs.id AS "id!", schedule_id, planned_at AS "planned: DateTime<Utc>", stage, runs.outcome,
                      runs.created_at AS "since: DateTime<Utc>", action_id, actions.state AS "state?"
               FROM runs LEFT JOIN actions ON actions.id = action_id
               WHERE schedule_id = ? ORDER BY runs.id DESC LIMIT 1"#,
            schedule.0
        )
        .fetch_optional(&self.reader)
        .await?;
        row.map(RunRow::read).transpose()
    }

    /// Why the run before one could not be, if it could not.
    pub async fn refused_before(&self, run: &Run) -> sqlx::Result<Option<String>> {
        let before = sqlx::query!(
            "SELECT stage, outcome FROM runs WHERE schedule_id = ? AND id < ? ORDER BY id DESC LIMIT 1",
            run.schedule.0,
            run.id.0
        )
        .fetch_optional(&self.reader)
        .await?;
        let refused = before.filter(|before| before.stage == Stage::Refused.as_str());
        Ok(refused.and_then(|before| before.outcome))
    }

    /// Runs whose turn it is: claimed, and the one before them is over.
    pub async fn runs_to_begin(&self) -> sqlx::Result<Vec<Run>> {
        let rows = sqlx::query_as!(
            RunRow,
            r#"SELECT runs.id AS "id!", schedule_id, planned_at AS "planned: DateTime<Utc>", stage, runs.outcome,
                      runs.created_at AS "since: DateTime<Utc>", action_id, NULL AS "state?: String"
               FROM runs WHERE stage = 'claimed' AND NOT EXISTS (
                   -- Runs of a schedule begin one after the other, so the one before tells of all before.
                   SELECT 1 FROM runs AS before LEFT JOIN actions ON actions.id = before.action_id
                   WHERE before.id = (SELECT max(id) FROM runs AS other WHERE other.schedule_id = runs.schedule_id
                                      AND other.id < runs.id AND other.stage IN ('claimed', 'submitted'))
                     AND (before.stage = 'claimed' OR actions.state IN ('asked', 'pending', 'running'))
               ) ORDER BY runs.id"#
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter().map(RunRow::read).collect()
    }
}

struct ScheduleRow {
    id: i64,
    name: String,
    source: String,
    owner: Option<i64>,
    cron: String,
    zone: String,
    action: String,
    agent: Option<String>,
    fleet: Option<String>,
    template: Option<String>,
    arguments: String,
    missed: String,
    up_to: i64,
    overlap: String,
    until: Option<String>,
    paused: Option<String>,
    next: Option<DateTime<Utc>>,
}

impl ScheduleRow {
    fn read(self) -> sqlx::Result<Schedule> {
        let missed =
            Missed::parse(&self.missed).ok_or_else(|| unreadable("missed", &self.missed))?;
        let up_to = u8::try_from(self.up_to).ok();
        let written = Written {
            cron: self.cron,
            zone: Some(self.zone),
            action: self.action,
            agent: self.agent,
            fleet: self.fleet,
            template: self.template,
            set: json("arguments", &self.arguments)?,
            missed,
            up_to: up_to.filter(|_| missed == Missed::All),
            overlap: Overlap::parse(&self.overlap)
                .ok_or_else(|| unreadable("overlap", &self.overlap))?,
            until: self.until,
            name: self.name,
        };
        Ok(Schedule {
            id: ScheduleId(self.id),
            order: Order::try_from(written).map_err(|why| unreadable("schedule", &why))?,
            source: Source::parse(&self.source)
                .ok_or_else(|| unreadable("source", &self.source))?,
            owner: self.owner.map(UserId::from_db),
            paused: self.paused,
            next: self.next,
            last: None,
        })
    }
}

struct RunRow {
    id: i64,
    schedule_id: i64,
    planned: DateTime<Utc>,
    stage: String,
    since: DateTime<Utc>,
    outcome: Option<String>,
    action_id: Option<i64>,
    state: Option<String>,
}

impl RunRow {
    fn read(self) -> sqlx::Result<Run> {
        let state = self.state.as_deref();
        let state = state
            .map(|state| State::parse(state).ok_or_else(|| unreadable("state", state)))
            .transpose()?;
        Ok(Run {
            id: RunId(self.id),
            schedule: ScheduleId(self.schedule_id),
            planned: self.planned,
            stage: Stage::parse(&self.stage).ok_or_else(|| unreadable("stage", &self.stage))?,
            since: self.since,
            outcome: self.outcome,
            action: self.action_id.map(ActionId).zip(state),
        })
    }
}

/// Writes a schedule. A unique violation means that its name is taken.
pub async fn insert(
    tx: &mut Tx,
    new: &NewSchedule<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<ScheduleId> {
    let written = Written::from(new.order.clone());
    let (source, owner) = (new.source.as_str(), new.owner.map(UserId::to_db));
    let arguments = to_json(&written.set)?;
    let (missed, overlap) = (written.missed.as_str(), written.overlap.as_str());
    let id = sqlx::query_scalar!(
        r#"INSERT INTO schedules (name, source, owner, cron, zone, action, agent, fleet, template, arguments, missed, up_to,
                                  overlap, until, paused, next_run_at, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id AS "id!""#,
        written.name,
        source,
        owner,
        written.cron,
        written.zone,
        written.action,
        written.agent,
        written.fleet,
        written.template,
        arguments,
        missed,
        new.order.up_to,
        overlap,
        written.until,
        new.paused,
        new.next,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    // What is built in is no news.
    if new.source != Source::BuiltIn {
        let mut entry = about(new.order, What::ScheduleSet, new.source);
        entry.actor = new.owner;
        audit::append(tx, &entry, now).await?;
    }
    Ok(ScheduleId(id))
}

/// What it still had to do is not done, and this is why.
async fn skip_claimed(
    tx: &mut Tx,
    id: ScheduleId,
    why: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE runs SET stage = 'skipped', outcome = ?, finished_at = ? WHERE schedule_id = ? AND stage = 'claimed'",
        why,
        now,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes one away; false if it was gone.
pub async fn remove(
    tx: &mut Tx,
    (schedule, by): (&Schedule, Option<UserId>),
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE schedules SET removed_at = ? WHERE id = ? AND removed_at IS NULL",
        now,
        schedule.id.0
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    skip_claimed(tx, schedule.id, "its schedule was removed", now).await?;
    let mut entry = about(&schedule.order, What::ScheduleRemoved, schedule.source);
    entry.actor = by;
    audit::append(tx, &entry, now).await?;
    Ok(true)
}

/// Pauses one and says why; false if it was paused before. Its runs that have not begun are left out.
pub async fn pause(
    tx: &mut Tx,
    (schedule, by): (&Schedule, Option<UserId>),
    why: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE schedules SET paused = ? WHERE id = ? AND paused IS NULL AND removed_at IS NULL",
        why,
        schedule.id.0
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    skip_claimed(tx, schedule.id, "its schedule was paused", now).await?;
    let mut entry = about(&schedule.order, What::SchedulePaused, schedule.source);
    entry.actor = by;
    entry.text = Some(why.to_owned());
    audit::append(tx, &entry, now).await?;
    Ok(true)
}

/// Lets one run on, next at `next`; false if it was not paused.
pub async fn resume(
    tx: &mut Tx,
    (schedule, by): (&Schedule, Option<UserId>),
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE schedules SET paused = NULL, next_run_at = ? WHERE id = ? AND paused IS NOT NULL AND removed_at IS NULL",
        next,
        schedule.id.0
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let mut entry = about(&schedule.order, What::ScheduleResumed, schedule.source);
    entry.actor = by;
    audit::append(tx, &entry, now).await?;
    Ok(true)
}

/// Claims a time that has come, with its runs; false if somebody else was first.
pub async fn claim(
    tx: &mut Tx,
    claim: &Claim,
    runs: &[NewRun],
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE schedules SET next_run_at = ?
         WHERE id = ? AND next_run_at = ? AND paused IS NULL AND removed_at IS NULL",
        claim.next,
        claim.schedule.0,
        claim.planned
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for run in runs {
        let (stage, over) = (run.stage.as_str(), run.stage != Stage::Claimed);
        let finished_at = over.then_some(now);
        sqlx::query!(
            "INSERT INTO runs (schedule_id, planned_at, stage, outcome, created_at, finished_at)
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (schedule_id, planned_at) DO NOTHING",
            claim.schedule.0,
            run.planned,
            stage,
            run.outcome,
            now,
            finished_at
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(true)
}

/// Its next time is this one.
pub async fn call_back(
    tx: &mut Tx,
    schedule: ScheduleId,
    next: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE schedules SET next_run_at = ? WHERE id = ? AND paused IS NULL AND removed_at IS NULL",
        next,
        schedule.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Runs of a schedule that are not over.
pub async fn open_runs(tx: &mut Tx, schedule: ScheduleId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "open!: i64" FROM (
               -- Only the last ones can be open: they begin one after the other.
               SELECT stage, action_id FROM runs WHERE schedule_id = ? AND stage IN ('claimed', 'submitted')
               ORDER BY id DESC LIMIT 32
           ) AS recent LEFT JOIN actions ON actions.id = recent.action_id
           WHERE recent.stage = 'claimed' OR actions.state IN ('asked', 'pending', 'running')"#,
        schedule.0
    )
    .fetch_one(&mut **tx)
    .await
}

/// The action that does a run is there, in the same transaction; false if the run has one already or is over.
pub async fn submitted(tx: &mut Tx, run: RunId, action: ActionId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE runs SET stage = 'submitted', action_id = ?, outcome = NULL WHERE id = ? AND stage = 'claimed'",
        action.0,
        run.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Says what a run waits for.
pub async fn note(tx: &mut Tx, run: RunId, waits_for: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE runs SET outcome = ?1 WHERE id = ?2 AND stage = 'claimed' AND outcome IS NOT ?1",
        waits_for,
        run.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends a run that has no action; false if it was over.
pub async fn end(
    tx: &mut Tx,
    run: RunId,
    (stage, outcome): (Stage, Option<&str>),
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let word = stage.as_str();
    let done = sqlx::query!(
        "UPDATE runs SET stage = ?, outcome = ?, finished_at = ? WHERE id = ? AND stage = 'claimed'",
        word,
        outcome,
        now,
        run.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets runs from before `before` that are over, but for the last one of each schedule.
pub async fn drop_runs(tx: &mut Tx, before: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM runs WHERE created_at < ? AND stage <> 'claimed'
         AND id NOT IN (SELECT max(id) FROM runs GROUP BY schedule_id)",
        before
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Tells that a run could not be.
pub async fn tell_refusal(
    tx: &mut Tx,
    schedule: &Schedule,
    why: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let mut entry = about(&schedule.order, What::RunRefused, schedule.source);
    entry.origin = Told::Request(Origin::Schedule);
    entry.actor = schedule.owner;
    entry.kind = schedule.order.job.kind();
    entry.text = why.lines().next().map(str::to_owned);
    audit::append(tx, &entry, now).await?;
    Ok(())
}

/// Names the schedule. What a template is given may be nobody's business.
fn about(order: &Order, what: What, source: Source) -> Entry {
    let origin = match source {
        Source::Chat => Told::CHAT,
        Source::File => Told::File,
        Source::BuiltIn => Told::Yardarm,
    };
    let mut entry = Entry::new(what, origin);
    entry.details["name"] = order.name.as_str().into();
    entry.details["cron"] = order.cron.to_string().into();
    entry.details["zone"] = order.zone.name().into();
    entry.details["does"] = order.does().into();
    entry
}
