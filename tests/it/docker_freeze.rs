//! A freeze of real containers.

use crate::support::{program::Program, test_app::TestApp};

fn phases(program: &Program) -> Vec<String> {
    let containers = program.containers("{{.Names}} {{.State}}");
    let bare = |line: String| line.replace(&program.prefix, "");
    containers.into_iter().map(bare).collect()
}

#[tokio::test]
async fn real_containers_stand_still_over_a_kill_and_go_on_as_they_were() {
    let mut program = Program::new(&["access.preset=solo"]).await;
    program.up().await;
    for name in ["ant", "bee"] {
        let reply = program.deploy("calm", name).await;
        reply.until_text("running after").await.unwrap();
    }
    let stopped = program.send("stop", "bee").await;
    stopped.until_text("done in").await.unwrap();

    let freeze = program.olga().slash("freeze").option("reason", "night");
    let question = freeze.send().await.unwrap();
    let card = question.press("Freeze").await.unwrap();
    card.until_text("Agents paused: 1 of 1.").await.unwrap();
    assert_eq!(phases(&program), ["ant paused", "bee exited"]);

    program.kill().await;
    program.up().await;
    let status = program.olga().slash("status").send().await.unwrap();
    status.until_text("🧊 Everything is frozen").await.unwrap();
    assert_eq!(phases(&program), ["ant paused", "bee exited"]);

    let card = program.olga().slash("unfreeze").send().await.unwrap();
    card.until_text("unfreeze").await.unwrap();
    TestApp::confirm(&card, "Unfreeze").await;
    card.until_text("✅").await.unwrap();
    assert_eq!(phases(&program), ["ant running", "bee exited"]);
    program.terminate().await;
}
