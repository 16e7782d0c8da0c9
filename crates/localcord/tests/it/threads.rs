//! Threads: as bots make them, as people write in them, and what the gateway tells.

use localcord::{Localcord, Options, Thread};
use serde_json::{Value, json};

use crate::{raw::Raw, support::Rest};

const GUILDS: u64 = 1;

struct Stage {
    cord: Localcord,
    rest: Rest,
}

impl Stage {
    async fn start() -> Self {
        let cord = Localcord::start(Options::default()).await.unwrap();
        let rest = Rest::new(&cord);
        Self { cord, rest }
    }

    fn ops(&self) -> String {
        format!("/channels/{}", self.cord.channel("ops").id())
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.rest.call("POST", path, body).await
    }

    /// A message of the bot and the path of its threads.
    async fn message(&self) -> (String, String) {
        let path = format!("{}/messages", self.ops());
        let sent = self
            .post(&path, json!({ "content": "scout is down" }))
            .await;
        let id = sent.1["id"].as_str().unwrap().to_owned();
        let threads = format!("{path}/{id}/threads");
        (id, threads)
    }

    /// A thread of the bot, and its path.
    async fn thread(&self, name: &str) -> (Thread, String) {
        let (id, threads) = self.message().await;
        let (status, made) = self.post(&threads, json!({ "name": name })).await;
        assert_eq!((status, &made["id"]), (201, &json!(id)));
        let thread = self
            .cord
            .channel("ops")
            .wait_for_thread(name)
            .await
            .unwrap();
        (thread, format!("/channels/{id}"))
    }

    async fn code(&self, method: &str, path: &str, body: Value) -> Value {
        self.rest.call(method, path, body).await.1["code"].clone()
    }
}

#[tokio::test]
async fn a_thread_has_the_id_of_its_message_and_there_is_one() {
    let stage = Stage::start().await;
    let (id, threads) = stage.message().await;
    let body = json!({ "name": "scout", "auto_archive_duration": 60 });
    let (status, made) = stage.post(&threads, body.clone()).await;
    assert_eq!(
        (status, &made["id"], &made["type"]),
        (201, &json!(id), &json!(11))
    );
    assert_eq!(made["parent_id"], json!(stage.cord.channel("ops").id()));
    assert_eq!(made["owner_id"], json!(stage.cord.bot_id()));
    assert_eq!(made["member"]["user_id"], made["owner_id"]);
    let settings = &made["thread_metadata"];
    assert_eq!(
        (&settings["archived"], &settings["auto_archive_duration"]),
        (&json!(false), &json!(60))
    );

    let (status, again) = stage.post(&threads, body).await;
    let told = "A thread has already been created for this message";
    assert_eq!(
        (status, &again["code"], &again["message"]),
        (400, &json!(160_004), &json!(told))
    );

    let parent = stage.rest.get(threads.trim_end_matches("/threads")).await.1;
    assert_eq!(
        (&parent["flags"], &parent["thread"]["name"]),
        (&json!(32), &json!("scout"))
    );
    let first = stage.rest.get(&format!("/channels/{id}/messages")).await.1;
    assert_eq!(
        (
            &first[0]["type"],
            &first[0]["message_reference"]["message_id"]
        ),
        (&json!(21), &json!(id))
    );
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn a_thread_without_a_message_is_told_of_in_its_channel() {
    let stage = Stage::start().await;
    let threads = format!("{}/threads", stage.ops());
    let (status, made) = stage
        .post(&threads, json!({ "name": "plans", "type": 11 }))
        .await;
    assert_eq!((status, &made["type"]), (201, &json!(11)));
    let told = stage.rest.get(&format!("{}/messages", stage.ops())).await.1;
    assert_eq!(
        (&told[0]["type"], &told[0]["content"]),
        (&json!(18), &json!("plans"))
    );
    assert_eq!(told[0]["message_reference"]["channel_id"], made["id"]);

    let private = json!({ "name": "secret", "invitable": false });
    assert_eq!(stage.code("POST", &threads, private.clone()).await, 50_013);
    let ops = stage.cord.channel("ops");
    ops.set_permissions("yardarm", &["CREATE_PRIVATE_THREADS"], &[])
        .unwrap();
    let (status, made) = stage.post(&threads, private).await;
    assert_eq!((status, &made["type"]), (201, &json!(12)));
    assert_eq!(made["thread_metadata"]["invitable"], false);
    let secret = ops.wait_for_thread("secret").await.unwrap();
    let ravi = stage.cord.user("ravi").in_thread(&secret);
    assert!(ravi.says("who is here?").is_err());
    let member = format!("/channels/{}/thread-members/{}", secret.id(), ravi.id());
    assert_eq!(stage.rest.call("PUT", &member, Value::Null).await.0, 204);
    ravi.says("I am").unwrap();
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn messages_in_a_thread_count_and_bring_people_in() {
    let stage = Stage::start().await;
    let (thread, path) = stage.thread("scout").await;
    let [ravi, mina] = ["ravi", "mina"].map(|name| stage.cord.user(name));
    let text = format!("<@{}> look", mina.id());
    let (_, sent) = stage
        .post(&format!("{path}/messages"), json!({ "content": text }))
        .await;
    ravi.in_thread(&thread).says("on it").unwrap();
    let read = stage.rest.get(&path).await.1;
    assert_eq!(
        [
            &read["message_count"],
            &read["total_message_sent"],
            &read["member_count"]
        ],
        [&json!(2), &json!(2), &json!(3)]
    );
    assert!(thread.has_member(ravi.id()) && thread.has_member(mina.id()));

    let message = format!("{path}/messages/{}", sent["id"].as_str().unwrap());
    assert_eq!(
        stage
            .rest
            .call("PATCH", &message, json!({ "content": "done" }))
            .await
            .0,
        200
    );
    assert_eq!(thread.texts(), ["done", "on it"]);
    assert_eq!(
        stage.rest.call("DELETE", &message, Value::Null).await.0,
        204
    );
    let read = stage.rest.get(&path).await.1;
    assert_eq!(
        [&read["message_count"], &read["total_message_sent"]],
        [&json!(1), &json!(2)]
    );
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn an_archived_thread_stands_still_until_somebody_writes() {
    let stage = Stage::start().await;
    let (thread, path) = stage.thread("scout").await;
    let messages = format!("{path}/messages");
    let (_, sent) = stage.post(&messages, json!({ "content": "one" })).await;
    let (status, archived) = stage
        .rest
        .call("PATCH", &path, json!({ "archived": true, "name": "over" }))
        .await;
    assert_eq!(
        (status, &archived["thread_metadata"]["archived"]),
        (200, &json!(true))
    );
    assert_eq!(thread.name(), "over");
    let one = format!("{messages}/{}", sent["id"].as_str().unwrap());
    for (method, path, body) in [
        ("PATCH", &one, json!({ "content": "two" })),
        ("DELETE", &one, Value::Null),
        ("PATCH", &path, json!({ "name": "again" })),
        ("PUT", &format!("{path}/thread-members/@me"), Value::Null),
    ] {
        assert_eq!(
            stage.code(method, path, body).await,
            50_083,
            "{method} {path}"
        );
    }
    let listed = stage
        .rest
        .get(&format!("{}/threads/archived/public", stage.ops()))
        .await
        .1;
    assert_eq!(
        (&listed["threads"][0]["name"], &listed["has_more"]),
        (&json!("over"), &json!(false))
    );

    assert_eq!(
        stage.post(&messages, json!({ "content": "two" })).await.0,
        200
    );
    assert!(!thread.is_archived());
    let active = stage
        .rest
        .get(&format!("/guilds/{}/threads/active", stage.cord.guild_id()))
        .await
        .1;
    assert_eq!(active["threads"][0]["name"], "over");
    assert_eq!(active["members"][0]["user_id"], json!(stage.cord.bot_id()));

    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn a_locked_thread_is_for_those_who_look_after_threads() {
    let stage = Stage::start().await;
    let (thread, path) = stage.thread("scout").await;
    let messages = format!("{path}/messages");
    thread.lock();
    assert_eq!(
        stage
            .code("POST", &messages, json!({ "content": "three" }))
            .await,
        160_005
    );
    assert_eq!(
        stage
            .code("PATCH", &path, json!({ "archived": false }))
            .await,
        50_013
    );
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn archived_threads_are_listed_page_by_page() {
    let stage = Stage::start().await;
    for name in ["one", "two", "three"] {
        stage.thread(name).await.0.archive();
        stage.cord.advance(std::time::Duration::from_secs(1));
    }
    let path = format!("{}/threads/archived/public", stage.ops());
    let page = stage.rest.get(&format!("{path}?limit=2")).await.1;
    let names = |page: &Value| {
        let threads = page["threads"].as_array().unwrap().iter();
        threads
            .map(|thread| thread["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&page), &page["has_more"]),
        (vec!["three".into(), "two".into()], &json!(true))
    );
    let before = page["threads"][1]["thread_metadata"]["archive_timestamp"]
        .as_str()
        .unwrap();
    let rest = stage
        .rest
        .get(&format!("{path}?before={}", before.replace('+', "%2B")))
        .await
        .1;
    assert_eq!(
        (names(&rest), &rest["has_more"]),
        (vec!["one".into()], &json!(false))
    );
    for query in ["limit=1", "limit=101", "before=yesterday"] {
        assert_eq!(
            stage
                .code("GET", &format!("{path}?{query}"), Value::Null)
                .await,
            50_035,
            "{query}"
        );
    }
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn members_come_and_go() {
    let stage = Stage::start().await;
    let (thread, path) = stage.thread("scout").await;
    let members = format!("{path}/thread-members");
    let ravi = stage.cord.user("ravi").id();
    let own = format!("{members}/{ravi}");
    assert_eq!(stage.code("GET", &own, Value::Null).await, 10_007);
    assert_eq!(stage.rest.call("PUT", &own, Value::Null).await.0, 204);
    assert_eq!(stage.rest.get(&own).await.1["user_id"], json!(ravi));
    assert_eq!(
        stage.rest.get(&members).await.1.as_array().unwrap().len(),
        2
    );
    assert_eq!(stage.code("DELETE", &own, Value::Null).await, 50_013);
    let me = format!("{members}/@me");
    assert_eq!(stage.rest.call("DELETE", &me, Value::Null).await.0, 204);
    assert!(!thread.has_member(stage.cord.bot_id()));
    assert_eq!(stage.rest.call("PUT", &me, Value::Null).await.0, 204);
    assert!(thread.has_member(stage.cord.bot_id()));
    let nobody = format!("{members}/{}", stage.cord.guild_id());
    assert_eq!(stage.code("PUT", &nobody, Value::Null).await, 10_013);
    assert_eq!(
        stage
            .code(
                "GET",
                &format!("{}/thread-members", stage.ops()),
                Value::Null
            )
            .await,
        50_024
    );
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn names_and_numbers_have_limits() {
    let stage = Stage::start().await;
    let (_, threads) = stage.message().await;
    let name = |length: usize| json!({ "name": "x".repeat(length) });
    for (body, field, code) in [
        (json!({}), "name", "BASE_TYPE_REQUIRED"),
        (name(0), "name", "BASE_TYPE_BAD_LENGTH"),
        (name(101), "name", "BASE_TYPE_BAD_LENGTH"),
        (
            json!({ "name": "x", "auto_archive_duration": 61 }),
            "auto_archive_duration",
            "BASE_TYPE_CHOICES",
        ),
        (
            json!({ "name": "x", "rate_limit_per_user": 21_601 }),
            "rate_limit_per_user",
            "NUMBER_TYPE_MAX",
        ),
    ] {
        let (status, answer) = stage.post(&threads, body).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50_035)), "{field}");
        assert_eq!(answer["errors"][field]["_errors"][0]["code"], code);
    }
    assert_eq!(stage.post(&threads, name(100)).await.0, 201);
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn what_a_bot_may_not_do_with_threads() {
    let stage = Stage::start().await;
    let ops = stage.cord.channel("ops");
    let (id, threads) = stage.message().await;
    let named = json!({ "name": "scout" });
    ops.set_permissions("yardarm", &[], &["CREATE_PUBLIC_THREADS"])
        .unwrap();
    assert_eq!(stage.code("POST", &threads, named.clone()).await, 50_013);
    ops.set_permissions("yardarm", &[], &["VIEW_CHANNEL"])
        .unwrap();
    assert_eq!(stage.code("POST", &threads, named.clone()).await, 50_001);
    ops.set_permissions("yardarm", &[], &["SEND_MESSAGES_IN_THREADS"])
        .unwrap();
    assert_eq!(stage.post(&threads, named.clone()).await.0, 201);
    let thread = format!("/channels/{id}");
    let inside = format!("{thread}/messages");
    assert_eq!(
        stage.code("POST", &inside, json!({ "content": "x" })).await,
        50_013
    );
    assert_eq!(stage.code("DELETE", &thread, Value::Null).await, 50_013);
    // In a thread there are no threads, and a message that is not there begins none.
    assert_eq!(
        stage
            .code(
                "POST",
                &format!("{thread}/threads"),
                json!({ "name": "x", "type": 11 })
            )
            .await,
        50_024
    );
    let nothing = format!("{}/messages/1/threads", stage.ops());
    assert_eq!(stage.code("POST", &nothing, named).await, 10_008);
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn a_deleted_thread_is_gone_with_what_stood_in_it() {
    let stage = Stage::start().await;
    let ops = stage.cord.channel("ops");
    ops.set_permissions("yardarm", &["MANAGE_THREADS"], &[])
        .unwrap();
    let (thread, path) = stage.thread("scout").await;
    stage
        .cord
        .user("ravi")
        .in_thread(&thread)
        .says("hello")
        .unwrap();
    let (status, deleted) = stage.rest.call("DELETE", &path, Value::Null).await;
    assert_eq!((status, &deleted["name"]), (200, &json!("scout")));
    assert!(!thread.exists() && thread.channel().messages().is_empty());
    assert_eq!(stage.code("GET", &path, Value::Null).await, 10_003);
    assert_eq!(ops.messages().len(), 1);
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn the_gateway_tells_of_threads_to_who_asked_for_guilds() {
    let stage = Stage::start().await;
    let mut raw = Raw::identified(&stage.cord, GUILDS).await;
    let (thread, _) = stage.thread("scout").await;
    let created = raw.hear_of("THREAD_CREATE").await;
    assert_eq!(
        (&created["id"], &created["newly_created"]),
        (&json!(thread.id()), &json!(true))
    );
    thread.archive();
    assert_eq!(
        raw.hear_of("THREAD_UPDATE").await["thread_metadata"]["archived"],
        true
    );
    // Others come and go unheard: their going needs the privileged intent.
    stage
        .cord
        .user("ravi")
        .in_thread(&thread)
        .says("back")
        .unwrap();
    assert_eq!(
        raw.hear_of("THREAD_UPDATE").await["thread_metadata"]["archived"],
        false
    );
    let me = format!("/channels/{}/thread-members/@me", thread.id());
    stage.rest.call("DELETE", &me, Value::Null).await;
    let left = raw.hear_of("THREAD_MEMBERS_UPDATE").await;
    assert_eq!(left["removed_member_ids"], json!([stage.cord.bot_id()]));

    let ops = stage.cord.channel("ops");
    ops.set_permissions("yardarm", &[], &["VIEW_CHANNEL"])
        .unwrap();
    ops.set_permissions("yardarm", &[], &[]).unwrap();
    let synced = raw.hear_of("THREAD_LIST_SYNC").await;
    assert_eq!(synced["channel_ids"], json!([ops.id()]));
    assert_eq!(synced["threads"][0]["name"], "scout");
    thread.delete();
    let gone = raw.hear_of("THREAD_DELETE").await;
    assert_eq!(
        (&gone["id"], &gone["type"]),
        (&json!(thread.id()), &json!(11))
    );
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn who_comes_later_finds_the_threads_with_the_guild() {
    let stage = Stage::start().await;
    stage.thread("over").await.0.archive();
    stage.thread("scout").await;
    let mut raw = Raw::identified(&stage.cord, GUILDS).await;
    let guild = raw.hear_of("GUILD_CREATE").await;
    let threads = guild["threads"].as_array().unwrap();
    assert_eq!((threads.len(), &threads[0]["name"]), (1, &json!("scout")));
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn people_start_threads_and_archive_their_own() {
    let stage = Stage::start().await;
    let [ravi, mina] = ["ravi", "mina"].map(|name| stage.cord.user(name).in_channel("ops"));
    let said = ravi.says("who broke it?").unwrap();
    let thread = mina.starts_thread(&said, "the break").unwrap();
    assert_eq!(
        said.thread().map(|thread| thread.name()),
        Some("the break".to_owned())
    );
    assert!(mina.starts_thread(&said, "again").is_err());
    ravi.in_thread(&thread).says("not I").unwrap();
    assert!(ravi.archives(&thread, true).is_err());
    mina.archives(&thread, true).unwrap();
    ravi.archives(&thread, false).unwrap();
    assert!(!thread.is_archived());
    stage.cord.finish().unwrap();
}

#[tokio::test]
async fn threads_outlive_a_restart_of_the_server() {
    let stage = Stage::start().await;
    let (thread, path) = stage.thread("scout").await;
    stage
        .cord
        .user("ravi")
        .in_thread(&thread)
        .says("still here")
        .unwrap();
    let options = Options {
        messages: Some(stage.cord.messages_json()),
        ..Options::default()
    };
    let later = Localcord::start(options).await.unwrap();
    let rest = Rest::new(&later);
    assert_eq!(rest.get(&path).await.1["message_count"], 1);
    let thread = later.channel("ops").wait_for_thread("scout").await.unwrap();
    assert_eq!(thread.texts(), ["still here"]);
    later.finish().unwrap();
    stage.cord.finish().unwrap();
}
