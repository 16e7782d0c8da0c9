//! REST as any client would use it.

use std::panic::{AssertUnwindSafe, catch_unwind};

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

/// The routes as the router names them: method and path.
fn routes() -> Vec<(String, String)> {
    let source = include_str!("../../src/rest/mod.rs");
    let (_, table) = source.split_once("fn about_the_bot").unwrap();
    let mut routes = Vec::new();
    for route in table.split(".route(").skip(1) {
        let path = route.split('"').nth(1).unwrap();
        let handlers = route.split_once(',').unwrap().1;
        for method in ["get", "post", "put", "patch", "delete"] {
            if handlers.contains(&format!("{method}(")) {
                routes.push((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    routes
}

/// Each is there, and what it answers to an empty body is right by Discord's own description.
#[tokio::test]
async fn every_route_is_served() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let places = [
        ("{channel_id}", cord.channel("ops").id().to_string()),
        ("{guild_id}", cord.guild_id().to_string()),
        ("{user_id}", cord.user("olga").id().to_string()),
        ("{application_id}", cord.bot_id().to_string()),
        ("{webhook_id}", cord.bot_id().to_string()),
        ("{interaction_token}", "token".to_owned()),
        ("{webhook_token}", "token".to_owned()),
    ];
    let routes = routes();
    assert!(routes.len() > 50, "{routes:?}");
    for (method, template) in routes {
        let path = places
            .iter()
            .fold(template.clone(), |path, (name, id)| path.replace(name, id));
        // What is left names nothing: a message, a command, an interaction.
        let path = ["{message_id}", "{command_id}", "{interaction_id}"]
            .iter()
            .fold(path, |path, name| path.replace(name, "1"));
        assert!(!path.contains('{'), "{path}");
        let body = if method == "PUT" {
            json!([])
        } else {
            json!({})
        };
        let (status, _) = match method.as_str() {
            "GET" => rest.get(&path).await,
            _ => rest.call(&method, &path, body).await,
        };
        assert!((200..500).contains(&status), "{method} {path}: {status}");
        assert_eq!(cord.unknown_routes(), [""; 0], "{method} {template}");
    }
    cord.finish().unwrap();
}

#[tokio::test]
async fn commands_of_one_guild_are_made_read_edited_and_deleted() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!(
        "/applications/{}/guilds/{}/commands",
        cord.bot_id(),
        cord.guild_id()
    );
    let stop = json!({ "name": "stop", "description": "Stops an agent" });
    let (status, made) = rest.call("POST", &path, stop).await;
    assert_eq!((status, &made["guild_id"]), (201, &json!(cord.guild_id())));
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    assert_eq!(rest.get(&one).await, (200, made));
    let (status, edited) = rest
        .call("PATCH", &one, json!({ "description": "d" }))
        .await;
    assert_eq!((status, &edited["description"]), (200, &json!("d")));
    assert_eq!(rest.call("DELETE", &one, Value::Null).await.0, 204);
    assert_eq!(rest.get(&one).await.1["code"], 10_063);
    let typing = format!("/channels/{}/typing", cord.channel("ops").id());
    assert_eq!(rest.call("POST", &typing, Value::Null).await.0, 204);
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
async fn who_does_not_look_at_what_was_recorded_fails_all_the_same() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    assert_eq!(Rest::new(&cord).get("/voice/regions").await.0, 404);
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(cord))).unwrap_err();
    let told = dropped.downcast::<String>().unwrap();
    assert_eq!(*told, "unknown route: GET /api/v10/voice/regions");

    // A server that does not check says nothing.
    let unchecked = Options {
        validate: false,
        ..Options::default()
    };
    let cord = Localcord::start(unchecked).await.unwrap();
    assert_eq!(Rest::new(&cord).get("/voice/regions").await.0, 404);
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
    let embed = json!({
        "title": "t", "description": null, "fields": [{ "name": "a", "value": "b" }],
        // What only it itself says of an embed, it takes from nobody.
        "components": [{ "type": 1 }], "flags": "x", "image": { "url": "https://example.org", "flags": "x" },
    });
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
    assert_eq!(
        message["embeds"],
        json!([{
            "type": "rich", "title": "t", "image": { "url": "https://example.org" },
            "fields": [{ "name": "a", "value": "b", "inline": false }],
        }])
    );
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

#[tokio::test]
async fn what_cannot_be_read_in_an_address_is_discords_error_too() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let (status, answer) = rest.get("/channels/%FF").await;
    assert_eq!((status, &answer["code"]), (404, &json!(0)));
    let twice = "/interactions/1/token/callback?with_response=true&with_response=false";
    let (status, answer) = rest.call("POST", twice, json!({ "type": 5 })).await;
    assert_eq!((status, &answer["code"]), (404, &json!(10_062)));
    // The file knows `with_response` once only.
    drop(cord.finish());
}

#[tokio::test]
async fn what_is_too_large_is_refused_unread() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let text = |size: usize| json!({ "content": "x".repeat(size) });
    let (status, refused) = rest.call("POST", &path, text(4 * 1024 * 1024)).await;
    assert_eq!((status, &refused["code"]), (413, &json!(40_005)));
    let (status, refused) = rest.call("POST", &path, text(1024 * 1024)).await;
    assert_eq!((status, &refused["code"]), (400, &json!(50_035)));
    cord.finish().unwrap();
}

#[tokio::test]
async fn the_first_role_is_the_highest_and_everyone_the_lowest() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    cord.add_role("harbour", "pilot").unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/guilds/{}/roles", cord.guild_id());
    let mut roles = rest.get(&path).await.1.as_array().unwrap().clone();
    roles.sort_by_key(|role| role["position"].as_u64());
    let names: Vec<&Value> = roles.iter().map(|role| &role["name"]).collect();
    assert_eq!(
        names,
        ["@everyone", "pilot", "yardarm", "guest", "crew", "captain"]
    );
    assert_eq!(roles[0]["position"], 0);
    cord.finish().unwrap();
}

#[tokio::test]
async fn who_is_named_twice_is_mentioned_once() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let (ravi, crew) = (cord.user("ravi").id(), cord.role_id("crew"));
    let text = format!("<@{ravi}> <@!{ravi}> <@&{crew}> <@&{crew}>");
    let sent = rest.call("POST", &path, json!({ "content": text })).await.1;
    assert_eq!(sent["mentions"].as_array().unwrap().len(), 1);
    assert_eq!(sent["mention_roles"], json!([crew]));
    cord.finish().unwrap();
}

/// A message with these files.
async fn with_files(rest: &Rest, path: &str, count: usize) -> Value {
    let part = || reqwest::multipart::Part::bytes(b"text".to_vec()).file_name("a.txt");
    let form = (0..count).fold(reqwest::multipart::Form::new(), |form, number| {
        form.part(format!("files[{number}]"), part())
    });
    let (status, message) = answered(rest.request("POST", path).multipart(form)).await;
    assert_eq!(status, 200, "{message}");
    message
}

#[tokio::test]
async fn an_edit_leaves_something_and_no_more_than_ten_files() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let sent = rest
        .call("POST", &path, json!({ "content": "text" }))
        .await
        .1;
    let one = format!("{path}/{}", sent["id"].as_str().unwrap());
    for nothing in [json!({ "content": "" }), json!({ "content": " " })] {
        let (status, refused) = rest.call("PATCH", &one, nothing).await;
        assert_eq!((status, &refused["code"]), (400, &json!(50_006)));
    }
    let embed = json!({ "content": "", "embeds": [{ "title": "t" }] });
    assert_eq!(rest.call("PATCH", &one, embed).await.0, 200);

    let sent = with_files(&rest, &path, 9).await;
    let one = format!("{path}/{}", sent["id"].as_str().unwrap());
    let more = |count: usize| {
        let part = || reqwest::multipart::Part::bytes(b"text".to_vec()).file_name("b.txt");
        let form = (0..count).fold(reqwest::multipart::Form::new(), |form, number| {
            form.part(format!("files[{number}]"), part())
        });
        answered(rest.request("PATCH", &one).multipart(form))
    };
    assert_eq!(more(2).await.1["code"], 50_035);
    let (status, edited) = more(1).await;
    assert_eq!(
        (status, edited["attachments"].as_array().unwrap().len()),
        (200, 10)
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn files_go_with_their_message() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let sent = with_files(&rest, &path, 2).await;
    let file = async |number: usize| {
        let url = sent["attachments"][number]["url"].as_str().unwrap();
        reqwest::get(url).await.unwrap().status().as_u16()
    };
    let one = format!("{path}/{}", sent["id"].as_str().unwrap());
    let kept = json!({ "attachments": [{ "id": sent["attachments"][0]["id"] }] });
    assert_eq!(rest.call("PATCH", &one, kept).await.0, 200);
    assert_eq!((file(0).await, file(1).await), (200, 404));
    assert_eq!(rest.call("DELETE", &one, Value::Null).await.0, 204);
    assert_eq!(file(0).await, 404);
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_commands_id_is_its_own() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!(
        "/applications/{}/guilds/{}/commands",
        cord.bot_id(),
        cord.guild_id()
    );
    let named = |name: &str| json!({ "name": name, "description": "d" });
    let (status, first) = rest.call("POST", &path, named("a")).await;
    assert_eq!(status, 201);
    let one = format!("{path}/{}", first["id"].as_str().unwrap());
    assert_eq!(
        rest.call("PATCH", &one, json!({ "name": "b" })).await.0,
        200
    );
    // The name is free again; a new command does not take the id of the renamed one.
    let (status, second) = rest.call("POST", &path, named("a")).await;
    assert_eq!(status, 201);
    assert_ne!(first["id"], second["id"]);
    let (status, again) = rest.call("POST", &path, named("b")).await;
    assert_eq!((status, &again["id"]), (200, &first["id"]));
    let (status, refused) = rest.call("PATCH", &one, json!({ "name": "a" })).await;
    assert_eq!((status, &refused["code"]), (400, &json!(50_035)));
    assert_eq!(
        refused["errors"]["name"]["_errors"][0]["code"],
        "APPLICATION_COMMANDS_DUPLICATE_NAME"
    );
    assert_eq!(rest.get(&one).await.1["name"], "b");
    let (_, all) = rest
        .call("PUT", &path, json!([named("a"), named("b")]))
        .await;
    assert_eq!(
        (&all[0]["id"], &all[1]["id"]),
        (&second["id"], &first["id"])
    );
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
