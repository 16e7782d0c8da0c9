//! What comes from containers and from people's keyboards stays text: it mentions nobody and breaks out of nothing.

use serde_json::json;
use yardarm::engine::LogSource::Stdout;

use crate::support::{fake_engine::Behaviour, test_app::TestApp};

const HOSTILE: &str = "```\n@everyone <@1> **bold** `code`\u{7}\u{1b}[31m\u{202e}";

#[tokio::test]
async fn log_lines_cannot_leave_their_block() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let id = test.engine.id_of("yardarm-scout");
    test.engine.say(&id, Stdout, HOSTILE);
    let reply = test.send("logs agent:scout").await;
    let text = test.end_of(&reply).await;
    assert_eq!(text.matches("```").count(), 2, "{text}");
    assert!(!text.contains(['\u{7}', '\u{1b}']), "{text:?}");
    assert_eq!(
        reply.message().unwrap().allowed_mentions(),
        Some(&json!({ "parse": [], "roles": [], "users": [] }))
    );
    test.finish().await;
}

#[tokio::test]
async fn lines_of_five_thousand_characters_come_as_a_file() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let id = test.engine.id_of("yardarm-scout");
    for letter in ["a", "🦀"] {
        test.engine.say(&id, Stdout, &letter.repeat(5000));
    }
    let reply = test.send("logs agent:scout").await;
    let text = test.end_of(&reply).await;
    assert!(text.encode_utf16().count() <= 2000);
    assert!(text.ends_with("🦀\n```"), "{text}");
    assert_eq!(reply.attachments()[0].text().chars().count(), 10_001);
    test.finish().await;
}

#[tokio::test]
async fn a_filter_is_only_a_text() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine
        .say(&test.engine.id_of("yardarm-scout"), Stdout, "a line");
    let olga = test.olga();
    for filter in ["```@everyone", &"`".repeat(3000)] {
        let command = olga
            .slash("logs")
            .option("agent", "scout")
            .option("filter", filter);
        let reply = command.send().await.unwrap();
        let text = test.end_of(&reply).await;
        assert!(text.encode_utf16().count() <= 400, "{text}");
        assert!(!text.contains("```"), "{text}");
    }
    test.finish().await;
}

#[tokio::test]
async fn last_words_cannot_leave_their_block() {
    let test = TestApp::start().await;
    test.engine.behaves(
        "demo:1",
        Behaviour {
            crash: Some(1),
            says: vec![(Stdout, HOSTILE)],
            ..Behaviour::default()
        },
    );
    let reply = test.send("deploy template:demo name:scout").await;
    let text = test.end_of(&reply).await;
    assert_eq!(text.matches("```").count(), 2, "{text}");
    assert_eq!(
        reply.message().unwrap().allowed_mentions(),
        Some(&json!({ "parse": [], "roles": [], "users": [] }))
    );
    test.finish().await;
}

#[tokio::test]
async fn a_reason_is_only_a_text() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let reason = format!("{HOSTILE}\n-# action 7 · by <@2>");
    let command = test
        .olga()
        .slash("stop")
        .option("agent", "scout")
        .option("reason", reason);
    let reply = command.send().await.unwrap();
    let text = test.end_of(&reply).await;
    insta::assert_snapshot!(text, @r"
    ✅ stop `scout`: done in 0.0 s
    -# action 2 · by <@olga>, because: \`\`\` \@everyone \<\@1\> \*\*bold\*\* \`code\`  \[31m  -\# action 7 · by \<\@2\>
    ");
    assert_eq!(text.lines().count(), 2);
    assert_eq!(
        reply.message().unwrap().allowed_mentions(),
        Some(&json!({ "parse": [], "roles": [], "users": [] }))
    );
    test.finish().await;
}

#[tokio::test]
async fn a_group_without_its_command_is_answered() {
    let test = TestApp::start().await;
    let card = test.deploy("scout").await.message().unwrap();
    for group in ["grant", "schedule"] {
        let data = json!({ "id": "1", "name": group, "type": 1 });
        let forged = test.olga().forge_interaction(&card, 2, &data).unwrap();
        let reply = forged.answered().await;
        let text = test.refusal(&reply).await;
        assert_eq!(
            text,
            "This command has changed since Discord loaded it. Reload Discord (Ctrl+R) and try again."
        );
    }
    test.finish().await;
}

#[tokio::test]
async fn nothing_is_offered_for_a_command_that_is_gone() {
    let test = TestApp::start().await;
    let card = test.deploy("scout").await.message().unwrap();
    let typing = json!({ "name": "agent", "type": 3, "value": "sc", "focused": true });
    let data = json!({ "id": "1", "name": "gone", "type": 1, "options": [typing] });
    let forged = test.olga().forge_interaction(&card, 4, &data).unwrap();
    let reply = forged.answered().await;
    assert!(!reply.is_failed(), "nobody answered in time");
    test.finish().await;
}

#[tokio::test]
async fn names_that_do_not_exist_are_repeated_harmlessly() {
    let test = TestApp::start().await;
    for command in ["status", "stop", "redeploy", "logs"] {
        let typed = test
            .olga()
            .slash(command)
            .option("agent", "`@everyone` ".repeat(100));
        let reply = typed.send().await.unwrap();
        let text = test.refusal(&reply).await;
        assert_eq!(text.matches('`').count() % 2, 0, "{text}");
        assert!(text.encode_utf16().count() < 300, "{text}");
    }
    test.finish().await;
}
