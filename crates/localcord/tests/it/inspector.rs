//! What the page's inspector is told, and scripts with it.

use futures::StreamExt as _;
use localcord::{Fault, Localcord, Options};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    people::Script,
    support::{Rest, start},
};

async fn journal(cord: &Localcord) -> Vec<Value> {
    let entries = Script::new(cord).get("/api/journal").await;
    entries.as_array().unwrap().clone()
}

/// Everything after an entry, as it happens, until something is such.
async fn followed(cord: &Localcord, after: usize, wanted: (&str, &str)) -> Vec<Value> {
    let address = format!(
        "ws://{}/ws/journal?after={after}&token={}",
        cord.people_addr(),
        cord.people_token()
    );
    let (mut socket, _) = tokio_tungstenite::connect_async(address).await.unwrap();
    let mut entries = Vec::new();
    while such(&entries, wanted).is_empty() {
        let Some(Ok(Message::Text(text))) = socket.next().await else {
            panic!("the journal ended without {wanted:?}");
        };
        entries.extend(serde_json::from_str::<Vec<Value>>(&text).unwrap());
    }
    entries
}

/// The entries whose member is so, such as `("kind", "call")`.
fn such<'a>(entries: &'a [Value], (pointer, value): (&str, &str)) -> Vec<&'a Value> {
    let is = |entry: &&Value| entry.pointer(pointer).is_some_and(|found| found == value);
    entries.iter().filter(is).collect()
}

#[tokio::test]
async fn a_command_is_followed_from_the_dispatch_to_its_answer() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga").in_channel("ops");
    let reply = olga.slash("stop").option("agent", "smith").send().await;
    reply.unwrap().until_text("stopped").await.unwrap();

    let entries = followed(&cord, 0, ("/payload/t", "MESSAGE_UPDATE")).await;
    let asked = such(&entries, ("/payload/t", "INTERACTION_CREATE"))[0];
    let id = asked["payload"]["d"]["id"].as_str().unwrap();
    let answer = such(&entries, ("/answers/interaction", id))[0];
    assert_eq!(
        (&answer["method"], &answer["status"]),
        (&json!("POST"), &json!(204))
    );
    assert!(answer["answers"]["after_ms"].as_i64().unwrap() < 3000);
    assert_eq!(answer["path"], format!("/interactions/{id}/…/callback"));
    assert_eq!(answer["request"]["data"]["content"], "stopping smith");
    assert_eq!(answer["violations"], json!([]));
    let edited = such(&entries, ("/payload/t", "MESSAGE_UPDATE"))[0];
    assert_eq!(edited["violations"], json!([]));
    let numbers = entries.iter().map(|entry| entry["number"].as_u64());
    assert!(numbers.is_sorted());
}

#[tokio::test]
async fn the_bots_token_is_not_shown() {
    let (cord, _bot) = start().await;
    let entries = journal(&cord).await;
    let identify = such(&entries, ("/kind", "received"))[0];
    assert_eq!(
        (
            &identify["payload"]["op"],
            &identify["payload"]["d"]["token"]
        ),
        (&json!(2), &json!("…"))
    );
    assert!(!json!(entries).to_string().contains(cord.token()));
}

#[tokio::test]
async fn refusals_faults_and_limits_are_named() {
    let options = Options {
        rate_limits: localcord::RateLimits::Enforced,
        ..Options::default()
    };
    let cord = Localcord::start(options).await.unwrap();
    let rest = Rest::new(&cord);
    cord.inject(Fault::status(503).times(1));
    rest.get("/gateway").await;
    rest.get("/voice/regions").await;
    let typing = format!("/channels/{}/messages", cord.channel("ops").id());
    for _ in 0..6 {
        rest.call("POST", &typing, json!({ "content": "again" }))
            .await;
    }
    let entries = journal(&cord).await;
    let calls = such(&entries, ("/kind", "call"));
    assert_eq!(
        (&calls[0]["status"], &calls[0]["fault"]),
        (&json!(503), &json!("answer 503"))
    );
    assert_eq!(
        (&calls[1]["status"], &calls[1]["path"]),
        (&json!(404), &json!("/voice/regions"))
    );
    let last = &calls[7]["limit"];
    assert_eq!(
        (
            &calls[7]["status"],
            &last["limit"],
            &last["remaining"],
            &last["refused"]
        ),
        (&json!(429), &json!(5), &json!(0), &json!("user"))
    );
    assert!(cord.finish().is_err(), "an unknown route was called");
}

#[tokio::test]
async fn a_lost_answer_is_shown_as_it_was() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    cord.inject(Fault::lose_answer().times(1));
    let gone = Rest::new(&cord).request("GET", "/users/@me").send().await;
    assert!(gone.is_err());
    let entries = journal(&cord).await;
    assert_eq!(
        (
            &entries[0]["status"],
            &entries[0]["cut"],
            &entries[0]["fault"]
        ),
        (&json!(200), &json!(true), &json!("lose the answer"))
    );
}

#[tokio::test]
async fn the_journal_is_followed_as_it_grows() {
    let (cord, _bot) = start().await;
    let seen = journal(&cord).await.len();
    Rest::new(&cord).get("/users/@me").await;
    let entries = followed(&cord, seen, ("/path", "/users/@me")).await;
    assert_eq!(entries[0]["number"], seen + 1);
}

#[tokio::test]
async fn scripts_see_which_faults_are_active() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let script = Script::new(&cord);
    let slow = json!({ "fault": "slow", "seconds": 1.5, "times": 2, "method": "post", "path": "/channels/*/messages" });
    script.post("/api/faults", slow).await;
    script.post("/api/gateway", json!({ "do": "freeze" })).await;
    let twice = json!({ "do": "duplicate_next", "event": "MESSAGE_CREATE" });
    script.post("/api/gateway", twice).await;
    let now = script.get("/api/faults").await;
    assert_eq!(
        now["faults"],
        json!([{
            "number": 1, "effect": "answer 1.5 s late", "method": "POST",
            "path": "/channels/*/messages", "times": 2, "until": null,
        }])
    );
    assert_eq!(
        now["gateway"],
        json!({ "connected": 0, "frozen": true, "refused": false, "duplicates": { "MESSAGE_CREATE": 1 } })
    );
}
