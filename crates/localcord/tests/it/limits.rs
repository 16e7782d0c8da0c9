//! Rate limits as real buckets count them.

use std::time::Duration;

use localcord::{Localcord, Options, RateLimits};
use serde_json::json;

use crate::support::{Rest, start_with};

fn header(response: &reqwest::Response, name: &str) -> String {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

#[tokio::test]
async fn five_messages_in_five_seconds() {
    let limits = Options {
        rate_limits: RateLimits::Enforced,
        ..Options::default()
    };
    let cord = Localcord::start(limits).await.unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let send = || {
        rest.request("POST", &path)
            .json(&json!({ "content": "x" }))
            .send()
    };
    for remaining in (0..5).rev() {
        let response = send().await.unwrap();
        assert_eq!(header(&response, "x-ratelimit-limit"), "5");
        assert_eq!(
            header(&response, "x-ratelimit-remaining"),
            remaining.to_string()
        );
    }
    let refused = send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: f64 = header(&refused, "retry-after").parse().unwrap();
    assert!(wait > 4.0 && wait <= 5.0, "{wait}");
    assert_eq!(header(&refused, "x-ratelimit-scope"), "user");

    // Another channel is another bucket.
    let other = format!("/channels/{}/messages", cord.channel("alerts").id());
    assert_eq!(
        rest.call("POST", &other, json!({ "content": "x" })).await.0,
        200
    );
    cord.advance(Duration::from_secs(5));
    assert_eq!(send().await.unwrap().status(), 200);
    assert_eq!(cord.channel("ops").messages().len(), 6);
    cord.finish().unwrap();
}

#[tokio::test]
async fn without_limits_there_are_no_headers() {
    let cord = Localcord::start(Options::default()).await.unwrap();
    let response = Rest::new(&cord)
        .request("GET", "/gateway")
        .send()
        .await
        .unwrap();
    assert_eq!(header(&response, "x-ratelimit-limit"), "");
}

#[tokio::test]
async fn a_bot_lives_with_the_headers() {
    let (cord, _bot) = start_with(Options {
        rate_limits: RateLimits::Headers,
        ..Options::default()
    })
    .await;
    let reply = cord
        .user("olga")
        .slash("stop")
        .option("agent", "scout")
        .send()
        .await
        .unwrap();
    reply.until_text("stopped scout").await.unwrap();
    cord.finish().unwrap();
}

#[tokio::test]
async fn fifty_calls_a_second_for_all_routes_together() {
    let cord = Localcord::start(Options {
        rate_limits: RateLimits::Enforced,
        ..Options::default()
    })
    .await
    .unwrap();
    let rest = Rest::new(&cord);
    // More than fit into the few seconds that this takes at most.
    let routes = ["/users/@me", "/users/@me/guilds", "/applications/@me"];
    let calls = (0..400).map(|number| rest.request("GET", routes[number % 3]).send());
    let answers = futures::future::join_all(calls).await;
    let refused = answers
        .into_iter()
        .map(Result::unwrap)
        .find(|response| response.status() == 429)
        .unwrap();
    assert_eq!(header(&refused, "x-ratelimit-scope"), "global");
    assert_eq!(header(&refused, "x-ratelimit-global"), "true");
    // Answers to people are not counted.
    let callback = json!({ "type": 5 });
    let path = "/interactions/1/token/callback";
    assert_eq!(rest.call("POST", path, callback).await.1["code"], 10_062);
}

#[tokio::test]
async fn old_messages_are_edited_thirty_times_an_hour() {
    let cord = Localcord::start(Options {
        rate_limits: RateLimits::Enforced,
        ..Options::default()
    })
    .await
    .unwrap();
    let rest = Rest::new(&cord);
    let path = format!("/channels/{}/messages", cord.channel("ops").id());
    let sent = rest
        .call("POST", &path, json!({ "content": "old" }))
        .await
        .1;
    let one = format!("{path}/{}", sent["id"].as_str().unwrap());
    cord.advance(Duration::from_mins(61));
    for number in 0..30 {
        let edit = json!({ "content": number.to_string() });
        assert_eq!(rest.call("PATCH", &one, edit).await.0, 200, "{number}");
        cord.advance(Duration::from_secs(5));
    }
    let edit = json!({ "content": "one too many" });
    let (status, refused) = rest.call("PATCH", &one, edit).await;
    assert_eq!((status, &refused["code"]), (429, &json!(30_046)));
    assert!(refused["retry_after"].as_f64().unwrap() > 3000.0);
    cord.finish().unwrap();
}
