//! What only real Docker can show: hardening, strangers, memory, terminals, and a daemon that comes and goes.

use std::{os::unix::fs::symlink, time::Duration};

use futures::future::pending;
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use yardarm::{
    domain::{
        address::BadAddress,
        ids::ContainerId,
        spec::{HealthCheck, Limits, Mount, Network, Port, Privileges, Protocol, Spec, Tmpfs},
    },
    engine::{
        Engine as _, EngineError, EngineEventKind as Kind, LogQuery, NetworkSpec,
        docker::{Deadlines, Docker},
    },
};

use crate::support::{
    docker_host::{DockerHost, docker, try_docker},
    scene::{Does, Events, Lines, Scene, World as _, last_lines, plain_spec, texts},
};

const SOCKET: &str = "/var/run/docker.sock";

/// Runs a script to its end and returns what it said.
async fn output_of(host: &DockerHost, scene: &Scene<'_>, spec: &Spec) -> Vec<String> {
    let mut events = Events::open(host.engine()).await;
    let id = scene.create("scout", spec).await.unwrap();
    host.engine().start(&id).await.unwrap();
    events.until(&id, Kind::Died).await;
    let lines = Lines::open(host.engine(), &id, &last_lines(100)).await;
    lines
        .all()
        .await
        .into_iter()
        .map(|line| line.text)
        .collect()
}

/// As Yardarm's own container does.
#[tokio::test]
async fn a_container_that_joins_a_fleets_network_reaches_its_agents() {
    let host = DockerHost::new().await;
    let engine = host.engine();
    let network = NetworkSpec {
        name: host.name("fleet"),
        instance: host.instance().clone(),
        internal: true,
    };
    engine.ensure_network(&network).await.unwrap();
    let mut scene = Scene::new(&host);
    scene.network = Some(network.name.clone());
    let mut spec = host.shell("while :; do echo hello | busybox nc -l -p 8080; done");
    spec.network = Network::Fleet;
    let agent = scene.create("scout", &spec).await.unwrap();
    engine.start(&agent).await.unwrap();
    let seen = engine.observe(&agent).await.unwrap().unwrap();
    let address = seen.addresses[0].to_string();

    let name = host.run_foreign("yardarm", &[], &[]);
    let own = ContainerId(docker(&["inspect", "--format", "{{.Id}}", &name]));
    let mounts = docker(&["exec", &name, "cat", "/proc/self/mountinfo"]);
    assert_eq!(host.container_of(&mounts).await, Some(own.clone()));
    let reaches = || {
        let asked = try_docker(&["exec", &name, "busybox", "nc", "-w", "2", &address, "8080"]);
        String::from_utf8_lossy(&asked.stdout).trim() == "hello"
    };
    assert!(!reaches(), "it is no part of the fleet yet");
    engine.connect(&own, &network.name, "own").await.unwrap();
    assert!(reaches());
    engine.remove(&agent).await.unwrap();
    engine.disconnect(&own, &network.name).await.unwrap();
    engine.remove_network(&network.name).await.unwrap();
}

#[tokio::test]
async fn a_command_that_never_ends_is_begun_once() {
    let host = DockerHost::new().await;
    let scene = Scene::new(&host);
    let id = scene.run("scout", Does::Wait).await;
    let endless = ["sleep", "3597"].map(str::to_owned);
    for _ in 0..3 {
        let asked = host.engine().exec(&id, &endless, Duration::from_secs(1));
        assert_eq!(asked.await.unwrap().exit_code, None);
    }
    let processes = docker(&["top", id.as_str(), "-o", "pid,args"]);
    assert_eq!(processes.matches("sleep 3597").count(), 1, "{processes}");
    // What has ended is begun anew.
    let soon = ["sh", "-c", "exit 3"].map(str::to_owned);
    for _ in 0..2 {
        let asked = host.engine().exec(&id, &soon, Duration::from_secs(9));
        assert_eq!(asked.await.unwrap().exit_code, Some(3));
    }
}

#[tokio::test]
async fn a_process_outside_of_containers_has_none() {
    let host = DockerHost::new().await;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let own = host.container_of(&mounts).await;
    assert_eq!(host.engine().own_container().await.unwrap(), own);
    let name = host.run_foreign("shared", &["--network", "host"], &[]);
    let mounts = docker(&["exec", &name, "cat", "/proc/self/mountinfo"]);
    assert_eq!(host.container_of(&mounts).await, None);
}

#[tokio::test]
async fn confines_an_agent() {
    let host = DockerHost::new().await;
    let mut spec = host.shell(
        "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status | tr '\\t' ' '
         id -u; cat /proc/1/comm
         touch /here 2>/dev/null || echo the root is read-only
         printf '#!/bin/sh\\necho scripts in /tmp run\\n' > /tmp/script
         /bin/sh -c '. /tmp/script'
         echo $MODE $TOKEN",
    );
    spec.user = Some("65534:65534".to_owned());
    spec.read_only_root = true;
    spec.tmpfs = vec![Tmpfs {
        target: "/tmp".to_owned(),
        size_mb: 1,
    }];
    spec.env.insert("MODE".to_owned(), "plain".to_owned());
    spec.secrets = vec!["TOKEN".to_owned()];
    let mut scene = Scene::new(&host);
    scene
        .secrets
        .insert("TOKEN".to_owned(), SecretString::from("s3cret"));
    assert_eq!(
        output_of(&host, &scene, &spec).await,
        [
            "CapEff: 0000000000000000",
            "NoNewPrivs: 1",
            "65534",
            "docker-init",
            "the root is read-only",
            "scripts in /tmp run",
            "plain s3cret",
        ]
    );
}

#[tokio::test]
async fn sets_every_limit() {
    let host = DockerHost::new().await;
    let id = Scene::new(&host)
        .create("scout", &host.spec(Does::Wait))
        .await
        .unwrap();
    let template = "{{with .HostConfig}}{{.Memory}} {{.MemorySwap}} {{.NanoCpus}} {{.PidsLimit}} \
        {{.RestartPolicy.Name}} {{.LogConfig.Type}} {{index .LogConfig.Config \"max-size\"}} \
        {{index .LogConfig.Config \"max-file\"}} {{.NetworkMode}} {{.Privileged}} {{.CapDrop}} \
        {{.SecurityOpt}}{{end}}";
    assert_eq!(
        docker(&["inspect", "--format", template, id.as_str()]),
        "33554432 33554432 500000000 64 no json-file 10m 3 none false [ALL] [no-new-privileges:true]"
    );
}

#[tokio::test]
async fn grants_what_the_spec_asks_for() {
    let host = DockerHost::new().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("note"), "from the host").unwrap();
    let mut spec = host.shell(
        "cat /mnt/note; echo; touch /mnt/x 2>/dev/null || echo read-only
         grep CapEff /proc/self/status | tr '\\t' ' '",
    );
    spec.mounts = vec![Mount {
        volume: None,
        host: Some(folder.path().to_str().unwrap().to_owned()),
        target: "/mnt".to_owned(),
        read_only: true,
    }];
    spec.privileges.capabilities = vec!["CHOWN".to_owned()];
    spec.privileges.devices = vec!["/dev/null".to_owned()];
    spec.privileges.host_pid = true;
    spec.privileges.host_ipc = true;
    spec.network = Network::Host;
    let scene = Scene::new(&host);
    assert_eq!(
        output_of(&host, &scene, &spec).await,
        ["from the host", "read-only", "CapEff: 0000000000000001"]
    );
    let template = "{{with .HostConfig}}{{.NetworkMode}} {{.PidMode}} {{.IpcMode}} \
        {{(index .Devices 0).PathOnHost}}{{end}}";
    assert_eq!(
        docker(&["inspect", "--format", template, &host.name("scout")]),
        "host host host /dev/null"
    );
}

#[tokio::test]
async fn a_missing_folder_is_refused_and_not_made() {
    let host = DockerHost::new().await;
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let mut spec = host.spec(Does::Wait);
    spec.mounts = vec![Mount {
        volume: None,
        host: Some(missing.to_str().unwrap().to_owned()),
        target: "/mnt".to_owned(),
        read_only: false,
    }];
    let refused = Scene::new(&host).create("scout", &spec).await.unwrap_err();
    assert!(matches!(refused, EngineError::Refused(_)), "{refused}");
    assert!(!missing.exists());
}

#[tokio::test]
async fn a_user_that_is_not_there_is_refused_at_the_start() {
    let host = DockerHost::new().await;
    let mut spec = host.spec(Does::Wait);
    spec.user = Some("nobody-here".to_owned());
    let id = Scene::new(&host).create("scout", &spec).await.unwrap();
    let refused = host.engine().start(&id).await.unwrap_err();
    assert!(
        matches!(&refused, EngineError::Refused(words) if words.contains("nobody-here")),
        "{refused}"
    );
    let observed = host.engine().observe(&id).await.unwrap().unwrap();
    assert!(observed.error.unwrap().contains("nobody-here"));
}

/// The engine starts its `init` and is content; why the command is not there stands in the log.
#[tokio::test]
async fn a_command_that_is_not_there_dies_at_once() {
    let host = DockerHost::new().await;
    let mut spec = host.spec(Does::Wait);
    spec.command = vec!["/bin/nothing".to_owned()];
    let said = output_of(&host, &Scene::new(&host), &spec).await;
    assert!(said.concat().contains("/bin/nothing"), "{said:?}");
    let id = ContainerId(host.name("scout"));
    let observed = host.engine().observe(&id).await.unwrap().unwrap();
    assert_eq!(observed.exit_code, Some(127));
}

#[tokio::test]
async fn tells_memory_from_a_kill() {
    let host = DockerHost::new().await;
    let engine = host.engine();
    let mut events = Events::open(engine).await;
    let scene = Scene::new(&host);
    let mut spec = host.shell("tail /dev/zero");
    spec.limits.memory_mb = 8;
    let greedy = scene.create("greedy", &spec).await.unwrap();
    engine.start(&greedy).await.unwrap();
    let mut seen = events.until(&greedy, Kind::Died).await;
    // The kernel notifies of one kill twice now and then, and Docker passes both on.
    seen.dedup();
    assert_eq!(seen, [Kind::Started, Kind::OutOfMemory, Kind::Died]);
    assert!(engine.observe(&greedy).await.unwrap().unwrap().oom_killed);

    let killed = scene.run("killed", Does::Wait).await;
    docker(&["kill", killed.as_str()]);
    events.until(&killed, Kind::Died).await;
    let observed = engine.observe(&killed).await.unwrap().unwrap();
    assert_eq!(observed.exit_code, Some(137));
    assert!(!observed.oom_killed);
}

#[tokio::test]
async fn kills_what_does_not_stop() {
    let host = DockerHost::new().await;
    let spec = host.shell("trap '' TERM; echo ready; while :; do sleep 1; done");
    let id = Scene::new(&host).create("scout", &spec).await.unwrap();
    host.engine().start(&id).await.unwrap();
    let follow = LogQuery {
        follow: true,
        ..last_lines(1)
    };
    let mut lines = Lines::open(host.engine(), &id, &follow).await;
    assert_eq!(lines.next().await.unwrap().text, "ready");
    let grace = Duration::from_millis(300);
    host.engine().stop(&id, grace).await.unwrap();
    let observed = host.engine().observe(&id).await.unwrap().unwrap();
    assert_eq!(observed.exit_code, Some(137));
}

#[tokio::test]
async fn reads_long_lines_and_broken_ones() {
    let host = DockerHost::new().await;
    let spec = host.shell(
        "head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'bad \\377 byte\\r\\n'; printf 'no end'",
    );
    let read = output_of(&host, &Scene::new(&host), &spec).await;
    let [long, bad, open] = &read[..] else {
        panic!("not three lines: {}", read.len());
    };
    assert_eq!(*long, format!("{} […]", "x".repeat(16 * 1024)));
    assert_eq!(bad, "bad \u{fffd} byte");
    assert_eq!(open, "no end");
}

#[tokio::test]
async fn reads_a_terminal() {
    let host = DockerHost::new().await;
    let engine = host.engine();
    let mut events = Events::open(engine).await;
    let name = host.run_foreign("tty", &["--tty"], &["sh", "-c", "echo one; echo two"]);
    let id = ContainerId(name);
    let observed = engine.observe(&id).await.unwrap().unwrap();
    events.until(&observed.container, Kind::Died).await;
    let lines = Lines::open(engine, &id, &last_lines(10)).await.all().await;
    assert_eq!(texts(&lines), ["one", "two"]);
    assert!(lines.iter().all(|line| line.at.is_some()));
}

fn run_stranger(host: &DockerHost) -> ContainerId {
    let name = host.run_foreign(
        "postgres",
        &[
            "--env=MODE=prod",
            "--volume=/data",
            "--tmpfs=/scratch:size=2g",
            "--publish=127.0.0.1::5432/udp",
            "--cpu-quota=150000",
            "--health-cmd=true",
            "--restart=always",
            "--workdir=/bin",
            "--hostname=db",
            "--cap-add=SYS_TIME",
        ],
        &["sleep", "3600"],
    );
    ContainerId(name)
}

#[tokio::test]
async fn describes_a_stranger() {
    let host = DockerHost::new().await;
    let id = run_stranger(&host);
    let described = host.engine().describe(&id).await.unwrap();
    let volume = described.spec.mounts[0].volume.clone();
    assert!(volume.is_some(), "a nameless one has a name, too");
    let expected = Spec {
        template: None,
        command: ["sleep", "3600"].map(str::to_owned).to_vec(),
        env: [("MODE".to_owned(), "prod".to_owned())].into(),
        // None of its limits but one.
        limits: Limits {
            memory_mb: 0,
            cpus: 1.5,
            pids: 0,
        },
        mounts: vec![Mount {
            volume,
            host: None,
            target: "/data".to_owned(),
            read_only: false,
        }],
        tmpfs: vec![Tmpfs {
            target: "/scratch".to_owned(),
            size_mb: 2048,
        }],
        ports: vec![Port {
            container: 5432,
            host: 0,
            protocol: Protocol::Udp,
            address: "127.0.0.1".to_owned(),
        }],
        network: Network::Fleet,
        internet: true,
        health: Some(HealthCheck {
            command: ["/bin/sh", "-c", "true"].map(str::to_owned).to_vec(),
            interval_s: 30,
            timeout_s: 30,
            retries: 3,
            start_period_s: 0,
        }),
        privileges: Privileges {
            capabilities: vec!["SYS_TIME".to_owned()],
            ..Privileges::default()
        },
        ..plain_spec("yardarm-test/busybox:latest")
    };
    assert_eq!(described.spec, expected);
    assert_eq!(
        described.unsaid,
        [
            "working folder `/bin`",
            "host name `db`",
            "1 labels",
            "Docker's restart policy",
            "Docker's default capabilities",
        ]
    );
}

#[tokio::test]
async fn lists_a_stranger_without_labels() {
    let host = DockerHost::new().await;
    let name = host.run_foreign("postgres", &[], &["sleep", "3600"]);
    let listed = host.engine().list().await.unwrap();
    let listed = listed.iter().find(|listed| listed.name == name).unwrap();
    assert_eq!(listed.labels, None);
    assert_eq!(listed.image, "yardarm-test/busybox:latest");
}

fn has_volume(name: &str) -> bool {
    let filter = format!("name={name}");
    !docker(&["volume", "ls", "--quiet", "--filter", &filter]).is_empty()
}

/// The data of what we adopted are in volumes without a name as often as not.
#[tokio::test]
async fn keeps_the_nameless_volumes_of_strangers() {
    let host = DockerHost::new().await;
    let name = host.run_foreign("postgres", &["--volume=/data"], &["sleep", "3600"]);
    let id = ContainerId(name);
    let described = host.engine().describe(&id).await.unwrap();
    let volume = described.spec.mounts[0].volume.clone().unwrap();
    let mut scene = Scene::new(&host);
    scene.volumes.insert(volume.clone(), volume.clone());
    let mut spec = host.spec(Does::Wait);
    spec.mounts = described.spec.mounts;

    host.engine().remove(&id).await.unwrap();
    let kept_by_stranger = has_volume(&volume);
    let heir = scene.create("heir", &spec).await.unwrap();
    host.engine().remove(&heir).await.unwrap();
    let kept_by_heir = has_volume(&volume);
    docker(&["volume", "rm", "--force", &volume]);
    assert!(kept_by_stranger && kept_by_heir);
}

#[tokio::test]
async fn finds_a_daemon_that_comes_and_goes() {
    let _host = DockerHost::new().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let address = format!("unix://{}", socket.display());
    let engine = Docker::new(Some(&address), Deadlines::default()).unwrap();
    for _ in 0..2 {
        let away = engine.about().await.unwrap_err();
        assert!(matches!(away, EngineError::Unreachable(_)), "{away}");
        assert!(!away.outcome_is_unknown());
        symlink(SOCKET, &socket).unwrap();
        engine.about().await.unwrap();
        std::fs::remove_file(&socket).unwrap();
    }
    // A socket that nobody listens on any more.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let refused = engine.list().await.unwrap_err();
    assert!(matches!(refused, EngineError::Unreachable(_)), "{refused}");
}

/// An engine at a port of ours, with a short deadline.
async fn strange_engine() -> (TcpListener, Docker) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let deadlines = Deadlines {
        answer: Duration::from_millis(200),
        ..Deadlines::default()
    };
    (listener, Docker::new(Some(&address), deadlines).unwrap())
}

/// A request without its body.
async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

#[tokio::test]
async fn gives_up_on_a_daemon_that_does_not_answer() {
    let (_listener, engine) = strange_engine().await;
    let late = engine.list().await.unwrap_err();
    assert_eq!(
        late,
        EngineError::TimedOut {
            what: "list",
            after: Duration::from_millis(200)
        }
    );
    assert!(late.outcome_is_unknown());
}

#[tokio::test]
async fn an_answer_nobody_understands_is_lost() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ApiVer",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let (listener, engine) = strange_engine().await;
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            drop(stream);
            pending::<()>().await;
        };
        let result = tokio::select! {
            result = engine.list() => result,
            () = serve => unreachable!(),
        };
        assert!(
            matches!(result, Err(EngineError::Lost(_))),
            "{answer}: {result:?}"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_finds_no_daemon_says_so() {
    let (listener, engine) = strange_engine().await;
    let serve = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_head(&mut stream).await;
            let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    };
    let result = tokio::select! {
        result = engine.list() => result,
        () = serve => unreachable!(),
    };
    assert!(matches!(result, Err(EngineError::Unreachable(_))));
}

#[test]
fn refuses_an_address_it_cannot_use() {
    let refused = Docker::new(Some("ssh://host:2222"), Deadlines::default()).unwrap_err();
    assert_eq!(refused, BadAddress("ssh://host:2222".to_owned()));
}
