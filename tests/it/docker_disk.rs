//! The disk of Yardarm's own database fills up, a real one on a loop device.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{docker_host::docker, program::Program};

/// Soon, and as grave as the one that is built in.
const SETTINGS: &str = "[[threshold]]\non = \"host\"\nmeasure = \"disk\"\nabove = 80\nfor_s = 1\nseverity = \"critical\"\n";

/// Of 24 MB; gone with its value.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = Self { folder };
        let image = disk.folder.path().join("image");
        std::fs::create_dir(disk.path()).unwrap();
        std::fs::File::create(&image)
            .unwrap()
            .set_len(24 << 20)
            .unwrap();
        run("mkfs.ext4", &["-q", "-F"], &[&image]);
        run("mount", &["-o", "loop"], &[&image, &disk.path()]);
        disk
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Takes so many bytes, or what there is.
    fn fill(&self, bytes: usize) {
        let filled = std::fs::write(self.path().join("ballast"), vec![0; bytes]);
        drop(filled);
    }

    fn free(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["--lazy"], &[&self.path()]);
    }
}

fn run(program: &str, options: &[&str], paths: &[&Path]) {
    let done = Command::new(program).args(options).args(paths).output();
    let done = done.unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program}: {said}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_restarted_until_there_is_room() {
    let disk = Disk::new();
    let database = format!("database.path={}", disk.path().join("yardarm.db").display());
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
    disk.fill(24 << 20);
    let status = program.olga().slash("status").send().await.unwrap();
    status.until_text("ant").await.unwrap();

    disk.free();
    program.card(&["**ant**", "🟢"]).await;
    assert_eq!(program.containers("{{.State}}"), ["running"]);
    program.terminate().await;
}
