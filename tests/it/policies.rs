//! Rules: what they say, and where they come from.

use std::path::Path;

use crate::support::test_app::TestApp;

const NIGHTS: &str = r#"
[[policy]]
name = "scouts are asked about"
actions = ["stop"]
fleets = ["main"]
templates = ["demo"]
effect = "ask"
ask = { approvals = 2 }
"#;

#[tokio::test]
async fn policy_test_explains_with_what_is_known_of_the_agent() {
    let mut test = TestApp::prepare(&[("access.preset", "team")]).await;
    let file = test.path("yardarm.toml");
    std::fs::write(&file, NIGHTS).unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    let reply = test.send("policy test action:stop agent:scout").await;
    assert!(reply.is_ephemeral());
    insta::assert_snapshot!(test.said(&reply.text()), @r"
    ```
    stop agent scout fleet main template demo, by operator, from chat
      yes scouts are asked about | ask 2 other people
    → ask 2 other people (scouts are asked about)
    ```
    ");
    insta::assert_snapshot!(test.done("policy test action:stop agent:stranger several:true").await, @r"
    ```
    stop agent stranger, several, by operator, from chat
      no  scouts are asked about | it has no fleet, and needs main
      no  team: on the host | chat is not host
      no  team: Yardarm itself | it is about start or restart or resume
      no  team: a second person | it is about grant add or team save
      yes team: several at once | ask 1 other person
    → ask 1 other person (team: several at once)
    ```
    ");
    test.finish().await;
}

#[tokio::test]
async fn policy_test_says_what_it_does_not_understand() {
    let test = TestApp::start().await;
    insta::assert_snapshot!(test.refused("policy test action:stops").await, @"`stops` is unknown: did you mean `stop`?");
    insta::assert_snapshot!(test.refused("policy test action:stop level:king").await, @"`king` is unknown: use one of `viewer`, `operator`, `maintainer`, `owner`");
    let offered = test
        .olga()
        .autocomplete("policy test")
        .focus("action", "secret")
        .send()
        .await;
    let offered: Vec<String> = offered
        .unwrap()
        .into_iter()
        .map(|choice| choice.value)
        .collect();
    assert_eq!(offered, ["secret set", "secret delete", "secret rotate"]);
    test.finish().await;
}

#[tokio::test]
async fn a_reload_takes_rules_over() {
    let mut test = TestApp::prepare(&[("access.preset", "team")]).await;
    let file = test.path("yardarm.toml");
    std::fs::write(&file, "").unwrap();
    test.up_from(&file).await;
    assert_eq!(decision(&test).await, "→ allow (team: everyday)");
    std::fs::write(
        &file,
        "[[policy]]\nname = \"never\"\neffect = \"deny\"\nreason = \"no\"\n",
    )
    .unwrap();
    test.done("reload").await;
    assert_eq!(decision(&test).await, "→ deny: no (never)");
    test.finish().await;
}

async fn decision(test: &TestApp) -> String {
    let said = test.done("policy test action:stop").await;
    let last = said.lines().rev().find(|line| line.starts_with('→'));
    last.expect("a decision").to_owned()
}

#[test]
fn the_command_line_explains_from_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("yardarm.toml");
    std::fs::write(&file, NIGHTS).unwrap();
    let said = |arguments: &[&str]| program(&file, arguments);
    insta::assert_snapshot!(said(&["--action", "stop", "--fleet", "main", "--template", "demo"]), @r"
    stop fleet main template demo, by operator, from chat
      yes scouts are asked about | ask 2 other people
    → ask 2 other people (scouts are asked about)
    ");
    insta::assert_snapshot!(said(&["--action", "stop", "--several", "--level", "viewer"]), @r"
    stop, several, by viewer, from chat
      refused before any rule: it needs operator
      no  scouts are asked about | it has no fleet, and needs main
      no  team: on the host | chat is not host
      no  team: Yardarm itself | it is about start or restart or resume
      no  team: a second person | it is about grant add or team save
      yes team: several at once | ask 1 other person
    → ask 1 other person (team: several at once)
    ");
    insta::assert_snapshot!(said(&["--action", "stops"]), @r"
    error: invalid value 'stops' for '--action <ACTION>': did you mean `stop`?

    For more information, try '--help'.
    ");
}

/// What `yardarm policy test` prints.
fn program(file: &Path, arguments: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_yardarm"))
        .args(["policy", "test", "--set", "discord.guild=7", "--config"])
        .arg(file)
        .args(arguments)
        .env(
            "DISCORD_TOKEN",
            "MTIzNDU2Nzg5.GhIjKl.a-signature_of_Discord",
        )
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}
