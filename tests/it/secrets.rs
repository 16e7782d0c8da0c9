//! Secrets reach the container and nothing else.

use crate::support::test_app::TestApp;

const NEEDY: &str = r#"{ "description": "needs a key", "image": "demo:1",
    "secrets": [{ "name": "KNOWN_KEY", "description": "for the model" }, { "name": "OTHER_KEY", "required": false }] }"#;

#[tokio::test]
async fn a_missing_secret_is_named() {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("needy", &NEEDY.replace("KNOWN_KEY", "UNKNOWN_KEY"));
    test.up().await;
    insta::assert_snapshot!(test.refused("deploy template:needy").await, @"`needy` needs `AGENT_UNKNOWN_KEY` in Yardarm's environment (`.env`); set it and restart Yardarm.");
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
            .contains("`AGENT_UNKNOWN_KEY`")
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
