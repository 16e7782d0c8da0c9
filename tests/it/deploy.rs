//! `/deploy` when nothing has to be asked: what it makes, and what it refuses.

use yardarm::{
    domain::{agent::State, ids::InstanceId},
    engine::{Engine as _, LogSource, NetworkSpec},
};

use crate::support::{
    fake_engine::{Behaviour, HALF_WAY},
    test_app::TestApp,
};

const GREETER: &str = r#"{
    "description": "greets", "image": "demo:1", "command": ["greet", "{{word}}"],
    "env": { "EVERY": "{{every}}", "TONE": "{{tone}}", "LOUD": "{{loud}}" },
    "parameters": [
        { "name": "word", "type": "string", "description": "what to say", "default": "hi" },
        { "name": "every", "type": "integer", "description": "seconds", "default": 5, "min": 1, "max": 60 },
        { "name": "tone", "type": "choice", "description": "how", "choices": ["warm", "cold"], "default": "warm" },
        { "name": "loud", "type": "boolean", "description": "shout", "default": false }
    ]
}"#;

async fn greeter() -> TestApp {
    let test = TestApp::prepare(&[]).await;
    test.write_template("greeter", GREETER);
    started(test).await
}

async fn started(mut test: TestApp) -> TestApp {
    test.up().await;
    test
}

#[tokio::test]
async fn arguments_are_given_by_set() {
    let test = greeter().await;
    test.done(r#"deploy template:greeter name:scout set:'word="good morning" every=7 tone=cold loud=yes memory_mb=64'"#)
        .await;
    let spec = test.engine.spec_of("yardarm-scout");
    assert_eq!(spec.command, ["greet", "good morning"]);
    assert_eq!(spec.limits.memory_mb, 64);
    let env: Vec<String> = spec
        .env
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(env, ["EVERY=7", "LOUD=true", "TONE=cold"]);
    test.finish().await;
}

const MISFITS: [&str; 12] = [
    r#"word="good morning"#,
    "loud",
    "wrod=hi",
    "every=soon",
    "every=61",
    "tone=wram",
    "loud=perhaps",
    "memory_mb=5",
    "cpus=1000",
    "pids=0",
    "every=0 tone=x",
    "`@everyone`",
];

#[tokio::test]
async fn a_set_that_does_not_fit_is_explained() {
    let test = greeter().await;
    let mut said = Vec::new();
    for set in MISFITS {
        let command = test
            .olga()
            .slash("deploy")
            .option("template", "greeter")
            .option("set", set);
        let reply = command.send().await.unwrap();
        said.push(format!("{set}\n{}", test.refusal(&reply).await));
    }
    insta::assert_snapshot!(said.join("\n\n"), @r#"
    word="good morning
    A quote in `set:` is not closed. Write `key=value other="two words"`.

    loud
    `loud` is no `key=value`. Write `key=value other="two words"`.

    wrod=hi
    `wrod`: template `greeter` has no such parameter
    hint: did you mean `word`?

    every=soon
    every: `soon` does not fit
    hint: use an integer from 1 to 60

    every=61
    every: `61` does not fit
    hint: use an integer from 1 to 60

    tone=wram
    tone: `wram` does not fit
    hint: did you mean `warm`?

    loud=perhaps
    loud: `perhaps` does not fit
    hint: use `true` or `false`

    memory_mb=5
    memory_mb: `5` is no limit that can be set
    hint: use 6 to 1048576

    cpus=1000
    cpus: `1000` is no limit that can be set
    hint: use 0.01 to 512

    pids=0
    pids: `0` is no limit that can be set
    hint: use 1 to 65536

    every=0 tone=x
    every: `0` does not fit
    hint: use an integer from 1 to 60
    tone: `x` does not fit
    hint: use one of `warm`, `cold`

    `@everyone`
    `'@everyone'` is no `key=value`. Write `key=value other="two words"`.
    "#);
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn a_name_docker_would_refuse_or_that_is_taken() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    let mut said = Vec::new();
    for name in [
        "scout",
        "Scout",
        "-scout",
        "scout.1",
        "`@everyone`",
        &"x".repeat(33),
    ] {
        said.push(
            test.refused(&format!("deploy template:demo name:{name}"))
                .await,
        );
    }
    insta::assert_snapshot!(said.join("\n"), @"
    `scout` is taken. Choose another name, or `/redeploy agent:scout`.
    `Scout` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit.
    `-scout` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit.
    `scout.1` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit.
    `�@everyone�` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit.
    `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit.
    ");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn beside_another_yardarm_on_its_engine_it_says_what_to_do() {
    let test = TestApp::start().await;
    let others = NetworkSpec {
        name: "yardarm-main".to_owned(),
        instance: InstanceId("another".to_owned()),
        internal: false,
    };
    test.engine.ensure_network(&others).await.unwrap();
    insta::assert_snapshot!(test.done("deploy template:demo name:scout").await, @"
    ❌ deploy `scout`: failed after 0.0 s
    Docker will not have it: network `yardarm-main` is there and another one. If it is another Yardarm's, give this one a `docker.name_prefix` of its own; if it is left from one before, `docker network rm yardarm-main` on the host. Nothing of it is left.
    -# action 1 · by <@olga>
    ");
    test.finish().await;
}

#[tokio::test]
async fn a_container_of_somebody_else_that_bears_the_name_is_left_alone() {
    let test = TestApp::start().await;
    test.engine.foreign("yardarm-scout");
    test.engine.forget_calls();
    insta::assert_snapshot!(test.done("deploy template:demo name:scout").await, @r#"
    ❌ deploy `scout`: failed after 0.0 s
    Docker will not have it: The container name "/yardarm-scout" is already in use. If the container `yardarm-scout` is not ours, `/adopt` or rename it. Nothing of it is left.
    -# action 1 · by <@olga>
    "#);
    assert_eq!(test.engine.names(), ["yardarm-scout"]);
    assert_eq!(
        test.refused("status agent:scout").await,
        "There is no agent `scout`. `/deploy` makes the first one."
    );
    test.finish().await;
}

#[tokio::test]
async fn the_name_is_the_templates_if_left_out() {
    let test = TestApp::start().await;
    test.done("deploy template:demo").await;
    assert_eq!(test.state("demo"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn an_image_that_is_not_here_is_pulled() {
    let test = TestApp::start().await;
    test.engine.add_remote_image("far/away:1");
    test.write_template("far", r#"{ "description": "far", "image": "far/away:1" }"#);
    test.done("reload").await;
    test.done("deploy template:far name:one").await;
    assert_eq!(test.state("one"), State::Running);
    test.engine.forget_calls();
    test.done("deploy template:far name:two").await;
    assert!(!test.engine.calls().contains(&"pull far/away:1".to_owned()));
    test.done("deploy template:far name:three pull:true").await;
    assert!(test.engine.calls().contains(&"pull far/away:1".to_owned()));
    test.finish().await;
}

#[tokio::test]
async fn no_registry_is_asked_for_an_image_that_the_host_makes() {
    let test = TestApp::start().await;
    // A stranger took the name.
    test.engine.add_remote_image("yardarm/own:1");
    let own = r#"{ "description": "own", "image": "yardarm/own:1", "build": "make own" }"#;
    test.write_template("own", own);
    test.done("reload").await;
    insta::assert_snapshot!(test.done("deploy template:own").await, @"
    ❌ deploy `own`: failed after 0.0 s
    The image `yardarm/own:1` is not on this host, and no registry is asked for it. On the host, in the folder of Yardarm's sources, this makes it: `make own`. Nothing of it is left.
    -# action 2 · by <@olga>
    ");
    test.engine.add_image("yardarm/own:1");
    test.done("deploy template:own pull:true").await;
    assert_eq!(test.state("own"), State::Running);
    let asked = |call: &String| call.starts_with("pull") || call.starts_with("resolve");
    assert_eq!(test.engine.calls().into_iter().find(asked), None);
    test.finish().await;
}

#[tokio::test]
async fn a_pull_shows_how_far_it_is() {
    let test = TestApp::start().await;
    test.engine.add_remote_image("far/away:1");
    test.write_template("far", r#"{ "description": "far", "image": "far/away:1" }"#);
    test.done("reload").await;
    test.engine.hold(HALF_WAY);
    let reply = test.send("deploy template:far name:scout").await;
    let reply = reply.until_text("pulling 50 %").await.unwrap();
    insta::assert_snapshot!(test.said(&reply.text()), @"
    ⏳ deploy `scout`: pulling 50 %
    -# action 2 · by <@olga>
    ");
    test.engine.release(HALF_WAY);
    assert!(test.end_of(&reply).await.contains("running after"));
    test.finish().await;
}

#[tokio::test]
async fn an_image_that_does_not_exist_leaves_nothing_behind() {
    let test = TestApp::start().await;
    test.write_template(
        "lost",
        r#"{ "description": "lost", "image": "no/such:image" }"#,
    );
    test.done("reload").await;
    insta::assert_snapshot!(test.done("deploy template:lost name:scout").await, @"
    ❌ deploy `scout`: failed after 0.0 s
    There is no image `no/such:image` that this host may pull (manifest for no/such:image not found: manifest unknown). Check its name, or log the host in to its registry. Nothing of it is left.
    -# action 2 · by <@olga>
    ");
    assert_eq!(test.engine.names(), [""; 0]);
    insta::assert_snapshot!(test.done("status").await, @"
    No agents yet. `/deploy` makes the first one.
    All fleets
    Host: …
    ");
    test.deploy("scout").await;
    test.finish().await;
}

#[tokio::test]
async fn a_container_that_ends_at_once_is_told_with_its_last_words() {
    let test = TestApp::start().await;
    test.engine.behaves(
        "demo:1",
        Behaviour {
            crash: Some(78),
            says: vec![
                (LogSource::Stderr, "no config"),
                (LogSource::Stderr, "giving up"),
            ],
            ..Behaviour::default()
        },
    );
    insta::assert_snapshot!(test.done("deploy template:demo name:scout").await, @"
    ❌ deploy `scout`: failed after 0.0 s
    The new container ended at once: exit code 78. Nothing of it is left.
    ```
    no config
    giving up
    ```
    -# action 1 · by <@olga>
    ");
    assert_eq!(test.engine.names(), [""; 0]);
    assert!(test.ops().roster.view("scout").is_none());
    test.finish().await;
}

#[tokio::test]
async fn progress_shows_in_the_one_message() {
    let test = TestApp::start().await;
    test.engine.hold("create");
    let reply = test
        .send("deploy template:demo name:scout reason:trial")
        .await;
    let reply = reply.until_text("creating").await.unwrap();
    insta::assert_snapshot!(test.said(&reply.text()), @"
    ⏳ deploy `scout`: creating
    -# action 1 · by <@olga>, because: trial
    ");
    let status = test.done("status").await;
    assert!(status.contains("⏳ `scout` changing (deploy)"), "{status}");
    test.engine.release("create");
    insta::assert_snapshot!(test.end_of(&reply).await, @"
    ✅ deploy `scout`: running after 0.0 s
    -# action 1 · by <@olga>, because: trial
    ");
    assert_eq!(
        test.seen()
            .iter()
            .filter(|text| text.contains("scout` running after") || text.contains("deploy `scout`"))
            .count(),
        1
    );
    test.finish().await;
}

#[tokio::test]
async fn a_fleet_alone_starts_what_is_stopped_in_it() {
    let test = TestApp::start().await;
    for name in ["one", "two", "three"] {
        test.deploy(name).await;
    }
    test.done("stop agent:one").await;
    test.engine.forget_calls();
    insta::assert_snapshot!(test.done("deploy fleet:main").await, @"
    ✅ start `one`: running after 0.0 s
    -# action 5 · by <@olga>
    ");
    assert_eq!(test.engine.changes(), ["start yardarm-one"]);

    for name in ["one", "two"] {
        test.done(&format!("stop agent:{name}")).await;
    }
    let card = test.send("deploy fleet:main").await;
    card.until_text("running after").await.unwrap();
    test.until(|ops| {
        ops.roster
            .read(|board| board.views().all(|view| view.state == State::Running))
    })
    .await;
    test.finish().await;
}

#[tokio::test]
async fn what_the_settings_do_not_permit_is_refused_by_name() {
    let test = TestApp::start().await;
    test.write_template(
        "greedy",
        r#"{ "description": "wants all", "image": "demo:1", "network": "host",
             "mounts": [{ "host": "/var/run/docker.sock", "target": "/var/run/docker.sock" }, { "host": "/etc", "target": "/etc" }],
             "privileges": { "privileged": true, "capabilities": ["SYS_ADMIN"], "devices": ["/dev/kvm"] } }"#,
    );
    test.done("reload").await;
    insta::assert_snapshot!(test.refused("deploy template:greedy").await, @"The settings do not permit this: privileged is not allowed (`docker.allow.privileged`); host_network is not allowed (`docker.allow.host_network`); capability `SYS_ADMIN` is not among `docker.allow.capabilities`; device `/dev/kvm` is not among `docker.allow.devices`; the Docker socket is not allowed (`docker.allow.docker_socket`); mount `/etc` is not below any of `docker.allow.mounts`.");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_and_not_repeated() {
    let test = TestApp::start().await;
    test.engine.lose_answer_of("create");
    test.engine.lose_answer_of("start");
    test.deploy("scout").await;
    let creates = test
        .engine
        .changes()
        .iter()
        .filter(|call| call.starts_with("create"))
        .count();
    assert_eq!(creates, 1);
    assert_eq!(test.engine.names(), ["yardarm-scout"]);
    test.finish().await;
}
