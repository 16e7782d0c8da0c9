//! `/templates`: what agents are made from.

use crate::support::test_app::TestApp;

const RICH: &str = r#"{
    "description": "has *everything*", "image": "demo:1", "command": ["{{goal}}"], "limits": { "memory_mb": 64, "cpus": 0.5, "pids": 32 },
    "secrets": [{ "name": "KNOWN_KEY", "as": "env" }, { "name": "MAYBE_KEY", "required": false, "as": "env" }],
    "parameters": [
        { "name": "goal", "type": "string", "description": "what it is to do", "required": true },
        { "name": "every", "type": "integer", "description": "seconds", "default": 5 },
        { "name": "tone", "type": "choice", "description": "how", "choices": ["warm", "cold"], "default": "warm" }
    ]
}"#;

async fn rich() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("rich", RICH);
    test.up().await;
    test
}

#[tokio::test]
async fn they_are_listed_and_shown() {
    let test = rich().await;
    insta::assert_snapshot!(test.done("templates list").await, @r"
    `demo` ticks
    `rich` has \*everything\*
    `/deploy template:` makes an agent from one.
    ");
    insta::assert_snapshot!(test.done("templates show template:rich").await, @r"
    **rich**: has \*everything\*
    image `demo:1`
    at most 64 MiB, 0.5 CPUs, 32 processes
    ▫️ `goal` (a text): what it is to do, must be given
    ▫️ `every` (an integer): seconds, else `5`
    ▫️ `tone` (one of `warm`, `cold`): how, else `warm`
    secrets: `KNOWN_KEY`, `MAYBE_KEY` (optional)
    ");
    assert!(test.send("templates list").await.is_ephemeral());
    test.finish().await;
}

#[tokio::test]
async fn an_agent_is_saved_as_one_used_and_the_template_deleted() {
    let mut test = rich().await;
    test.done("deploy template:rich name:scout set:'goal=\"watch {{the}} sea\" memory_mb=32'")
        .await;
    insta::assert_snapshot!(test.done("templates save agent:scout name:seawatch description:\"as of today\"").await, @"
    ✅ template save `seawatch`: done in 0.0 s
    -# action 2 · by <@olga>
    ");
    insta::assert_snapshot!(test.done("templates show template:seawatch").await, @"
    **seawatch**: as of today
    image `demo:1`
    at most 32 MiB, 0.5 CPUs, 32 processes
    secrets: `KNOWN_KEY`, `MAYBE_KEY` (optional)
    ");

    // It survives a restart and a reload.
    test.restart().await;
    test.done("reload").await;
    test.done("deploy template:seawatch name:twin").await;
    let (scout, twin) = (
        test.engine.spec_of("yardarm-scout"),
        test.engine.spec_of("yardarm-twin"),
    );
    assert_eq!((scout.command, scout.limits), (twin.command, twin.limits));

    insta::assert_snapshot!(test.done("templates delete template:seawatch").await, @"
    ✅ template delete `seawatch`: done in 0.0 s
    -# action 5 · by <@olga>
    ");
    let gone = test.refused("templates show template:seawatch").await;
    assert!(
        gone.starts_with("There is no template `seawatch`."),
        "{gone}"
    );
    test.finish().await;
}

#[tokio::test]
async fn what_cannot_be_saved_or_deleted_is_refused() {
    let test = rich().await;
    test.deploy("scout").await;
    let mut said = Vec::new();
    for command in [
        "templates delete template:rich",
        "templates save agent:scout name:rich",
        "templates save agent:scout name:Bad",
        &format!(
            "templates save agent:scout name:long description:{}",
            "x".repeat(101)
        ),
    ] {
        said.push(test.refused(command).await);
    }
    insta::assert_snapshot!(said.join("\n"), @"
    `rich` comes from a file: delete the file, then `/reload`.
    There is a template `rich` already.
    `Bad` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit.
    description: has 101 characters
    hint: use 1 to 100
    ");
    test.finish().await;
}

#[tokio::test]
async fn a_file_that_takes_a_saved_ones_name_comes_first() {
    let test = rich().await;
    test.deploy("scout").await;
    test.done("templates save agent:scout name:mine").await;
    test.write_template(
        "mine",
        r#"{ "description": "from a file", "image": "demo:1" }"#,
    );
    test.done("reload").await;
    assert!(
        test.done("templates list")
            .await
            .contains("`mine` from a file")
    );
    assert!(
        test.refused("templates delete template:mine")
            .await
            .contains("comes from a file")
    );
    test.finish().await;
}
