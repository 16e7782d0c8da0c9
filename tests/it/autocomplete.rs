//! What is offered while one types: every name, and the arguments of a template.

use localcord::Person;

use crate::support::test_app::TestApp;

const GREETER: &str = r#"{
    "description": "greets people", "image": "demo:1",
    "parameters": [
        { "name": "word", "type": "string", "description": "what to say", "default": "hi" },
        { "name": "every", "type": "integer", "description": "seconds", "default": 5 },
        { "name": "tone", "type": "choice", "description": "how", "choices": ["warm", "cold"], "default": "warm" },
        { "name": "loud", "type": "boolean", "description": "shout", "default": false }
    ]
}"#;

async fn scene() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("greeter", GREETER);
    test.up().await;
    test.done("fleet create name:north").await;
    for name in ["scout-1", "scout-2", "night-scout"] {
        test.deploy(name).await;
    }
    test.done("stop agent:scout-2").await;
    test
}

/// What is offered for `option` of `command`, as `label = value`.
async fn offers(person: &Person, command: &str, option: &str, typed: &str) -> Vec<String> {
    let choices = person
        .autocomplete(command)
        .focus(option, typed)
        .send()
        .await
        .unwrap();
    choices
        .into_iter()
        .map(|choice| format!("{} = {}", choice.name, choice.value))
        .collect()
}

#[tokio::test]
async fn agents_are_offered_with_what_they_do() {
    let test = scene().await;
    let olga = test.olga();
    insta::assert_snapshot!(offers(&olga, "stop", "agent", "sc").await.join("\n"), @"
    scout-1 · main · running = scout-1
    scout-2 · main · stopped = scout-2
    night-scout · main · running = night-scout
    ");
    for command in [
        "status",
        "redeploy",
        "rollback",
        "start",
        "stop",
        "restart",
        "pause",
        "resume",
        "remove",
        "logs",
        "fleet add",
        "fleet remove",
        "templates save",
    ] {
        let found = offers(&olga, command, "agent", "NIGHT").await;
        assert_eq!(
            found,
            ["night-scout · main · running = night-scout"],
            "{command}"
        );
    }
    assert_eq!(offers(&olga, "stop", "agent", "zzz").await, [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn fleets_and_templates_are_offered() {
    let test = scene().await;
    let olga = test.olga();
    for command in [
        "status",
        "deploy",
        "redeploy",
        "start",
        "stop",
        "restart",
        "pause",
        "resume",
        "remove",
        "fleet add",
        "fleet remove",
        "fleet delete",
        "adopt",
    ] {
        assert_eq!(
            offers(&olga, command, "fleet", "").await,
            ["main = main", "north = north"],
            "{command}"
        );
    }
    for command in ["deploy", "templates show", "templates delete"] {
        assert_eq!(
            offers(&olga, command, "template", "gr").await,
            ["greeter · greets people = greeter"],
            "{command}"
        );
    }
    test.finish().await;
}

#[tokio::test]
async fn set_offers_keys_and_then_values() {
    let test = scene().await;
    test.done("deploy template:greeter name:host").await;
    let olga = test.olga();
    let mut said = Vec::new();
    for typed in [
        "",
        "t",
        "tone=",
        "tone=c",
        "loud=",
        "every=",
        "word=hi to",
        "tone=cold loud=t",
        "nothing=",
        "mem",
    ] {
        let choices = olga
            .autocomplete("deploy")
            .option("template", "greeter")
            .focus("set", typed)
            .send()
            .await
            .unwrap();
        let values: Vec<String> = choices.into_iter().map(|choice| choice.value).collect();
        said.push(format!("`{typed}` → {values:?}"));
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    `` → ["word=", "every=", "tone=", "loud=", "memory_mb=", "cpus=", "pids="]
    `t` → ["tone="]
    `tone=` → ["tone=warm", "tone=cold"]
    `tone=c` → ["tone=cold"]
    `loud=` → ["loud=true", "loud=false"]
    `every=` → ["every=5"]
    `word=hi to` → ["word=hi tone="]
    `tone=cold loud=t` → ["tone=cold loud=true"]
    `nothing=` → []
    `mem` → ["memory_mb="]
    "#);

    let of_agent = olga
        .autocomplete("redeploy")
        .option("agent", "host")
        .focus("set", "lo")
        .send()
        .await
        .unwrap();
    assert_eq!(of_agent[0].value, "loud=");
    assert_eq!(offers(&olga, "deploy", "set", "t").await, [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn at_most_twenty_five_are_offered() {
    let test = scene().await;
    for number in 0..30 {
        test.ops_deploy(&format!("agent-{number:02}")).await;
    }
    assert_eq!(offers(&test.olga(), "stop", "agent", "").await.len(), 25);
    test.finish().await;
}

#[tokio::test]
async fn strangers_are_offered_nothing() {
    let test = scene().await;
    let ravi = test.cord.user("ravi").in_channel("ops");
    for (command, option) in [
        ("stop", "agent"),
        ("deploy", "template"),
        ("deploy", "set"),
        ("fleet add", "fleet"),
    ] {
        assert_eq!(
            offers(&ravi, command, option, "").await,
            [""; 0],
            "{command}"
        );
    }
    test.finish().await;
}

#[tokio::test]
async fn offers_come_while_docker_is_away() {
    let test = scene().await;
    test.engine.go_away();
    test.until(|ops| !ops.knows_engine()).await;
    assert_eq!(
        offers(&test.olga(), "stop", "agent", "night").await,
        ["night-scout · main · unknown = night-scout"]
    );
    test.finish().await;
}
