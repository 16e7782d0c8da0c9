//! Many people at once.

use futures::future::join_all;
use yardarm::domain::agent::State;

use crate::support::test_app::TestApp;

#[tokio::test]
async fn twenty_at_once_end_each_and_leave_nobody_busy() {
    let test = TestApp::start().await;
    for number in 0..20 {
        test.ops_deploy(&format!("agent-{number}")).await;
    }
    for (command, state) in [("stop", State::Stopped), ("start", State::Running)] {
        let all = (0..20).map(|number| {
            let test = &test;
            async move { test.done(&format!("{command} agent:agent-{number}")).await }
        });
        for said in join_all(all).await {
            assert!(said.starts_with('✅'), "{said}");
        }
        let there = test
            .ops()
            .roster
            .read(|board| board.views().filter(|view| view.state == state).count());
        assert_eq!(there, 20, "{command}");
    }
    test.finish().await;
}

#[tokio::test]
async fn of_two_who_want_the_same_name_one_gets_it() {
    let test = TestApp::start().await;
    let (one, two) = tokio::join!(
        test.send("deploy template:demo name:scout"),
        test.send("deploy template:demo name:scout")
    );
    let deployed = |text: &str| text.contains("running after");
    let (one, two) = tokio::select! {
        reply = one.until(deployed) => (reply.unwrap(), two),
        reply = two.until(deployed) => (reply.unwrap(), one),
    };
    assert!(deployed(&one.text()));
    let refused = test.refusal(&two).await;
    assert!(refused.starts_with("`scout` is taken."), "{refused}");
    assert_eq!(test.engine.names(), ["yardarm-scout"]);
    test.finish().await;
}
