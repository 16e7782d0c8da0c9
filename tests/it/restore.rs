//! `yardarm restore`: back to what a backup knows, and nothing of what happened since is done or said twice.

use std::{
    fs::DirEntry,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use chrono::TimeDelta;
use localcord::Fault;
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use yardarm::{domain::agent::State, ops::Ops, store::Store};

use crate::{
    rekey,
    support::{
        alarm::{card, cards, die, prompt},
        test_app::{TestApp, said},
    },
};

/// A copy of the database as it is now.
fn back_up(test: &TestApp) -> PathBuf {
    let (code, file) = said(&test.command(&["backup"]).output().unwrap());
    assert_eq!(code, Some(0), "{file}");
    PathBuf::from(file.trim())
}

fn restore(test: &TestApp, file: &Path) -> (Option<i32>, String) {
    let words = ["restore", file.to_str().unwrap()];
    let (code, text) = said(&test.command(&words).output().unwrap());
    let folder = test.path("").display().to_string();
    (code, text.replace(&folder, "FOLDER/"))
}

fn restored(test: &TestApp, file: &Path) -> String {
    let (code, text) = restore(test, file);
    assert_eq!(code, Some(0), "{text}");
    text
}

fn delete_database(test: &TestApp) {
    for end in ["", "-wal", "-shm", ".lock"] {
        drop(std::fs::remove_file(test.path(&format!("yardarm.db{end}"))));
    }
}

#[tokio::test]
async fn an_empty_folder_goes_on_where_the_backup_ended() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    let file = back_up(&test);
    test.down().await;
    delete_database(&test);
    let said = restored(&test, &file);
    let (first, rest) = said.split_once('\n').unwrap();
    assert!(
        first.starts_with(
            "restored: 1 agents into `FOLDER/yardarm.db`; the audit is whole and goes on after "
        ),
        "{first}"
    );
    insta::assert_snapshot!(rest.trim_end(), @"hint: `yardarm up`; agents that were made since the backup are unknown to it: `/adopt` takes them in");
    test.up().await;
    insta::assert_snapshot!(test.done("restart agent:scout").await, @"
    ✅ restart `scout`: running after 0.0 s
    -# action 10002 · by <@olga>
    ");
    test.finish().await;
}

#[tokio::test]
async fn what_was_made_since_is_left_alone_and_its_numbers_are_not_given_again() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    let file = back_up(&test);
    test.deploy("lookout").await;
    let container = test.engine.id_of("yardarm-lookout");
    test.down().await;
    restored(&test, &file);
    test.up().await;
    assert!(test.ops().roster.view("lookout").is_none());
    assert_eq!(test.engine.id_of("yardarm-lookout"), container);
    test.deploy("carrier").await;
    let ids = test.ops().store.agents().await.unwrap();
    let ids: Vec<i64> = ids.iter().map(|agent| agent.id.0).collect();
    assert!(
        ids.contains(&1) && !ids.contains(&2),
        "lookout's volumes would be carrier's: {ids:?}"
    );
    test.finish().await;
}

#[tokio::test]
async fn what_waited_for_people_has_to_be_asked_again() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    let question = test.send("remove agent:scout").await;
    let question = question.until_text("?").await.unwrap();
    let file = back_up(&test);
    test.down().await;
    let text = restored(&test, &file);
    assert!(text.contains("1 actions that waited are void"), "{text}");
    test.up().await;
    let told = question.until_text("restored").await.unwrap();
    insta::assert_snapshot!(test.said(&told.text()), @"
    ✖️ remove `scout`: void, nothing was changed
    Yardarm was restored from a backup that was made before this was decided; send the command again.
    -# action 2 · by <@olga>
    ");
    assert_eq!(test.state("scout"), State::Running);
    test.finish().await;
}

#[tokio::test]
async fn what_was_sent_since_is_found_and_not_sent_again() {
    let mut test = prompt(&[]).await;
    let away = test.cord.inject(Fault::refuse().path("/channels/**"));
    die(&test, "scout", 3);
    let waits = async |ops: &Ops| ops.store.outbox_counts().await.unwrap().0 > 0;
    test.until_outbox(waits).await;
    let file = back_up(&test);
    away.release();
    test.pass(TimeDelta::minutes(1));
    card(&test, "scout").await;
    test.down().await;
    restored(&test, &file);
    test.up().await;
    test.pass(TimeDelta::minutes(10));
    test.delivered().await;
    assert_eq!(cards(&test).len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn nobody_else_reads_a_copy_while_it_is_made() {
    let test = TestApp::start().await;
    let backup = test.command(&["backup"]);
    let mut cut_off = Command::new("sh");
    let limit = "umask 022; ulimit -c 0; ulimit -f 128; exec \"$@\"";
    cut_off.args(["-c", limit, "sh"]).arg(backup.get_program());
    cut_off.args(backup.get_args());
    let (code, text) = said(&cut_off.output().unwrap());
    assert_eq!(code, None, "{text}");
    let parts = std::fs::read_dir(test.path("backups")).unwrap();
    let parts: Vec<_> = parts.map(|part| part.unwrap()).collect();
    let is_copy = |part: &DirEntry| part.path().extension().unwrap() == "partial";
    assert!(parts.iter().any(is_copy), "{parts:?}");
    for part in parts {
        assert_eq!(part.metadata().unwrap().mode() & 0o777, 0o600, "{part:?}");
    }
    test.finish().await;
}

/// What stands in the place of the database.
async fn agents(test: &TestApp) -> usize {
    let store = Store::open(&test.path("yardarm.db")).await.unwrap();
    let agents = store.agents().await.unwrap().len();
    store.close().await;
    agents
}

#[tokio::test]
async fn what_is_no_whole_backup_changes_nothing() {
    let mut test = TestApp::start().await;
    let file = back_up(&test);
    test.deploy("scout").await;
    let (code, in_use) = restore(&test, &file);
    assert_eq!(code, Some(66), "{in_use}");
    test.down().await;

    let (code, missing) = restore(&test, &test.path("none.db"));
    assert_eq!((code, agents(&test).await), (Some(65), 1), "{missing}");
    insta::assert_snapshot!(missing, @"
    `FOLDER/none.db` cannot be read: No such file or directory (os error 2)
    hint: name a file that `yardarm backup` made
    hint: nothing was changed
    ");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let (code, cut_off) = restore(&test, &file);
    assert_eq!((code, agents(&test).await), (Some(65), 1), "{cut_off}");
    std::fs::write(&file, "no database at all").unwrap();
    let (code, other) = restore(&test, &file);
    assert_eq!((code, agents(&test).await), (Some(65), 1), "{other}");
    test.up().await;
    test.finish().await;
}

async fn alter(file: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(file);
    let mut database = options.connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_neither_restored_nor_served() {
    let later =
        "INSERT INTO _sqlx_migrations VALUES (29990101000000, 'later', '2999-01-01', 1, x'00', 0)";
    let mut test = TestApp::start().await;
    let file = back_up(&test);
    test.down().await;
    alter(&file, later).await;
    let (code, text) = restore(&test, &file);
    assert_eq!(code, Some(65), "{text}");
    insta::assert_snapshot!(text, @"
    `FOLDER/yardarm.db.restoring` was written by a newer Yardarm (migration 29990101000000)
    hint: start that version, or restore a backup made by this one
    hint: nothing was changed
    ");

    alter(&test.path("yardarm.db"), later).await;
    let (code, text) = said(&test.command(&["up"]).output().unwrap());
    assert_eq!(code, Some(65), "{text}");
    assert!(text.contains("was written by a newer Yardarm"), "{text}");
    test.cord.finish().unwrap();
}

#[tokio::test]
async fn an_audit_that_was_changed_is_not_restored() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    let file = back_up(&test);
    test.down().await;
    let forge = "DROP TRIGGER audit_is_not_changed; UPDATE audit SET actor = 7 WHERE id = 2";
    alter(&file, forge).await;
    let (code, text) = restore(&test, &file);
    assert_eq!(code, Some(65), "{text}");
    assert!(
        text.contains("the backup's audit is not what it was"),
        "{text}"
    );
    test.up().await;
    test.finish().await;
}

#[tokio::test]
async fn sealed_values_come_back_only_with_their_key() {
    let mut test = rekey::scene().await;
    let file = back_up(&test);
    let key = std::fs::read(test.path("yardarm.key")).unwrap();
    delete_database(&test);
    std::fs::remove_file(test.path("yardarm.key")).unwrap();
    let (code, text) = restore(&test, &file);
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("is missing"), "{text}");
    assert!(!test.path("yardarm.db").exists());
    std::fs::write(test.path("yardarm.key"), key).unwrap();
    restored(&test, &file);
    test.up().await;
    test.done("deploy template:needy name:scout").await;
    test.finish().await;
}

/// A copy of [`rekey::scene`] that was made with a passphrase, and neither database nor key left.
async fn lost_all_but(passphrase: &str) -> (TestApp, PathBuf) {
    let test = rekey::scene().await;
    let mut command = test.command(&["backup"]);
    command.env("YARDARM_BACKUP_PASSPHRASE", passphrase);
    let (code, file) = said(&command.output().unwrap());
    assert_eq!(code, Some(0), "{file}");
    delete_database(&test);
    std::fs::remove_file(test.path("yardarm.key")).unwrap();
    (test, PathBuf::from(file.trim()))
}

#[tokio::test]
async fn a_passphrase_brings_the_key_back() {
    let (mut test, file) = lost_all_but("correct horse").await;
    let restore = |passphrase: &str| {
        let mut command = test.command(&["restore", file.to_str().unwrap()]);
        command.env("YARDARM_BACKUP_PASSPHRASE", passphrase);
        said(&command.output().unwrap())
    };
    let (code, text) = restore("battery staple");
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("the passphrase is another one"), "{text}");
    assert!(!test.path("yardarm.db").exists() && !test.path("yardarm.key").exists());
    let (code, text) = restore("correct horse");
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("the vault's key was opened and put into"),
        "{text}"
    );
    test.up().await;
    test.done("deploy template:needy name:scout").await;
    test.finish().await;
}

#[tokio::test]
async fn what_could_not_be_put_in_its_place_says_what_is_there() {
    let (mut test, file) = lost_all_but("correct horse").await;
    let place = test.path("yardarm.db");
    std::fs::create_dir(&place).unwrap();
    let restore = || {
        let mut command = test.command(&["restore", file.to_str().unwrap()]);
        command.env("YARDARM_BACKUP_PASSPHRASE", "correct horse");
        said(&command.output().unwrap())
    };
    let (code, text) = restore();
    assert_eq!(code, Some(65), "{text}");
    assert!(text.contains("the vault's key may be back"), "{text}");
    assert!(test.path("yardarm.key").exists());
    std::fs::remove_dir(place).unwrap();
    let (code, text) = restore();
    assert_eq!(code, Some(0), "{text}");
    test.up().await;
    test.finish().await;
}

/// Whom the service runs as, where root types the commands.
const SERVICE: u32 = 10_001;

/// Whether all is the service's now.
fn is_given(test: &TestApp) -> bool {
    let give = |name: &str| chown(test.path(name), Some(SERVICE), Some(SERVICE));
    if let Err(refused) = give("") {
        eprintln!("skipped: only root can give files away: {refused}");
        return false;
    }
    for name in ["yardarm.db", "yardarm.key"] {
        give(name).unwrap();
    }
    true
}

fn owner(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().uid()
}

#[tokio::test]
async fn what_root_makes_belongs_to_whom_the_database_belongs_to() {
    let test = rekey::scene().await;
    if !is_given(&test) {
        return test.finish().await;
    }
    let run = |words: &[&str]| {
        let mut command = test.command(words);
        command.env("YARDARM_BACKUP_PASSPHRASE", "correct horse");
        let (code, text) = said(&command.output().unwrap());
        assert_eq!(code, Some(0), "{text}");
        text
    };
    let file = PathBuf::from(run(&["backup"]).trim());
    for made in [file.parent().unwrap(), &file, &file.with_extension("key")] {
        assert_eq!(owner(made), SERVICE, "{}", made.display());
    }
    delete_database(&test);
    std::fs::remove_file(test.path("yardarm.key")).unwrap();
    run(&["restore", file.to_str().unwrap()]);
    for name in ["yardarm.db", "yardarm.db.lock", "yardarm.key"] {
        assert_eq!(owner(&test.path(name)), SERVICE, "{name}");
    }
    test.finish().await;
}

#[tokio::test]
async fn what_a_link_in_its_place_points_to_is_neither_given_away_nor_emptied() {
    let test = rekey::scene().await;
    if !is_given(&test) {
        return test.finish().await;
    }
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&elsewhere, "for root alone").unwrap();
    let lock = test.path("yardarm.db.lock");
    std::fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &lock).unwrap();
    let mut command = test.command(&["backup"]);
    command.env("YARDARM_BACKUP_PASSPHRASE", "correct horse");
    let (code, text) = said(&command.output().unwrap());
    assert_eq!(code, Some(0), "{text}");
    assert_ne!(owner(elsewhere.path()), SERVICE);
    let content = std::fs::read_to_string(&elsewhere).unwrap();
    assert_eq!(content, "for root alone");
    test.finish().await;
}

#[tokio::test]
async fn a_key_that_is_there_stays() {
    let (test, file) = lost_all_but("correct horse").await;
    let other = "00".repeat(32);
    std::fs::write(test.path("yardarm.key"), &other).unwrap();
    let (code, text) = restore(&test, &file);
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("the backup's secrets do not open"), "{text}");
    let key = std::fs::read_to_string(test.path("yardarm.key")).unwrap();
    assert_eq!(key, other);
    test.finish().await;
}

/// What is typed into a terminal that a command runs in, and what it says there.
fn typed(command: &Command, lines: &str) -> (Option<i32>, String) {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    let words: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    let line = shlex::try_join(words).unwrap();
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = terminal.spawn().unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(lines.as_bytes()).unwrap();
    said(&child.wait_with_output().unwrap())
}

#[tokio::test]
async fn a_passphrase_can_be_typed() {
    let test = rekey::scene().await;
    let backup = test.command(&["backup", "--with-key"]);
    let (code, text) = typed(&backup, "correct horse\nbattery staple\n");
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("these are two passphrases"), "{text}");
    let (code, text) = typed(&backup, "correct horse\ncorrect horse\n");
    assert_eq!(code, Some(0), "{text}");
    let file = PathBuf::from(text.lines().last().unwrap().trim());
    let key = file.with_extension("key");
    assert_eq!(std::fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
    delete_database(&test);
    std::fs::remove_file(test.path("yardarm.key")).unwrap();
    let restore = test.command(&["restore", file.to_str().unwrap()]);
    let (code, text) = typed(&restore, "correct horse\n");
    assert_eq!(code, Some(0), "{text}");
    assert!(test.path("yardarm.key").exists());
    test.finish().await;
}

#[tokio::test]
async fn each_copy_has_its_key_beside_it_and_goes_with_it() {
    let mut test = TestApp::prepare(&[("backup.keep", "1")]).await;
    let passphrase = test.path("passphrase");
    std::fs::write(&passphrase, "correct horse\n").unwrap();
    test.set("backup.passphrase_file", &passphrase.display().to_string());
    test.up().await;
    test.done("backup").await;
    test.pass(TimeDelta::minutes(1));
    test.done("backup").await;
    let there = std::fs::read_dir(test.path("backups")).unwrap();
    let mut there: Vec<PathBuf> = there.map(|entry| entry.unwrap().path()).collect();
    there.sort();
    assert_eq!(there.len(), 2, "{there:?}");
    assert_eq!(there[0].with_extension("key"), there[1]);

    std::fs::remove_file(passphrase).unwrap();
    let refused = test.send("backup").await;
    let refused = refused.until_text("No copy was made").await.unwrap();
    assert!(
        refused.text().contains("backup.passphrase_file"),
        "{}",
        refused.text()
    );
    test.finish().await;
}
