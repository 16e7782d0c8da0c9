//! `yardarm secrets rekey`: the same secrets under another key, whatever ends it in the middle.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use yardarm::{
    clock::Clock as _,
    domain::secret::KeyId,
    ops::rekey::{rekey, seal_anew},
    store::Store,
    vault::{KeySource, Vault, rekey::Successor},
};

use crate::support::test_app::{TestApp, said};

const VALUE: &str = "planted-4f1e9c";
const NEEDY: &str = r#"{ "description": "needs a key", "image": "demo:1", "env": { "MODE": "calm" },
    "secrets": [{ "name": "API_KEY", "as": "env" }] }"#;

/// One secret is set, and Yardarm does not run.
pub(crate) async fn scene() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("needy", NEEDY);
    test.up().await;
    let form = test.send("secret set name:API_KEY all:true").await;
    let form = form.modal().unwrap().fill("value", VALUE);
    let asked = form.submit().await.unwrap();
    asked.until_text("?").await.unwrap();
    let set = TestApp::confirm(&asked, "Secret set").await;
    set.until_text("done").await.unwrap();
    test.down().await;
    test
}

fn key_file(test: &TestApp) -> PathBuf {
    test.path("yardarm.key")
}

fn key(test: &TestApp) -> String {
    std::fs::read_to_string(key_file(test)).unwrap()
}

/// The program itself.
fn command(test: &TestApp) -> Command {
    test.command(&["secrets", "rekey"])
}

async fn sealing_keys(test: &TestApp) -> Vec<KeyId> {
    let store = Store::open(&test.path("yardarm.db")).await.unwrap();
    let keys = store.sealing_keys().await.unwrap();
    store.close().await;
    keys
}

/// It starts, and agents are given what they were given before.
async fn assert_whole(mut test: TestApp) {
    test.up().await;
    test.done("deploy template:needy name:scout").await;
    let variable = ("API_KEY".to_owned(), VALUE.to_owned());
    assert!(test.engine.env_of("yardarm-scout").contains(&variable));
    test.finish().await;
}

#[tokio::test]
async fn all_is_sealed_with_the_new_key_which_nobody_is_told() {
    let test = scene().await;
    let (old, before) = (key(&test), sealing_keys(&test).await);
    let (code, said) = said(&command(&test).output().unwrap());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("1 values sealed anew: key "), "{said}");
    let new = key(&test);
    assert_ne!(old, new);
    assert!(!said.contains(new.trim()) && !said.contains(old.trim()));
    assert_ne!(sealing_keys(&test).await, before);
    assert_whole(test).await;
}

#[tokio::test]
async fn beside_a_running_yardarm_nothing_is_changed() {
    let mut test = scene().await;
    test.up().await;
    let old = key(&test);
    let (code, said) = said(&command(&test).output().unwrap());
    assert_eq!(code, Some(66), "{said}");
    assert!(said.contains("is in use by another Yardarm"), "{said}");
    assert_eq!(key(&test), old);
    test.down().await;
    assert_whole(test).await;
}

#[tokio::test]
async fn a_wrong_or_missing_key_seals_nothing() {
    let test = scene().await;
    let (right, before) = (key(&test), sealing_keys(&test).await);
    std::fs::remove_file(key_file(&test)).unwrap();
    let (code, missing) = said(&command(&test).output().unwrap());
    assert_eq!(code, Some(64), "{missing}");
    assert!(missing.contains("is missing"), "{missing}");
    std::fs::write(key_file(&test), "00".repeat(32)).unwrap();
    let (code, wrong) = said(&command(&test).output().unwrap());
    assert_eq!(code, Some(64), "{wrong}");
    assert!(wrong.contains("secrets are sealed with key"), "{wrong}");
    std::fs::write(key_file(&test), right).unwrap();
    assert_eq!(sealing_keys(&test).await, before);
    assert_whole(test).await;
}

#[tokio::test]
async fn a_key_of_the_environment_is_replaced_by_one_from_a_file() {
    let test = scene().await;
    let old = key(&test);
    std::fs::remove_file(key_file(&test)).unwrap();
    let given = || {
        let mut command = command(&test);
        command.env("YARDARM_VAULT_KEY", old.trim());
        command
    };
    let (code, refused) = said(&given().output().unwrap());
    assert_eq!(code, Some(64), "{refused}");
    assert!(refused.contains("--new-key-file FILE"), "{refused}");
    let file = test.path("next");
    std::fs::write(&file, "07".repeat(32)).unwrap();
    let output = given().arg("--new-key-file").arg(&file).output().unwrap();
    let (code, told) = said(&output);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("into `YARDARM_VAULT_KEY`"), "{told}");
    assert!(!told.contains(&"07".repeat(32)));
    assert!(!key_file(&test).exists());
    std::fs::rename(&file, key_file(&test)).unwrap();
    assert_whole(test).await;
}

#[tokio::test]
async fn a_row_that_was_changed_stops_it_before_anything_is() {
    let test = scene().await;
    let (old, before) = (key(&test), sealing_keys(&test).await);
    let database = format!("sqlite://{}", test.path("yardarm.db").display());
    let mut database = <sqlx::SqliteConnection as sqlx::Connection>::connect(&database)
        .await
        .unwrap();
    sqlx::raw_sql("UPDATE secret_versions SET sealed = x'00'")
        .execute(&mut database)
        .await
        .unwrap();
    sqlx::Connection::close(database).await.unwrap();
    let (code, said) = said(&command(&test).output().unwrap());
    assert_eq!(code, Some(65), "{said}");
    assert!(said.contains("does not open, so nothing was changed"));
    assert_eq!((key(&test), sealing_keys(&test).await), (old, before));
    assert!(!test.path("yardarm.key.new").exists());
    test.finish().await;
}

/// Does it step by step, and ends after `steps` of them.
async fn cut_off_after(test: &TestApp, steps: usize) {
    let settings = test.source().read().unwrap().0;
    let store = Store::open(&settings.database.path).await.unwrap();
    let instance = store.known_instance().await.unwrap().unwrap();
    let source = KeySource {
        file: &settings.vault.key_file,
        given: None,
    };
    let keys = store.sealing_keys().await.unwrap();
    let vault = Vault::unlock(source, &instance, &keys).unwrap();
    let next = Successor::of(&vault, source, None).unwrap();
    let mut tx = store.begin().await.unwrap();
    let both = (&vault, &next.vault);
    seal_anew(&mut tx, both, test.clock.now()).await.unwrap();
    if steps > 0 {
        next.write().unwrap();
    }
    if steps > 1 {
        tx.commit().await.unwrap();
    } else {
        drop(tx);
    }
    store.close().await;
}

#[tokio::test]
async fn wherever_it_is_cut_off_the_next_start_has_the_right_key() {
    for (steps, is_new, is_left) in [(0, false, false), (1, false, true), (2, true, false)] {
        let mut test = scene().await;
        let old = key(&test);
        cut_off_after(&test, steps).await;
        assert_eq!(key(&test), old, "it changes only after all is sealed");
        test.up().await;
        assert_eq!(key(&test) != old, is_new, "after {steps} steps");
        assert_eq!(test.path("yardarm.key.new").exists(), is_left);
        test.down().await;
        assert_whole(test).await;
    }
}

#[tokio::test]
async fn a_process_that_is_killed_in_the_middle_leaves_all_whole() {
    let test = scene().await;
    let mut child = command(&test).stdout(Stdio::null()).spawn().unwrap();
    let new = test.path("yardarm.key.new");
    while !new.exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_whole(test).await;
}

#[tokio::test]
async fn what_waits_for_an_answer_is_void_afterwards() {
    let mut test = scene().await;
    test.up().await;
    test.done("deploy template:needy name:scout").await;
    let asked = test.send("redeploy agent:scout set:memory_mb=2048").await;
    asked.until_text("?").await.unwrap();
    test.down().await;
    let settings = test.source().read().unwrap().0;
    let store = Store::open(&settings.database.path).await.unwrap();
    let done = rekey(&store, &settings, None, test.clock.now()).await;
    assert_eq!(done.unwrap().values, 1);
    store.close().await;
    drop(store);
    test.up().await;
    let confirmed = TestApp::confirm(&asked, "Redeploy").await;
    insta::assert_snapshot!(test.whisper(&confirmed).await, @"This is void: the plan has changed: `scout`: env MODE has another value. Nothing was changed. Send the command again.");
    test.finish().await;
}
