//! The life of an agent, as people in Discord see it.

use yardarm::domain::agent::State;

use crate::support::test_app::TestApp;

#[tokio::test]
async fn an_agent_is_deployed_seen_and_stopped() {
    let test = TestApp::start().await;
    let olga = test.olga();

    let reply = test.deploy("scout").await;
    insta::assert_snapshot!(reply.text(), @"");

    let status = olga.slash("status").send().await.unwrap();
    assert!(status.is_ephemeral());
    insta::assert_snapshot!(status.text(), @"");

    let stop = olga.slash("stop").option("agent", "scout").option("reason", "lunch").send().await.unwrap();
    insta::assert_snapshot!(stop.until_text("done").await.unwrap().text(), @"");
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Stopped).await;
    test.finish().await;
}
