//! `/adopt`: a container that runs already becomes an agent, and nobody touches it.

use chrono::TimeDelta;
use yardarm::domain::{
    agent::{Phase, State},
    spec::Mount,
};

use crate::support::{
    alarm::{die, running},
    docker_host::{IMAGE, docker},
    program::Program,
    scene::plain_spec,
    test_app::TestApp,
};

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

/// `web` is at work, with its data in a volume called `pgdata`.
async fn with_data() -> TestApp {
    let test = TestApp::start().await;
    let mut spec = plain_spec("web:latest");
    spec.mounts = vec![Mount {
        volume: Some("pgdata".to_owned()),
        host: None,
        target: "/data".to_owned(),
        read_only: false,
    }];
    test.engine.foreign_with("web", spec);
    test.done("adopt container:web").await;
    test
}

#[tokio::test]
async fn its_data_goes_along_whatever_makes_its_container_anew() {
    let test = with_data().await;
    for command in ["redeploy agent:web", "rollback agent:web"] {
        test.done(command).await;
        assert_eq!(test.engine.volumes_of("yardarm-web"), ["pgdata"]);
    }
    let lost = test.engine.id_of("yardarm-web");
    test.engine.remove_behind_our_back(&lost);
    test.done("start agent:web").await;
    assert_eq!(test.engine.volumes_of("yardarm-web"), ["pgdata"]);
    test.finish().await;
}

#[tokio::test]
async fn what_it_was_given_before_its_own_were_kept_stays_its_data() {
    let test = with_data().await;
    test.engine
        .give_volume(test.ops().instance.clone(), 1, "yardarm-1-pgdata");
    test.done("redeploy agent:web").await;
    assert_eq!(test.engine.volumes_of("yardarm-web"), ["yardarm-1-pgdata"]);
    test.finish().await;
}

#[tokio::test]
async fn the_volumes_that_it_came_with_are_not_deleted() {
    let test = with_data().await;
    test.done("redeploy agent:web").await;
    let asked = test.send("remove agent:web data:true").await;
    asked.until_text("?").await.unwrap();
    let confirmed = TestApp::confirm(&asked, "Remove and its data").await;
    let said = confirmed.until_text("✅").await.unwrap().text();
    insta::assert_snapshot!(test.said(&said), @"
    ✅ remove `web`: done in 0.0 s
    The volumes that it came with stay: `pgdata`.
    -# action 3 · by <@olga>
    ");
    assert_eq!(test.engine.volume_names(), ["pgdata"]);
    test.finish().await;
}

#[tokio::test]
async fn once_redeployed_it_is_looked_after_as_any_other() {
    let mut test = TestApp::start().await;
    test.engine.foreign("web");
    test.done("adopt container:web").await;
    test.done("redeploy agent:web").await;
    test.done("fleet create name:north").await;
    test.done("fleet add fleet:north agent:web").await;
    assert_eq!(test.engine.networks_of("yardarm-web"), ["yardarm-north"]);

    test.engine.forget_calls();
    die(&test, "web", 1);
    test.until(|_| test.engine.changes() == ["start yardarm-web"])
        .await;
    running(&test, "web").await;

    test.pass(TimeDelta::hours(2));
    test.down().await;
    die(&test, "web", 1);
    test.up().await;
    running(&test, "web").await;
    test.finish().await;
}

/// By the command line, which knows nothing of us.
#[tokio::test]
async fn a_real_one_finds_its_data_after_a_redeploy() {
    let mut program = Program::new(&[]).await;
    program.up().await;
    let name = format!("{}db", program.prefix);
    let mount = format!("{}data:/data", program.prefix);
    docker(&[
        "run", "--detach", "--name", &name, "--volume", &mount, IMAGE, "sleep", "3600",
    ]);
    docker(&["exec", &name, "sh", "-c", "echo kept > /data/file"]);
    let adopt = program.olga().slash("adopt").option("container", &*name);
    let adopted = adopt.option("name", "db").send().await.unwrap();
    adopted.until_text("✅").await.unwrap();
    let redeployed = program.send("redeploy", "db").await;
    redeployed.until_text("running after").await.unwrap();
    assert_eq!(docker(&["exec", &name, "cat", "/data/file"]), "kept");
    assert_eq!(program.containers("{{.Names}}"), [name]);
    program.terminate().await;
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
