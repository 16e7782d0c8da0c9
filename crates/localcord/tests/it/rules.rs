//! Discord's rules and its words for who breaks them.

use std::time::Duration;

use localcord::{Localcord, Options};
use serde_json::{Value, json};

use crate::support::{Rest, start};

#[tokio::test]
async fn one_callback_per_interaction() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga").in_channel("ops");
    let reply = olga.slash("twice").send().await.unwrap();
    cord.channel("ops")
        .wait_for_text("second: 40060")
        .await
        .unwrap();
    assert_eq!(reply.text(), "first");
    cord.finish().unwrap();
}

#[tokio::test]
async fn three_seconds_for_the_callback() {
    let (cord, bot) = start().await;
    let olga = cord.user("olga").in_channel("ops");
    let late = tokio::join!(olga.slash("late").send(), async {
        cord.advance(Duration::from_secs(4))
    })
    .0;
    assert_eq!(late.unwrap().text(), "The application did not respond");
    bot.gate.notify_one();
    cord.channel("ops")
        .wait_for_text("late: 10062")
        .await
        .unwrap();
    cord.finish().unwrap();
}

#[tokio::test]
async fn fifteen_minutes_for_edits() {
    let (cord, bot) = start().await;
    let olga = cord.user("olga").in_channel("ops");
    let in_time = olga.slash("edit_later").send().await.unwrap();
    cord.advance(Duration::from_secs(14 * 60));
    bot.gate.notify_one();
    in_time.until_text("edited").await.unwrap();
    cord.channel("ops").wait_for_text("edit: 0").await.unwrap();

    let too_late = olga.slash("edit_later").send().await.unwrap();
    cord.advance(Duration::from_secs(15 * 60 + 1));
    bot.gate.notify_one();
    cord.channel("ops")
        .wait_for_text("edit: 50027")
        .await
        .unwrap();
    assert_eq!(too_late.text(), "early");
    cord.finish().unwrap();
}

#[tokio::test]
async fn limits_of_messages() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let embed = |description: usize| json!({ "description": "x".repeat(description) });
    let button = |id: &str| json!({ "type": 2, "style": 1, "label": "x", "custom_id": id });
    let row = |count: usize| json!({ "type": 1, "components": (0..count).map(|n| button(&n.to_string())).collect::<Vec<_>>() });
    for (body, path, code) in [
        (
            json!({ "content": "x".repeat(2001) }),
            "/content",
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            json!({ "embeds": [{ "title": "x".repeat(257) }] }),
            "/embeds/0/title",
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            json!({ "embeds": [embed(4000), embed(2001)] }),
            "/embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
        ),
        (
            json!({ "embeds": vec![embed(1); 11] }),
            "/embeds",
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            json!({ "embeds": [{ "fields": [{ "name": "a" }] }] }),
            "/embeds/0/fields/0/value",
            "BASE_TYPE_REQUIRED",
        ),
        (
            json!({ "components": vec![row(1); 6] }),
            "/components",
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            json!({ "components": [row(6)] }),
            "/components/0/components",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!({ "components": [{ "type": 1, "components": [button(&"x".repeat(101))] }] }),
            "/components/0/components/0/custom_id",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!({ "components": [{ "type": 1, "components": [button("a"), button("a")] }] }),
            "/components/0/components/1/custom_id",
            "COMPONENT_CUSTOM_ID_DUPLICATED",
        ),
        (
            json!({ "content": "x", "nonce": "x".repeat(26) }),
            "/nonce",
            "BASE_TYPE_MAX_LENGTH",
        ),
    ] {
        assert_refused(&cord, "POST", &messages(&cord, "ops"), body, (path, code)).await;
    }
    let (status, body) = Rest::new(&cord)
        .call("POST", &messages(&cord, "ops"), json!({ "content": " " }))
        .await;
    assert_eq!((status, body["code"].clone()), (400, json!(50006)));
    assert!(cord.channel("ops").messages().is_empty());
    cord.finish().unwrap();
}

#[tokio::test]
async fn limits_of_commands() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let command = |name: &str, options: Value| json!({ "name": name, "description": "d", "options": options });
    let option = |name: &str, required: bool| json!({ "type": 3, "name": name, "description": "d", "required": required });
    let choices: Vec<Value> = (0..26)
        .map(|n| json!({ "name": n.to_string(), "value": "x" }))
        .collect();
    let with_choices = json!({ "type": 3, "name": "a", "description": "d", "choices": choices });
    let wrong_choice = json!({ "type": 4, "name": "a", "description": "d", "choices": [{ "name": "a", "value": "x" }] });
    let group = json!({ "type": 2, "name": "a", "description": "d", "options": [
        { "type": 2, "name": "b", "description": "d", "options": [] }
    ] });
    let path = format!("/applications/{}/commands", cord.bot_id());
    for (body, at, code) in [
        (
            json!([command("Stop", json!([]))]),
            "/0/name",
            "APPLICATION_COMMAND_INVALID_NAME",
        ),
        (
            json!([command("a b", json!([]))]),
            "/0/name",
            "APPLICATION_COMMAND_INVALID_NAME",
        ),
        (
            json!([{ "name": "a" }]),
            "/0/description",
            "BASE_TYPE_REQUIRED",
        ),
        (
            json!([{ "name": "a", "description": "x".repeat(101) }]),
            "/0/description",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!([command("a", json!([])), command("a", json!([]))]),
            "/1/name",
            "APPLICATION_COMMANDS_DUPLICATE_NAME",
        ),
        (
            json!([command("a", json!([option("a", false), option("b", true)]))]),
            "/0/options/1",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (
            json!([command("a", json!([with_choices]))]),
            "/0/options/0/choices",
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            json!([command("a", json!([wrong_choice]))]),
            "/0/options/0/choices/0/value",
            "APPLICATION_COMMAND_OPTIONS_CHOICE_INVALID",
        ),
        (
            json!([command("a", json!([group]))]),
            "/0/options/0/options/0/type",
            "BASE_TYPE_CHOICES",
        ),
    ] {
        assert_refused(&cord, "PUT", &path, body, (at, code)).await;
    }
    let many: Vec<Value> = (0..101)
        .map(|n| command(&format!("c{n}"), json!([])))
        .collect();
    assert_refused(
        &cord,
        "PUT",
        &path,
        json!(many),
        ("/_", "APPLICATION_COMMANDS_MAX"),
    )
    .await;
    assert!(cord.global_commands().is_empty());
    cord.finish().unwrap();
}

#[tokio::test]
async fn what_the_bot_may_not_do() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let hello = json!({ "content": "hello" });
    for (channel, status, code) in [("private", 403, 50001), ("notices", 403, 50013)] {
        let outcome = rest
            .call("POST", &messages(&cord, channel), hello.clone())
            .await;
        assert_eq!(
            (outcome.0, &outcome.1["code"]),
            (status, &json!(code)),
            "{channel}"
        );
    }
    for (method, path, status, code) in [
        ("GET", "/channels/1/messages".to_owned(), 404, 10003),
        ("GET", "/guilds/1".to_owned(), 404, 10004),
        ("GET", format!("{}/1", messages(&cord, "ops")), 404, 10008),
        ("PATCH", format!("{}/1", messages(&cord, "ops")), 404, 10008),
        (
            "POST",
            "/interactions/1/token/callback".to_owned(),
            404,
            10062,
        ),
        (
            "PATCH",
            format!("/webhooks/{}/token/messages/@original", cord.bot_id()),
            404,
            10015,
        ),
    ] {
        let body = if method == "GET" {
            Value::Null
        } else {
            json!({ "type": 4, "data": hello, "content": "x" })
        };
        let outcome = rest.call(method, &path, body).await;
        assert_eq!(
            (outcome.0, &outcome.1["code"]),
            (status, &json!(code)),
            "{method} {path}"
        );
    }
    let said = cord.user("ravi").in_channel("ops").says("mine").unwrap();
    let path = format!("{}/{}", messages(&cord, "ops"), said.id());
    assert_eq!(rest.call("PATCH", &path, hello).await.1["code"], 50005);
    cord.finish().unwrap();
}

fn messages(cord: &Localcord, channel: &str) -> String {
    format!("/channels/{}/messages", cord.channel(channel).id())
}

/// "Invalid Form Body" with this code at this place.
async fn assert_refused(
    cord: &Localcord,
    method: &str,
    path: &str,
    body: Value,
    (at, code): (&str, &str),
) {
    let (status, answer) = Rest::new(cord).call(method, path, body).await;
    assert_eq!((status, &answer["code"]), (400, &json!(50035)), "{answer}");
    let errors = answer["errors"].pointer(&format!("{at}/_errors/0/code"));
    assert_eq!(errors, Some(&json!(code)), "{answer}");
}
