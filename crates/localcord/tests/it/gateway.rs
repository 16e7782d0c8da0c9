//! Connections that break, and bots that come back.

use localcord::{Localcord, Options};
use poise::serenity_prelude as serenity;

use crate::support::{http, start};

#[tokio::test]
async fn a_bot_resumes_after_a_cut_and_gets_what_it_missed() {
    let (cord, _bot) = start().await;
    let before = cord.gateway().arrivals();
    cord.gateway().drop_connections();
    let reply = cord
        .user("olga")
        .slash("pick")
        .option("level", "owner")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.text(), "owner");
    assert_eq!(cord.gateway().arrivals(), (before.0, before.1 + 1));
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_bot_that_is_asked_to_reconnect_resumes() {
    let (cord, _bot) = start().await;
    cord.gateway().reconnect();
    cord.gateway().wait_resumed(1).await.unwrap();
    cord.gateway().close(4000);
    cord.gateway().wait_resumed(2).await.unwrap();
    let reply = cord
        .user("olga")
        .slash("pick")
        .option("level", "viewer")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.text(), "viewer");
    cord.finish().unwrap();
}

#[tokio::test]
async fn an_invalid_session_means_to_identify_again() {
    let (cord, _bot) = start().await;
    cord.gateway().close(4009);
    cord.gateway().wait_identified(2).await.unwrap();
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_frozen_gateway_holds_everything_back() {
    let (cord, _bot) = start().await;
    cord.gateway().freeze();
    let olga = cord.user("olga");
    let command = olga.slash("pick").option("level", "owner");
    let (reply, ()) = tokio::join!(command.send(), async { cord.gateway().thaw() });
    assert_eq!(reply.unwrap().text(), "owner");
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_wrong_token_and_privileged_intents_are_refused() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let intents =
        serenity::GatewayIntents::non_privileged() | serenity::GatewayIntents::MESSAGE_CONTENT;
    let mut client = serenity::ClientBuilder::new_with_http(http(&cord), intents)
        .await
        .unwrap();
    let refused = client.start().await.unwrap_err().to_string();
    assert!(refused.contains("isallowed"), "{refused}");
    assert_eq!(cord.gateway().arrivals(), (0, 0));
}
