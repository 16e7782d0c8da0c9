//! Discord's rules and its words for who breaks them.

use std::time::Duration;

use localcord::{Localcord, Options};
use serde_json::{Value, json};

use crate::support::{Rest, answered, start};

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
async fn whatever_is_forged_is_sent_and_can_be_answered() {
    let cord = Localcord::start(Options {
        // What is forged is no shape of Discord's.
        validate: false,
        ..Options::default()
    });
    let cord = cord.await.unwrap();
    let rest = Rest::new(&cord);
    let messages = format!("/channels/{}/messages", cord.channel("ops").id());
    rest.call("POST", &messages, json!({ "content": "a card" }))
        .await;
    let card = cord.channel("ops").messages().pop().unwrap();
    let gull = cord.invite_bot("gull").in_channel("ops");
    let forged = gull.forge_interaction(&card, 3, &json!(["a list"]));
    let forged = forged.unwrap();
    let body = json!({ "type": 4, "data": { "content": "what is that?" } });
    let (status, _) = rest.call("POST", &forged.callback(), body).await;
    assert_eq!(status, 204);
    assert_eq!(forged.answered().await.text(), "what is that?");
    let unknown = gull.forge_interaction(&card, 6, &json!({}));
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "the client refuses: there is no interaction of type 6"
    );
}

#[tokio::test]
async fn three_seconds_for_the_callback() {
    let (cord, bot) = start().await;
    let olga = cord.user("olga").in_channel("ops");
    let late = tokio::join!(olga.slash("late").send(), async {
        cord.advance(Duration::from_secs(4));
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
    cord.advance(Duration::from_mins(14));
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
async fn limits_of_modals() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga");
    assert_eq!(
        olga.slash("wrong").send().await.unwrap().text(),
        "50035 50035"
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn limits_of_text_and_embeds() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let embed = |description: usize| json!({ "description": "x".repeat(description) });
    let nameless = json!({ "fields": [{ "name": "a" }] });
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
            json!({ "embeds": [nameless] }),
            "/embeds/0/fields/0/value",
            "BASE_TYPE_REQUIRED",
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
    assert_eq!((status, &body["code"]), (400, &json!(50006)));
    assert!(cord.channel("ops").messages().is_empty());
    cord.finish().unwrap();
}

#[tokio::test]
async fn limits_of_components() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let button = |id: &str| json!({ "type": 2, "style": 1, "label": "x", "custom_id": id });
    let row = |buttons: &[Value]| json!({ "type": 1, "components": buttons });
    let option = |n: usize| json!({ "label": n.to_string(), "value": n.to_string() });
    let options: Vec<Value> = (0..26).map(option).collect();
    let select = json!({ "type": 3, "custom_id": "s", "options": options });
    let first = "/components/0/components";
    for (rows, path, code) in [
        (
            vec![row(&[button("a")]); 6],
            "/components".to_owned(),
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            vec![row(&vec![button("a"); 6])],
            first.to_owned(),
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            vec![row(&[button(&"x".repeat(101))])],
            format!("{first}/0/custom_id"),
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            vec![row(&[button("a"), button("a")])],
            format!("{first}/1/custom_id"),
            "COMPONENT_CUSTOM_ID_DUPLICATED",
        ),
        (
            vec![row(&[select])],
            format!("{first}/0/options"),
            "BASE_TYPE_BAD_LENGTH",
        ),
    ] {
        let body = json!({ "components": rows });
        assert_refused(&cord, "POST", &messages(&cord, "ops"), body, (&path, code)).await;
    }
    cord.finish().unwrap();
}

#[tokio::test]
async fn names_and_descriptions_of_commands() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let plain = |name: &str| command(name, json!([]));
    let many: Vec<Value> = (0..131).map(|n| plain(&format!("c{n}"))).collect();
    let long = json!([{ "name": "a", "description": "x".repeat(101) }]);
    for (body, at, code) in [
        (
            json!([plain("Stop")]),
            "/0/name",
            "APPLICATION_COMMAND_INVALID_NAME",
        ),
        (
            json!([plain("a b")]),
            "/0/name",
            "APPLICATION_COMMAND_INVALID_NAME",
        ),
        (
            json!([{ "name": "a" }]),
            "/0/description",
            "BASE_TYPE_REQUIRED",
        ),
        (long, "/0/description", "BASE_TYPE_BAD_LENGTH"),
        (
            json!([plain("a"), plain("a")]),
            "/1/name",
            "APPLICATION_COMMANDS_DUPLICATE_NAME",
        ),
        (json!(many), "/_", "BASE_TYPE_MAX_LENGTH"),
    ] {
        assert_refused(&cord, "PUT", &commands(&cord), body, (at, code)).await;
    }
    assert!(cord.global_commands().is_empty());
    cord.finish().unwrap();
}

/// A hundred commands and fifteen of each kind of menu, however they are registered.
#[tokio::test]
async fn commands_are_counted() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = commands(&cord);
    for (kind, most) in [(1, 100), (2, 15), (3, 15)] {
        let one = |n: usize| {
            let mut one = json!({ "type": kind, "name": format!("c{n}") });
            if kind == 1 {
                one["description"] = json!("d");
            }
            one
        };
        let list = |count: usize| (0..count).map(one).collect::<Value>();
        let (status, refused) = rest.call("PUT", &path, list(most + 1)).await;
        assert_eq!((status, &refused["code"]), (400, &json!(30_032)));
        assert_eq!(rest.call("PUT", &path, list(most)).await.0, 200);
        let (status, refused) = rest.call("POST", &path, one(most)).await;
        assert_eq!((status, &refused["code"]), (400, &json!(30_032)));
        let message = format!("Maximum number of application commands reached ({most})");
        assert_eq!(refused["message"], message);
        // One that is there already can be replaced.
        assert_eq!(rest.call("POST", &path, one(0)).await.0, 200);
        assert_eq!(cord.global_commands().len(), most);
    }
    cord.finish().unwrap();
}

#[tokio::test]
async fn options_and_choices_of_commands() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let option = |name: &str, required: bool| json!({ "type": 3, "name": name, "description": "d", "required": required });
    let with = |kind: u64, choices: Value| json!([{ "type": kind, "name": "a", "description": "d", "choices": choices }]);
    let many: Vec<Value> = (0..26)
        .map(|n| json!({ "name": n.to_string(), "value": "x" }))
        .collect();
    let inner = json!([{ "type": 2, "name": "b", "description": "d", "options": [] }]);
    let nested = json!([{ "type": 2, "name": "a", "description": "d", "options": inner }]);
    let choice = "APPLICATION_COMMAND_OPTIONS_CHOICE_INVALID";
    for (options, at, code) in [
        (
            json!([option("a", false), option("b", true)]),
            "1",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (with(3, json!(many)), "0/choices", "BASE_TYPE_MAX_LENGTH"),
        (
            with(4, json!([{ "name": "a", "value": "x" }])),
            "0/choices/0/value",
            choice,
        ),
        (
            with(4, json!([{ "name": "a", "value": i64::MIN }])),
            "0/choices/0/value",
            choice,
        ),
        (nested, "0/options/0/type", "BASE_TYPE_CHOICES"),
        (json!("none"), "", "LIST_TYPE_CONVERT"),
    ] {
        let at = format!("/0/options/{at}");
        let body = json!([command("a", options)]);
        assert_refused(
            &cord,
            "PUT",
            &commands(&cord),
            body,
            (at.trim_end_matches('/'), code),
        )
        .await;
    }
    cord.finish().unwrap();
}

fn command(name: &str, options: impl serde::Serialize) -> Value {
    json!({ "name": name, "description": "d", "options": options })
}

fn commands(cord: &Localcord) -> String {
    format!("/applications/{}/commands", cord.bot_id())
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
    let said = cord.user("ravi").in_channel("ops").says("mine").unwrap();
    let path = format!("{}/{}", messages(&cord, "ops"), said.id());
    assert_eq!(rest.call("PATCH", &path, hello).await.1["code"], 50005);
    cord.finish().unwrap();
}

#[tokio::test]
async fn what_is_not_there_has_its_own_code() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    for (method, path, status, code) in [
        ("GET", "/channels/1/messages".to_owned(), 404, 10003),
        ("GET", "/guilds/1".to_owned(), 404, 10004),
        ("GET", "/users/1".to_owned(), 404, 10013),
        ("GET", "/applications/1/commands".to_owned(), 404, 10002),
        (
            "GET",
            format!("/applications/{}/guilds/1/commands", cord.bot_id()),
            403,
            50001,
        ),
        (
            "PATCH",
            "/webhooks/1/token/messages/@original".to_owned(),
            404,
            10015,
        ),
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
            json!({ "type": 4, "data": { "content": "x" }, "content": "x" })
        };
        let outcome = rest.call(method, &path, body).await;
        assert_eq!(
            (outcome.0, &outcome.1["code"]),
            (status, &json!(code)),
            "{method} {path}"
        );
    }
    cord.finish().unwrap();
}

#[tokio::test]
async fn replies_and_embeds_need_their_permissions() {
    let mut options = Options::default();
    for held in ["\"READ_MESSAGE_HISTORY\", ", "\"EMBED_LINKS\", "] {
        options.guild = options.guild.replace(held, "");
    }
    let cord = Localcord::start(options).await.unwrap();
    let rest = Rest::new(&cord);
    let path = messages(&cord, "ops");
    let sent = rest
        .call("POST", &path, json!({ "content": "one" }))
        .await
        .1;
    let reply = json!({ "content": "two", "message_reference": { "message_id": sent["id"] } });
    assert_eq!(rest.call("POST", &path, reply).await.1["code"], 160_002);
    let embed = json!({ "embeds": [{ "title": "t" }] });
    assert_eq!(rest.call("POST", &path, embed).await.1["code"], 50013);
    cord.finish().unwrap();
}

#[tokio::test]
async fn mentions_replies_and_files_are_checked() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let path = messages(&cord, "ops");
    let with = |name: &str, value: Value| json!({ "content": "x", name: value });
    let many: Vec<String> = (1..=101).map(|id| id.to_string()).collect();
    for (body, at, code) in [
        (
            with(
                "allowed_mentions",
                json!({ "parse": ["users"], "users": ["1"] }),
            ),
            "/allowed_mentions",
            "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
        ),
        (
            with("allowed_mentions", json!({ "roles": many })),
            "/allowed_mentions/roles",
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            with("allowed_mentions", json!({ "parse": ["all"] })),
            "/allowed_mentions/parse/0",
            "BASE_TYPE_CHOICES",
        ),
        (
            with("message_reference", json!({ "message_id": "1" })),
            "/message_reference",
            "REPLIES_UNKNOWN_MESSAGE",
        ),
        (with("tts", json!("loud")), "/tts", "BOOLEAN_TYPE_CONVERT"),
        (with("flags", json!("none")), "/flags", "NUMBER_TYPE_COERCE"),
        (
            with("embeds", json!([{ "color": 0x0100_0000 }])),
            "/embeds/0/color",
            "NUMBER_TYPE_MAX",
        ),
        (
            with("embeds", json!([{ "timestamp": "today" }])),
            "/embeds/0/timestamp",
            "DATETIME_TYPE_PARSE",
        ),
    ] {
        assert_refused(&cord, "POST", &path, body, (at, code)).await;
    }
    let rest = Rest::new(&cord);
    let lenient = with(
        "message_reference",
        json!({ "message_id": "1", "fail_if_not_exists": false }),
    );
    assert_eq!(rest.call("POST", &path, lenient).await.0, 200);

    let part = |size: usize| reqwest::multipart::Part::bytes(vec![0; size]).file_name("a.bin");
    let big = reqwest::multipart::Form::new().part("files[0]", part(10 * 1024 * 1024 + 1));
    let (status, refused) = answered(rest.request("POST", &path).multipart(big)).await;
    assert_eq!((status, &refused["code"]), (413, &json!(40_005)));
    let many = (0..11).fold(reqwest::multipart::Form::new(), |form, number| {
        form.part(format!("files[{number}]"), part(1))
    });
    let (status, refused) = answered(rest.request("POST", &path).multipart(many)).await;
    assert_eq!((status, &refused["code"]), (400, &json!(50035)));
    cord.finish().unwrap();
}

/// A JSON pointer into an honest body, the length there that is still right, and the code of what is longer.
type Limit = (&'static str, usize, &'static str);

const LONG: &str = "BASE_TYPE_MAX_LENGTH";
const BAD: &str = "BASE_TYPE_BAD_LENGTH";
const NAME: &str = "APPLICATION_COMMAND_INVALID_NAME";

const OF_A_MESSAGE: [Limit; 17] = [
    ("/content", 2000, LONG),
    ("/nonce", 25, LONG),
    ("/embeds", 10, LONG),
    ("/embeds/0/title", 256, LONG),
    ("/embeds/0/description", 4096, LONG),
    ("/embeds/0/fields", 25, LONG),
    ("/embeds/0/fields/0/name", 256, LONG),
    ("/embeds/0/fields/0/value", 1024, LONG),
    ("/embeds/0/footer/text", 2048, LONG),
    ("/embeds/0/author/name", 256, LONG),
    ("/components/0/components/0/label", 80, LONG),
    ("/components/0/components/0/custom_id", 100, BAD),
    ("/components/1/components/0/placeholder", 150, LONG),
    ("/components/1/components/0/options", 25, BAD),
    ("/components/1/components/0/options/0/label", 100, BAD),
    ("/components/1/components/0/options/0/value", 100, BAD),
    (
        "/components/1/components/0/options/0/description",
        100,
        LONG,
    ),
];

const OF_A_COMMAND: [Limit; 8] = [
    ("/name", 32, NAME),
    ("/description", 100, BAD),
    ("/options", 25, LONG),
    ("/options/0/name", 32, NAME),
    ("/options/0/description", 100, BAD),
    ("/options/0/choices", 25, LONG),
    ("/options/0/choices/0/name", 100, BAD),
    ("/options/0/choices/0/value", 100, BAD),
];

/// Puts so many of it into a place: letters where text stands, copies of the first where a list does.
fn stretched(mut body: Value, place: &str, length: usize) -> Value {
    let spot = body.pointer_mut(place).unwrap();
    *spot = match &*spot {
        Value::Array(entries) => (0..length).map(|n| numbered(&entries[0], n)).collect(),
        _ => json!("x".repeat(length)),
    };
    body
}

/// A copy that is told from the others where each must be.
fn numbered(entry: &Value, number: usize) -> Value {
    let mut entry = entry.clone();
    for name in ["name", "value", "label", "custom_id"] {
        if entry[name].is_string() {
            entry[name] = json!(format!("x{number}"));
        }
    }
    entry
}

#[tokio::test]
async fn what_fits_is_taken_and_one_more_is_refused() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let embed = json!({
        "title": "t", "description": "d", "fields": [{ "name": "a", "value": "b" }],
        "footer": { "text": "f" }, "author": { "name": "n" },
    });
    let button = json!({ "type": 2, "style": 1, "label": "x", "custom_id": "b" });
    let option = json!({ "label": "a", "value": "a", "description": "d" });
    let select = json!({ "type": 3, "custom_id": "s", "placeholder": "p", "options": [option] });
    let row = |child: Value| json!({ "type": 1, "components": [child] });
    let rows = json!([row(button), row(select)]);
    let message = json!({ "content": "c", "nonce": "n", "embeds": [embed], "components": rows });
    let place = messages(&cord, "ops");
    hold_limits(&cord, &place, &message, &OF_A_MESSAGE).await;

    let choice = json!({ "name": "a", "value": "a" });
    let option = json!({ "type": 3, "name": "o", "description": "d", "choices": [choice] });
    let command = command("c", json!([option]));
    hold_limits(&cord, &commands(&cord), &command, &OF_A_COMMAND).await;
    cord.finish().unwrap();
}

async fn hold_limits(cord: &Localcord, path: &str, honest: &Value, limits: &[Limit]) {
    let rest = Rest::new(cord);
    for (place, most, code) in limits {
        let fits = stretched(honest.clone(), place, *most);
        let (status, answer) = rest.call("POST", path, fits).await;
        assert!((200..300).contains(&status), "{place}: {answer}");
        let exceeds = stretched(honest.clone(), place, most + 1);
        assert_refused(cord, "POST", path, exceeds, (place, code)).await;
    }
}

#[tokio::test]
async fn a_command_has_eight_thousand_letters() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    // 40 choices of 199 letters, 20 letters of their options, and the command's own description.
    let choice = |n: usize| json!({ "name": format!("{n:099}"), "value": "x".repeat(100) });
    let choices: Vec<Value> = (0..20).map(choice).collect();
    let option =
        |name: &str| json!({ "type": 3, "name": name, "description": "d", "choices": choices });
    let with = |name: usize| {
        command(
            &"x".repeat(name),
            json!([option("options-a"), option("options-b")]),
        )
    };
    let rest = Rest::new(&cord);
    let (status, answer) = rest.call("POST", &commands(&cord), with(19)).await;
    assert_eq!(status, 201, "{answer}");
    let too_large = ("", "APPLICATION_COMMAND_TOO_LARGE");
    assert_refused(&cord, "POST", &commands(&cord), with(20), too_large).await;
    cord.finish().unwrap();
}

#[tokio::test]
async fn limits_of_what_is_chosen() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let select = |min: u64, max: u64| {
        let select = json!({ "type": 5, "custom_id": "s", "min_values": min, "max_values": max });
        json!({ "components": [{ "type": 1, "components": [select] }] })
    };
    let rest = Rest::new(&cord);
    let path = messages(&cord, "ops");
    assert_eq!(rest.call("POST", &path, select(0, 25)).await.0, 200);
    for (min, max, at) in [
        (0, 26, "max_values"),
        (26, 25, "min_values"),
        (0, 0, "max_values"),
        (3, 2, "max_values"),
    ] {
        let at = format!("/components/0/components/0/{at}");
        let code = (at.as_str(), "NUMBER_TYPE_MAX");
        assert_refused(&cord, "POST", &path, select(min, max), code).await;
    }
    cord.finish().unwrap();
}

#[tokio::test]
async fn what_localcord_does_not_have_is_refused_by_name() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let path = messages(&cord, "ops");
    let code = "LOCALCORD_DOES_NOT";
    for (body, at) in [
        (json!({ "content": "x", "flags": 1 << 15 }), "/flags"),
        (
            json!({ "content": "x", "sticker_ids": ["1"] }),
            "/sticker_ids",
        ),
        (json!({ "content": "x", "poll": {} }), "/poll"),
    ] {
        assert_refused(&cord, "POST", &path, body, (at, code)).await;
    }
    cord.finish().unwrap();
}

/// The people of the guild file: olga is captain, ravi may manage messages, mina nothing.
#[tokio::test]
async fn a_command_is_for_who_has_its_permissions() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let manage_messages = (1 << 13).to_string();
    for (needed, users) in [
        (Value::Null, vec!["olga", "ravi", "mina"]),
        (json!(manage_messages), vec!["olga", "ravi"]),
        (json!("0"), vec!["olga"]),
    ] {
        let command =
            json!({ "name": "c", "description": "d", "default_member_permissions": needed });
        let (status, _) = rest.call("PUT", &commands(&cord), json!([command])).await;
        assert_eq!(status, 200);
        for name in ["olga", "ravi", "mina"] {
            let used = tokio::join!(cord.user(name).slash("c").send(), async {
                cord.advance(Duration::from_secs(4));
            });
            assert_eq!(used.0.is_ok(), users.contains(&name), "{needed} {name}");
        }
    }
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
