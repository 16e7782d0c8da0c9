//! Schedules in the database: each of their rules kept by itself.

use chrono::{DateTime, TimeDelta, Utc};
use yardarm::{
    clock::Clock as _,
    domain::{
        action::{Details, Kind, Origin, State},
        agent::Name,
        ids::{ActionId, RunId, ScheduleId, UserId},
        schedule::{Cron, Job, Order, Source, Stage},
    },
    store::{
        Store,
        actions::{self, NewAction},
        is_taken,
        schedules::{self as rows, Claim, NewRun, NewSchedule},
    },
};

use crate::support::clock::FixedClock;

struct Scene {
    _folder: tempfile::TempDir,
    store: Store,
    now: DateTime<Utc>,
    order: Order,
    schedule: ScheduleId,
}

impl Scene {
    /// A schedule that is due now.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("yardarm.db"))
            .await
            .unwrap();
        let now = FixedClock::new().now();
        let cron = Cron::parse("@hourly").unwrap();
        let name = Name::parse("hourly").unwrap();
        let order = Order::built_in(name, (cron, chrono_tz::UTC), Job::Report);
        let mut tx = store.begin().await.unwrap();
        let schedule = rows::insert(&mut tx, &new(&order, now), now).await.unwrap();
        tx.commit().await.unwrap();
        Self {
            _folder: folder,
            store,
            now,
            order,
            schedule,
        }
    }

    async fn claim(&self, planned: DateTime<Utc>) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let claim = Claim {
            schedule: self.schedule,
            planned,
            next: self.order.next(planned),
        };
        let run = NewRun {
            planned,
            stage: Stage::Claimed,
            outcome: None,
        };
        let first = rows::claim(&mut tx, &claim, &[run], self.now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        first
    }

    async fn submit(&self, run: RunId) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let action = NewAction {
            kind: Kind::Report,
            actor: None,
            origin: Origin::Schedule,
            reason: None,
            details: Details::default(),
            state: State::Pending,
            expires_at: None,
            reply: None,
            plan: None,
            approval: None,
            targets: Vec::new(),
        };
        let id: ActionId = actions::insert(&mut tx, &action, self.now).await.unwrap();
        let first = rows::submitted(&mut tx, run, id).await.unwrap();
        if first {
            tx.commit().await.unwrap();
        }
        first
    }

    async fn begin(&self) -> Vec<RunId> {
        let runs = self.store.runs_to_begin().await.unwrap();
        runs.iter().map(|run| run.id).collect()
    }
}

fn new(order: &Order, next: DateTime<Utc>) -> NewSchedule<'_> {
    NewSchedule {
        order,
        source: Source::Chat,
        owner: Some(UserId(7)),
        paused: None,
        next: Some(next),
    }
}

#[tokio::test]
async fn a_schedule_is_read_as_it_was_written() {
    let scene = Scene::new().await;
    let all = scene.store.schedules().await.unwrap();
    let [only] = all.as_slice() else {
        panic!("{all:?}");
    };
    assert_eq!((&only.order, only.next), (&scene.order, Some(scene.now)));
    assert_eq!((only.source, only.owner), (Source::Chat, Some(UserId(7))));
    let due = scene.store.due_schedules(scene.now, 9).await.unwrap();
    assert_eq!(due.len(), 1);
    let before = scene.now - TimeDelta::milliseconds(1);
    assert_eq!(scene.store.due_schedules(before, 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_name_is_free_again_once_its_schedule_is_removed() {
    let scene = Scene::new().await;
    let mut tx = scene.store.begin().await.unwrap();
    let taken = rows::insert(&mut tx, &new(&scene.order, scene.now), scene.now).await;
    assert!(is_taken(&taken.unwrap_err()));
    drop(tx);
    let schedule = scene.store.schedule(scene.schedule).await.unwrap().unwrap();
    let mut tx = scene.store.begin().await.unwrap();
    let gone = (&schedule, None);
    assert!(rows::remove(&mut tx, gone, scene.now).await.unwrap());
    assert!(!rows::remove(&mut tx, gone, scene.now).await.unwrap());
    rows::insert(&mut tx, &new(&scene.order, scene.now), scene.now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn of_two_who_claim_a_time_one_is_first_and_a_time_comes_once() {
    let scene = Scene::new().await;
    assert!(scene.claim(scene.now).await);
    assert!(!scene.claim(scene.now).await);
    // Whatever sets the next time back, what was has been.
    let schedule = scene.store.schedule(scene.schedule).await.unwrap().unwrap();
    let mut tx = scene.store.begin().await.unwrap();
    let by = (&schedule, None);
    assert!(
        rows::pause(&mut tx, by, "a while", scene.now)
            .await
            .unwrap()
    );
    assert!(!rows::pause(&mut tx, by, "again", scene.now).await.unwrap());
    assert!(
        rows::resume(&mut tx, by, Some(scene.now), scene.now)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    assert!(scene.claim(scene.now).await);
    assert_eq!(scene.begin().await, []);
    let run = scene.store.run(RunId(1)).await.unwrap().unwrap();
    assert_eq!(run.outcome.as_deref(), Some("its schedule was paused"));
}

#[tokio::test]
async fn a_run_has_one_action_and_the_next_waits_for_its_end() {
    let scene = Scene::new().await;
    let next = scene.order.next(scene.now).unwrap();
    assert!(scene.claim(scene.now).await);
    assert!(scene.claim(next).await);
    assert_eq!(scene.begin().await, [RunId(1)]);
    assert!(scene.submit(RunId(1)).await);
    assert!(!scene.submit(RunId(1)).await);
    assert_eq!(scene.begin().await, []);
    let mut tx = scene.store.begin().await.unwrap();
    let open = rows::open_runs(&mut tx, scene.schedule).await.unwrap();
    assert_eq!(open, 2);
    let over = actions::Ending {
        state: State::Succeeded,
        note: None,
    };
    let (from, to) = (State::Pending, State::Running);
    actions::advance(&mut tx, ActionId(1), from, to, scene.now)
        .await
        .unwrap();
    actions::finish(&mut tx, ActionId(1), &over, scene.now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(scene.begin().await, [RunId(2)]);
    // Old runs are forgotten, but for what waits and the last one.
    let mut tx = scene.store.begin().await.unwrap();
    rows::drop_runs(&mut tx, scene.now + TimeDelta::days(1))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(scene.store.run(RunId(1)).await.unwrap(), None);
    assert_eq!(scene.begin().await, [RunId(2)]);
}
