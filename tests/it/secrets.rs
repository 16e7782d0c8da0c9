//! Secrets reach the container and nothing else.

use localcord::Reply;
use yardarm::{domain::agent::State, engine::LogSource};

use crate::support::{scene::plain_spec, talk::slash, test_app::TestApp};

const NEEDY: &str = r#"{ "description": "needs a key", "image": "demo:1",
    "secrets": [{ "name": "KNOWN_KEY", "description": "for the model", "as": "env" }, { "name": "OTHER_KEY", "required": false, "as": "env" }] }"#;

#[tokio::test]
async fn a_missing_secret_is_named() {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("needy", &NEEDY.replace("KNOWN_KEY", "UNKNOWN_KEY"));
    test.up().await;
    insta::assert_snapshot!(test.refused("deploy template:needy").await, @"`needy` needs the secret `UNKNOWN_KEY`. `/secret set` takes its value, or set it with `AGENT_` before it in `.env` and restart Yardarm.");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn a_missing_secret_is_named_before_a_form_is_filled_in() {
    let mut test = TestApp::prepare(&[]).await;
    let asks = r#""parameters": [{ "name": "goal", "type": "string", "description": "x", "required": true }], "secrets""#;
    test.write_template(
        "needy",
        &NEEDY
            .replace("KNOWN_KEY", "UNKNOWN_KEY")
            .replace("\"secrets\"", asks),
    );
    test.up().await;
    assert!(
        test.refused("deploy template:needy")
            .await
            .contains("`UNKNOWN_KEY`")
    );
    test.finish().await;
}

#[tokio::test]
async fn its_value_is_in_no_message_and_in_no_file() {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("needy", NEEDY);
    test.up().await;
    test.done("deploy template:needy name:scout").await;
    assert!(
        test.engine
            .env_of("yardarm-scout")
            .contains(&("KNOWN_KEY".to_owned(), "a-planted-secret".to_owned()))
    );
    for command in [
        "status agent:scout",
        "templates show template:needy",
        "redeploy agent:scout",
        "templates save agent:scout name:saved",
        "templates show template:saved",
        "rollback agent:scout",
        "reload",
    ] {
        let said = test.done(command).await;
        assert!(!said.contains("a-planted-secret"), "{command}: {said}");
    }
    test.down().await;
    assert!(!test.cord.messages_json().contains("a-planted-secret"));
    for file in std::fs::read_dir(test.path("")).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() {
            let bytes = std::fs::read(&file).unwrap();
            let found = bytes
                .windows(16)
                .any(|window| window == b"a-planted-secret");
            assert!(!found, "{}", file.display());
        }
    }
    test.finish().await;
}

/// What is planted below; nothing but a container may ever hold it.
const VALUE: &str = "planted-4f1e9c";

/// Opens the form of a `/secret` command and fills it in; returns the answer.
async fn fill(test: &TestApp, command: &str, value: &str) -> Reply {
    let form = test.send(command).await.modal().unwrap();
    form.fill("value", value).submit().await.unwrap()
}

/// The requester says yes by typing the secret's name, as those do who work alone.
pub(crate) async fn confirmed(test: &TestApp, asked: &Reply, button: &str) -> String {
    asked.until_text("?").await.unwrap();
    let confirmed = TestApp::confirm(asked, button).await;
    let ended = confirmed.until(|text| text.starts_with(['✅', '❌']));
    test.said(&ended.await.unwrap().text())
}

pub(crate) async fn set(test: &TestApp, command: &str, value: &str) -> String {
    let asked = fill(test, command, value).await;
    let rotates = command.starts_with("secret rotate");
    let button = if rotates {
        "Secret rotate"
    } else {
        "Secret set"
    };
    confirmed(test, &asked, button).await
}

async fn needy() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("needy", &NEEDY.replace("KNOWN_KEY", "API_KEY"));
    test.up().await;
    test
}

fn given(test: &TestApp, container: &str) -> Option<String> {
    let env = test.engine.env_of(container);
    let mut found = env.into_iter().filter(|(name, _)| name == "API_KEY");
    found.next().map(|(_, value)| value)
}

#[tokio::test]
async fn a_value_is_typed_into_a_form_and_reaches_the_agent() {
    let test = needy().await;
    let form = test
        .send("secret set name:API_KEY all:true reason:trial")
        .await
        .modal()
        .unwrap();
    assert_eq!(form.title(), "Set API_KEY");
    assert_eq!(form.fields(), ["Value", "Why, for the record"]);
    let reply = form.fill("value", VALUE).submit().await.unwrap();
    insta::assert_snapshot!(confirmed(&test, &reply, "Secret set").await, @"
    ✅ secret set `API_KEY` for all agents: done in 0.0 s
    -# action 1 · by <@olga>, because: trial
    ");
    insta::assert_snapshot!(test.done("secret list").await, @"
    🔑 `API_KEY` for all agents: set <t:1795262400:R> by <@olga>, used by nobody
    🔑 `KNOWN_KEY` for all agents: from Yardarm's environment, used by nobody
    ");
    test.done("deploy template:needy name:scout").await;
    assert_eq!(given(&test, "yardarm-scout").as_deref(), Some(VALUE));
    assert!(test.done("secret list").await.contains("used by scout"));
    test.finish().await;
}

#[tokio::test]
async fn the_nearest_scope_wins_and_a_new_agent_inherits_nothing() {
    let test = needy().await;
    set(&test, "secret set name:API_KEY all:true", "for-all").await;
    set(&test, "secret set name:API_KEY fleet:main", "for-main").await;
    test.done("deploy template:needy name:scout").await;
    assert_eq!(given(&test, "yardarm-scout").as_deref(), Some("for-main"));
    set(&test, "secret set name:API_KEY agent:scout", "for-scout").await;
    assert_eq!(given(&test, "yardarm-scout").as_deref(), Some("for-main"));
    test.done("redeploy agent:scout").await;
    assert_eq!(given(&test, "yardarm-scout").as_deref(), Some("for-scout"));

    let asked = test.send("remove agent:scout").await;
    asked.until_text("?").await.unwrap();
    let removed = TestApp::confirm(&asked, "Remove").await;
    removed.until_text("done").await.unwrap();
    test.done("deploy template:needy name:scout").await;
    assert_eq!(given(&test, "yardarm-scout").as_deref(), Some("for-main"));
    test.finish().await;
}

#[tokio::test]
async fn a_rotation_makes_its_running_users_anew() {
    let test = needy().await;
    set(&test, "secret set name:API_KEY all:true", "old").await;
    test.done("deploy template:needy name:scout").await;
    test.done("deploy template:needy name:idle").await;
    test.done("stop agent:idle").await;
    test.deploy("other").await;
    test.engine.forget_calls();
    insta::assert_snapshot!(set(&test, "secret rotate name:API_KEY all:true", "new").await, @"
    ✅ secret rotate `API_KEY` for all agents, kept as it was by `idle`, stopped, until `/redeploy`: done in 0.0 s
    -# action 6 · by <@olga>
    ");
    assert_eq!(given(&test, "yardarm-scout").as_deref(), Some("new"));
    let changes = test.engine.changes();
    assert!(
        changes.iter().all(|change| !change.contains("other")),
        "{changes:?}"
    );
    test.finish().await;
}

#[tokio::test]
async fn a_deleted_secret_is_given_to_nobody_any_more() {
    let test = needy().await;
    set(&test, "secret set name:API_KEY all:true", VALUE).await;
    let asked = test.send("secret delete name:API_KEY all:true").await;
    insta::assert_snapshot!(confirmed(&test, &asked, "Secret delete").await, @"
    ✅ secret delete `API_KEY` for all agents: done in 0.0 s
    -# action 2 · by <@olga>
    ");
    insta::assert_snapshot!(test.refused("secret delete name:API_KEY all:true").await, @"`API_KEY` for all agents is not set. `/secret list` shows those that are set.");
    assert!(
        test.refused("deploy template:needy name:scout")
            .await
            .contains("`API_KEY`")
    );
    assert_eq!(test.ops().store.sealing_keys().await.unwrap(), []);
    test.finish().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_and_after_the_form() {
    let test = needy().await;
    insta::assert_snapshot!(test.refused("secret set name:API_KEY").await, @"Say who is given it, one of these: `agent:`, `fleet:` or `all:True`.");
    insta::assert_snapshot!(test.refused("secret set name:API-KEY all:true").await, @"`API-KEY` is no name of a secret: use A–Z, a–z, 0–9 and `_`, beginning with a letter, at most 56.");
    insta::assert_snapshot!(test.refused("secret set name:API_KEY agent:nobody").await, @"There is no agent `nobody`. `/deploy` makes the first one.");
    insta::assert_snapshot!(test.refused("secret set name:API_KEY all:true fleet:main").await, @"Say who is given it, one of these: `agent:`, `fleet:` or `all:True`.");
    insta::assert_snapshot!(test.refused("secret rotate name:API_KEY all:true").await, @"`API_KEY` for all agents is not set. `/secret list` shows those that are set.");
    let reply = fill(&test, "secret set name:API_KEY all:true", "\n").await;
    insta::assert_snapshot!(test.refusal(&reply).await, @"The value is empty. Nothing was changed; send the command again.");
    assert_eq!(test.ops().store.sealing_keys().await.unwrap(), []);
    test.finish().await;
}

/// From now on mina owns everything, too.
pub(crate) async fn own_together(test: &mut TestApp) {
    let owners = ["olga", "mina"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    test.restart().await;
}

#[tokio::test]
async fn what_nobody_could_approve_is_refused_before_the_value_is_typed() {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    test.up().await;
    insta::assert_snapshot!(test.refused("secret set name:API_KEY all:true").await, @r#"The policy `team: grave` wants another person to approve this, and the present grants name 0. An owner can grant `maintainer` to somebody (`/grant add`); who works alone sets `access.preset = "solo"` on the host."#);
    own_together(&mut test).await;
    let form = test.send("secret set name:API_KEY all:true").await.modal();
    assert_eq!(form.unwrap().title(), "Set API_KEY");
    test.finish().await;
}

#[tokio::test]
async fn a_wrong_or_missing_key_is_told_at_the_start() {
    let mut test = needy().await;
    set(&test, "secret set name:API_KEY all:true", VALUE).await;
    test.down().await;
    let key = test.path("yardarm.key");
    let right = std::fs::read_to_string(&key).unwrap();

    std::fs::remove_file(&key).unwrap();
    let missing = test.refuses_to_start().await;
    assert!(missing.contains("yardarm.key` is missing"), "{missing}");
    assert!(!key.exists(), "a missing key is never made anew");

    std::fs::write(&key, "00".repeat(32)).unwrap();
    let wrong = test.refuses_to_start().await;
    assert!(wrong.contains("and secrets are sealed with key"), "{wrong}");
    assert!(
        !wrong.contains(right.trim()) && !wrong.contains(&"00".repeat(32)),
        "{wrong}"
    );

    std::fs::write(&key, right).unwrap();
    test.up().await;
    test.done("deploy template:needy name:scout").await;
    assert_eq!(given(&test, "yardarm-scout").as_deref(), Some(VALUE));
    test.finish().await;
}

/// The agent `scout` with a secret, and a log.
async fn talker(lines: &[&str]) -> TestApp {
    let test = needy().await;
    set(&test, "secret set name:API_KEY all:true", VALUE).await;
    test.done("deploy template:needy name:scout").await;
    let id = test.engine.id_of("yardarm-scout");
    for line in lines {
        test.engine.say(&id, LogSource::Stdout, line);
    }
    test
}

#[tokio::test]
async fn an_agent_that_prints_its_environment_tells_no_value() {
    let test = talker(&[
        "PATH=/bin",
        "API_KEY=planted-4f1e9c",
        "wrapped: plant",
        "ed-4f1e9c!",
        "somebody else's: ghp_a1B2c3D4e5a1B2c3D4e5a1B2c3D4e5a1B2c3",
        "Yardarm's own: a-planted-secret",
    ])
    .await;
    insta::assert_snapshot!(test.done("logs agent:scout").await, @"
    Log of `scout`: 6 lines
    ```
    PATH=/bin
    API_KEY=[redacted]
    wrapped: [redacted]
    !
    somebody else's: [redacted]
    Yardarm's own: [redacted]
    ```
    ");
    let reply = test.send("logs agent:scout").await;
    test.end_of(&reply).await;
    let followed = reply.press("Follow").await.unwrap();
    followed.until_text("Following").await.unwrap();
    let id = test.engine.id_of("yardarm-scout");
    test.engine
        .say(&id, LogSource::Stdout, "again: planted-4f1e9c.");
    followed.until_text("again: [redacted].").await.unwrap();
    test.finish().await;
}

#[tokio::test]
async fn an_agent_tells_no_value_that_another_one_was_given() {
    let test = talker(&[]).await;
    test.deploy("gossip").await;
    let id = test.engine.id_of("yardarm-gossip");
    test.engine
        .say(&id, LogSource::Stdout, "scout said planted-4f1e9c");
    let said = test.done("logs agent:gossip").await;
    assert!(said.contains("scout said [redacted]"), "{said}");
    test.finish().await;
}

#[tokio::test]
async fn nobody_finds_a_value_out_by_filtering_for_its_beginnings() {
    let test = talker(&["API_KEY=planted-4f1e9c"]).await;
    let said = test.done("logs agent:scout filter:planted-4").await;
    insta::assert_snapshot!(said, @"The log of `scout` has no line with “planted-4”.");
    test.finish().await;
}

/// `needy`, and the same with a file instead of a variable.
async fn filer() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    let filer = r#"{ "description": "reads a file", "image": "demo:1", "secrets": [{ "name": "API_KEY" }] }"#;
    test.write_template("filer", filer);
    test.up().await;
    set(&test, "secret set name:API_KEY all:true", VALUE).await;
    test
}

#[tokio::test]
async fn an_image_that_was_given_a_file_before_is_given_it_again_unasked() {
    let test = filer().await;
    test.done("deploy template:filer name:scout").await;
    test.done("deploy template:filer name:second").await;
    assert_eq!(test.state("second"), State::Running);
    test.finish().await;
}

fn files(test: &TestApp) -> Vec<(String, String)> {
    test.engine.secret_files_of("yardarm-scout")
}

#[tokio::test]
async fn a_file_is_there_while_the_agent_runs_and_only_then() {
    let mut test = filer().await;
    let laid_out = [("API_KEY".to_owned(), VALUE.to_owned())];
    test.done("deploy template:filer name:scout").await;
    assert_eq!(files(&test), laid_out);
    assert_eq!(given(&test, "yardarm-scout"), None, "it is no variable");
    for (command, expected) in [
        ("stop agent:scout", &[][..]),
        ("start agent:scout", &laid_out),
        ("restart agent:scout", &laid_out),
        ("redeploy agent:scout", &laid_out),
    ] {
        test.done(command).await;
        assert_eq!(files(&test), expected, "{command}");
    }
    set(&test, "secret rotate name:API_KEY all:true", "new-value").await;
    assert_eq!(
        files(&test),
        [("API_KEY".to_owned(), "new-value".to_owned())]
    );

    // The host was booted anew: its memory is empty, and what should run is started.
    test.down().await;
    let id = test.engine.id_of("yardarm-scout");
    test.engine.kill(&id, 137);
    std::fs::remove_dir_all(test.path("secrets")).unwrap();
    test.up().await;
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Running)
        .await;
    assert_eq!(
        files(&test),
        [("API_KEY".to_owned(), "new-value".to_owned())]
    );

    let asked = test.send("remove agent:scout").await;
    asked.until_text("?").await.unwrap();
    let removed = TestApp::confirm(&asked, "Remove").await;
    removed.until_text("done").await.unwrap();
    let instance = std::fs::read_dir(test.path("secrets"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(std::fs::read_dir(instance.path()).unwrap().count(), 0);
    test.finish().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told_and_nothing_is_left() {
    let mut test = filer().await;
    test.down().await;
    std::fs::write(test.path("file"), "").unwrap();
    test.set(
        "secrets.dir",
        &test.path("file/secrets").display().to_string(),
    );
    test.up().await;
    let said = test.done("deploy template:filer name:scout").await;
    let said = said.replace(&test.path("").display().to_string(), "/");
    insta::assert_snapshot!(said, @r#"
    ❌ deploy `scout`: failed after 0.0 s
    Secrets cannot be laid out in `/file/secrets`: Not a directory (os error 20). Give Yardarm that folder (`secrets.dir`), or let the template say `"as": "env"`. Nothing of it is left.
    -# action 2 · by <@olga>
    "#);
    assert_eq!(test.engine.names(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn a_value_that_nobody_confirmed_is_kept_by_nobody() {
    let test = needy().await;
    let asked = fill(&test, "secret set name:API_KEY all:true", VALUE).await;
    asked.until_text("?").await.unwrap();
    let keys = test.ops().store.sealing_keys().await.unwrap();
    assert_eq!(
        keys,
        [test.ops().vault.id().clone()],
        "it is sealed before anybody is asked"
    );
    assert!(
        test.refused("deploy template:needy name:scout")
            .await
            .contains("`API_KEY`")
    );
    asked.press("Cancel").await.unwrap();
    asked.until_text("cancelled").await.unwrap();
    assert_eq!(test.ops().store.sealing_keys().await.unwrap(), []);
    test.finish().await;
}

#[tokio::test]
async fn another_command_is_asked_about_before_it_is_given_a_secret() {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("needy", &NEEDY.replace("KNOWN_KEY", "API_KEY"));
    let printer = NEEDY.replace("KNOWN_KEY", "API_KEY");
    let printer = printer.replace("\"secrets\"", "\"command\": [\"env\"], \"secrets\"");
    test.write_template("printer", &printer);
    test.up().await;
    set(&test, "secret set name:API_KEY all:true", VALUE).await;
    test.done("deploy template:needy name:scout").await;
    test.done("deploy template:needy name:second").await;
    test.engine.forget_calls();
    let asked = test.send("deploy template:printer name:thief").await;
    let card = asked.until_text("?").await.unwrap().text();
    assert!(card.contains("thief"), "{card}");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn a_check_that_could_read_a_secret_is_asked_about_too() {
    let mut test = TestApp::prepare(&[]).await;
    let needy = NEEDY.replace("KNOWN_KEY", "API_KEY");
    test.write_template("needy", &needy);
    let checks = [
        r#""health": { "command": ["env"] }, "#,
        r#""probes": [{ "kind": "exec", "command": ["env"] }], "#,
    ];
    for (number, check) in checks.iter().enumerate() {
        let checked = needy.replace("\"secrets\"", &format!("{check}\"secrets\""));
        test.write_template(&format!("checked-{number}"), &checked);
    }
    test.up().await;
    set(&test, "secret set name:API_KEY all:true", VALUE).await;
    test.done("deploy template:needy name:scout").await;
    test.engine.forget_calls();
    for number in 0..checks.len() {
        let asked = test
            .send(&format!("deploy template:checked-{number} name:thief"))
            .await;
        asked.until_text("?").await.unwrap();
        asked.press("Cancel").await.unwrap();
        asked.until_text("cancelled").await.unwrap();
    }
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn the_environment_of_an_adopted_container_is_sealed_and_given_back() {
    let mut test = needy().await;
    let mut spec = plain_spec("web:latest");
    spec.env.insert("DATABASE_URL".to_owned(), VALUE.to_owned());
    test.engine.foreign_with("web", spec);
    test.done("adopt container:web").await;
    let version = test.ops().roster.view("web").unwrap().version.unwrap();
    assert!(version.spec.env.is_empty());
    assert_eq!(version.spec.secrets, ["DATABASE_URL"]);
    let listed = test.done("secret list").await;
    assert!(listed.contains("`DATABASE_URL` for `web`"), "{listed}");
    assert!(
        listed.contains("with its agent's adoption, used by web"),
        "{listed}"
    );
    test.done("redeploy agent:web").await;
    let variable = ("DATABASE_URL".to_owned(), VALUE.to_owned());
    assert!(test.engine.env_of("yardarm-web").contains(&variable));
    test.down().await;
    assert!(!test.cord.messages_json().contains(VALUE));
    let database = std::fs::read(test.path("yardarm.db")).unwrap();
    let value = VALUE.as_bytes();
    assert!(!database.windows(value.len()).any(|window| window == value));
    test.finish().await;
}

/// It can do without.
const OPTIONAL: &str = r#"{ "description": "reads a file", "image": "demo:1",
    "secrets": [{ "name": "API_KEY", "required": false }] }"#;

/// Olga and Ravi own all, and `scout` was deployed without a key.
async fn keyless() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    test.write_template("filer", OPTIONAL);
    let other = OPTIONAL.replace("\"secrets\"", "\"command\": [\"serve\"], \"secrets\"");
    test.write_template("other", &other);
    test.up().await;
    test.done("deploy template:filer name:scout").await;
    test
}

#[tokio::test]
async fn an_agent_that_moves_is_not_given_what_others_have_there_by_a_restart() {
    let test = keyless().await;
    test.done("fleet create name:prod").await;
    set(&test, "secret set name:API_KEY fleet:prod", VALUE).await;
    test.done("deploy template:other name:service fleet:prod")
        .await;
    test.done("fleet add fleet:prod agent:scout").await;
    test.engine.forget_calls();
    insta::assert_snapshot!(test.done("restart agent:scout").await, @"
    ❌ restart `scout`: failed after 0.0 s
    The secret `API_KEY` that `scout` would be given by now was never given to its image with its command. `/redeploy agent:scout` asks for that.
    -# action 6 · by <@olga>
    ");
    assert_eq!(files(&test), []);
    assert_eq!(test.engine.changes(), [""; 0], "it was not even stopped");

    let asked = test.send("redeploy agent:scout").await;
    asked.until_text("?").await.unwrap();
    let confirmed = TestApp::confirm(&asked, "Redeploy").await;
    confirmed.until_text("running after").await.unwrap();
    assert_eq!(files(&test), [("API_KEY".to_owned(), VALUE.to_owned())]);
    test.finish().await;
}

#[tokio::test]
async fn a_secret_that_is_new_waits_for_whoever_set_it_or_for_people() {
    let test = keyless().await;
    let ravi = test.cord.user("ravi").in_channel("ops");
    set(&test, "secret set name:API_KEY all:true", VALUE).await;
    let restarted = slash(&ravi, "restart agent:scout").send().await.unwrap();
    restarted.until_text("running after").await.unwrap();
    assert_eq!(files(&test), []);

    let asked = slash(&ravi, "redeploy agent:scout").send().await.unwrap();
    asked.until_text("?").await.unwrap();
    asked.press("Cancel").await.unwrap();
    asked.until_text("cancelled").await.unwrap();
    assert_eq!(files(&test), []);

    test.done("redeploy agent:scout").await;
    assert_eq!(files(&test), [("API_KEY".to_owned(), VALUE.to_owned())]);
    let again = slash(&ravi, "redeploy agent:scout").send().await.unwrap();
    again.until_text("running after").await.unwrap();
    test.finish().await;
}

#[tokio::test]
async fn another_image_of_the_same_name_is_given_nothing_by_a_start() {
    let test = filer().await;
    test.done("deploy template:filer name:scout").await;
    test.done("stop agent:scout").await;
    let container = test.engine.id_of("yardarm-scout");
    test.engine.remove_behind_our_back(&container);
    test.engine.lose_image("demo:1");
    test.engine.add_image("demo:1");
    insta::assert_snapshot!(test.done("start agent:scout").await, @"
    ❌ start `scout`: failed after 0.0 s
    The image of `scout` is gone from this host, and `demo:1` is another one by now. `/redeploy agent:scout` asks for that. Nothing else was changed.
    -# action 4 · by <@olga>
    ");
    assert_eq!(test.engine.names(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn the_environment_of_an_adopted_container_is_given_back_to_it_whoever_asks() {
    let mut test = TestApp::prepare(&[]).await;
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    test.up().await;
    let mut spec = plain_spec("web:latest");
    spec.env.insert("DATABASE_URL".to_owned(), VALUE.to_owned());
    test.engine.foreign_with("web", spec);
    test.done("adopt container:web").await;
    let ravi = test.cord.user("ravi").in_channel("ops");
    let again = slash(&ravi, "redeploy agent:web").send().await.unwrap();
    again.until_text("running after").await.unwrap();
    let variable = ("DATABASE_URL".to_owned(), VALUE.to_owned());
    assert!(test.engine.env_of("yardarm-web").contains(&variable));
    test.finish().await;
}
