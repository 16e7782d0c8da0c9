//! What every engine must do: each check runs on the fake and on real Docker.

use std::time::Duration;

use futures::{
    FutureExt as _,
    future::{LocalBoxFuture, join_all},
};
use yardarm::{
    domain::{
        agent::{Health, Phase},
        ids::{AgentId, ContainerId, ImageId, InstanceId},
        spec::{HealthCheck, Mount, Network, Port, Protocol, Spec, Tmpfs},
    },
    engine::{EngineError, EngineEventKind as Kind, ExecOutcome, LogQuery, LogSource, NetworkSpec},
};

use crate::support::{
    detour::Detour,
    docker_host::DockerHost,
    scene::{Does, Events, Lines, Scene, World, last_lines, texts},
};

const GRACE: Duration = Duration::from_secs(5);

/// One test of each name on each engine.
macro_rules! contract {
    ($($check:ident),* $(,)?) => {
        mod fake {
            use crate::support::fake_engine::FakeWorld;

            $(
                #[tokio::test]
                async fn $check() {
                    super::$check(&FakeWorld::new()).await;
                }
            )*
        }

        mod docker {
            use crate::support::docker_host::DockerHost;

            $(
                #[tokio::test]
                async fn $check() {
                    super::$check(&DockerHost::new().await).await;
                }
            )*
        }

        /// All of them on real Docker at once, on this way to it.
        pub(crate) async fn docker_through(way: &Detour) {
            let checks: Vec<LocalBoxFuture<'_, ()>> = vec![
                $(async { $check(&DockerHost::through(way).await).await }.boxed_local()),*
            ];
            join_all(checks).await;
        }
    };
}

contract![
    tells_who_answers,
    lives_from_create_to_remove,
    lists_with_our_labels,
    tells_what_happens_in_order,
    tells_events_since_the_stream_was_opened,
    tells_how_it_ended,
    knows_no_strangers,
    refuses_a_name_that_is_taken,
    refuses_what_it_cannot_make,
    pauses_and_resumes,
    renames,
    splits_the_log_by_source,
    takes_the_tail_before_the_source,
    follows_a_log_to_its_end,
    ends_following_at_once_if_it_does_not_run,
    makes_a_network_once,
    keeps_networks_of_others,
    joins_and_leaves_networks,
    lists_networks_of_one_instance,
    keeps_volumes,
    keeps_volumes_of_other_agents,
    samples_what_runs,
    describes_what_it_was_made_from,
    knows_images,
    tells_health,
    publishes_ports,
    refuses_ports_without_a_way_out,
    runs_commands_inside,
    runs_no_commands_in_what_does_not_run,
    tells_where_it_is_reached,
];

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads better where it is used"
)]
fn is_not_found<T>(result: Result<T, EngineError>) -> bool {
    matches!(result, Err(EngineError::NotFound(_)))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads better where it is used"
)]
fn is_conflict<T>(result: Result<T, EngineError>) -> bool {
    matches!(result, Err(EngineError::Conflict(_)))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads better where it is used"
)]
fn is_refused<T>(result: Result<T, EngineError>) -> bool {
    matches!(result, Err(EngineError::Refused(_)))
}

async fn phase(world: &dyn World, id: &ContainerId) -> Option<Phase> {
    let observed = world.engine().observe(id).await.unwrap();
    observed.map(|observed| observed.phase)
}

async fn exec(
    world: &dyn World,
    id: &ContainerId,
    words: &[&str],
    most: Duration,
) -> Result<ExecOutcome, EngineError> {
    let command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    world.engine().exec(id, &command, most).await
}

fn fleet_network(world: &dyn World, word: &str) -> NetworkSpec {
    NetworkSpec {
        name: world.name(word),
        instance: world.instance().clone(),
        internal: true,
    }
}

async fn tells_who_answers(world: &dyn World) {
    let about = world.engine().about().await.unwrap();
    assert!(!about.version.is_empty());
    assert!(about.api_version.starts_with("1."));
    assert!(about.cpus > 0);
    assert!(about.memory_bytes > 0);
}

async fn lives_from_create_to_remove(world: &dyn World) {
    let engine = world.engine();
    let spec = world.spec(Does::Wait);
    let id = Scene::new(world).create("scout", &spec).await.unwrap();

    let created = engine.observe(&id).await.unwrap().unwrap();
    assert_eq!(created.container, id);
    assert_eq!(created.name, world.name("scout"));
    assert_eq!(created.phase, Phase::Created);
    assert_eq!(created.started_at, None);
    assert_eq!(created.exit_code, None);
    assert_eq!(created.health, None);
    let image = engine.image(&spec.image).await.unwrap().unwrap();
    assert_eq!(created.image, image.id);

    engine.start(&id).await.unwrap();
    engine.start(&id).await.unwrap();
    let running = engine.observe(&id).await.unwrap().unwrap();
    assert_eq!(running.phase, Phase::Running);
    assert!(running.started_at.is_some());
    assert_eq!(running.exit_code, None);

    engine.stop(&id, GRACE).await.unwrap();
    engine.stop(&id, GRACE).await.unwrap();
    let stopped = engine.observe(&id).await.unwrap().unwrap();
    assert_eq!(stopped.phase, Phase::Exited);
    assert_eq!(stopped.exit_code, Some(143));
    assert!(stopped.finished_at > running.started_at);

    engine.start(&id).await.unwrap();
    assert_eq!(phase(world, &id).await, Some(Phase::Running));
    engine.remove(&id).await.unwrap();
    engine.remove(&id).await.unwrap();
    assert_eq!(phase(world, &id).await, None);
}

async fn lists_with_our_labels(world: &dyn World) {
    let scene = Scene::new(world);
    let spec = world.spec(Does::Wait);
    let scout = scene.create("scout", &spec).await.unwrap();
    let ranger = scene.run("ranger", Does::Wait).await;

    let listed = world.engine().list().await.unwrap();
    let find = |id: &ContainerId| {
        listed
            .iter()
            .find(|listed| listed.container == *id)
            .unwrap()
    };
    assert_eq!(find(&scout).name, world.name("scout"));
    assert_eq!(find(&scout).phase, Phase::Created);
    assert_eq!(find(&scout).image, spec.image);
    assert_eq!(find(&scout).labels, Some(scene.labels(&spec)));
    assert_eq!(find(&ranger).phase, Phase::Running);
}

async fn tells_what_happens_in_order(world: &dyn World) {
    let engine = world.engine();
    let mut events = Events::open(engine).await;
    let id = Scene::new(world).run("scout", Does::Wait).await;
    engine.pause(&id).await.unwrap();
    engine.unpause(&id).await.unwrap();
    engine.rename(&id, &world.name("ranger")).await.unwrap();
    engine.stop(&id, GRACE).await.unwrap();
    engine.start(&id).await.unwrap();
    engine.remove(&id).await.unwrap();
    assert_eq!(
        events.until(&id, Kind::Destroyed).await,
        [
            Kind::Started,
            Kind::Paused,
            Kind::Unpaused,
            Kind::Renamed,
            Kind::Died,
            Kind::Started,
            Kind::Died,
            Kind::Destroyed,
        ]
    );
}

/// Whoever opens the stream, lists, and only then reads, must miss nothing.
async fn tells_events_since_the_stream_was_opened(world: &dyn World) {
    let engine = world.engine();
    let mut events = Events::open(engine).await;
    let id = Scene::new(world).run("scout", Does::Crash).await;
    engine.list().await.unwrap();
    assert_eq!(
        events.until(&id, Kind::Died).await,
        [Kind::Started, Kind::Died]
    );
    let mut late = Events::open(engine).await;
    engine.remove(&id).await.unwrap();
    assert_eq!(
        late.until(&id, Kind::Destroyed).await,
        [Kind::Destroyed],
        "nothing from before"
    );
}

async fn tells_how_it_ended(world: &dyn World) {
    let mut events = Events::open(world.engine()).await;
    let id = Scene::new(world).run("scout", Does::Crash).await;
    events.until(&id, Kind::Died).await;
    let ended = world.engine().observe(&id).await.unwrap().unwrap();
    assert_eq!(ended.phase, Phase::Exited);
    assert_eq!(ended.exit_code, Some(3));
    assert!(!ended.oom_killed);
    assert_eq!(ended.error, None);
    assert_eq!(ended.restarts, 0);
}

async fn knows_no_strangers(world: &dyn World) {
    let engine = world.engine();
    for name in ["nobody", "../images/json", "a?force=true", ""] {
        let stranger = ContainerId(name.to_owned());
        assert_eq!(engine.observe(&stranger).await, Ok(None), "{name}");
        assert!(is_not_found(engine.describe(&stranger).await), "{name}");
        assert!(is_not_found(engine.start(&stranger).await), "{name}");
        assert!(is_not_found(engine.stop(&stranger, GRACE).await), "{name}");
        assert!(is_not_found(engine.pause(&stranger).await), "{name}");
        assert!(is_not_found(engine.unpause(&stranger).await), "{name}");
        assert!(is_not_found(engine.rename(&stranger, "x1").await), "{name}");
        assert!(is_not_found(engine.sample(&stranger).await), "{name}");
        assert!(
            is_not_found(engine.connect(&stranger, "bridge", "x").await),
            "{name}"
        );
        assert!(
            is_not_found(engine.disconnect(&stranger, "bridge").await),
            "{name}"
        );
        let lines = engine.logs(&stranger, &last_lines(1)).await;
        assert!(is_not_found(lines.map(|_| ())), "{name}");
        assert_eq!(engine.remove(&stranger).await, Ok(()), "{name}");
        assert_eq!(engine.remove_network(name).await, Ok(()), "{name}");
        assert_eq!(engine.remove_volume(name).await, Ok(()), "{name}");
    }
}

async fn refuses_a_name_that_is_taken(world: &dyn World) {
    let scene = Scene::new(world);
    let spec = world.spec(Does::Wait);
    let id = scene.create("scout", &spec).await.unwrap();
    assert!(is_conflict(scene.create("scout", &spec).await));
    world.engine().remove(&id).await.unwrap();
    scene.create("scout", &spec).await.unwrap();
}

async fn refuses_what_it_cannot_make(world: &dyn World) {
    let scene = Scene::new(world);
    let spec = world.spec(Does::Wait);
    let missing = ImageId(format!("sha256:{}", "0".repeat(64)));
    assert!(is_not_found(
        scene.create_from("scout", &spec, &missing).await
    ));
    assert!(is_refused(scene.create("no name", &spec).await));
    let mut tiny = spec.clone();
    tiny.limits.memory_mb = 1;
    assert!(is_refused(scene.create("tiny", &tiny).await));
    let mut homeless = spec;
    homeless.mounts = vec![volume("data", "/data")];
    assert!(is_refused(scene.create("homeless", &homeless).await));
}

async fn pauses_and_resumes(world: &dyn World) {
    let engine = world.engine();
    let id = Scene::new(world).run("scout", Does::Wait).await;
    engine.pause(&id).await.unwrap();
    assert_eq!(phase(world, &id).await, Some(Phase::Paused));
    assert!(is_conflict(engine.pause(&id).await));
    assert!(is_conflict(engine.start(&id).await));
    engine.unpause(&id).await.unwrap();
    assert_eq!(phase(world, &id).await, Some(Phase::Running));
    assert!(is_conflict(engine.unpause(&id).await));

    engine.pause(&id).await.unwrap();
    engine.stop(&id, GRACE).await.unwrap();
    assert_eq!(phase(world, &id).await, Some(Phase::Exited));
    assert!(is_conflict(engine.pause(&id).await));
}

async fn renames(world: &dyn World) {
    let engine = world.engine();
    let scene = Scene::new(world);
    let spec = world.spec(Does::Wait);
    let scout = scene.create("scout", &spec).await.unwrap();
    let ranger = scene.create("ranger", &spec).await.unwrap();
    assert!(is_conflict(
        engine.rename(&scout, &world.name("ranger")).await
    ));
    engine.rename(&ranger, &world.name("old")).await.unwrap();
    engine.rename(&scout, &world.name("ranger")).await.unwrap();

    let by_name = ContainerId(world.name("ranger"));
    let found = engine.observe(&by_name).await.unwrap().unwrap();
    assert_eq!(found.container, scout);
    assert_eq!(found.name, world.name("ranger"));
    let gone = ContainerId(world.name("scout"));
    assert_eq!(engine.observe(&gone).await, Ok(None));
}

async fn splits_the_log_by_source(world: &dyn World) {
    let engine = world.engine();
    let mut events = Events::open(engine).await;
    let id = Scene::new(world).run("scout", Does::Talk).await;
    events.until(&id, Kind::Died).await;

    let only = |stdout: bool| LogQuery {
        stdout,
        stderr: !stdout,
        ..last_lines(10)
    };
    let out = Lines::open(engine, &id, &only(true)).await.all().await;
    assert_eq!(texts(&out), ["one", "two"]);
    assert!(out.iter().all(|line| line.source == LogSource::Stdout));
    assert!(out[0].at.is_some() && out[0].at <= out[1].at);
    let err = Lines::open(engine, &id, &only(false)).await.all().await;
    assert_eq!(texts(&err), ["oops"]);
    assert_eq!(err[0].source, LogSource::Stderr);

    let since = LogQuery {
        since: out[1].at,
        ..only(true)
    };
    let late = Lines::open(engine, &id, &since).await.all().await;
    assert_eq!(texts(&late), ["two"]);
    let none = Lines::open(engine, &id, &last_lines(0)).await.all().await;
    assert_eq!(none, []);
}

/// Docker counts the tail over both sources: whoever wants 10 lines of stderr must ask for more.
async fn takes_the_tail_before_the_source(world: &dyn World) {
    let engine = world.engine();
    let mut events = Events::open(engine).await;
    let id = Scene::new(world).run("scout", Does::Talk).await;
    events.until(&id, Kind::Died).await;
    let all = Lines::open(engine, &id, &last_lines(3)).await.all().await;
    let before_last = all[1].source;
    let query = LogQuery {
        stdout: before_last == LogSource::Stdout,
        stderr: before_last == LogSource::Stderr,
        ..last_lines(1)
    };
    let expected = usize::from(all[2].source == before_last);
    let last = Lines::open(engine, &id, &query).await.all().await;
    assert_eq!(last.len(), expected);
}

async fn follows_a_log_to_its_end(world: &dyn World) {
    let engine = world.engine();
    let id = Scene::new(world).run("scout", Does::SayBye).await;
    let follow = LogQuery {
        follow: true,
        ..last_lines(10)
    };
    let mut lines = Lines::open(engine, &id, &follow).await;
    assert_eq!(lines.next().await.unwrap().text, "hello");
    engine.stop(&id, GRACE).await.unwrap();
    assert_eq!(lines.next().await.unwrap().text, "bye");
    assert_eq!(lines.next().await, None);
}

async fn ends_following_at_once_if_it_does_not_run(world: &dyn World) {
    let engine = world.engine();
    let mut events = Events::open(engine).await;
    let id = Scene::new(world).run("scout", Does::Talk).await;
    events.until(&id, Kind::Died).await;
    let follow = LogQuery {
        follow: true,
        ..last_lines(10)
    };
    let lines = Lines::open(engine, &id, &follow).await.all().await;
    assert_eq!(lines.len(), 3);
}

async fn makes_a_network_once(world: &dyn World) {
    let engine = world.engine();
    let network = fleet_network(world, "fleet");
    let (first, second) = tokio::join!(
        engine.ensure_network(&network),
        engine.ensure_network(&network)
    );
    first.unwrap();
    second.unwrap();
    engine.ensure_network(&network).await.unwrap();
    engine.remove_network(&network.name).await.unwrap();
    engine.remove_network(&network.name).await.unwrap();
}

async fn keeps_networks_of_others(world: &dyn World) {
    let engine = world.engine();
    let network = fleet_network(world, "fleet");
    engine.ensure_network(&network).await.unwrap();
    let others = NetworkSpec {
        instance: InstanceId("another".to_owned()),
        ..network.clone()
    };
    assert!(is_conflict(engine.ensure_network(&others).await));
    let open = NetworkSpec {
        internal: false,
        ..network
    };
    assert!(is_conflict(engine.ensure_network(&open).await));
}

async fn lists_networks_of_one_instance(world: &dyn World) {
    let engine = world.engine();
    assert_eq!(engine.networks(world.instance()).await.unwrap(), [""; 0]);
    let (away, home) = (fleet_network(world, "away"), fleet_network(world, "home"));
    for network in [&home, &away] {
        engine.ensure_network(network).await.unwrap();
    }
    let listed = engine.networks(world.instance()).await.unwrap();
    assert_eq!(listed, [away.name, home.name]);
    let stranger = InstanceId("another".to_owned());
    assert_eq!(engine.networks(&stranger).await.unwrap(), [""; 0]);
}

async fn joins_and_leaves_networks(world: &dyn World) {
    let engine = world.engine();
    let home = fleet_network(world, "home");
    let away = fleet_network(world, "away");
    engine.ensure_network(&home).await.unwrap();
    let mut scene = Scene::new(world);
    scene.network = Some(home.name.clone());
    let mut spec = world.spec(Does::Wait);
    spec.network = Network::Fleet;
    let id = scene.create("scout", &spec).await.unwrap();
    engine.start(&id).await.unwrap();

    assert!(is_conflict(engine.remove_network(&home.name).await));
    assert!(is_not_found(engine.connect(&id, &away.name, "scout").await));
    engine.ensure_network(&away).await.unwrap();
    engine.connect(&id, &away.name, "scout").await.unwrap();
    engine.connect(&id, &away.name, "scout").await.unwrap();
    engine.disconnect(&id, &home.name).await.unwrap();
    engine.disconnect(&id, &home.name).await.unwrap();
    engine.remove_network(&home.name).await.unwrap();
    assert!(is_conflict(engine.remove_network(&away.name).await));

    let alone = scene
        .create("alone", &world.spec(Does::Wait))
        .await
        .unwrap();
    assert!(is_refused(
        engine.connect(&alone, &away.name, "alone").await
    ));
    let lost = scene.create("lost", &spec).await.unwrap();
    assert!(
        is_not_found(engine.start(&lost).await),
        "its network is gone"
    );
}

fn volume(name: &str, target: &str) -> Mount {
    Mount {
        volume: Some(name.to_owned()),
        host: None,
        target: target.to_owned(),
        read_only: false,
    }
}

fn with_data(world: &dyn World) -> (Scene<'_>, Spec) {
    let mut scene = Scene::new(world);
    scene
        .volumes
        .insert("data".to_owned(), world.name("scout-data"));
    let mut spec = world.spec(Does::Wait);
    spec.mounts = vec![volume("data", "/data")];
    (scene, spec)
}

async fn keeps_volumes(world: &dyn World) {
    let engine = world.engine();
    let (scene, spec) = with_data(world);
    let data = world.name("scout-data");
    let id = scene.create("scout", &spec).await.unwrap();
    assert!(is_conflict(engine.remove_volume(&data).await));
    engine.remove(&id).await.unwrap();

    let ours = engine.volumes(world.instance(), scene.agent).await.unwrap();
    assert_eq!(ours, [data.as_str()]);
    let id = scene.create("scout", &spec).await.unwrap();
    engine.start(&id).await.unwrap();
    engine.remove(&id).await.unwrap();
    engine.remove_volume(&data).await.unwrap();
    engine.remove_volume(&data).await.unwrap();
    let left = engine.volumes(world.instance(), scene.agent).await.unwrap();
    assert!(left.is_empty());
}

async fn keeps_volumes_of_other_agents(world: &dyn World) {
    let engine = world.engine();
    let (mut scene, spec) = with_data(world);
    scene.create("scout", &spec).await.unwrap();
    scene.agent = AgentId(2);
    assert!(is_conflict(scene.create("heir", &spec).await));
    assert_eq!(
        engine.volumes(world.instance(), scene.agent).await,
        Ok(Vec::new())
    );
}

async fn samples_what_runs(world: &dyn World) {
    let engine = world.engine();
    let id = Scene::new(world).run("scout", Does::SayBye).await;
    let first = engine.sample(&id).await.unwrap();
    let second = engine.sample(&id).await.unwrap();
    assert!(first.at < second.at);
    assert!(first.cpu_ns <= second.cpu_ns);
    assert!(first.memory_bytes > 0 && first.memory_bytes <= 32 * 1024 * 1024);
    assert!(first.pids > 0);
    engine.stop(&id, GRACE).await.unwrap();
    assert!(is_conflict(engine.sample(&id).await));
}

/// A spec comes back as it was, but for what stands for nothing outside of Yardarm.
async fn describes_what_it_was_made_from(world: &dyn World) {
    let network = NetworkSpec {
        internal: false,
        ..fleet_network(world, "fleet")
    };
    world.engine().ensure_network(&network).await.unwrap();
    let (mut scene, mut spec) = with_data(world);
    scene.network = Some(network.name);
    spec.env.insert("MODE".to_owned(), "a=b".to_owned());
    spec.tmpfs = vec![Tmpfs {
        target: "/tmp".to_owned(),
        size_mb: 3,
    }];
    spec.network = Network::Fleet;
    spec.ports = vec![port()];
    spec.user = Some("65534:65534".to_owned());
    spec.read_only_root = true;
    spec.health = Some(health_check());
    spec.stop_grace_s = 3;
    spec.privileges.capabilities = vec!["NET_RAW".to_owned()];
    let id = scene.create("scout", &spec).await.unwrap();

    let described = world.engine().describe(&id).await.unwrap();
    assert_eq!(
        described.spec,
        Spec {
            template: None,
            internet: true,
            mounts: vec![volume(&world.name("scout-data"), "/data")],
            ..spec
        }
    );
    assert_eq!(described.unsaid, [""; 0]);
}

async fn knows_images(world: &dyn World) {
    let engine = world.engine();
    let reference = world.image_of(Does::Wait);
    let image = engine.image(&reference).await.unwrap().unwrap();
    assert!(image.id.as_str().starts_with("sha256:"));
    assert_eq!(image.digest, None, "it was never pulled or pushed");
    assert_eq!(
        engine.image(image.id.as_str()).await,
        Ok(Some(image.clone()))
    );
    for nothing in ["yardarm-test/nothing:1", "../containers/json?all=1", ""] {
        assert_eq!(engine.image(nothing).await, Ok(None), "{nothing}");
    }
    assert!(is_not_found(engine.pull("No Reference", &|_| {}).await));
}

fn health_check() -> HealthCheck {
    HealthCheck {
        command: vec!["true".to_owned()],
        interval_s: 1,
        timeout_s: 5,
        retries: 2,
        start_period_s: 1,
    }
}

async fn tells_health(world: &dyn World) {
    let engine = world.engine();
    let mut spec = world.spec(Does::Wait);
    spec.health = Some(health_check());
    let mut events = Events::open(engine).await;
    let id = Scene::new(world).create("scout", &spec).await.unwrap();
    engine.start(&id).await.unwrap();
    let seen = events.until(&id, Kind::HealthChanged).await;
    assert_eq!(seen, [Kind::Started, Kind::HealthChanged]);
    let observed = engine.observe(&id).await.unwrap().unwrap();
    assert_eq!(observed.health, Some(Health::Healthy));
}

fn port() -> Port {
    Port {
        container: 8080,
        host: 0,
        protocol: Protocol::Tcp,
        address: "127.0.0.1".to_owned(),
    }
}

async fn publishes_ports(world: &dyn World) {
    let engine = world.engine();
    let network = NetworkSpec {
        internal: false,
        ..fleet_network(world, "fleet")
    };
    engine.ensure_network(&network).await.unwrap();
    let mut scene = Scene::new(world);
    scene.network = Some(network.name);
    let mut spec = world.spec(Does::Wait);
    spec.network = Network::Fleet;
    spec.ports = vec![port()];
    let id = scene.create("scout", &spec).await.unwrap();
    engine.start(&id).await.unwrap();
    let ports = engine.observe(&id).await.unwrap().unwrap().ports;
    let [shown] = &ports[..] else {
        panic!("not one port: {ports:?}");
    };
    let host = shown
        .strip_prefix("127.0.0.1:")
        .and_then(|rest| rest.strip_suffix(" → 8080"))
        .and_then(|port| port.parse().ok());
    let host: u16 = host.unwrap_or_else(|| panic!("no loopback port: {shown}"));

    spec.ports[0].host = host;
    let second = scene.create("ranger", &spec).await.unwrap();
    assert!(is_refused(engine.start(&second).await), "the port is taken");
    engine.stop(&id, GRACE).await.unwrap();
    assert!(engine.observe(&id).await.unwrap().unwrap().ports.is_empty());
}

async fn refuses_ports_without_a_way_out(world: &dyn World) {
    let network = fleet_network(world, "fleet");
    world.engine().ensure_network(&network).await.unwrap();
    let mut scene = Scene::new(world);
    scene.network = Some(network.name);
    let mut spec = world.spec(Does::Wait);
    spec.network = Network::Fleet;
    spec.ports = vec![port()];
    assert!(is_refused(scene.create("scout", &spec).await));
}

async fn runs_commands_inside(world: &dyn World) {
    let id = Scene::new(world).run("scout", Does::Wait).await;
    let said = exec(world, &id, &["echo", "hello"], GRACE).await.unwrap();
    assert_eq!((said.exit_code, said.output.as_str()), (Some(0), "hello\n"));
    let failed = exec(world, &id, &["cat", "/nowhere"], GRACE).await.unwrap();
    assert_eq!(failed.exit_code, Some(1));
    assert_eq!(
        failed.output, "cat: can't open '/nowhere': No such file or directory\n",
        "what it says on stderr counts, too"
    );
    let missing = exec(world, &id, &["no-such-program"], GRACE).await.unwrap();
    assert!(matches!(missing.exit_code, Some(126 | 127)), "{missing:?}");
    // It is cut off, and what comes after it is not held up.
    let endless = exec(world, &id, &["sleep", "600"], Duration::from_secs(1)).await;
    assert_eq!(endless.unwrap().exit_code, None);
    let next = exec(world, &id, &["true"], GRACE).await.unwrap();
    assert_eq!(next.exit_code, Some(0));
}

async fn runs_no_commands_in_what_does_not_run(world: &dyn World) {
    let engine = world.engine();
    let id = Scene::new(world)
        .create("scout", &world.spec(Does::Wait))
        .await
        .unwrap();
    assert!(is_conflict(exec(world, &id, &["true"], GRACE).await));
    engine.start(&id).await.unwrap();
    engine.pause(&id).await.unwrap();
    assert!(is_conflict(exec(world, &id, &["true"], GRACE).await));
    engine.remove(&id).await.unwrap();
    assert!(is_not_found(exec(world, &id, &["true"], GRACE).await));
}

async fn reached(world: &dyn World, id: &ContainerId) -> usize {
    let observed = world.engine().observe(id).await.unwrap();
    observed.unwrap().addresses.len()
}

async fn tells_where_it_is_reached(world: &dyn World) {
    let engine = world.engine();
    let alone = Scene::new(world).run("alone", Does::Wait).await;
    assert_eq!(reached(world, &alone).await, 0);

    let network = fleet_network(world, "fleet");
    engine.ensure_network(&network).await.unwrap();
    let mut scene = Scene::new(world);
    scene.network = Some(network.name.clone());
    let mut spec = world.spec(Does::Wait);
    spec.network = Network::Fleet;
    let id = scene.create("scout", &spec).await.unwrap();
    assert_eq!(reached(world, &id).await, 0);
    engine.start(&id).await.unwrap();
    assert_eq!(reached(world, &id).await, 1);
    engine.stop(&id, GRACE).await.unwrap();
    assert_eq!(reached(world, &id).await, 0);
}
