//! What ends or sickens real containers, and how people read of it.

use serde_json::{Value, json};

use crate::support::{
    alarm::is_card,
    docker_host::{docker, try_docker},
    program::Program,
};

/// The real program, which tells at once what goes wrong.
async fn prompt() -> Program {
    let mut program = not_started().await;
    program.up().await;
    program
}

async fn not_started() -> Program {
    Program::new(&["alerts.group_wait_s=0", "alerts.group_interval_s=0"]).await
}

impl Program {
    async fn reload(&self) {
        let reload = self.olga().slash("reload").send().await.unwrap();
        reload.until_text("✅").await.unwrap();
    }

    /// Of its first process.
    fn pid_of(&self, name: &str) -> String {
        docker(&[
            "inspect",
            "--format",
            "{{.State.Pid}}",
            &self.container(name),
        ])
    }

    fn container(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

#[tokio::test]
async fn an_exit_code_is_told_and_the_agent_restarted() {
    let mut program = prompt().await;
    program.write_template("flaky", "echo working; sleep 2; echo giving up; exit 3");
    program.reload().await;
    program.deploy("flaky", "ant").await;
    let card = program.card(&["**ant**", "exited with code 3"]).await;
    assert!(card.contains("giving up"), "{card}");
    program.card(&["**ant**", "Restarted 1"]).await;
    program.terminate().await;
}

#[tokio::test]
async fn a_kill_from_outside_is_told_and_mended() {
    let mut program = prompt().await;
    program
        .deploy("calm", "ant")
        .await
        .until_text("running after")
        .await
        .unwrap();
    let before = program.pid_of("ant");
    docker(&["kill", "--signal", "KILL", &program.container("ant")]);
    program
        .card(&["**ant** in main was killed by signal 9"])
        .await;
    program.card(&["🟢", "well again"]).await;
    assert_ne!(program.pid_of("ant"), before);
    program.terminate().await;
}

#[tokio::test]
async fn what_runs_out_of_memory_is_told_and_more_is_proposed() {
    let mut program = prompt().await;
    let ravi = program.cord.user("ravi").id();
    let second = format!("[[grant]]\nuser = {ravi}\nlevel = \"owner\"\nfleet = \"*\"\n");
    std::fs::write(program.path("yardarm.toml"), second).unwrap();
    let small = json!({ "limits": { "memory_mb": 16, "cpus": 1.0, "pids": 16 } });
    program.write_template_with("hungry", "sleep 2; exec tail /dev/zero", small);
    program.reload().await;
    program.deploy("hungry", "ant").await;
    let card = program.card(&["**ant**", "ran out of memory"]).await;
    assert!(card.contains("Its limit is 16 MiB"), "{card}");
    let ops = program.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    assert!(
        question.text().contains("memory 16 → 24 MiB"),
        "{}",
        question.text()
    );
    program.terminate().await;
}

#[tokio::test]
async fn what_hangs_is_restarted() {
    let mut program = prompt().await;
    let asked = json!({ "health": {
        "command": ["sh", "-c", "test ! -e /dev/shm/stuck || { echo it is stuck; exit 1; }"],
        "interval_s": 1, "timeout_s": 1, "retries": 2, "start_period_s": 0,
    } });
    program.write_template_with("asked", "exec sleep 3600", asked);
    program.reload().await;
    program
        .deploy("asked", "ant")
        .await
        .until_text("running after")
        .await
        .unwrap();
    let before = program.pid_of("ant");
    let stuck = ["exec", &program.container("ant"), "touch", "/dev/shm/stuck"];
    assert!(try_docker(&stuck).status.success());
    program
        .card(&[
            "**ant**",
            "is unhealthy",
            "Its health check says: it is stuck",
        ])
        .await;
    program.card(&["🟢", "well again"]).await;
    assert_ne!(program.pid_of("ant"), before);
    program.terminate().await;
}

/// A page that can be taken away, and a server that can be ended.
const WEB: &str = "mkdir -p /dev/shm/web; echo well > /dev/shm/web/page; \
                   httpd -f -p 8080 -h /dev/shm/web & echo $! > /dev/shm/server; while :; do sleep 1; done";

impl Program {
    async fn web(&self, name: &str, probe: Value, more: Value) {
        let mut asked = more;
        asked["network"] = json!("fleet");
        asked["probes"] = json!([probe]);
        asked["probes"][0]["interval_s"] = json!(1);
        asked["probes"][0]["failures"] = json!(2);
        // The harm may come before the first question.
        asked["probes"][0]["start_grace_s"] = json!(0);
        self.write_template_with(name, WEB, asked);
        self.reload().await;
        let deployed = self.deploy(name, name).await;
        deployed.until_text("running after").await.unwrap();
    }

    fn shell_in(&self, name: &str, script: &str) {
        docker(&["exec", &self.container(name), "sh", "-c", script]);
    }
}

fn http() -> Value {
    json!({ "kind": "http", "port": 8080, "path": "/page", "body": "well" })
}

#[tokio::test]
async fn real_agents_are_asked_by_http_tcp_and_exec_and_mended() {
    let mut program = prompt().await;
    let exec = json!({ "kind": "exec", "command": ["sh", "-c", "test -e /dev/shm/web"] });
    for (name, probe, harm, words) in [
        ("ant", http(), "rm /dev/shm/web/page", "404"),
        (
            "bee",
            json!({ "kind": "tcp", "port": 8080 }),
            "kill $(cat /dev/shm/server)",
            "refused",
        ),
        ("cat", exec, "mv /dev/shm/web /dev/shm/away", "exit code 1"),
    ] {
        program.web(name, probe, json!({})).await;
        let before = program.pid_of(name);
        program.shell_in(name, harm);
        let bold = format!("**{name}**");
        program.card(&[&bold, words]).await;
        program.card(&["🟢", &bold]).await;
        assert_ne!(program.pid_of(name), before);
    }
    program.terminate().await;
}

#[tokio::test]
async fn health_that_comes_and_goes_is_one_message() {
    let mut program = prompt().await;
    let left_alone = json!({ "recovery": { "restart": false } });
    program.web("ant", http(), left_alone).await;
    let ops = program.cord.channel("ops");
    for _ in 0..4 {
        program.shell_in("ant", "mv /dev/shm/web/page /dev/shm/page");
        let ill =
            ops.wait_for(|message| is_card(message) && !message.text().contains("well again"));
        ill.await.unwrap();
        program.shell_in("ant", "mv /dev/shm/page /dev/shm/web/page");
        program.card(&["well again"]).await;
    }
    program.shell_in("ant", "rm /dev/shm/web/page");
    program.card(&["flapping since", "came back 4×"]).await;
    assert_eq!(ops.messages().iter().filter(|one| is_card(one)).count(), 1);
    program.terminate().await;
}

#[tokio::test]
async fn in_a_container_it_asks_agents_over_their_network() {
    let mut program = not_started().await;
    let yardarm = program.up_in_container().await;
    assert_eq!(yardarm.networks(), ["bridge"]);
    let left_alone = json!({ "recovery": { "restart": false } });
    program.web("ant", http(), left_alone).await;
    let fleets = format!("{}main", program.prefix);
    assert_eq!(yardarm.networks(), ["bridge", &fleets]);
    program.shell_in("ant", "mv /dev/shm/web/page /dev/shm/page");
    program.card(&["**ant**", "404"]).await;
    program.shell_in("ant", "mv /dev/shm/page /dev/shm/web/page");
    program.card(&["🟢", "**ant**", "well again"]).await;
    assert_eq!(yardarm.stop(), "0");
    assert_eq!(yardarm.networks(), ["bridge"]);
}
