//! Secrets on real Docker, by the real program: who can read them, and that nothing else ever holds them.

use std::process::Output;

use localcord::Reply;

use crate::support::{
    docker_host::{IMAGE, docker, try_docker},
    program::Program,
    test_app::TestApp,
};

const IN_FILE: &str = "planted-in-a-file-7d2b";
const IN_ENV: &str = "planted-in-env-5e9a";

/// A shell that is given both kinds, as user 1000.
fn write_template(program: &Program, name: &str, script: &str) {
    let template = serde_json::json!({
        "description": "a shell with secrets",
        "image": IMAGE,
        "command": ["sh", "-c", script],
        "secrets": [{ "name": "FILE_KEY" }, { "name": "ENV_KEY", "as": "env" }],
        "network": "none",
        "user": "1000:1000",
        "read_only_root": true,
        "stop_grace_s": 1,
    });
    let path = program.path("agents").join(format!("{name}.json"));
    std::fs::write(path, template.to_string()).unwrap();
}

async fn set(program: &Program, name: &str, value: &str) {
    let slash = program.olga().slash("secret set").option("name", name);
    let form = slash.option("all", true).send().await.unwrap();
    let form = form.modal().unwrap().fill("value", value);
    let asked = form.submit().await.unwrap();
    asked.until_text("?").await.unwrap();
    let confirmed = TestApp::confirm(&asked, "Secret set").await;
    confirmed.until_text("done").await.unwrap();
}

async fn ended(reply: &Reply) -> String {
    let is_final = |text: &str| text.starts_with(['✅', '❌']);
    reply.until(is_final).await.unwrap().text()
}

/// Makes a copy of the database as people do, and returns what is in it.
async fn backup(program: &Program) -> Vec<u8> {
    let asked = program.olga().slash("backup").send().await.unwrap();
    let said = ended(&asked).await;
    assert!(said.starts_with('✅'), "{said}");
    let mut copies = std::fs::read_dir(program.path("backups")).unwrap();
    std::fs::read(copies.next().unwrap().unwrap().path()).unwrap()
}

fn assert_unplanted(place: &str, bytes: &[u8]) {
    for value in [IN_FILE, IN_ENV] {
        let found = bytes
            .windows(value.len())
            .any(|window| window == value.as_bytes());
        assert!(!found, "`{value}` is in {place}");
    }
}

fn exec(container: &str, user: &str, command: &[&str]) -> Output {
    try_docker(&[&["exec", "--user", user, container], command].concat())
}

fn assert_only_its_user_reads(container: &str) {
    let read = |user: &str| exec(container, user, &["cat", "/run/secrets/FILE_KEY"]);
    assert_eq!(String::from_utf8_lossy(&read("1000").stdout), IN_FILE);
    assert!(!read("1001").status.success(), "another user reads it");
    let written = exec(container, "1000", &["touch", "/run/secrets/more"]);
    assert!(!written.status.success(), "the agent writes there");
    let inspected = docker(&["inspect", container]);
    assert!(
        !inspected.contains(IN_FILE),
        "it is in the container's settings"
    );
}

/// In no file of ours, while it runs and after, and in no message.
async fn assert_planted_nowhere(mut program: Program) {
    let copy = backup(&program).await;
    assert!(!copy.is_empty());
    assert_unplanted("a backup", &copy);
    for name in ["yardarm.db", "yardarm.db-wal", "log", "yardarm.key"] {
        let bytes = std::fs::read(program.path(name)).unwrap();
        assert!(!bytes.is_empty(), "{name}");
        assert_unplanted(name, &bytes);
    }
    program.terminate().await;
    assert_unplanted("a message", program.cord.messages_json().as_bytes());
    assert_unplanted(
        "the database",
        &std::fs::read(program.path("yardarm.db")).unwrap(),
    );
    assert_unplanted("the log", program.log().as_bytes());
}

#[tokio::test]
async fn a_secret_is_its_agents_alone_and_nothing_else_ever_holds_it() {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let dir = format!("secrets.dir={}", memory.path().display());
    let mut program = Program::new(&[&dir, "log.level=debug", "access.preset=solo"]).await;
    write_template(
        &program,
        "reader",
        "ls -ln /run/secrets | tail -n 1 | cut -c1-10; cat /run/secrets/FILE_KEY; echo; env; exec sleep 3600",
    );
    write_template(
        &program,
        "leak",
        "env; cat /run/secrets/FILE_KEY; echo; exit 3",
    );
    program.up().await;
    set(&program, "FILE_KEY", IN_FILE).await;
    set(&program, "ENV_KEY", IN_ENV).await;

    let deployed = ended(&program.deploy("reader", "scout").await).await;
    assert!(deployed.starts_with('✅'), "{deployed}\n{}", program.log());
    assert_only_its_user_reads(&format!("{}scout", program.prefix));

    let logs = program.send("logs", "scout").await;
    let logs = logs.until_text("Log of").await.unwrap().text();
    assert!(logs.contains("-r--------"), "{logs}");
    assert!(
        logs.contains("\n[redacted]\n") && logs.contains("ENV_KEY=[redacted]"),
        "{logs}"
    );

    // Another command is asked about. It may run for a moment, or fail at once and be quoted: neither tells a value.
    let asked = program.deploy("leak", "leaky").await;
    asked.until_text("?").await.unwrap();
    let leaky = ended(&TestApp::confirm(&asked, "Deploy").await).await;
    assert_unplanted("a card", leaky.as_bytes());

    let instance = std::fs::read_dir(memory.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let file = instance.path().join("1").join("FILE_KEY");
    assert!(file.exists());
    let stopped = ended(&program.send("stop", "scout").await).await;
    assert!(stopped.starts_with('✅'), "{stopped}");
    assert!(!file.exists(), "it outlives the stop");
    let again = ended(&program.send("start", "scout").await).await;
    assert!(again.starts_with('✅'), "{again}");
    assert!(file.exists());

    assert_planted_nowhere(program).await;
}
