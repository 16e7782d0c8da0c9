//! Secrets in the database: what goes with an action, an agent or a fleet goes by the database's own rules.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, SqliteConnection};
use yardarm::{
    clock::Clock as _,
    domain::{
        ids::{ActionId, AgentId, FleetId},
        secret::{KeyId, Origin, Scope, Sealed},
    },
    store::{
        Store, agents, fleets,
        secrets::{self, Put, UsedBy},
    },
};

use crate::{store::migrated, support::clock::FixedClock};

/// A fleet with an agent, and an action that waits.
struct Scene {
    _folder: tempfile::TempDir,
    path: PathBuf,
    store: Store,
    now: DateTime<Utc>,
}

const FLEET: FleetId = FleetId(1);
const AGENT: AgentId = AgentId(1);
const ACTION: ActionId = ActionId(1);

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("yardarm.db");
        let scene = Self {
            store: Store::open(&path).await.unwrap(),
            _folder: folder,
            path,
            now: FixedClock::new().now(),
        };
        scene
            .raw(
                "INSERT INTO fleets (name, created_at) VALUES ('main', '2026-11-21T09:00:00+00:00');
                 INSERT INTO agents (name, fleet_id, desired, created_at)
                     VALUES ('scout', 1, 'running', '2026-11-21T09:00:00+00:00');
                 INSERT INTO actions (kind, origin, details, state, created_at)
                     VALUES ('secret set', 'chat', '{}', 'asked', '2026-11-21T09:00:00+00:00');",
            )
            .await;
        scene
    }

    async fn raw(&self, sql: &'static str) {
        let address = format!("sqlite://{}", self.path.display());
        let mut database = SqliteConnection::connect(&address).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
    }

    /// A value that the action brings.
    async fn propose(&self, scope: Scope, value: u8) {
        let sealed = Sealed {
            key: KeyId("key".to_owned()),
            bytes: vec![value],
        };
        let mut tx = self.store.begin().await.unwrap();
        let slot = secrets::slot(&mut tx, "KEY", scope, Origin::Chat)
            .await
            .unwrap();
        secrets::propose(&mut tx, slot, &sealed, (ACTION, None), self.now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    async fn put_in_force(&self) -> Put {
        let mut tx = self.store.begin().await.unwrap();
        let put = secrets::put_in_force(&mut tx, ACTION).await.unwrap();
        tx.commit().await.unwrap();
        put
    }

    /// What is sealed at all, pending or in force.
    async fn is_empty(&self) -> bool {
        self.store.sealing_keys().await.unwrap().is_empty()
    }
}

#[tokio::test]
async fn a_proposed_value_goes_with_its_action_however_that_ends() {
    for ends in [
        "UPDATE actions SET state = 'cancelled'",
        "UPDATE actions SET state = 'expired'",
        "UPDATE actions SET state = 'denied'",
        "UPDATE actions SET state = 'void'",
        "UPDATE actions SET state = 'failed'",
        "UPDATE actions SET state = 'interrupted'",
    ] {
        let scene = Scene::new().await;
        scene.propose(Scope::All, 1).await;
        scene.raw("UPDATE actions SET state = 'pending'").await;
        scene.raw("UPDATE actions SET state = 'running'").await;
        assert!(!scene.is_empty().await, "{ends}");
        assert_eq!(scene.store.secrets().await.unwrap(), []);
        scene.raw(ends).await;
        assert!(scene.is_empty().await, "{ends}");
        assert_eq!(scene.put_in_force().await, Put::Nothing, "{ends}");
    }
}

#[tokio::test]
async fn a_value_in_force_outlives_its_action_and_replaces_the_one_before() {
    let scene = Scene::new().await;
    scene.propose(Scope::All, 1).await;
    assert_eq!(scene.put_in_force().await, Put::Now);
    assert_eq!(scene.put_in_force().await, Put::Before);
    scene.propose(Scope::All, 2).await;
    assert_eq!(scene.put_in_force().await, Put::Now);
    scene.raw("UPDATE actions SET state = 'succeeded'").await;
    let secrets = scene.store.secrets().await.unwrap();
    assert_eq!((secrets.len(), secrets[0].version), (1, 2));
    let kept = scene.store.sealed(secrets[0].id).await.unwrap().unwrap();
    assert_eq!((kept.version, kept.sealed.bytes), (2, vec![2]));
}

#[tokio::test]
async fn secrets_go_with_whom_they_are_for() {
    let scene = Scene::new().await;
    for scope in [Scope::Agent(AGENT), Scope::Fleet(FLEET), Scope::All] {
        scene.propose(scope, 1).await;
        assert_eq!(scene.put_in_force().await, Put::Now);
    }
    let mut tx = scene.store.begin().await.unwrap();
    agents::remove(&mut tx, AGENT, scene.now).await.unwrap();
    tx.commit().await.unwrap();
    let scopes = |secrets: Vec<yardarm::domain::secret::Secret>| -> Vec<Scope> {
        secrets.into_iter().map(|secret| secret.scope).collect()
    };
    let left = scene.store.secrets().await.unwrap();
    assert_eq!(scopes(left), [Scope::Fleet(FLEET), Scope::All]);
    let mut tx = scene.store.begin().await.unwrap();
    assert!(
        fleets::remove_if_empty(&mut tx, FLEET, scene.now)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    let left = scene.store.secrets().await.unwrap();
    assert_eq!(scopes(left), [Scope::All]);
}

#[tokio::test]
async fn a_use_is_noted_once_and_kept_apart_by_secret_name_and_checks() {
    let scene = Scene::new().await;
    let used_by = UsedBy {
        image: "sha256:1".to_owned(),
        command: vec!["serve".to_owned()],
        checks: Vec::new(),
    };
    let mut tx = scene.store.begin().await.unwrap();
    let checked = UsedBy {
        image: "sha256:1".to_owned(),
        command: vec!["serve".to_owned()],
        checks: vec![vec!["is-it-well".to_owned()]],
    };
    for used_by in [&used_by, &used_by, &checked] {
        secrets::note_use(&mut tx, (None, "KEY"), used_by, scene.now)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let uses = scene.store.secret_uses(None, "KEY").await.unwrap();
    assert_eq!(uses.len(), 2);
    assert!(uses.contains(&used_by) && uses.contains(&checked));
    assert_eq!(scene.store.secret_uses(None, "OTHER").await.unwrap(), []);
}

#[tokio::test]
async fn uses_stay_and_had_no_checks() {
    let (_folder, store) = migrated(
        20_261_121_120_000,
        "INSERT INTO secret_uses VALUES (0, 'KEY', 'sha256:1', '[\"serve\"]', '2026-11-21T09:00:00+00:00');",
    )
    .await;
    let used_by = UsedBy {
        image: "sha256:1".to_owned(),
        command: vec!["serve".to_owned()],
        checks: Vec::new(),
    };
    assert_eq!(store.secret_uses(None, "KEY").await.unwrap(), [used_by]);
}
