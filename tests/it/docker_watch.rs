//! What ends or sickens real containers, and how people read of it.

use serde_json::json;

use crate::support::{
    docker_host::{docker, try_docker},
    program::Program,
};

/// The real program, which tells at once what goes wrong.
async fn prompt() -> Program {
    let mut program = Program::new(&["alerts.group_wait_s=0"]).await;
    program.up().await;
    program
}

impl Program {
    /// Waits for a card that says all this.
    async fn card(&self, texts: &[&str]) -> String {
        let ops = self.cord.channel("ops");
        let told = ops.wait_for(|message| {
            let text = message.text();
            text.contains("-# alert") && texts.iter().all(|wanted| text.contains(wanted))
        });
        told.await.unwrap().text()
    }

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
    let small = json!({ "limits": { "memory_mb": 16, "cpus": 1.0, "pids": 16 } });
    program.write_template_with("hungry", "sleep 2; exec tail /dev/zero", small);
    program.reload().await;
    program.deploy("hungry", "ant").await;
    let card = program.card(&["**ant**", "ran out of memory"]).await;
    assert!(card.contains("Its limit is 16 MiB"), "{card}");
    program.terminate().await;
}

#[tokio::test]
async fn what_hangs_is_restarted() {
    let mut program = prompt().await;
    let asked = json!({ "health": {
        "command": ["sh", "-c", "test ! -e /dev/shm/stuck"],
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
    program.card(&["**ant**", "is unhealthy"]).await;
    program.card(&["🟢", "well again"]).await;
    assert_ne!(program.pid_of("ant"), before);
    program.terminate().await;
}
