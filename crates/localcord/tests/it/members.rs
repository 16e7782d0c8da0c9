//! People come and go, roles are given and deleted: the bot hears of it with each interaction and may ask.

use std::sync::atomic::{AtomicBool, Ordering};

use localcord::{Fault, Localcord, Message, Options};
use serde_json::json;

use crate::{
    people::Script,
    support::{Rest, start},
};

async fn panel(cord: &Localcord) -> Message {
    let olga = cord.user("olga").in_channel("ops");
    olga.slash("panel").send().await.unwrap();
    cord.channel("ops").wait_for_text("panel").await.unwrap()
}

fn member_path(cord: &Localcord, name: &str) -> String {
    format!(
        "/guilds/{}/members/{}",
        cord.guild_id(),
        cord.user(name).id()
    )
}

#[tokio::test]
async fn a_press_carries_the_roles_of_the_moment() {
    let (cord, _bot) = start().await;
    let message = panel(&cord).await;
    let ravi = cord.user("ravi");
    let says = async |wanted: &str| {
        let reply = ravi.forge(&message, "v1:whoami").await.unwrap();
        assert_eq!(
            reply.text(),
            format!("ravi bot false in Some({}) roles {wanted}", cord.guild_id())
        );
    };
    let crew = cord.role_id("crew");
    says(&crew.to_string()).await;
    ravi.set_roles(&["crew", "guest"]).unwrap();
    says(&format!("{crew}+{}", cord.role_id("guest"))).await;

    cord.delete_role("harbour", "crew").unwrap();
    says(&cord.role_id("guest").to_string()).await;
    let again = cord.add_role("harbour", "crew").unwrap();
    assert_ne!(again, crew, "a role that is made again is another one");
    cord.finish().unwrap();
}

#[tokio::test]
async fn who_left_is_no_member_and_comes_back_without_roles() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = member_path(&cord, "ravi");
    let crew = cord.role_id("crew").to_string();
    assert_eq!(rest.get(&path).await.1["roles"], json!([crew]));

    let ravi = cord.user("ravi");
    ravi.leave().unwrap();
    let (status, body) = rest.get(&path).await;
    assert_eq!((status, &body["code"]), (404, &json!(10_007)));
    assert!(ravi.says("hello").is_err() && ravi.messages().is_empty());

    cord.invite("ravi");
    assert_eq!(rest.get(&path).await.1["roles"], json!([]));
    assert!(ravi.says("hello again").is_ok());
    cord.finish().unwrap();
}

#[tokio::test]
async fn another_bot_and_another_guild_press_too() {
    let (cord, _bot) = start().await;
    let message = panel(&cord).await;
    let gull = cord.invite_bot("gull");
    let reply = gull.forge(&message, "v1:whoami").await.unwrap();
    assert!(reply.text().starts_with("gull bot true in "));

    let olga = cord.user("olga").in_guild("other");
    cord.add_role("other", "captain").unwrap();
    olga.set_roles(&["captain"]).unwrap();
    let there = olga.says("somewhere else").unwrap();
    let reply = olga.forge(&there, "v1:whoami").await.unwrap();
    let other = cord.guild_named("other");
    assert!(reply.text().contains(&format!("in Some({other})")));
    assert!(!reply.text().contains(&cord.role_id("captain").to_string()));
    cord.finish().unwrap();
}

#[tokio::test]
async fn choices_and_modals_can_be_forged() {
    let (cord, _bot) = start().await;
    let message = panel(&cord).await;
    let ravi = cord.user("ravi").in_channel("ops");
    let chosen = ravi.forge_choice(&message, "v0:size", &["huge"]).await;
    assert_eq!(chosen.unwrap().text(), "size huge");
    let fields = [("reason", "because")];
    let modal = ravi.forge_modal("v0:modal", &fields).await.unwrap();
    assert!(modal.text().contains("because"), "{}", modal.text());
    let modal = ravi.forge_modal_on(&message, "v0:modal", &fields).await;
    let text = modal.unwrap().text();
    assert!(text.contains("because"), "{text}");
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_call_that_hangs_goes_on_when_it_is_released() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let rest = Rest::new(&cord);
    let path = member_path(&cord, "ravi");
    let hang = cord.inject(Fault::hang().on("GET", "/guilds/*/members/*"));
    let released = AtomicBool::new(false);
    let asking = async {
        let (status, _) = rest.get(&path).await;
        assert!(released.load(Ordering::SeqCst), "it did not hang");
        status
    };
    let releasing = async {
        hang.met().await.unwrap();
        assert_eq!(rest.get("/gateway").await.0, 200, "other calls go on");
        cord.user("ravi").leave().unwrap();
        released.store(true, Ordering::SeqCst);
        hang.release()
    };
    let (status, was_active) = tokio::join!(asking, releasing);
    assert!(was_active);
    assert_eq!(status, 404, "what is true at the end of the wait is told");
}

#[tokio::test]
async fn scripts_change_members_and_roles() {
    let (cord, _bot) = start().await;
    let script = Script::new(&cord);
    let message = panel(&cord).await;
    let gull = json!({ "name": "gull", "bot": true });
    assert_eq!(script.post("/api/people", gull).await.0, 200);
    let pilot = json!({ "name": "pilot" });
    assert_eq!(script.post("/api/roles", pilot).await.0, 200);
    let roles = json!({ "person": "gull", "roles": ["pilot"] });
    assert_eq!(script.post("/api/members", roles).await.0, 204);
    let forged = json!({ "as": "gull", "channel": "ops", "custom_id": "v1:whoami", "message": message.id() });
    let (status, reply) = script.post("/api/forge", forged).await;
    let pilot = cord.role_id("pilot").to_string();
    assert_eq!(status, 200);
    assert!(reply["text"].as_str().unwrap().ends_with(&pilot));

    assert_eq!(script.delete("/api/roles/pilot").await, 204);
    assert_eq!(script.delete("/api/members/gull").await, 204);
    assert_eq!(script.delete("/api/members/gull").await, 422);
    let unknown = json!({ "person": "ravi", "roles": ["pilot"] });
    let (status, refused) = script.post("/api/members", unknown).await;
    assert_eq!(
        (status, &refused["error"]),
        (422, &json!("there is no role `pilot`"))
    );
    cord.finish().unwrap();
}
