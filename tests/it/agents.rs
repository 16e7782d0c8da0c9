//! The life of an agent, as people in Discord see it.

use yardarm::domain::agent::State;

use crate::support::test_app::TestApp;

#[tokio::test]
async fn an_agent_is_deployed_seen_and_stopped() {
    let test = TestApp::start().await;
    let olga = test.olga();

    let reply = test.deploy("scout").await;
    insta::assert_snapshot!(test.said(&reply.text()), @r"
    ✅ deploy `scout`: running after 0.0 s
    -# action 1 · by <@olga>
    ");

    let status = olga.slash("status").send().await.unwrap();
    assert!(status.is_ephemeral());
    insta::assert_snapshot!(test.said(&status.text()), @r"
    1 agent: 🟢 1 running
    All fleets
    **main**
    🟢 `scout` running, <t:1795262400:R>
    Host: …
    ");

    let stop = olga
        .slash("stop")
        .option("agent", "scout")
        .option("reason", "lunch")
        .send()
        .await
        .unwrap();
    let stop = stop.until_text("done").await.unwrap();
    insta::assert_snapshot!(test.said(&stop.text()), @r"
    ✅ stop `scout`: done in 0.0 s
    -# action 2 · by <@olga>, because: lunch
    ");
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Stopped)
        .await;
    test.finish().await;
}
