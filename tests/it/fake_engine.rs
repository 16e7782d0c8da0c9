//! What the fake does beyond the contract: faults, gates and the host's side.

use std::time::Duration;

use yardarm::{
    domain::{
        agent::{Health, Phase},
        spec::HealthCheck,
    },
    engine::{
        Engine as _, EngineError, EngineEventKind as Kind, LogQuery, LogSource, PullProgress,
    },
};

use crate::support::{
    fake_engine::{FakeEngine, FakeWorld, HALF_WAY},
    scene::{Does, Events, Lines, Scene, World as _, last_lines, plain_spec, texts},
};

const GRACE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn away_it_answers_nothing_and_ends_its_streams() {
    let world = FakeWorld::new();
    let fake = &world.fake;
    let id = Scene::new(&world).run("scout", Does::SayBye).await;
    let mut events = Events::open(fake).await;
    let follow = LogQuery {
        follow: true,
        ..last_lines(0)
    };
    let mut log = fake.logs(&id, &follow).await.unwrap();

    fake.go_away();
    assert!(matches!(
        fake.list().await,
        Err(EngineError::Unreachable(_))
    ));
    assert!(matches!(events.next().await, Err(EngineError::Lost(_))));
    let line = futures::StreamExt::next(&mut log).await;
    assert!(matches!(line, Some(Err(EngineError::Lost(_)))));

    fake.kill(&id, 1);
    fake.come_back();
    let observed = fake.observe(&id).await.unwrap().unwrap();
    assert_eq!(observed.exit_code, Some(1), "it died in the meantime");
}

#[tokio::test]
async fn a_lost_answer_is_carried_out_once() {
    let world = FakeWorld::new();
    world.fake.lose_answer_of("create");
    let scene = Scene::new(&world);
    let spec = world.spec(Does::Wait);
    let lost = scene.create("scout", &spec).await.unwrap_err();
    assert!(lost.outcome_is_unknown());
    assert_eq!(world.fake.names(), [world.name("scout")]);
    assert!(
        !scene
            .create("scout", &spec)
            .await
            .unwrap_err()
            .outcome_is_unknown()
    );
}

#[tokio::test]
async fn refuses_until_mended_and_records_what_was_asked() {
    let world = FakeWorld::new();
    let fake = &world.fake;
    fake.refuse("start", "no space left on device");
    let scene = Scene::new(&world);
    let id = scene
        .create("scout", &world.spec(Does::Wait))
        .await
        .unwrap();
    fake.forget_calls();
    let refused = fake.start(&id).await.unwrap_err();
    assert_eq!(
        refused,
        EngineError::Refused("no space left on device".to_owned())
    );
    fake.mend("start");
    fake.start(&id).await.unwrap();
    fake.list().await.unwrap();
    assert_eq!(
        fake.calls(),
        ["start test-scout", "start test-scout", "list"]
    );
    assert_eq!(fake.changes(), ["start test-scout", "start test-scout"]);
}

#[tokio::test]
async fn holds_calls_until_released() {
    let world = FakeWorld::new();
    let fake = &world.fake;
    let id = Scene::new(&world).run("scout", Does::Wait).await;
    fake.hold("stop");
    let see_it_held = async {
        fake.holding("stop", 2).await;
        assert_eq!(fake.phase_of("test-scout"), Phase::Running);
        fake.release("stop");
    };
    let (first, second, ()) =
        tokio::join!(fake.stop(&id, GRACE), fake.stop(&id, GRACE), see_it_held);
    first.unwrap();
    second.unwrap();
    assert_eq!(fake.phase_of("test-scout"), Phase::Exited);
}

#[tokio::test]
async fn things_happen_behind_our_back() {
    let fake = FakeEngine::new();
    let mut events = Events::open(&fake).await;
    let id = fake.foreign("postgres");
    fake.run_out_of_memory(&id);
    let observed = fake.observe(&id).await.unwrap().unwrap();
    assert!(observed.oom_killed);
    assert_eq!(observed.exit_code, Some(137));
    fake.start_behind_our_back(&id);
    fake.set_health(&id, Health::Unhealthy);
    fake.say(&id, LogSource::Stderr, "checkpoint starting");
    fake.remove_behind_our_back(&id);
    assert_eq!(
        events.until(&id, Kind::Destroyed).await,
        [
            Kind::Started,
            Kind::OutOfMemory,
            Kind::Died,
            Kind::Started,
            Kind::HealthChanged,
            Kind::Died,
            Kind::Destroyed,
        ]
    );
    assert_eq!(fake.observe(&id).await, Ok(None));
}

#[tokio::test]
async fn a_stranger_has_none_of_our_labels_and_is_described() {
    let fake = FakeEngine::new();
    let id = fake.foreign("postgres");
    let listed = fake.list().await.unwrap();
    assert_eq!(listed[0].labels, None);
    let described = fake.describe(&id).await.unwrap();
    assert_eq!(described.spec.image, "postgres:latest");
    assert_eq!(described.spec.limits.memory_mb, 0);
    assert_eq!(described.unsaid, ["Docker's default capabilities"]);
}

#[tokio::test]
async fn images_do_as_they_are_told() {
    let fake = FakeEngine::default();
    fake.add_image("demo:1");
    fake.crash_on_start("demo:1", 2);
    fake.health_on_start("demo:1", Health::Unhealthy);
    let world = FakeWorld::over(fake.clone());
    let scene = Scene::new(&world);
    let mut spec = plain_spec("demo:1");
    spec.env.insert("MODE".to_owned(), "test".to_owned());
    spec.health = Some(HealthCheck {
        command: vec!["true".to_owned()],
        interval_s: 1,
        timeout_s: 1,
        retries: 1,
        start_period_s: 0,
    });
    let id = scene.create("scout", &spec).await.unwrap();
    fake.start(&id).await.unwrap();
    assert_eq!(fake.phase_of("test-scout"), Phase::Exited);
    fake.run_on_start("demo:1");
    fake.start(&id).await.unwrap();
    let observed = fake.observe(&id).await.unwrap().unwrap();
    assert_eq!(observed.phase, Phase::Running);
    assert_eq!(observed.health, Some(Health::Unhealthy));
    assert_eq!(fake.id_of("test-scout"), id);
    assert_eq!(fake.spec_of("test-scout"), spec);
    assert_eq!(fake.networks_of("test-scout"), [""; 0]);
    assert_eq!(
        fake.env_of("test-scout"),
        [("MODE".to_owned(), "test".to_owned())]
    );
    fake.say(&id, LogSource::Stdout, "ready");
    let lines = Lines::open(&fake, &id, &last_lines(5)).await.all().await;
    assert_eq!(texts(&lines), ["ready"]);
}

#[tokio::test]
async fn pulls_what_a_registry_has() {
    let fake = FakeEngine::new();
    fake.add_remote_image("demo:2");
    let told = std::sync::Mutex::new(Vec::new());
    fake.pull("demo:2", &|progress| {
        told.lock().unwrap().push(progress.done_bytes);
    })
    .await
    .unwrap();
    assert_eq!(
        told.into_inner().unwrap(),
        [1_000_000, 2_000_000, 3_000_000, 4_000_000]
    );
    let image = fake.image("demo:2").await.unwrap().unwrap();
    assert_eq!(image.digest, Some(format!("demo@{}", image.id)));
    assert!(matches!(
        fake.pull("demo:3", &|_| {}).await,
        Err(EngineError::NotFound(_))
    ));
}

#[tokio::test]
async fn a_pull_can_be_held_half_way() {
    let fake = FakeEngine::new();
    fake.add_remote_image("demo:2");
    fake.hold(HALF_WAY);
    let told = std::sync::Mutex::new(0);
    let progress = |progress: PullProgress| *told.lock().unwrap() = progress.done_bytes;
    let see_it_held = async {
        fake.holding(HALF_WAY, 1).await;
        assert_eq!(*told.lock().unwrap(), 2_000_000);
        assert_eq!(fake.image("demo:2").await, Ok(None));
        fake.release(HALF_WAY);
    };
    let (pulled, ()) = tokio::join!(fake.pull("demo:2", &progress), see_it_held);
    pulled.unwrap();
    assert_eq!(*told.lock().unwrap(), 4_000_000);
}

#[tokio::test]
async fn a_thousand_containers_are_no_burden() {
    let world = FakeWorld::new();
    let scene = Scene::new(&world);
    for number in 0..1000 {
        scene.run(&format!("scout-{number}"), Does::Wait).await;
    }
    let listed = world.fake.list().await.unwrap();
    assert_eq!(listed.len(), 1000);
    let short: std::collections::BTreeSet<_> = listed
        .iter()
        .map(|listed| listed.container.short())
        .collect();
    assert_eq!(short.len(), 1000, "short ids differ, too");
}
