//! REST as any client would use it.

use localcord::{Localcord, Options};
use serde_json::{Value, json};

use crate::support::{Rest, answered};

#[tokio::test]
async fn the_bot_learns_about_itself_and_its_guild() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let guild = format!("/guilds/{}", cord.guild_id());
    let olga = cord.user("olga").id();
    for path in [
        "/gateway".to_owned(),
        "/gateway/bot".to_owned(),
        "/users/@me".to_owned(),
        "/users/@me/guilds".to_owned(),
        format!("/users/{olga}"),
        "/applications/@me".to_owned(),
        "/oauth2/applications/@me".to_owned(),
        format!("/applications/{}/commands", cord.bot_id()),
        guild.clone(),
        format!("{guild}/channels"),
        format!("{guild}/roles"),
        format!("{guild}/members/{olga}"),
        format!("/channels/{}", cord.channel("ops").id()),
    ] {
        assert_eq!(rest.get(&path).await.0, 200, "{path}");
    }
    let member = rest.get(&format!("{guild}/members/{olga}")).await.1;
    assert_eq!(member["roles"], json!([cord.role_id("captain")]));
    cord.finish().unwrap();
}

#[tokio::test]
async fn only_the_bots_own_token_opens() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let mut request = rest.request("GET", "/users/@me").build().unwrap();
    request
        .headers_mut()
        .insert("authorization", "Bot another.to.ken".parse().unwrap());
    let (status, answer) = rest.execute(request).await;
    assert_eq!(
        (status, answer),
        (401, json!({ "code": 0, "message": "401: Unauthorized" }))
    );
    assert_eq!(cord.token().split('.').count(), 3);
    assert!(cord.token().starts_with("localcord."));
    cord.finish().unwrap();
}

#[tokio::test]
async fn unknown_routes_are_named() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    assert_eq!(rest.get("/voice/regions").await.0, 404);
    assert_eq!(rest.call("DELETE", "/users/@me", json!({})).await.0, 404);
    assert_eq!(
        cord.unknown_routes(),
        ["GET /api/v10/voice/regions", "DELETE /api/v10/users/@me"]
    );
    let told = cord.finish().unwrap_err().to_string();
    assert!(
        told.contains("unknown route: GET /api/v10/voice/regions"),
        "{told}"
    );
}

#[tokio::test]
async fn a_call_that_the_file_does_not_allow_is_recorded() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    if cord.check_skipped() {
        return;
    }
    Rest::new(&cord).get("/users/@me?colour=red").await;
    let violations = cord.violations();
    assert_eq!(violations.len(), 1);
    assert_eq!(
        (violations[0].part.as_str(), violations[0].at.as_str()),
        ("query", "/colour")
    );
    let told = cord.finish().unwrap_err().to_string();
    let expected = "violation: GET /users/@me, query, at `/colour`: the file has no such parameter";
    assert!(told.contains(expected), "{told}");
}

#[tokio::test]
async fn messages_are_sent_listed_edited_and_deleted() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let mut ids = Vec::new();
    for text in ["one", "two", "three", "four"] {
        let (status, message) = rest.call("POST", &path, json!({ "content": text })).await;
        assert_eq!(status, 200);
        ids.push(message["id"].as_str().unwrap().to_owned());
    }
    let listed = |query: String| {
        let (rest, path) = (&rest, &path);
        async move {
            let page = rest.get(&format!("{path}?{query}")).await.1;
            page.as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["content"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(listed("limit=2".to_owned()).await, ["four", "three"]);
    assert_eq!(listed(format!("before={}&limit=1", ids[2])).await, ["two"]);
    assert_eq!(listed(format!("after={}&limit=1", ids[0])).await, ["two"]);

    let one = format!("{path}/{}", ids[0]);
    let edited = rest
        .call("PATCH", &one, json!({ "content": "uno" }))
        .await
        .1;
    assert!(edited["edited_timestamp"].is_string());
    assert_eq!(
        answered(rest.request("DELETE", &one)).await,
        (204, Value::Null)
    );
    assert_eq!(rest.get(&one).await.1["code"], 10008);
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_nonce_keeps_a_message_from_being_sent_twice() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let body = json!({ "content": "once", "nonce": "row-7", "enforce_nonce": true });
    let first = rest.call("POST", &path, body.clone()).await.1;
    let second = rest.call("POST", &path, body.clone()).await.1;
    assert_eq!(first["id"], second["id"]);
    assert_eq!(cord.channel("ops").texts(), ["once"]);
    cord.advance(std::time::Duration::from_mins(10));
    rest.call("POST", &path, body).await;
    assert_eq!(cord.channel("ops").texts(), ["once", "once"]);
    cord.finish().unwrap();
}

#[tokio::test]
async fn files_come_back_as_they_were() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let about =
        json!({ "content": "log", "attachments": [{ "id": "0", "description": "the log" }] });
    let form = reqwest::multipart::Form::new()
        .text("payload_json", about.to_string())
        .part(
            "files[0]",
            reqwest::multipart::Part::bytes(b"\x00\x01".to_vec()).file_name("my log.bin"),
        );
    let (status, message) = answered(rest.request("POST", &path).multipart(form)).await;
    assert_eq!(status, 200, "{message}");
    let attachment = &message["attachments"][0];
    assert_eq!(
        (&attachment["filename"], &attachment["size"]),
        (&json!("my log.bin"), &json!(2))
    );
    assert_eq!(attachment["description"], "the log");
    let url = attachment["url"].as_str().unwrap();
    let bytes = reqwest::get(url).await.unwrap().bytes().await.unwrap();
    assert_eq!(&bytes[..], b"\x00\x01");
    let unsigned = url.split_once('?').unwrap().0;
    assert!(
        !reqwest::get(format!("{unsigned}?hm=guess"))
            .await
            .unwrap()
            .status()
            .is_success()
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn mentions_follow_allowed_mentions() {
    let mut options = Options::default();
    let held = r#"bot = ["VIEW_CHANNEL", "#;
    let more = r#"bot = ["MENTION_EVERYONE", "VIEW_CHANNEL", "#;
    options.guild = options.guild.replace(held, more);
    let cord = Localcord::start(options).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let text = format!("<@{}> @everyone", cord.user("ravi").id());
    let loud = rest.call("POST", &path, json!({ "content": text })).await.1;
    assert_eq!(
        (&loud["mentions"][0]["username"], &loud["mention_everyone"]),
        (&json!("ravi"), &json!(true))
    );
    let quiet = json!({ "content": text, "allowed_mentions": { "parse": [] } });
    let quiet = rest.call("POST", &path, quiet).await.1;
    assert_eq!(
        (&quiet["mentions"], &quiet["mention_everyone"]),
        (&json!([]), &json!(false))
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn what_a_bot_leaves_out_is_filled_in_as_discord_does() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let embed =
        json!({ "title": "t", "description": null, "fields": [{ "name": "a", "value": "b" }] });
    let button = json!({ "type": 2, "style": 1, "label": "go", "custom_id": "go", "emoji": null });
    let select = json!({ "type": 5, "custom_id": "who", "placeholder": null });
    let rows =
        json!([{ "type": 1, "components": [button] }, { "type": 1, "components": [select] }]);
    let (status, message) = rest
        .call(
            "POST",
            &path,
            json!({ "embeds": [embed], "components": rows }),
        )
        .await;
    assert_eq!(status, 200, "{message}");
    assert_eq!(message["embeds"][0]["fields"][0]["inline"], false);
    assert_eq!(message["components"][1]["components"][0]["max_values"], 1);
    cord.finish().unwrap();
}

#[tokio::test]
async fn malformed_bodies_get_discords_answer() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let request = rest
        .request("POST", &path)
        .header("content-type", "application/json")
        .body("{");
    assert_eq!(answered(request).await.1["code"], 50109);
    for body in [
        json!([]),
        json!("text"),
        json!({ "content": 7 }),
        json!({ "embeds": "x" }),
        json!({ "embeds": [1] }),
    ] {
        let (status, _) = rest.call("POST", &path, body.clone()).await;
        assert_eq!(status, 400, "{body}");
    }
    let (status, answer) = rest.get("/channels/abc").await;
    assert_eq!((status, &answer["code"]), (400, &json!(50035)));
    assert_eq!(
        answer["errors"]["channel_id"]["_errors"][0]["code"],
        "NUMBER_TYPE_COERCE"
    );
    for query in ["limit=0", "limit=101", "limit=many", "before=x"] {
        assert_eq!(
            rest.get(&format!("{path}?{query}")).await.1["code"],
            50035,
            "{query}"
        );
    }
    cord.finish().unwrap();
}

#[test]
fn the_examples_of_the_readme_are_those_that_run() {
    let readme = include_str!("../../README.md");
    for example in [
        include_str!("example.rs"),
        include_str!("../../conformance/js/example.test.js"),
        include_str!("../../conformance/py/test_example.py"),
    ] {
        assert!(readme.contains(example), "not in README.md:\n{example}");
    }
}
