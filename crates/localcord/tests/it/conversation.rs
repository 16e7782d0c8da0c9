//! Commands, autocomplete, buttons, selects, modals, files: each as a person meets it.

use std::time::Duration;

use localcord::{Error, Input};

use crate::support::start;

#[tokio::test]
async fn a_person_gets_an_answer_that_changes() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga");
    let reply = olga
        .slash("stop")
        .option("agent", "scout")
        .option("seconds", 3)
        .send()
        .await
        .unwrap();
    let reply = reply
        .until(|text| text.starts_with("stopped"))
        .await
        .unwrap();
    assert_eq!(reply.text(), "stopped scout in 3 s");
    assert!(!reply.is_ephemeral());
    assert!(reply.message().unwrap().is_edited());
    assert!(reply.acknowledged_after().is_some());
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_deferred_answer_is_filled_by_the_first_follow_up() {
    let (cord, _bot) = start().await;
    let reply = cord
        .user("ravi")
        .in_channel("ops")
        .slash("ping")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.final_text().await.unwrap(), "pong");
    assert!(reply.is_ephemeral());
    assert!(reply.followups().is_empty());
    assert_eq!(cord.user("mina").in_channel("ops").messages().len(), 0);
    assert_eq!(cord.user("ravi").in_channel("ops").messages().len(), 1);
    cord.finish().unwrap();
}

#[tokio::test]
async fn every_type_of_option_arrives() {
    let (cord, _bot) = start().await;
    let reply = cord
        .user("olga")
        .slash("echo")
        .option("count", 7)
        .option("share", 0.5)
        .option("sure", true)
        .option("who", "@ravi")
        .option("role", "crew")
        .option("place", "#ops")
        .option("file", Input::file("note.txt", "hello"))
        .send()
        .await
        .unwrap();
    let reply = reply.until(|text| !text.is_empty()).await.unwrap();
    assert_eq!(reply.text(), "7 0.5 true ravi crew ops note.txt=hello");

    let picked = cord
        .user("olga")
        .slash("pick")
        .option("level", "owner")
        .send()
        .await
        .unwrap();
    assert_eq!(picked.text(), "owner");
    cord.finish().unwrap();
}

#[tokio::test]
async fn sub_commands_and_groups() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga");
    let reply = olga
        .slash("fleet")
        .sub("create")
        .option("name", "north")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.text(), "fleet north created");
    let reply = olga
        .slash("fleet member add")
        .option("agent", "scout")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.text(), "scout added");
    assert_eq!(
        refusal(olga.slash("fleet").send().await),
        "a sub-command is needed, such as `create`"
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn the_client_enforces_what_a_command_asks_for() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga");
    let stop = || olga.slash("stop").option("agent", "scout");
    assert_eq!(
        refusal(olga.slash("stop").send().await),
        "`agent` is required"
    );
    assert_eq!(
        refusal(stop().option("seconds", 61).send().await),
        "seconds: must be between 1.0 and 60.0"
    );
    assert_eq!(
        refusal(stop().option("seconds", "soon").send().await),
        "seconds: a whole number is needed"
    );
    assert_eq!(
        refusal(stop().option("hours", 1).send().await),
        "the command has no option `hours`"
    );
    assert_eq!(
        refusal(olga.slash("fly").send().await),
        "there is no command `/fly`"
    );
    let pick = olga.slash("pick").option("level", "king");
    assert_eq!(
        refusal(pick.send().await),
        "level: must be one of viewer, owner"
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn autocomplete_offers_choices() {
    let (cord, _bot) = start().await;
    let choices = cord
        .user("mina")
        .autocomplete("stop")
        .focus("agent", "sc")
        .send()
        .await
        .unwrap();
    let names: Vec<&str> = choices.iter().map(|choice| choice.name.as_str()).collect();
    assert_eq!(names, ["agent scout", "agent scribe"]);
    assert_eq!(choices[0].value, "scout");
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_button_updates_its_message_and_whispers() {
    let (cord, _bot) = start().await;
    let panel = cord
        .user("olga")
        .in_channel("ops")
        .slash("panel")
        .send()
        .await
        .unwrap();
    let pressed = panel.press("Restart").await.unwrap();
    let pressed = pressed.until(|text| text == "restarted").await.unwrap();
    assert_eq!(panel.text(), "restarted");
    let whisper = pressed
        .until_followup(|text| text == "by you")
        .await
        .unwrap();
    assert!(whisper.is_ephemeral());
    assert_eq!(cord.channel("ops").texts(), ["restarted"]);
    assert_eq!(
        refusal(panel.press("Restart").await),
        "the button `Restart` is not on this message"
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn other_people_press_too_and_some_buttons_cannot_be_pressed() {
    let (cord, _bot) = start().await;
    let panel = cord
        .user("olga")
        .in_channel("ops")
        .slash("panel")
        .send()
        .await
        .unwrap();
    let message = cord.channel("ops").wait_for_text("panel").await.unwrap();
    let ravi = cord.user("ravi");
    let details = ravi.press(&message, "Details").await.unwrap();
    assert_eq!(details.text(), "for you");
    assert!(details.is_ephemeral());
    assert_eq!(
        refusal(panel.press("Off").await),
        "the button `Off` is disabled"
    );
    assert_eq!(refusal(panel.press("Manual").await), "`Manual` is a link");
    let forged = ravi.forge(&message, "v0:approve:1").await.unwrap();
    assert_eq!(forged.text(), "stale: v0:approve:1");
    cord.finish().unwrap();
}

#[tokio::test]
async fn every_kind_of_select() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga").in_channel("ops");
    let panel = olga.slash("panel").send().await.unwrap();
    assert_eq!(
        panel.choose("Size", ["LARGE"]).await.unwrap().text(),
        "size large"
    );
    let expected = format!("user {}", cord.user("mina").id());
    assert_eq!(
        panel.choose("v1:who", ["mina"]).await.unwrap().text(),
        expected
    );
    let expected = format!("role {}", cord.role_id("crew"));
    assert_eq!(
        panel.choose("Role", ["crew"]).await.unwrap().text(),
        expected
    );
    let expected = format!("place {}", cord.channel("alerts").id());
    assert_eq!(
        panel.choose("Place", ["alerts"]).await.unwrap().text(),
        expected
    );
    assert_eq!(
        refusal(panel.choose("Size", ["small", "large"]).await),
        "1 to 1 choices are needed"
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn modals_from_commands_and_from_buttons() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga");
    let modal = olga.slash("ask").send().await.unwrap().modal().unwrap();
    assert_eq!(
        (modal.title(), modal.fields()),
        ("Why?", vec!["Reason".to_owned(), "More".to_owned()])
    );
    let short = modal.clone().fill("Reason", "no").submit().await;
    assert_eq!(refusal(short), "`Reason` must be 3 to 4000 characters long");
    assert_eq!(
        refusal(modal.clone().submit().await),
        "`Reason` is required"
    );
    let reply = modal.fill("reason", "tired").submit().await.unwrap();
    assert_eq!(reply.text(), "because tired|");

    let panel = olga.slash("panel").send().await.unwrap();
    let modal = panel.press("Explain").await.unwrap().modal().unwrap();
    assert_eq!(
        modal
            .fill("Reason", "curious")
            .submit()
            .await
            .unwrap()
            .text(),
        "because curious|"
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn embeds_and_files() {
    let (cord, _bot) = start().await;
    let reply = cord.user("olga").slash("report").send().await.unwrap();
    assert_eq!(reply.text(), "Fleet\n2 agents\nscout: running");
    let files = reply.attachments();
    assert_eq!(
        (files[0].name.as_str(), files[0].text().as_str()),
        ("log.txt", "line 1\nline 2")
    );
    cord.finish().unwrap();
}

#[tokio::test]
async fn follow_ups_and_a_deleted_answer() {
    let (cord, _bot) = start().await;
    let reply = cord
        .user("olga")
        .in_channel("ops")
        .slash("chat")
        .send()
        .await
        .unwrap();
    let third = reply.until_followup(|text| text == "three").await.unwrap();
    assert!(third.is_ephemeral());
    cord.channel("ops")
        .until(|messages| messages.len() == 1 && messages[0].text() == "two")
        .await
        .unwrap();
    assert!(reply.message().is_none());
    assert_eq!(cord.user("olga").in_channel("ops").messages().len(), 2);
    cord.finish().unwrap();
}

#[tokio::test]
async fn who_is_not_answered_in_three_seconds_is_told_so() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga");
    let command = tokio::join!(olga.slash("sleep").send(), async {
        cord.advance(Duration::from_millis(3001));
    })
    .0;
    let reply = command.unwrap();
    assert!(reply.is_failed());
    assert_eq!(reply.text(), "The application did not respond");
    cord.finish().unwrap();
}

#[tokio::test]
async fn direct_messages_and_another_guild_reach_the_bot_too() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga");
    assert_eq!(
        olga.dm()
            .slash("pick")
            .option("level", "owner")
            .send()
            .await
            .unwrap()
            .text(),
        "owner"
    );
    let other = olga
        .in_guild("other")
        .slash("pick")
        .option("level", "owner")
        .send()
        .await
        .unwrap();
    assert_eq!(other.text(), "owner");
    let refused = cord
        .user("mina")
        .in_channel("private")
        .slash("ping")
        .send()
        .await;
    assert_eq!(refusal(refused), "you do not see that channel");
    cord.finish().unwrap();
}

fn refusal<T>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Refused(refused)) => refused.to_string(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was not refused"),
    }
}
