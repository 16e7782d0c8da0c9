//! The database: opened, refused, and each of its rules kept by itself.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use yardarm::{
    clock::Clock as _,
    domain::{
        action::{Arguments, Details, Kind, Origin, Reply, State, Step},
        agent::{Desired, Name},
        freeze::Held,
        ids::{
            ActionId, AgentId, AlertId, BoardId, ChannelId, ContainerId, FleetId, FreezeId,
            GrantId, ImageId, IncidentId, InstanceId, InteractionId, MessageId, NudgeId, UserId,
        },
        incident::{Severity, Untold},
        outbox::{Exit, OutboxRow, Subject},
        recovery::{Past, Reason},
        squelch::Nudge,
    },
    store::{
        OpenError, Store, Tx,
        actions::{self, Ending, NewAction, NewTarget},
        agents, allowances,
        boards::{self, NewBoard},
        breakers, fleets, freezes, grants, is_taken,
        outbox::{self, Notice},
        process,
        samples::Span,
        templates,
    },
};

use crate::support::{clock::FixedClock, scene::plain_spec};

/// A database with a fleet and an agent in it.
struct Scene {
    folder: tempfile::TempDir,
    store: Store,
    now: DateTime<Utc>,
    fleet: FleetId,
    agent: AgentId,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("yardarm.db"))
            .await
            .unwrap();
        let now = FixedClock::new().now();
        let mut tx = store.begin().await.unwrap();
        let fleet = fleets::insert(&mut tx, &name("main"), None, now)
            .await
            .unwrap();
        let agent = agents::insert(&mut tx, &name("scout"), fleet, false, now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Self {
            folder,
            store,
            now,
            fleet,
            agent,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("yardarm.db")
    }

    async fn begin(&self) -> Tx {
        self.store.begin().await.unwrap()
    }

    fn action(&self, kind: Kind, state: State) -> NewAction {
        NewAction {
            kind,
            actor: Some(UserId(u64::MAX)),
            origin: Origin::Chat,
            reason: Some("lunch".to_owned()),
            details: Details::default(),
            state,
            expires_at: (state == State::Asked).then(|| self.now + TimeDelta::minutes(15)),
            reply: None,
            plan: None,
            approval: None,
            targets: vec![NewTarget::as_it_is(self.agent)],
        }
    }

    async fn insert(&self, new: &NewAction) -> sqlx::Result<ActionId> {
        let mut tx = self.begin().await;
        let id = actions::insert(&mut tx, new, self.now).await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn advance(&self, id: ActionId, from: State, to: State, now: DateTime<Utc>) -> bool {
        let mut tx = self.begin().await;
        let first = actions::advance(&mut tx, id, from, to, now).await.unwrap();
        tx.commit().await.unwrap();
        first
    }

    /// Something to be said in a channel.
    async fn put(&self, subject: Subject, channel: u64, message: Option<u64>) {
        let notice = Notice {
            subject,
            channel: ChannelId(channel),
            message: message.map(MessageId),
            due: self.now,
        };
        let mut tx = self.begin().await;
        outbox::put(&mut tx, &notice, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn first_due(&self) -> OutboxRow {
        self.store
            .outbox_due(Exit::Channels, self.now)
            .await
            .unwrap()
            .remove(0)
    }

    async fn due(&self) -> Vec<Subject> {
        let rows = self
            .store
            .outbox_due(Exit::Channels, self.now)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.subject).collect()
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

async fn raw(path: &Path, sql: &'static str) {
    let address = format!("sqlite://{}", path.display());
    let mut database = SqliteConnection::connect(&address).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

/// A database as one of the migrations left it, with these rows, opened: that brings it up to date.
pub(crate) async fn migrated(from: i64, rows: &'static str) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yardarm.db");
    let address = format!("sqlite://{}?mode=rwc", path.display());
    let mut database = SqliteConnection::connect(&address).await.unwrap();
    sqlx::migrate!().run_to(from, &mut database).await.unwrap();
    database.close().await.unwrap();
    raw(&path, rows).await;
    let store = Store::open(&path).await.unwrap();
    (folder, store)
}

#[tokio::test]
async fn nobody_else_reads_what_is_kept() {
    let scene = Scene::new().await;
    for end in ["", "-wal", "-shm"] {
        let file = scene.folder.path().join(format!("yardarm.db{end}"));
        let mode = std::fs::metadata(&file).unwrap().mode();
        assert_eq!(mode & 0o077, 0, "{} {mode:o}", file.display());
    }
}

#[tokio::test]
async fn one_process_has_a_database() {
    let scene = Scene::new().await;
    let second = Store::open(&scene.path()).await;
    assert!(matches!(second, Err(OpenError::InUse(path)) if path == scene.path()));
    scene.store.close().await;
    let path = scene.path();
    drop(scene.store);
    Store::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    // Below a file, in a file system nobody may write to, and a folder itself. The mode of a file binds no root.
    for path in [
        file.join("yardarm.db"),
        "/proc/yardarm.db".into(),
        folder.path().to_owned(),
    ] {
        let opened = Store::open(&path).await;
        assert!(
            matches!(opened, Err(OpenError::Unwritable { .. })),
            "{opened:?}"
        );
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let scene = Scene::new().await;
    let path = scene.path();
    scene.store.close().await;
    drop(scene.store);
    raw(
        &path,
        "INSERT INTO _sqlx_migrations VALUES (29990101000000, 'later', '2999-01-01', 1, x'00', 0)",
    )
    .await;
    let opened = Store::open(&path).await;
    let Err(OpenError::Newer { migration, .. }) = opened else {
        panic!("{opened:?}");
    };
    assert_eq!(migration, 29_990_101_000_000);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yardarm.db");
    std::fs::write(&path, "a letter to somebody".repeat(99)).unwrap();
    let opened = Store::open(&path).await;
    assert!(
        matches!(opened, Err(OpenError::Broken { .. })),
        "{opened:?}"
    );
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("a letter")
    );
}

#[tokio::test]
async fn migrations_keep_the_rows_of_those_before() {
    let (_folder, store) = migrated(
        20_261_121_090_000,
        "INSERT INTO instance VALUES (1, 'abc', '2026-11-21T09:00:00+00:00');
         INSERT INTO starts (started_at) VALUES ('2026-11-21T09:00:00+00:00');
         INSERT INTO fleets (name, created_at) VALUES ('main', '2026-11-21T09:00:00+00:00');
         INSERT INTO agents (name, fleet_id, desired, created_at)
             VALUES ('scout', 1, 'running', '2026-11-21T09:00:00+00:00');
         INSERT INTO templates VALUES ('mine', '{}', 7, '2026-11-21T09:00:00+00:00');
         INSERT INTO drafts VALUES (7, '{}', '2026-11-21T09:00:00+00:00');",
    )
    .await;
    let now = FixedClock::new().now();
    let other = InstanceId("other".to_owned());
    assert_eq!(
        store.instance(&other, now).await.unwrap(),
        InstanceId("abc".to_owned())
    );
    assert_eq!(store.agents().await.unwrap()[0].name, name("scout"));
    assert_eq!(store.fleets().await.unwrap()[0].name, name("main"));
    assert_eq!(
        store.templates().await.unwrap(),
        [("mine".to_owned(), "{}".to_owned())]
    );
    assert_eq!(
        store.draft(InteractionId(7)).await.unwrap().as_deref(),
        Some("{}")
    );
    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        process::note_start(&mut tx, json!({}), now).await.unwrap(),
        2
    );
}

#[tokio::test]
async fn actions_made_anew_keep_their_rows_and_targets() {
    let (_folder, store) = migrated(
        20_261_121_090_100,
        "INSERT INTO fleets (name, created_at) VALUES ('main', '2026-11-21T09:00:00+00:00');
         INSERT INTO agents (name, fleet_id, desired, created_at)
             VALUES ('scout', 1, 'running', '2026-11-21T09:00:00+00:00');
         INSERT INTO actions (id, kind, origin, details, state, created_at)
             VALUES (7, 'stop', 'chat', '{}', 'pending', '2026-11-21T09:00:00+00:00');
         INSERT INTO action_targets (action_id, agent_id, state) VALUES (7, 1, 'pending');
         INSERT INTO outbox (channel_id, subject_kind, subject_id, state, due_at, created_at)
             VALUES (5, 'action', 7, 'waiting', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');",
    )
    .await;
    let action = store.action(ActionId(7)).await.unwrap().unwrap();
    assert_eq!(action.state, State::Pending);
    assert_eq!(action.targets[0].name, name("scout"));
    assert_eq!(store.outbox_counts().await.unwrap(), (1, 0));
    let mut tx = store.begin().await.unwrap();
    let busy = actions::busy_with(&mut tx, AgentId(1)).await.unwrap();
    assert_eq!(busy, Some(ActionId(7)));
}

#[tokio::test]
async fn messages_and_nudges_made_anew_keep_their_rows() {
    let (_folder, store) = migrated(
        20_261_121_180_000,
        "INSERT INTO alerts (id, route, grouped_by, opened_at, due_at)
             VALUES (3, 'ops', '', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');
         INSERT INTO nudges (id, alert_id, kind, created_at) VALUES (9, 3, 'worse', '2026-11-21T09:00:00+00:00');
         INSERT INTO outbox (channel_id, subject_kind, subject_id, state, message_id, due_at, created_at)
             VALUES (5, 'alert', 3, 'sent', 77, '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');
         INSERT INTO outbox (channel_id, target, subject_kind, subject_id, state, version, attempts, due_at, created_at)
             VALUES (0, 'pager', 'nudge', 9, 'waiting', 2, 4, '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');",
    )
    .await;
    let card = store.outbox_message(Subject::Alert(AlertId(3)), ChannelId(5));
    assert_eq!(card.await.unwrap(), Some(MessageId(77)));
    let nudge = store.nudge(NudgeId(9)).await.unwrap();
    assert_eq!(nudge, Some((AlertId(3), Nudge::Worse)));
    let waiting = store.outbox_due(Exit::Targets, FixedClock::new().now());
    let row = waiting.await.unwrap().remove(0);
    assert_eq!(
        (row.target.as_deref(), row.version, row.attempts),
        (Some("pager"), 2, 4)
    );
}

#[tokio::test]
async fn what_people_were_told_is_kept_over_the_migration() {
    let (_folder, store) = migrated(
        20_261_121_200_000,
        "INSERT INTO alerts (id, route, grouped_by, opened_at, due_at, announced_at, told_at, told_severity)
             VALUES (3, 'ops', '', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00',
                     '2026-11-21T09:00:00+00:00', '2026-11-21T09:05:00+00:00', 'warning');
         INSERT INTO incidents (about, kind, severity, cause, evidence, opened_at, changed_at, returns, flapping, alert_id, joined_at)
             VALUES ('loop told', 'loop', 'warning', 'x', '{}', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00',
                     '[\"2026-11-21T09:04:00Z\"]', 0, 3, '2026-11-21T09:00:00+00:00'),
                    ('loop new', 'loop', 'warning', 'x', '{}', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00',
                     '[]', 0, 3, '2026-11-21T09:06:00+00:00'),
                    ('loop back', 'loop', 'warning', 'x', '{}', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00',
                     '[\"2026-11-21T09:06:00Z\"]', 0, 3, '2026-11-21T09:00:00+00:00');",
    )
    .await;
    let known = store.incidents_of(AlertId(3)).await.unwrap();
    let untold: Vec<_> = known.iter().map(|one| one.untold).collect();
    assert_eq!(untold, [None, Some(Untold::New), Some(Untold::Back)]);
    assert_eq!(known[0].told_severity, Some(Severity::Warning));
    let alert = store.alert(AlertId(3)).await.unwrap().unwrap();
    assert_eq!(alert.unheeded_since, alert.announced_at);
}

#[tokio::test]
async fn what_is_long_over_is_forgotten_and_what_may_go_on_is_not() {
    let (_folder, store) = migrated(
        20_261_121_200_000,
        "INSERT INTO alerts (id, route, grouped_by, opened_at, due_at, closed_at)
             VALUES (3, 'ops', '', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00', '2026-01-01T10:00:00+00:00'),
                    (4, 'ops', '', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00', '2026-01-01T10:00:00+00:00'),
                    (5, 'ops', '', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00', '2026-11-20T10:00:00+00:00'),
                    (6, 'ops', '', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00', NULL);
         INSERT INTO incidents (about, kind, severity, cause, evidence, opened_at, changed_at, gone_since, resolved_at, returns,
                                flapping, alert_id)
             VALUES ('loop a', 'loop', 'warning', 'x', '{}', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00',
                     '2026-01-01T10:00:00+00:00', '2026-01-01T10:00:00+00:00', '[]', 0, 3),
                    ('loop b', 'loop', 'warning', 'x', '{}', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00',
                     NULL, NULL, '[]', 0, 4),
                    ('loop c', 'loop', 'warning', 'x', '{}', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00',
                     '2026-01-01T10:00:00+00:00', '2026-01-01T10:00:00+00:00', '[]', 0, NULL);
         INSERT INTO nudges (id, alert_id, kind, created_at) VALUES (9, 3, 'worse', '2026-01-01T09:00:00+00:00');
         INSERT INTO outbox (channel_id, subject_kind, subject_id, state, message_id, due_at, created_at)
             VALUES (5, 'alert', 3, 'sent', 77, '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00'),
                    (5, 'nudge', 9, 'dead', NULL, '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00'),
                    (5, 'alert', 5, 'sent', 78, '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00');",
    )
    .await;
    let before = FixedClock::new().now() - TimeDelta::days(31);
    store.drop_alerts(before).await.unwrap();
    let mut kept = Vec::new();
    for id in 3..=6 {
        kept.push(store.alert(AlertId(id)).await.unwrap().is_some());
    }
    assert_eq!(kept, [false, true, true, true]);
    let mut incidents = Vec::new();
    for id in 1..=3 {
        incidents.push(store.incident(IncidentId(id)).await.unwrap().is_some());
    }
    assert_eq!(incidents, [false, true, false]);
    assert_eq!(store.nudge(NudgeId(9)).await.unwrap(), None);
    assert_eq!(store.outbox_counts().await.unwrap(), (0, 0));
    let card = async |id| {
        let card = store.outbox_message(Subject::Alert(AlertId(id)), ChannelId(5));
        card.await.unwrap()
    };
    assert_eq!((card(3).await, card(5).await), (None, Some(MessageId(78))));
}

#[tokio::test]
async fn actions_that_are_long_over_are_forgotten_but_for_those_that_something_stands_on() {
    let (_folder, store) = migrated(
        20_261_129_100_300,
        "INSERT INTO fleets (name, created_at) VALUES ('main', '2026-01-01T09:00:00+00:00');
         INSERT INTO agents (id, name, fleet_id, desired, created_at)
             VALUES (2, 'scout', 1, 'running', '2026-01-01T09:00:00+00:00');
         INSERT INTO actions (id, kind, origin, details, state, created_at, finished_at)
             VALUES (3, 'stop', 'chat', '{}', 'succeeded', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:09+00:00'),
                    (4, 'stop', 'chat', '{}', 'asked', '2026-01-01T09:00:00+00:00', NULL),
                    (5, 'freeze', 'chat', '{}', 'succeeded', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:09+00:00'),
                    (6, 'stop', 'chat', '{}', 'failed', '2026-01-01T09:00:00+00:00', '2026-11-20T09:00:09+00:00');
         INSERT INTO action_targets (action_id, agent_id, state) VALUES (3, 2, 'succeeded');
         INSERT INTO approvals (action_id, rule, ask, asked_at, expires_at, remind_at)
             VALUES (3, 'stops', '{}', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00');
         INSERT INTO votes VALUES (3, 7, 'approve', NULL, '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00');
         INSERT INTO freezes (id, action_id, mode, created_at, state)
             VALUES (1, 5, 'pause', '2026-01-01T09:00:00+00:00', 'over');
         INSERT INTO outbox (channel_id, subject_kind, subject_id, state, message_id, due_at, created_at)
             VALUES (5, 'action', 3, 'sent', 77, '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00'),
                    (5, 'start', 3, 'sent', 78, '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00'),
                    (5, 'action', 6, 'sent', 79, '2026-01-01T09:00:00+00:00', '2026-01-01T09:00:00+00:00');",
    )
    .await;
    let before = FixedClock::new().now() - TimeDelta::days(31);
    store.drop_actions(before).await.unwrap();
    let mut kept = Vec::new();
    for id in 3..=6 {
        kept.push(store.action(ActionId(id)).await.unwrap().is_some());
    }
    assert_eq!(kept, [false, true, true, true]);
    let message = async |subject| {
        let message = store.outbox_message(subject, ChannelId(5));
        message.await.unwrap()
    };
    assert_eq!(message(Subject::Action(ActionId(3))).await, None);
    assert_eq!(message(Subject::Start(3)).await, Some(MessageId(78)));
    assert_eq!(
        message(Subject::Action(ActionId(6))).await,
        Some(MessageId(79))
    );
}

#[tokio::test]
async fn what_was_done_before_it_was_marked_is_not_in_force_and_its_allowance_ends_once() {
    let (_folder, store) = migrated(
        20_261_121_200_000,
        "INSERT INTO fleets (name, created_at) VALUES ('main', '2026-11-21T09:00:00+00:00');
         INSERT INTO actions (id, kind, origin, details, state, created_at)
             VALUES (7, 'stop', 'chat', '{}', 'running', '2026-11-21T09:00:00+00:00');
         INSERT INTO allowances (id, action_id, user_id, kind, fleet_id, given_by, created_at, ends_at)
             VALUES (3, 7, 5, 'stop', 1, 6, '2026-11-21T09:00:00+00:00', '2026-11-21T10:00:00+00:00');",
    )
    .await;
    let action = ActionId(7);
    assert!(!store.is_in_force(action).await.unwrap());
    let mut tx = store.begin().await.unwrap();
    actions::put_in_force(&mut tx, action).await.unwrap();
    tx.commit().await.unwrap();
    assert!(store.is_in_force(action).await.unwrap());

    let end = "2026-11-21T10:00:00Z".parse().unwrap();
    assert!(store.has_untold_ends(end).await.unwrap());
    let mut tx = store.begin().await.unwrap();
    for _ in 0..2 {
        allowances::tell_ends(&mut tx, end).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert!(!store.has_untold_ends(end).await.unwrap());
    let told = store.ledger().rows(1, 9).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].what.as_str(), told[0].actor),
        ("grant ended", None)
    );
}

#[tokio::test]
async fn what_was_frozen_before_its_container_was_known_stays_frozen() {
    let (_folder, store) = migrated(
        20_261_121_211_000,
        "INSERT INTO fleets (name, created_at) VALUES ('main', '2026-11-21T09:00:00+00:00');
         INSERT INTO agents (id, name, fleet_id, desired, created_at)
             VALUES (4, 'scout', 1, 'running', '2026-11-21T09:00:00+00:00');
         INSERT INTO actions (id, kind, origin, details, state, created_at)
             VALUES (7, 'freeze', 'chat', '{}', 'succeeded', '2026-11-21T09:00:00+00:00');
         INSERT INTO freezes (id, mode, action_id, created_at, state)
             VALUES (2, 'cut', 7, '2026-11-21T09:00:00+00:00', 'frozen');
         INSERT INTO frozen_agents (agent_id, freeze_id, paused, cut) VALUES (4, 2, 0, 1);",
    )
    .await;
    let mut held = Held {
        agent: AgentId(4),
        container: None,
        paused: false,
        cut: true,
    };
    let freeze = FreezeId(2);
    assert_eq!(store.held_by(freeze).await.unwrap(), [held.clone()]);
    held.container = Some(ContainerId("abc".to_owned()));
    let mut tx = store.begin().await.unwrap();
    freezes::hold(&mut tx, freeze, &held).await.unwrap();
    assert_eq!(process::said_by_files(&mut tx).await.unwrap(), None);
    for body in ["{}", "[]"] {
        process::keep_said(&mut tx, body).await.unwrap();
        let said = process::said_by_files(&mut tx).await.unwrap();
        assert_eq!(said.as_deref(), Some(body));
    }
    tx.commit().await.unwrap();
    assert_eq!(store.held_by(freeze).await.unwrap(), [held]);
}

#[tokio::test]
async fn what_was_put_off_is_due_at_once_if_the_clock_is_set_back() {
    let scene = Scene::new().await;
    scene.put(Subject::Start(1), 5, None).await;
    let row = scene.first_due().await;
    let wait = TimeDelta::minutes(5);
    let put_off = (scene.now, wait);
    let put_off = scene.store.outbox_postpone(row.id, put_off, "429", false);
    put_off.await.unwrap();
    let due_at = async |at| {
        scene
            .store
            .outbox_due(Exit::Channels, at)
            .await
            .unwrap()
            .len()
    };
    assert_eq!(due_at(scene.now).await, 0);
    assert_eq!(due_at(scene.now - TimeDelta::seconds(1)).await, 1);
    assert_eq!(due_at(scene.now - TimeDelta::hours(1)).await, 1);
    assert_eq!(due_at(scene.now + wait).await, 1);
}

#[tokio::test]
async fn a_target_may_ask_for_an_hour_and_no_clock_for_more() {
    let scene = Scene::new().await;
    let mut tx = scene.begin().await;
    let told = outbox::put_target(&mut tx, (Subject::Alert(AlertId(1)), "pager"), scene.now);
    told.await.unwrap();
    tx.commit().await.unwrap();
    let due_at = async |at| scene.store.outbox_due(Exit::Targets, at).await.unwrap();
    let row = due_at(scene.now).await.remove(0);
    for minutes in [11, 20, 60] {
        let wait = TimeDelta::minutes(minutes);
        let put_off = (scene.now, wait);
        let put_off = scene.store.outbox_postpone(row.id, put_off, "503", false);
        put_off.await.unwrap();
        assert_eq!(due_at(scene.now).await, []);
        assert_eq!(due_at(scene.now + wait).await.len(), 1);
    }
    assert_eq!(due_at(scene.now - TimeDelta::minutes(2)).await.len(), 1);
}

#[tokio::test]
async fn a_channel_has_one_board_and_an_action_makes_one() {
    let scene = Scene::new().await;
    let mut actions = Vec::new();
    for _ in 0..2 {
        let new = scene.action(Kind::Board, State::Succeeded);
        actions.push(scene.insert(&new).await.unwrap());
    }
    let new = NewBoard {
        channel: ChannelId(5),
        fleet: Some(scene.fleet),
        repost_after: Some(100),
        created_by: UserId(u64::MAX),
    };
    let mut tx = scene.begin().await;
    let made = async |tx: &mut Tx, action| boards::insert(tx, action, &new, scene.now).await;
    let first = made(&mut tx, actions[0]).await.unwrap();
    assert_eq!(first, Some(BoardId(1)));
    assert_eq!(made(&mut tx, actions[0]).await.unwrap(), None);
    assert!(is_taken(&made(&mut tx, actions[1]).await.unwrap_err()));
    let why = "somebody removed it";
    let ended = boards::end_in(&mut tx, ChannelId(5), why, scene.now).await;
    assert_eq!(ended.unwrap(), first);
    let second = made(&mut tx, actions[1]).await.unwrap();
    assert!(second > first, "its number is never given again");
    tx.commit().await.unwrap();
    let over = scene.store.board(BoardId(1)).await.unwrap().unwrap();
    assert_eq!(over.ended, Some((scene.now, why.to_owned())));
    assert_eq!(over.fleet, Some((scene.fleet, name("main"))));
}

#[tokio::test]
async fn boards_keep_what_they_showed() {
    let (_folder, store) = migrated(
        20_261_121_160_000,
        "INSERT INTO actions (id, kind, origin, details, state, created_at)
             VALUES (7, 'board', 'chat', '{}', 'succeeded', '2026-11-21T09:00:00+00:00');
         INSERT INTO boards (channel_id, repost_after, created_by, action_id, created_at, shown, shown_at, changed_at)
             VALUES (5, 20, 8, 7, '2026-11-21T09:00:00+00:00', 'ab', '2026-11-21T09:10:00+00:00', '2026-11-21T09:05:00+00:00');
         INSERT INTO outbox (channel_id, subject_kind, subject_id, state, due_at, created_at)
             VALUES (5, 'board', 1, 'waiting', '2026-11-21T09:00:00+00:00', '2026-11-21T09:00:00+00:00');",
    )
    .await;
    let now = FixedClock::new().now();
    let due = store.outbox_due(Exit::Channels, now).await;
    let row = due.unwrap().remove(0);
    let (board, message) = store.boards().await.unwrap().remove(0);
    assert_eq!(
        (board.channel, board.repost_after),
        (ChannelId(5), Some(20))
    );
    assert_eq!(message, boards::Message::Waiting);
    let shown = board.shown.unwrap();
    assert_eq!((shown.at - shown.changed_at).num_minutes(), 5);
    let later = shown.at + TimeDelta::minutes(10);
    for (picture, minutes) in [("ab", 15), ("cd", 0), ("cd", 0)] {
        let (board_row, shown) = ((board.id, &row), (picture, MessageId(9)));
        store.board_shown(board_row, shown, later).await.unwrap();
        let board = store.board(board.id).await.unwrap().unwrap();
        let shown = board.shown.unwrap();
        assert_eq!((shown.at - shown.changed_at).num_minutes(), minutes);
    }
}

#[tokio::test]
async fn grants_teams_and_the_code_stay() {
    let (folder, store) = migrated(
        20_261_121_121_000,
        "INSERT INTO grants VALUES (3, 'user', '7', 'owner', '*', NULL, 'claim', NULL, '2026-11-21T09:00:00+00:00');
         INSERT INTO grants VALUES (5, 'team', 'crew', 'viewer', 'prod-*', '2026-11-22T09:00:00+00:00', 'approval', 7,
             '2026-11-21T09:00:00+00:00');
         INSERT INTO teams VALUES ('crew', '{\"name\":\"crew\",\"users\":[8],\"roles\":[9],\"owns\":[\"west\"],\"source\":\"chat\"}', '2026-11-21T09:00:00+00:00');
         INSERT INTO claim_code VALUES (1, zeroblob(32), '2026-11-21T09:10:00+00:00');
         INSERT INTO claim_failures VALUES (8, 2);",
    )
    .await;
    let (kept, teams) = store.access().await.unwrap();
    let said: Vec<String> = kept.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "owner on `*` for <@7>",
            "viewer on `prod-*` for team `crew` until <t:1795338000:f>"
        ]
    );
    assert_eq!(teams[0].users, [UserId(8)].into());
    assert!(teams[0].owns(&name("west")));
    let mut tx = store.begin().await.unwrap();
    let (digest, _) = grants::code(&mut tx).await.unwrap().unwrap();
    assert_eq!(digest, [0; 32]);
    let failures = grants::failures(&mut tx, UserId(8)).await.unwrap();
    assert_eq!(failures, (2, 2));
    // A number is never given twice: what refers to a grant that is gone means nothing else later.
    assert!(grants::delete(&mut tx, GrantId(5)).await.unwrap());
    let again = grants::insert(&mut tx, &kept[0], FixedClock::new().now()).await;
    assert_eq!(again.unwrap(), GrantId(6));
    drop((tx, folder));
}

#[tokio::test]
async fn a_grant_that_means_nothing_is_not_kept() {
    let scene = Scene::new().await;
    let address = format!("sqlite://{}", scene.path().display());
    let mut database = SqliteConnection::connect(&address).await.unwrap();
    for values in [
        "'bot', '7', 'owner', '*', NULL, 'chat'",
        "'user', '7', 'king', '*', NULL, 'chat'",
        "'user', '7', 'owner', '*', NULL, 'file'",
        // What is given with an approval ends.
        "'user', '7', 'owner', '*', NULL, 'approval'",
    ] {
        let sql = format!(
            "INSERT INTO grants (holder_kind, holder, level, fleets, until, source, created_at) VALUES ({values}, 'now')"
        );
        let kept = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut database)
            .await;
        assert!(kept.is_err(), "{values}");
    }
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_write_that_is_not_committed_never_was() {
    let scene = Scene::new().await;
    let mut tx = scene.begin().await;
    agents::remove(&mut tx, scene.agent, scene.now)
        .await
        .unwrap();
    drop(tx);
    assert!(scene.store.agent(scene.agent).await.unwrap().is_some());
}

#[tokio::test]
async fn names_are_free_again_and_ids_are_not() {
    let scene = Scene::new().await;
    let mut tx = scene.begin().await;
    let taken = agents::insert(&mut tx, &name("scout"), scene.fleet, false, scene.now).await;
    assert!(is_taken(&taken.unwrap_err()));
    let taken = fleets::insert(&mut tx, &name("main"), None, scene.now).await;
    assert!(is_taken(&taken.unwrap_err()));
    assert!(
        !fleets::remove_if_empty(&mut tx, scene.fleet, scene.now)
            .await
            .unwrap()
    );

    agents::remove(&mut tx, scene.agent, scene.now)
        .await
        .unwrap();
    let second = agents::insert(&mut tx, &name("scout"), scene.fleet, false, scene.now).await;
    assert!(second.unwrap().0 > scene.agent.0);
    tx.commit().await.unwrap();
    assert!(scene.store.agent(scene.agent).await.unwrap().is_none());

    let mut tx = scene.begin().await;
    let empty = fleets::insert(
        &mut tx,
        &name("empty"),
        Some(ChannelId(u64::MAX)),
        scene.now,
    )
    .await
    .unwrap();
    let moved = agents::set_fleet(&mut tx, AgentId(2), empty).await;
    assert!(moved.unwrap());
    assert!(
        fleets::remove_if_empty(&mut tx, scene.fleet, scene.now)
            .await
            .unwrap()
    );
    let moved = agents::set_fleet(&mut tx, AgentId(2), scene.fleet).await;
    assert!(!moved.unwrap());
    assert!(
        !fleets::remove_if_empty(&mut tx, scene.fleet, scene.now)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    let left = scene.store.fleets().await.unwrap();
    assert_eq!(left[0].channel, Some(ChannelId(u64::MAX)));
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn an_agent_keeps_every_version_of_its_spec() {
    let scene = Scene::new().await;
    for (number, container) in [(1, "aa"), (2, "bb")] {
        let spec = plain_spec(&format!("demo:{number}"));
        let image = ImageId(format!("sha256:{number}"));
        let arguments = Arguments::from([("goal".to_owned(), number.to_string())]);
        let mut tx = scene.begin().await;
        let container = ContainerId(container.to_owned());
        let made = (&spec, &image, &arguments);
        agents::swap(&mut tx, scene.agent, &container, made, scene.now)
            .await
            .unwrap();
        agents::set_desired(&mut tx, scene.agent, Desired::Running)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let agent = scene.store.agent(scene.agent).await.unwrap().unwrap();
        assert_eq!((agent.version, agent.container), (number, Some(container)));
        let version = scene
            .store
            .version(agent.id, number)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (version.spec, version.image, version.arguments),
            (spec, image, arguments)
        );
    }
    assert_eq!(
        scene
            .store
            .version(scene.agent, 1)
            .await
            .unwrap()
            .unwrap()
            .spec
            .image,
        "demo:1"
    );
    assert!(scene.store.version(scene.agent, 3).await.unwrap().is_none());
}

#[tokio::test]
async fn an_agent_has_one_action_at_a_time_and_an_interaction_makes_one() {
    let scene = Scene::new().await;
    let mut stop = scene.action(Kind::Stop, State::Pending);
    stop.reply = Some(Reply {
        interaction: InteractionId(u64::MAX),
        channel: ChannelId(3),
        message: None,
    });
    let id = scene.insert(&stop).await.unwrap();
    assert!(is_taken(
        &scene
            .insert(&scene.action(Kind::Start, State::Pending))
            .await
            .unwrap_err()
    ));
    // What only asks keeps nobody off.
    let asked = scene
        .insert(&scene.action(Kind::Remove, State::Asked))
        .await
        .unwrap();
    let mut tx = scene.begin().await;
    assert_eq!(
        actions::busy_with(&mut tx, scene.agent).await.unwrap(),
        Some(id)
    );
    let confirmed = actions::advance(&mut tx, asked, State::Asked, State::Pending, scene.now).await;
    assert!(is_taken(&confirmed.unwrap_err()));
    drop(tx);

    scene
        .advance(id, State::Pending, State::Cancelled, scene.now)
        .await;
    assert!(
        is_taken(&scene.insert(&stop).await.unwrap_err()),
        "the interaction was delivered twice"
    );
    assert_eq!(
        scene
            .store
            .action_of(InteractionId(u64::MAX))
            .await
            .unwrap(),
        Some(id)
    );
    assert_eq!(scene.store.action_of(InteractionId(1)).await.unwrap(), None);
}

#[tokio::test]
async fn of_two_who_move_an_action_on_one_is_first() {
    let scene = Scene::new().await;
    let id = scene
        .insert(&scene.action(Kind::Remove, State::Asked))
        .await
        .unwrap();
    let late = scene.now + TimeDelta::minutes(15);
    assert!(
        !scene.advance(id, State::Asked, State::Pending, late).await,
        "its time was over"
    );
    let mut tx = scene.begin().await;
    assert_eq!(actions::overdue(&mut tx, scene.now).await.unwrap(), []);
    assert_eq!(actions::overdue(&mut tx, late).await.unwrap(), [id]);
    drop(tx);
    assert!(
        scene
            .advance(id, State::Asked, State::Pending, scene.now)
            .await
    );
    assert!(
        !scene
            .advance(id, State::Asked, State::Cancelled, scene.now)
            .await
    );
    assert!(
        scene
            .advance(id, State::Pending, State::Running, scene.now)
            .await
    );
    assert!(
        !scene
            .advance(id, State::Pending, State::Running, scene.now)
            .await
    );
}

#[tokio::test]
async fn an_action_ends_once_and_keeps_what_was_written_of_it() {
    let scene = Scene::new().await;
    let id = scene
        .insert(&scene.action(Kind::Remove, State::Running))
        .await
        .unwrap();
    let mut tx = scene.begin().await;
    actions::set_step(&mut tx, id, scene.agent, Step::Stopping)
        .await
        .unwrap();
    let details = Details {
        volumes: true,
        ..Details::default()
    };
    actions::set_details(&mut tx, id, &details, scene.now)
        .await
        .unwrap();
    let ending = Ending {
        state: State::Succeeded,
        note: Some("well".to_owned()),
    };
    let target = (scene.agent, &ending);
    assert!(
        actions::finish_target(&mut tx, id, target.0, target.1, scene.now)
            .await
            .unwrap()
    );
    assert!(
        !actions::finish_target(&mut tx, id, target.0, target.1, scene.now)
            .await
            .unwrap()
    );
    assert!(
        actions::finish(&mut tx, id, &ending, scene.now)
            .await
            .unwrap()
    );
    assert!(
        !actions::finish(&mut tx, id, &ending, scene.now)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    let action = scene.store.action(id).await.unwrap().unwrap();
    assert_eq!(
        (action.state, action.outcome.as_deref()),
        (State::Succeeded, Some("well"))
    );
    assert_eq!(
        (action.details, action.actor),
        (details, Some(UserId(u64::MAX)))
    );
    assert_eq!(action.targets[0].step, Step::Stopping);
    assert_eq!(scene.store.actions_in(State::Running).await.unwrap(), []);
}

#[tokio::test]
async fn a_start_knows_what_it_found() {
    let scene = Scene::new().await;
    let id = scene
        .insert(&scene.action(Kind::Stop, State::Running))
        .await
        .unwrap();
    let mut tx = scene.begin().await;
    let start = process::note_start(&mut tx, json!({}), scene.now)
        .await
        .unwrap();
    actions::note_found(&mut tx, id, start).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(scene.store.actions_found_by(start).await.unwrap(), [id]);
    assert_eq!(scene.store.actions_found_by(start + 1).await.unwrap(), []);
}

#[tokio::test]
async fn what_was_tried_by_itself_is_counted_from_its_beginning() {
    let scene = Scene::new().await;
    let mut start = scene.action(Kind::Start, State::Pending);
    start.origin = Origin::Converge;
    let id = scene.insert(&start).await.unwrap();
    let now = scene.now + TimeDelta::minutes(1);
    let past_for = async |reason, since| {
        let past = scene.store.past_of(scene.agent, reason, (since, now)).await;
        past.unwrap()
    };
    let past = async |since| past_for(Reason::Own, since).await;
    let begun = Past {
        attempts: 1,
        last: Some(scene.now),
        ..Past::default()
    };
    let hour_ago = scene.now - TimeDelta::hours(1);
    assert_eq!(past(hour_ago).await, Past::default(), "it may never be");
    scene
        .advance(id, State::Pending, State::Running, scene.now)
        .await;
    assert_eq!(past(hour_ago).await, begun);
    assert_eq!(past(scene.now).await, Past::default());
    assert_eq!(past_for(Reason::Need, hour_ago).await, Past::default());
}

#[tokio::test]
async fn what_people_approved_and_a_freeze_ended_is_no_no() {
    let (_folder, store) = migrated(
        20_261_129_100_300,
        "INSERT INTO fleets (name, created_at) VALUES ('main', '2026-01-01T09:00:00+00:00');
         INSERT INTO agents (id, name, fleet_id, desired, created_at)
             VALUES (1, 'asked', 1, 'running', '2026-01-01T09:00:00+00:00'),
                    (2, 'approved', 1, 'running', '2026-01-01T09:00:00+00:00');
         INSERT INTO actions (id, kind, origin, details, state, created_at, finished_at)
             VALUES (3, 'start', 'recovery', '{}', 'cancelled', '2026-11-20T09:00:00+00:00', '2026-11-20T09:00:09+00:00'),
                    (4, 'start', 'recovery', '{}', 'cancelled', '2026-11-20T09:00:00+00:00', '2026-11-20T09:00:09+00:00');
         INSERT INTO action_targets (action_id, agent_id, state) VALUES (3, 1, 'cancelled'), (4, 2, 'cancelled');
         INSERT INTO approvals (action_id, rule, ask, asked_at, expires_at, remind_at, decided_at)
             VALUES (3, 'starts', '{}', '2026-11-20T09:00:00+00:00', '2026-11-20T10:00:00+00:00', '2026-11-20T09:30:00+00:00', NULL),
                    (4, 'starts', '{}', '2026-11-20T09:00:00+00:00', '2026-11-20T10:00:00+00:00', '2026-11-20T09:30:00+00:00',
                     '2026-11-20T09:00:05+00:00');",
    )
    .await;
    let now = "2026-11-20T09:30:00Z".parse().unwrap();
    for (agent, is_asked) in [(1, true), (2, false)] {
        let past = store.past_of(AgentId(agent), Reason::Own, (now, now));
        assert_eq!(past.await.unwrap().asked, is_asked, "{agent}");
    }
}

#[tokio::test]
async fn what_was_tried_before_a_breaker_closed_counts_no_more() {
    let scene = Scene::new().await;
    let mut start = scene.action(Kind::Start, State::Pending);
    start.origin = Origin::Recovery;
    let id = scene.insert(&start).await.unwrap();
    scene
        .advance(id, State::Pending, State::Running, scene.now)
        .await;
    let past = async |now| {
        let span = (scene.now - TimeDelta::hours(1), now);
        let past = scene.store.past_of(scene.agent, Reason::Own, span).await;
        let past = past.unwrap();
        (past.attempts, past.broken)
    };
    let later = scene.now + TimeDelta::minutes(10);
    let mut tx = scene.begin().await;
    assert!(
        breakers::open(&mut tx, scene.agent, scene.now)
            .await
            .unwrap()
    );
    assert!(!breakers::open(&mut tx, scene.agent, later).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(past(later).await, (1, true));
    let mut tx = scene.begin().await;
    breakers::close(&mut tx, scene.agent, later).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(past(later).await, (0, false));
    assert_eq!(scene.store.breakers().await.unwrap(), []);
    // The clock was set back since: it counts as if nothing had been.
    assert_eq!(past(scene.now).await, (1, false));
    let mut tx = scene.begin().await;
    assert!(breakers::open(&mut tx, scene.agent, later).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(scene.store.breakers().await.unwrap(), [(scene.agent, None)]);
}

#[tokio::test]
async fn open_breakers_and_minutes_of_the_host_stay() {
    let (_folder, store) = migrated(
        20_261_121_200_000,
        "INSERT INTO fleets (name, created_at) VALUES ('main', '2026-11-21T09:00:00+00:00');
         INSERT INTO agents (name, fleet_id, desired, created_at)
             VALUES ('scout', 1, 'running', '2026-11-21T09:00:00+00:00');
         INSERT INTO breakers VALUES (1, '2026-11-21T09:00:00+00:00', '2026-11-21T09:05:00+00:00');
         INSERT INTO host_minutes VALUES (15, 120, 1024, 0, 400, 50);",
    )
    .await;
    let since: DateTime<Utc> = "2026-11-21T09:05:00Z".parse().unwrap();
    assert_eq!(store.breakers().await.unwrap(), [(AgentId(1), Some(since))]);
    let all = Span { from: 0, to: 99 };
    let host = store.host_total(all).await.unwrap().unwrap();
    assert!((host.cpu_percent - 12.0).abs() < f64::EPSILON);
    assert_eq!(host.memory_pressure, None);
}

#[tokio::test]
async fn a_channel_hears_one_thing_at_a_time_and_in_order() {
    let scene = Scene::new().await;
    let [first, second, elsewhere] = [1, 2, 3].map(|id| Subject::Action(ActionId(id)));
    scene.put(first, 1, None).await;
    scene.put(second, 1, Some(9)).await;
    scene.put(elsewhere, 2, None).await;
    assert_eq!(scene.due().await, [first, elsewhere]);
    let row = scene.first_due().await;

    let wait = TimeDelta::seconds(4);
    let soon = scene.now + wait;
    scene.store.outbox_begin(row.id).await.unwrap();
    scene
        .store
        .outbox_postpone(row.id, (scene.now, wait), "503", true)
        .await
        .unwrap();
    assert_eq!(
        scene.due().await,
        [elsewhere],
        "the second does not overtake the first"
    );
    let next = async || scene.store.outbox_next(Exit::Channels).await.unwrap();
    assert_eq!(next().await, Some(scene.now));
    let other = scene.first_due().await;
    let sent = scene.store.outbox_settle(&other, None);
    sent.await.unwrap();
    assert_eq!(next().await, Some(soon), "nor does it ask to be looked at");
    let row = scene
        .store
        .outbox_due(Exit::Channels, soon)
        .await
        .unwrap()
        .remove(0);
    assert_eq!((row.attempts, row.in_doubt), (1, true));
    let backlog = scene
        .store
        .outbox_backlog(ChannelId(1), soon)
        .await
        .unwrap();
    assert_eq!(
        backlog,
        std::slice::from_ref(&row),
        "an edit is no new message"
    );
    let sent = scene.store.outbox_settle(&row, Some(MessageId(6)));
    sent.await.unwrap();
    assert_eq!(scene.due().await, [second]);
}

#[tokio::test]
async fn what_changes_while_it_is_sent_is_sent_again() {
    let scene = Scene::new().await;
    let card = Subject::Action(ActionId(1));
    scene.put(card, 1, None).await;
    let row = scene.first_due().await;
    scene.put(card, 1, None).await;
    scene
        .store
        .outbox_settle(&row, Some(MessageId(5)))
        .await
        .unwrap();
    let row = scene.first_due().await;
    assert_eq!(
        (row.subject, row.version, row.message),
        (card, 2, Some(MessageId(5)))
    );
    scene.store.outbox_repost(row.id).await.unwrap();
    let row = scene.first_due().await;
    assert_eq!((row.message, row.in_doubt, row.attempts), (None, false, 0));
    let sent = scene.store.outbox_settle(&row, Some(MessageId(6)));
    sent.await.unwrap();
    assert_eq!(scene.due().await, []);
}

#[tokio::test]
async fn what_was_shown_waits_no_more_and_what_never_arrives_is_counted() {
    let scene = Scene::new().await;
    let [shown, buried] = [1, 2].map(|id| Subject::Action(ActionId(id)));
    scene.put(shown, 1, None).await;
    scene.put(buried, 1, None).await;
    let mut tx = scene.begin().await;
    outbox::shown(&mut tx, shown).await.unwrap();
    tx.commit().await.unwrap();
    let row = scene.first_due().await;
    assert_eq!(row.subject, buried);
    scene.store.outbox_bury(&row, "403", None).await.unwrap();
    assert_eq!(scene.store.outbox_counts().await.unwrap(), (0, 1));
    assert_eq!(scene.store.outbox_next(Exit::Channels).await.unwrap(), None);
}

#[tokio::test]
async fn a_reply_that_became_known_is_known_to_the_outbox() {
    let scene = Scene::new().await;
    let mut stop = scene.action(Kind::Stop, State::Running);
    stop.reply = Some(Reply {
        interaction: InteractionId(1),
        channel: ChannelId(3),
        message: None,
    });
    let id = scene.insert(&stop).await.unwrap();
    scene.put(Subject::Action(id), 3, None).await;
    let mut tx = scene.begin().await;
    actions::set_reply_message(&mut tx, id, MessageId(4))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let row = scene.first_due().await;
    assert_eq!(row.message, Some(MessageId(4)));
    let reply = scene
        .store
        .action(id)
        .await
        .unwrap()
        .unwrap()
        .reply
        .unwrap();
    assert_eq!(reply.message, Some(MessageId(4)));
}

#[tokio::test]
async fn forms_and_templates_come_and_go() {
    let scene = Scene::new().await;
    let (id, later) = (InteractionId(7), scene.now + TimeDelta::seconds(1));
    scene.store.put_draft(id, "{}", scene.now).await.unwrap();
    scene.store.put_draft(id, "[]", later).await.unwrap();
    assert_eq!(scene.store.draft(id).await.unwrap().as_deref(), Some("[]"));
    scene.store.drop_drafts(later).await.unwrap();
    assert_eq!(scene.store.draft(id).await.unwrap(), None);

    let (mine, by) = (name("mine"), UserId(7));
    let mut tx = scene.begin().await;
    templates::insert(&mut tx, &mine, "{}", by, scene.now)
        .await
        .unwrap();
    let again = templates::insert(&mut tx, &mine, "{}", by, scene.now).await;
    assert!(is_taken(&again.unwrap_err()));
    assert!(templates::delete(&mut tx, &mine).await.unwrap());
    assert!(!templates::delete(&mut tx, &mine).await.unwrap());
}

#[tokio::test]
async fn a_word_this_version_does_not_know_is_an_error_and_not_a_guess() {
    let scene = Scene::new().await;
    let id = scene
        .insert(&scene.action(Kind::Stop, State::Running))
        .await
        .unwrap();
    let path = scene.path();
    raw(&path, "UPDATE actions SET kind = 'dance'").await;
    let error = scene.store.action(id).await.unwrap_err().to_string();
    assert!(error.contains("`dance` is not understood"), "{error}");
    raw(&path, "UPDATE actions SET kind = 'stop', details = '[1]'").await;
    assert!(scene.store.action(id).await.is_err());
    raw(&path, "UPDATE agents SET name = 'Big Scout'").await;
    assert!(scene.store.agents().await.is_err());
}
