//! The units for systemd, judged by systemd itself.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::support::test_app::said;

fn yardarm(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yardarm"));
    command.args(arguments);
    command
        .env("HOME", "/home/olga")
        .env_remove("XDG_CONFIG_HOME");
    command.output().unwrap()
}

/// As `yardarm install-service --print` has it, in a file of the name that systemd expects.
struct Unit {
    folder: tempfile::TempDir,
    text: String,
}

impl Unit {
    fn printed(more: &[&str]) -> Self {
        let printed = yardarm(&[&["install-service", "--print"], more].concat());
        let (code, text) = said(&printed);
        assert_eq!(code, Some(0), "{text}");
        let folder = tempfile::tempdir().unwrap();
        let unit = Self { folder, text };
        std::fs::write(unit.file(), &unit.text).unwrap();
        unit
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("yardarm.service")
    }

    fn analyze(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("systemd-analyze");
        command.args(arguments).arg(self.file());
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        let (code, text) = said(&command.output().unwrap());
        assert_eq!(code, Some(0), "{text}");
        text
    }
}

#[test]
fn systemd_understands_the_unit_and_finds_little_to_shut() {
    let unit = Unit::printed(&[]);
    assert_eq!(unit.analyze(&["verify", "--man=no"]), "");
    let judged = unit.analyze(&["security", "--offline=true", "--no-pager", "--threshold=20"]);
    // docs/operations.md says so.
    assert!(
        judged.contains("exposure level for yardarm.service: 1.9 OK"),
        "{judged}"
    );
}

#[test]
fn systemd_understands_the_unit_of_one_person() {
    let unit = Unit::printed(&["--user"]);
    assert_eq!(unit.analyze(&["--user", "verify", "--man=no"]), "");
    assert!(unit.text.contains("DOCKER_HOST=unix://%t/docker.sock"));
    assert!(
        unit.text
            .contains("WorkingDirectory=/home/olga/.config/yardarm\n")
    );
}

#[test]
fn what_starting_again_does_not_mend_ends_the_service() {
    for unit in [Unit::printed(&[]), Unit::printed(&["--user"])] {
        assert!(
            unit.text
                .contains("\nRestartPreventExitStatus=2 64 65 77\n")
        );
        assert!(!unit.text.contains("@final@"));
    }
    let misused = yardarm(&["up", "--no-such-option"]);
    assert_eq!(misused.status.code(), Some(2));
}

#[test]
fn it_writes_what_systemd_reads_and_says_what_to_do_next() {
    let root = tempfile::tempdir().unwrap();
    let below = |path: &str| root.path().join(path);
    let install = |more: &[&str]| {
        let root = root.path().to_str().unwrap();
        let (code, text) = said(&yardarm(
            &[&["install-service", "--root", root], more].concat(),
        ));
        assert_eq!(code, Some(0), "{text}");
        text.replace(root, "ROOT")
    };
    insta::assert_snapshot!(install(&[]), @"
    wrote ROOT/etc/sysusers.d/yardarm.conf
    wrote ROOT/etc/systemd/system/yardarm.service
    hint: put configs/ and discord_token (mode 0600) into /etc/yardarm, then:
      systemd-sysusers && systemctl daemon-reload && systemctl enable --now yardarm
    ");
    insta::assert_snapshot!(install(&["--user"]), @"
    wrote ROOT/home/olga/.config/systemd/user/yardarm.service
    hint: put configs/ and discord_token (mode 0600) into /home/olga/.config/yardarm, then:
      systemctl --user daemon-reload && systemctl --user enable --now yardarm
      loginctl enable-linger   # so that it runs while you are not logged in
    ");
    let unit = std::fs::read_to_string(below("etc/systemd/system/yardarm.service")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_yardarm"))
        .canonicalize()
        .unwrap();
    assert!(
        unit.contains(&format!("\nExecStart={} up ", program.display())),
        "{unit}"
    );
    let mut users = Command::new("systemd-sysusers");
    users
        .arg("--dry-run")
        .arg(below("etc/sysusers.d/yardarm.conf"));
    let (code, text) = said(&users.output().unwrap());
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_folder_that_systemd_would_read_otherwise_is_refused() {
    for folder in ["relative", "/etc/my yardarm", "/etc/%u"] {
        let refused = yardarm(&["install-service", "--print", "--folder", folder]);
        let (code, text) = said(&refused);
        assert_eq!(code, Some(1));
        assert!(
            text.contains(&format!("`{folder}` cannot stand in a unit")),
            "{text}"
        );
    }
}
