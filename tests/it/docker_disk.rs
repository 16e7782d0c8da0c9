//! The disk of Yardarm's own database fills up, a real one on a loop device.

use crate::support::{disk::Disk, docker_host::docker, program::Program};

/// Soon, and as grave as the one that is built in.
const SETTINGS: &str = "[[threshold]]\non = \"host\"\nmeasure = \"disk\"\nabove = 90\nfor_s = 1\nseverity = \"critical\"\n";

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_restarted_until_there_is_room() {
    let disk = Disk::new();
    let database = disk.database();
    let settings = [
        "alerts.group_wait_s=0",
        "alerts.group_interval_s=0",
        "roster.sample_s=2",
        &database,
    ];
    let mut program = Program::new(&settings).await;
    std::fs::write(program.path("yardarm.toml"), SETTINGS).unwrap();
    program.up().await;
    let deployed = program.deploy("calm", "ant").await;
    deployed.until_text("running after").await.unwrap();

    disk.fill(18 << 20);
    program.card(&["🔴", "the host's disk"]).await;
    let container = format!("{}ant", program.prefix);
    docker(&["kill", "--signal", "KILL", &container]);
    program
        .card(&["**ant**", "was killed", "disk is full"])
        .await;
    assert_eq!(program.containers("{{.State}}"), ["exited"]);

    // Nothing can be written at all, and yet it answers.
    disk.fill_up();
    let status = program.olga().slash("status").send().await.unwrap();
    status.until_text("ant").await.unwrap();

    disk.free();
    program.card(&["**ant**", "🟢"]).await;
    assert_eq!(program.containers("{{.State}}"), ["running"]);
    program.terminate().await;
}
