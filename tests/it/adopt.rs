//! `/adopt`: a container that runs already becomes an agent, and nobody touches it.

use yardarm::domain::agent::{Phase, State};

use crate::support::test_app::TestApp;

#[tokio::test]
async fn a_container_is_taken_over_without_touching_it() {
    let test = TestApp::start().await;
    let id = test.engine.foreign("web");
    test.engine.forget_calls();
    insta::assert_snapshot!(test.done("adopt container:web reason:\"ours now\"").await, @"
    ✅ adopt `web`: done in 0.0 s
    A redeploy would drop what Yardarm cannot say: Docker's default capabilities.
    -# action 1 · by <@olga>, because: ours now
    ");
    assert_eq!(test.engine.changes(), [""; 0]);
    assert_eq!(test.state("web"), State::Running);
    let version = test.ops().roster.view("web").unwrap().version.unwrap();
    assert!(
        test.done("status agent:web")
            .await
            .contains("adopted, version 1\nimage `web:latest`")
    );
    assert_eq!(version.number, 1);

    insta::assert_snapshot!(test.refused("adopt container:web").await, @"That container is `web` already.");
    insta::assert_snapshot!(test.refused(&format!("adopt container:{id}")).await, @"That container is `web` already.");

    test.done("stop agent:web").await;
    assert_eq!(test.engine.phase_of("web"), Phase::Exited);
    test.finish().await;
}

#[tokio::test]
async fn by_id_and_under_another_name() {
    let test = TestApp::start().await;
    test.done("fleet create name:north").await;
    let id = test.engine.foreign("Web.App");
    insta::assert_snapshot!(test.refused("adopt container:Web.App").await, @"`Web.App` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit. Give the agent another one by `name:`.");
    test.deploy("scout").await;
    insta::assert_snapshot!(test.refused("adopt container:Web.App name:scout").await, @"`scout` is taken. Choose another name, or `/redeploy agent:scout`.");
    test.done(&format!(
        "adopt container:{} name:web fleet:north",
        id.short()
    ))
    .await;
    assert_eq!(
        test.ops().roster.view("web").unwrap().fleet.as_str(),
        "north"
    );
    test.finish().await;
}

#[tokio::test]
async fn one_that_died_is_not_started_by_us() {
    let test = TestApp::start().await;
    let id = test.engine.foreign("web");
    test.done("adopt container:web").await;
    test.engine.forget_calls();
    test.engine.kill(&id, 1);
    test.until(|ops| ops.roster.view("web").unwrap().state == State::Down)
        .await;
    test.ops().converge().await.unwrap();
    test.done("start agent:web").await;
    assert_eq!(test.engine.changes(), ["start web"]);
    test.finish().await;
}

#[tokio::test]
async fn a_redeploy_makes_it_wholly_ours() {
    let test = TestApp::start().await;
    test.engine.foreign("web");
    test.done("adopt container:web").await;
    insta::assert_snapshot!(test.done("redeploy agent:web").await, @"
    ✅ redeploy `web`: running after 0.0 s
    -# action 2 · by <@olga>
    ");
    assert_eq!(test.engine.names(), ["yardarm-web"]);
    test.finish().await;
}

#[tokio::test]
async fn the_container_that_yardarm_runs_in_is_no_agent() {
    let mut test = TestApp::prepare(&[]).await;
    test.engine.run_yardarm_in("harbour");
    test.up().await;
    insta::assert_snapshot!(test.refused("adopt container:harbour").await, @"Yardarm itself runs in that container: stopped as an agent, it would take the chat along. Look after it on the host.");
    let id = test.engine.id_of("harbour");
    let by_id = format!("adopt container:{} name:pet", id.short());
    assert!(test.refused(&by_id).await.starts_with("Yardarm itself"));
    assert!(
        test.ops()
            .roster
            .read(|board| board.views().next().is_none())
    );
    test.finish().await;
}

#[tokio::test]
async fn nor_is_the_one_that_yardarm_runs_in_by_the_time_that_it_is_confirmed() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    let rule = "[[policy]]\nname = \"typed\"\nactions = [\"adopt\"]\neffect = \"confirm\"\n";
    std::fs::write(&file, rule).unwrap();
    test.up_from(&file).await;
    test.engine.foreign("harbour");
    let asked = test.send("adopt container:harbour").await;
    asked.until_text("?").await.unwrap();
    test.down().await;
    test.engine.run_yardarm_in("harbour");
    test.up().await;
    let confirmed = TestApp::confirm(&asked, "Adopt").await;
    let said = confirmed.until_text("failed").await.unwrap().text();
    assert!(
        said.contains("Yardarm itself runs in that container"),
        "{said}"
    );
    assert!(test.ops().roster.view("harbour").is_none());
    test.finish().await;
}
