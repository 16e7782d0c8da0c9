//! Schedules: asked for through the one door, kept as rows, compared with the settings. `runs` carries them out.

mod runs;

use std::sync::{Arc, PoisonError};

use super::{
    Ops,
    actions::Request,
    resolve::{Selection, change_of, plain, suggest},
    sight::Sight,
};
use crate::{
    domain::{
        action::{Action, Details, Kind, Origin, ScheduleChange},
        agent::Name,
        event::Event,
        grant::{Level, Need, Scope},
        ids::UserId,
        policy::{Decision, Effect},
        schedule::{Job, Order, Schedule, Source, Written, built_in},
        template::DeployForm,
    },
    error::{Error, Result},
    store::{
        Tx, is_taken,
        schedules::{self as rows, NewSchedule},
    },
};

impl Sight<'_> {
    pub fn request_schedule_add(&self, written: &Written) -> Result<Request> {
        let zone = self.settings().schedules.zone;
        let order = Order::read(written, zone).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Error::Invalid(lines.join("\n"))
        })?;
        self.permit(&self.schedule_need(Kind::ScheduleAdd.level(), &order))?;
        if let Some(other) = self.known_schedule(order.name.as_str()) {
            return Err(name_taken(&other));
        }
        if order.next(self.now()).is_none() {
            return Err(Error::Invalid(
                "It would never run: its end comes before its first time. Give a later `until:`."
                    .to_owned(),
            ));
        }
        Ok(change(Kind::ScheduleAdd, None, order))
    }

    /// `schedule remove`, `schedule pause`, `schedule resume`.
    pub fn request_schedule_change(&self, kind: Kind, name: &str) -> Result<Request> {
        let schedule = self.own_schedule(name)?;
        self.permit(&self.schedule_need(kind.level(), &schedule.order))?;
        let name = &schedule.order.name;
        let refusal = match (kind, schedule.source, &schedule.paused) {
            (_, Source::File, _) => Some(format!(
                "`{name}` stands in the settings file. Change it there, then `/reload`."
            )),
            (Kind::ScheduleRemove, Source::BuiltIn, _) => Some(format!(
                "`{name}` is built in. `/schedule pause` keeps it from running."
            )),
            (Kind::SchedulePause, _, Some(_)) => Some(format!(
                "`{name}` is paused already. `/schedule resume` lets it run."
            )),
            (Kind::ScheduleResume, _, None) => Some(format!("`{name}` is not paused.")),
            _ => None,
        };
        match refusal {
            Some(why) => Err(Error::Invalid(why)),
            None => Ok(change(kind, Some(&schedule), schedule.order.clone())),
        }
    }

    /// What a schedule does, now and as the caller's own request.
    pub fn request_schedule_run(&self, name: &str) -> Result<Request> {
        let schedule = self.own_schedule(name)?;
        self.permit(&self.schedule_need(Kind::ScheduleAdd.level(), &schedule.order))?;
        self.request_job(&schedule.order)
    }

    /// The schedules a caller may know of, by name, each with its last run.
    pub async fn schedules_seen(&self) -> Result<Vec<Schedule>> {
        let mut all = self.store.schedules().await?;
        all.retain(|schedule| self.sees_schedule(schedule));
        Ok(all)
    }

    /// Their names, from memory.
    pub fn schedule_names(&self) -> Vec<(Name, String)> {
        let known = self.known_schedules();
        let seen = known.iter().filter(|one| self.sees_schedule(one));
        seen.map(|one| (one.order.name.clone(), one.order.does()))
            .collect()
    }

    fn sees_schedule(&self, schedule: &Schedule) -> bool {
        let need = self.schedule_need(Level::Viewer, &schedule.order);
        let look = Need {
            level: Level::Viewer,
            ..need
        };
        self.permit(&look).is_ok()
    }

    fn own_schedule(&self, name: &str) -> Result<Schedule> {
        let found = self.known_schedule(name);
        let found = found.filter(|schedule| self.sees_schedule(schedule));
        found.ok_or_else(|| {
            let names = self.schedule_names();
            let known: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
            Error::NotFound(format!(
                "There is no schedule `{}`. {}",
                plain(name),
                suggest(name, &known, "`/schedule add` makes one.")
            ))
        })
    }

    /// The request that a schedule stands for.
    fn request_job(&self, order: &Order) -> Result<Request> {
        let selection = Selection {
            agent: order.agent.as_deref(),
            fleet: order.fleet.as_deref(),
        };
        match order.job {
            Job::Deploy => self.request_scheduled_deploy(order),
            Job::Start => self.request_change(Kind::Start, selection),
            Job::Stop => self.request_change(Kind::Stop, selection),
            Job::Restart => self.request_change(Kind::Restart, selection),
            Job::Report => Ok(change_of(Kind::Report, Details::default())),
            Job::Backup => Ok(change_of(Kind::Backup, Details::default())),
            Job::Purge => Ok(change_of(Kind::Purge, Details::default())),
            Job::StaleCheck | Job::Anchor => Err(Error::Invalid(format!(
                "`{}` runs by itself and changes nothing that could be asked for.",
                order.name
            ))),
        }
    }

    /// The first time it makes the agent, from then on it makes it anew.
    fn request_scheduled_deploy(&self, order: &Order) -> Result<Request> {
        let name = order.agent.clone().unwrap_or_default();
        let template = order.template.clone().unwrap_or_default();
        let Some(view) = self.roster.view(&name) else {
            return self.request_deploy(&DeployForm {
                template,
                name,
                fleet: order.fleet.clone(),
                given: order.set.clone(),
                pull: false,
            });
        };
        let made_from = view.version.as_ref();
        let made_from = made_from.and_then(|version| version.spec.template.clone());
        if made_from.as_deref() != Some(template.as_str()) {
            return Err(Error::Invalid(format!(
                "`{name}` is there and was not made from `{template}`. Choose another name for what the schedule deploys."
            )));
        }
        let selection = Selection {
            agent: Some(&name),
            fleet: None,
        };
        self.request_redeploy(selection, &order.set, false)
    }
}

impl Ops {
    /// What it takes to have a schedule do that, or to keep it from doing it: never less than the job itself takes.
    pub(super) fn schedule_need(&self, level: Level, order: &Order) -> Need {
        let job = order.job.kind().map_or(level, Kind::level);
        let agent = order.agent.as_deref();
        let fleet = match (&order.fleet, order.job) {
            (Some(fleet), _) => Name::parse(fleet).ok(),
            (None, Job::Deploy) => Some(self.settings().agents.default_fleet.clone()),
            (None, _) => agent.and_then(|name| self.roster.view(name).map(|view| view.fleet)),
        };
        let on = fleet.map_or(Scope::Everything, |fleet| Scope::Fleets(vec![fleet]));
        Need {
            level: level.max(job),
            on,
        }
    }

    fn known_schedules(&self) -> Arc<Vec<Schedule>> {
        let known = self.schedules.read();
        Arc::clone(&known.unwrap_or_else(PoisonError::into_inner))
    }

    fn known_schedule(&self, name: &str) -> Option<Schedule> {
        let known = self.known_schedules();
        let found = known.iter().find(|one| one.order.name.as_str() == name);
        found.cloned()
    }

    /// Takes over what the database says, and has the scheduler look.
    async fn refresh_schedules(&self) -> Result<()> {
        let all = Arc::new(self.store.schedules().await?);
        *self
            .schedules
            .write()
            .unwrap_or_else(PoisonError::into_inner) = all;
        self.publish(Event::Schedules);
        Ok(())
    }

    /// Has the rows say what the settings say: their entries, and what is built in.
    pub async fn sync_schedules(&self) -> Result<()> {
        let (settings, now) = (self.settings(), self.now());
        let zone = settings.schedules.zone;
        let own = built_in(zone, settings.discord.ops_channel.is_some());
        let own = own.into_iter().map(|order| (Source::BuiltIn, order));
        let files = settings.schedules.orders.iter().cloned();
        let files = files.map(|order| (Source::File, order));
        let wanted: Vec<(Source, Order)> = own.chain(files).collect();
        let known = self.store.schedules().await?;
        let mut tx = self.store.begin().await?;
        for schedule in &known {
            let stays = |(source, order): &(Source, Order)| match schedule.source {
                // One of the settings beats one of chat.
                Source::Chat => order.name != schedule.order.name,
                kept => *source == kept && *order == schedule.order,
            };
            let keep = if schedule.source == Source::Chat {
                wanted.iter().all(stays)
            } else {
                wanted.iter().any(stays)
            };
            if !keep {
                rows::remove(&mut tx, (schedule, None), now).await?;
            }
        }
        for (source, order) in &wanted {
            let was = known.iter().find(|one| one.order.name == order.name);
            let was = was.filter(|one| one.source == *source);
            if was.is_some_and(|one| one.order == *order) {
                continue;
            }
            let new = NewSchedule {
                order,
                source: *source,
                owner: None,
                paused: was.and_then(|one| one.paused.as_deref()),
                next: order.next(now),
            };
            rows::insert(&mut tx, &new, now).await?;
        }
        tx.commit().await?;
        self.refresh_schedules().await
    }

    /// Carries out what was asked for.
    pub(super) async fn apply_schedule(&self, action: &Action) -> Result<Option<String>> {
        let change = action.details.schedule.as_deref();
        let change = change.ok_or_else(|| anyhow::anyhow!("no schedule to change"))?;
        let now = self.now();
        if action.kind == Kind::ScheduleAdd {
            self.refuse_unrunnable(&change.order, action.actor).await?;
        }
        let mut tx = self.store.begin().await?;
        match change.id {
            None => self.write_schedule(&mut tx, action, &change.order).await?,
            Some(id) => {
                let missing =
                    || Error::NotFound(format!("`{}` is gone meanwhile.", change.order.name));
                let schedule = self.store.schedule(id).await?.ok_or_else(missing)?;
                let by = (&schedule, action.actor);
                // Whoever was faster wanted the same.
                match action.kind {
                    Kind::SchedulePause => {
                        let why = pause_reason(action);
                        rows::pause(&mut tx, by, &why, now).await?
                    }
                    Kind::ScheduleResume => {
                        rows::resume(&mut tx, by, change.order.next(now), now).await?
                    }
                    _ => rows::remove(&mut tx, by, now).await?,
                };
            }
        }
        self.put_in_force(tx, action).await?;
        self.refresh_schedules().await?;
        Ok(None)
    }

    async fn write_schedule(&self, tx: &mut Tx, action: &Action, order: &Order) -> Result<()> {
        let now = self.now();
        let new = NewSchedule {
            order,
            source: Source::Chat,
            owner: action.actor,
            paused: None,
            next: order.next(now),
        };
        match rows::insert(tx, &new, now).await {
            Ok(_) => Ok(()),
            Err(error) if is_taken(&error) => {
                let all = self.store.schedules().await?;
                match all.iter().find(|one| one.order.name == order.name) {
                    Some(one) => Err(name_taken(one)),
                    None => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses what the policy would not let a schedule do: nobody is there to be told then.
    async fn refuse_unrunnable(&self, order: &Order, owner: Option<UserId>) -> Result<()> {
        let Ok(request) = self.own_sight().request_job(order) else {
            // What it is about need not be there yet.
            return Ok(());
        };
        let plan = self.plan_request(&request, (owner, false)).await?;
        let nobody = (None, self.need_for(&request).on);
        let decision = self.judge((request.kind, Origin::Schedule), &plan, nobody);
        refuse_typing(&decision, Origin::Schedule)
    }
}

/// A rule that wants something typed cannot be met by a schedule, nor by what Yardarm itself wants.
pub(super) fn refuse_typing(decision: &Decision, origin: Origin) -> Result<()> {
    let when = match origin {
        Origin::Schedule => "when a schedule runs",
        Origin::Converge | Origin::Recovery => "when Yardarm itself wants it",
        Origin::Chat | Origin::Host => return Ok(()),
    };
    if decision.effect != Effect::Confirm {
        return Ok(());
    }
    Err(Error::Denied(format!(
        "The policy `{}` wants whoever asks to type what it is about, and nobody is there to type {when}. Put a `[[policy]]` with `origins = [\"{}\"]` before it that allows this or asks people.",
        decision.rule,
        origin.as_str()
    )))
}

fn pause_reason(action: &Action) -> String {
    let by = action.actor.map_or_else(
        || "on the host".to_owned(),
        |actor| format!("by <@{actor}>"),
    );
    match &action.reason {
        Some(reason) => format!("{by}: {}", plain(reason)),
        None => by,
    }
}

fn change(kind: Kind, schedule: Option<&Schedule>, order: Order) -> Request {
    let details = Details {
        name: Some(order.name.clone()),
        schedule: Some(Box::new(ScheduleChange {
            id: schedule.map(|schedule| schedule.id),
            order,
        })),
        ..Details::default()
    };
    change_of(kind, details)
}

fn name_taken(other: &Schedule) -> Error {
    let name = &other.order.name;
    Error::Invalid(match other.source {
        Source::Chat => format!(
            "`{name}` is taken. Choose another name, or `/schedule remove schedule:{name}` first."
        ),
        Source::File => {
            format!("`{name}` stands in the settings file already. Choose another name.")
        }
        Source::BuiltIn => format!("`{name}` is built in. Choose another name."),
    })
}
