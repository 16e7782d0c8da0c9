//! The units for systemd, judged by systemd itself.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use yardarm::store::Store;

use crate::{doc_lines::blocks_run_by, support::test_app::said};

/// Wherever the tests are built, which may be where the service sees nothing.
const PROGRAM: [&str; 2] = ["--program", "/usr/bin/env"];

fn yardarm(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yardarm"));
    command.args(arguments);
    command
        .env("HOME", "/home/olga")
        .env_remove("RUST_BACKTRACE")
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
        let printed = yardarm(&[&["install-service", "--print"], &PROGRAM[..], more].concat());
        let (code, text) = said(&printed);
        assert_eq!(code, Some(0), "{text}");
        let folder = tempfile::tempdir().unwrap();
        let unit = Self { folder, text };
        fs::write(unit.file(), &unit.text).unwrap();
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
            &[&["install-service", "--root", root], &PROGRAM[..], more].concat(),
        ));
        assert_eq!(code, Some(0), "{text}");
        text.replace(root, "ROOT")
    };
    insta::assert_snapshot!(install(&[]), @"
    wrote ROOT/etc/sysusers.d/yardarm.conf
    wrote ROOT/etc/systemd/system/yardarm.service
    hint: put configs/ and discord_token into /etc/yardarm, and what agents need into environment there (both files mode 0600), then:
      sudo systemd-sysusers && sudo systemctl daemon-reload && sudo systemctl enable --now yardarm
    ");
    insta::assert_snapshot!(install(&["--user"]), @"
    wrote ROOT/home/olga/.config/systemd/user/yardarm.service
    hint: put configs/ and discord_token into /home/olga/.config/yardarm, and what agents need into environment there (both files mode 0600), then:
      systemctl --user daemon-reload && systemctl --user enable --now yardarm
      loginctl enable-linger   # so that it runs while you are not logged in
    ");
    let unit = fs::read_to_string(below("etc/systemd/system/yardarm.service")).unwrap();
    assert!(unit.contains("\nExecStart=/usr/bin/env up "), "{unit}");
    let mut users = Command::new("systemd-sysusers");
    users
        .arg("--dry-run")
        .arg(below("etc/sysusers.d/yardarm.conf"));
    let (code, text) = said(&users.output().unwrap());
    assert_eq!(code, Some(0), "{text}");
}

/// Runs lines of the document as whoever runs the tests, below a folder instead of `/`.
fn type_below(root: &Path, lines: &str, typed: &str) -> String {
    let root = root.display();
    let mut script = format!("PATH=/usr/local/bin:$PATH\n{lines}").replace("sudo ", "");
    for place in ["/etc/yardarm", "/usr/local/bin", "/var/lib/yardarm"] {
        script = script.replace(place, &format!("{root}{place}"));
    }
    script = script
        .replace("target/release/yardarm", env!("CARGO_BIN_EXE_yardarm"))
        .replace(
            "install-service ",
            &format!("install-service --root {root} {} ", PROGRAM.join(" ")),
        );
    let mut shell = Command::new("sh")
        .args(["-eu", "-c", &script])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("DISCORD_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    input.write_all(typed.as_bytes()).unwrap();
    drop(input);
    let (code, text) = said(&shell.wait_with_output().unwrap());
    assert_eq!(code, Some(0), "{script}: {text}");
    text
}

#[tokio::test]
async fn the_lines_of_the_document_furnish_a_host_and_its_commands() {
    let root = tempfile::tempdir().unwrap();
    let below = |path: &str| root.path().join(path);
    let blocks = blocks_run_by("tests/it/install_service.rs");
    let [install, commands] = blocks.as_slice() else {
        panic!("{blocks:?}");
    };
    let told = type_below(root.path(), install, "a.real.token\n");
    assert!(told.contains("systemctl enable --now yardarm"), "{told}");
    let token = below("etc/yardarm/discord_token");
    assert_eq!(fs::read_to_string(&token).unwrap(), "a.real.token\n");
    for file in [token, below("etc/yardarm/environment")] {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    // As a person and a first start do.
    let settings = below("etc/yardarm/configs/yardarm.toml");
    let shipped = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, shipped.replacen("#guild = ", "guild = ", 1)).unwrap();
    let database = below("var/lib/yardarm/yardarm.db");
    Store::open(&database).await.unwrap().close().await;

    let told = type_below(root.path(), commands, "");
    assert!(told.contains("type /claim in the server"), "{told}");
    let copy = told.lines().last().unwrap();
    let backups = below("var/lib/yardarm/backups");
    assert_eq!(Path::new(copy).parent(), Some(backups.as_path()), "{told}");
    assert!(Path::new(copy).exists(), "{told}");
}

#[test]
fn what_the_service_would_not_see_is_refused() {
    let print = |more: &[&str]| {
        let output = yardarm(&[&["install-service", "--print"], more].concat());
        said(&output)
    };
    let (code, text) = print(&["--program", "/home/olga/yardarm/target/release/yardarm"]);
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text.trim_end(), @"
    Error: `/home/olga/yardarm/target/release/yardarm` is below /home, where the service sees nothing
    hint: sudo install -m 0755 /home/olga/yardarm/target/release/yardarm /usr/local/bin/yardarm && sudo /usr/local/bin/yardarm install-service
    ");
    let (code, text) = print(&["--folder", "/root/yardarm", "--program", "/usr/bin/env"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("`/root/yardarm` is below /root"), "{text}");
    let (code, text) = print(&["--user", "--program", "/home/olga/yardarm"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("\nExecStart=/home/olga/yardarm up "),
        "{text}"
    );
}

#[test]
fn a_folder_that_systemd_would_read_otherwise_is_refused() {
    for folder in ["relative", "/etc/my yardarm", "/etc/%u"] {
        let words = ["install-service", "--print", "--folder", folder];
        let refused = yardarm(&[&words, &PROGRAM[..]].concat());
        let (code, text) = said(&refused);
        assert_eq!(code, Some(1));
        assert!(
            text.contains(&format!("`{folder}` cannot stand in a unit")),
            "{text}"
        );
    }
}
