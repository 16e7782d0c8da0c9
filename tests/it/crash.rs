//! The real program is killed in the middle of its work on the real engine, and started again.

use std::process::ExitStatus;

use localcord::{Message, Reply};
use yardarm::store::{Store, ledger::Ledger};

use crate::support::{docker_host::docker, program::Program};

impl Program {
    /// Kills it right after so many of the engine's events, or not at all if the command ends before, and starts it
    /// again. Returns the last event and what the person reads then.
    async fn cut_off(
        &mut self,
        events: usize,
        command: impl AsyncFn(&Self) -> Reply,
    ) -> Option<(String, String)> {
        let mut happenings = self.watch();
        let reply = command(self).await;
        let event = tokio::select! {
            event = happenings.nth(events) => event,
            reply = reply.until(is_final) => { reply.unwrap(); return None },
        };
        self.kill().await;
        self.up().await;
        let told = reply.until(is_final).await.unwrap().text();
        if told.contains("Yardarm was") {
            self.report_of(&told).await;
        }
        Some((event, told))
    }

    /// The ops channel learns of what was cut off.
    async fn report_of(&self, card: &str) {
        let (_, mark) = card.split_once("-# ").unwrap();
        let action = mark.split(" · ").next().unwrap();
        let is_report = |text: &str| {
            text.starts_with("Yardarm was restarted in the middle of one action")
                && text
                    .lines()
                    .any(|line| line.ends_with(&format!("· {action}")))
        };
        let ops = self.cord.channel("ops");
        ops.wait_for(|message| is_report(&message.text()))
            .await
            .unwrap();
    }

    /// All containers are agents' and all agents have theirs; no action is left in the middle, and all is told.
    async fn assert_whole(&self) {
        let evidence = self.evidence(Vec::new()).await;
        assert_eq!(evidence.wrong_at_rest(), [""; 0]);
    }
}

fn is_final(text: &str) -> bool {
    text.starts_with(['✅', '❌', '⚠'])
}

fn code(status: ExitStatus) -> i32 {
    status.code().expect("it ended by itself")
}

#[tokio::test]
async fn killed_at_each_step_of_a_deploy_and_started_again() {
    let mut program = Program::new(&[]).await;
    program.up().await;
    let mut steps = Vec::new();
    for events in 1.. {
        let name = format!("scout-{events}");
        let deploy = async |program: &Program| program.deploy("calm", &name).await;
        let Some((event, told)) = program.cut_off(events, deploy).await else {
            break;
        };
        let made = program.containers("{{.Names}} {{.State}}");
        if told.starts_with('✅') {
            assert!(
                made.contains(&format!("{}{name} running", program.prefix)),
                "{made:?}"
            );
        } else {
            assert!(told.contains("Nothing of"), "{told}");
            assert_eq!(made, Vec::<String>::new());
        }
        steps.push(event);
    }
    assert!(steps.contains(&"create".to_owned()), "{steps:?}");
    program.terminate().await;
    program.assert_whole().await;
}

#[tokio::test]
async fn killed_at_each_step_of_a_redeploy_and_started_again() {
    let mut program = Program::new(&[]).await;
    program.up().await;
    let deployed = program.deploy("calm", "scout").await;
    deployed.until_text("running after").await.unwrap();
    let running = [format!("{}scout running", program.prefix)];
    let mut steps = Vec::new();
    for events in 1.. {
        let redeploy = async |program: &Program| program.send("redeploy", "scout").await;
        let Some((event, _)) = program.cut_off(events, redeploy).await else {
            break;
        };
        steps.push(event);
        assert_eq!(
            program.containers("{{.Names}} {{.State}}"),
            running,
            "{steps:?}"
        );
    }
    // Made, the old one put aside and stopped, the new one named, started and proven, the old one removed.
    for step in ["create", "rename", "die", "start", "destroy"] {
        assert!(
            steps.iter().any(|seen| seen == step),
            "{step} is not in {steps:?}"
        );
    }
    program.terminate().await;
    program.assert_whole().await;
}

impl Program {
    /// Ravi owns everything beside Olga, and what is grave is asked about.
    async fn of_two() -> Self {
        let program = Self::new(&["access.preset=\"team\""]).await;
        let ravi = program.cord.user("ravi").id();
        let grant = format!("[[grant]]\nuser = {ravi}\nlevel = \"owner\"\nfleet = \"*\"\n");
        std::fs::write(program.path("yardarm.toml"), grant).unwrap();
        program
    }

    /// Waits until the audit, read beside the process, has that to tell of an action.
    async fn until_told(&self, what: &str, action: i64) {
        let ledger = Ledger::open(&self.path("yardarm.db")).await.unwrap();
        loop {
            let rows = ledger.rows(1, 1000).await.unwrap();
            if rows
                .iter()
                .any(|row| row.what == what && row.action_id == Some(action))
            {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn killed_between_the_answer_and_the_report_what_was_approved_is_done_once() {
    let mut program = Program::of_two().await;
    program.up().await;
    let ravi = program.cord.user("ravi").in_channel("ops");
    let ops = program.cord.channel("ops");
    // Each agent takes two actions.
    for (round, what) in (0..).zip(["voted", "approved", "running", "succeeded"]) {
        let (name, action) = (format!("scout-{round}"), 2 * round + 2);
        let deployed = program.deploy("calm", &name).await;
        deployed.until_text("running after").await.unwrap();
        program.send("remove", &name).await;
        let mark = format!("-# approval {action} ");
        let question = ops.wait_for_text(&mark).await.unwrap();
        ravi.press(&question, "Approve").await.unwrap();
        program.until_told(what, action).await;
        program.kill().await;
        program.up().await;

        let result = format!("-# result {action}");
        ops.wait_for_text(&result).await.unwrap();
        let is_over = |message: &Message| {
            message.text().contains(&mark)
                && message
                    .buttons()
                    .iter()
                    .all(|button| !button.enabled || button.label == "Details")
        };
        let card = ops.wait_for(is_over).await.unwrap().text();
        assert!(card.contains("✅ remove"), "{what}: {card}");
        assert_eq!(program.containers("{{.Names}}"), [""; 0], "{what}");
        let told = ops.texts();
        let told = told.iter().filter(|text| text.ends_with(&result));
        assert_eq!(told.count(), 1, "{what}");
    }
    program.terminate().await;
    program.assert_whole().await;
}

#[tokio::test]
async fn each_start_logs_an_anchor_that_verifies() {
    let mut program = Program::new(&[]).await;
    for _ in 0..2 {
        program.up().await;
        program.terminate().await;
    }
    let log = program.log();
    let anchors = log.split("\"audit.anchor\":\"").skip(1);
    let anchors: Vec<&str> = anchors.filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(anchors.len(), 2, "{log}");
    for anchor in anchors {
        let verified = program.run(&["audit", "verify", "--anchor", anchor]).await;
        assert!(verified.status.success(), "{anchor}: {verified:?}");
    }
    let forged = format!("1:{}", "0".repeat(64));
    let broken = program.run(&["audit", "verify", "--anchor", &forged]).await;
    assert!(!broken.status.success());
}

#[tokio::test]
async fn a_second_start_finds_the_agents_of_the_first_and_starts_what_died_meanwhile() {
    let mut program = Program::new(&[]).await;
    program.up().await;
    for name in ["scout", "lookout"] {
        let reply = program.deploy("calm", name).await;
        reply.until_text("running after").await.unwrap();
    }
    assert_eq!(code(program.terminate().await), 0);
    let containers = program.containers("{{.ID}}");
    docker(&["kill", &format!("{}scout", program.prefix)]);

    let mut happenings = program.watch();
    program.up().await;
    assert_eq!(happenings.nth(1).await, "start");
    let status = program.olga().slash("status").send().await.unwrap();
    assert!(status.text().starts_with("2 agents"), "{}", status.text());
    assert_eq!(program.containers("{{.ID}}"), containers);
    program.terminate().await;
    program.assert_whole().await;
}

#[tokio::test]
async fn a_stop_in_good_order_waits_for_actions_up_to_the_grace_period() {
    let mut program = Program::new(&[]).await;
    program.write_template("deaf", "trap '' TERM; while :; do sleep 1; done");
    program.up().await;
    let reply = program.deploy("deaf", "scout").await;
    reply.until_text("running after").await.unwrap();
    let mut happenings = program.watch();
    let stop = program.send("stop", "scout").await;
    assert_eq!(happenings.nth(1).await, "kill");
    assert_eq!(code(program.terminate().await), 0);
    assert_eq!(program.containers("{{.State}}"), ["exited"]);
    program.assert_whole().await;

    program.up().await;
    stop.until_text("✅ stop `scout`").await.unwrap();
    assert_eq!(program.containers("{{.State}}"), ["exited"]);
}

#[tokio::test]
async fn what_does_not_end_within_the_grace_period_is_settled_by_the_next_start() {
    let mut program = Program::new(&["shutdown.grace_s=0"]).await;
    program.write_template("deaf", "trap '' TERM; while :; do sleep 1; done");
    program.up().await;
    let reply = program.deploy("deaf", "scout").await;
    reply.until_text("running after").await.unwrap();
    let mut happenings = program.watch();
    let stop = program.send("stop", "scout").await;
    assert_eq!(happenings.nth(1).await, "kill");
    assert_eq!(code(program.terminate().await), 0);
    assert!(program.log().contains("the next start settles them"));

    program.up().await;
    stop.until_text("Finished after Yardarm was restarted")
        .await
        .unwrap();
    assert_eq!(program.containers("{{.State}}"), ["exited"]);
    program.terminate().await;
    program.assert_whole().await;
}

#[tokio::test]
async fn a_token_that_discord_refuses_ends_it_with_77() {
    let mut program = Program::new(&[]).await;
    let wrong = format!("{}x", program.cord.token());
    program.spawn(&wrong);
    assert_eq!(code(program.exit().await), 77);
    assert!(
        program.log().contains("Discord refuses the token"),
        "{}",
        program.log()
    );
}

#[tokio::test]
async fn a_gateway_that_is_away_too_long_ends_it_with_75() {
    let mut program = Program::new(&["discord.gateway_dead_s=1"]).await;
    program.up().await;
    program.cord.gateway().refuse_connections(true);
    program.cord.gateway().drop_connections();
    assert_eq!(code(program.exit().await), 75);
    let log = program.log();
    assert!(log.contains("gateway was away for too long"), "{log}");
    assert!(log.contains("\"stopped\""), "{log}");
}

#[tokio::test]
async fn a_database_in_use_ends_it_with_66() {
    let mut program = Program::new(&[]).await;
    let store = Store::open(&program.path("yardarm.db")).await.unwrap();
    let token = program.cord.token().to_owned();
    program.spawn(&token);
    assert_eq!(code(program.exit().await), 66);
    assert!(
        program.log().contains("is in use by another Yardarm"),
        "{}",
        program.log()
    );
    store.close().await;
}

#[tokio::test]
async fn bad_settings_end_it_with_64() {
    let mut program = Program::new(&["docker.parallel=0"]).await;
    let token = program.cord.token().to_owned();
    program.spawn(&token);
    assert_eq!(code(program.exit().await), 64);
    assert!(
        program.log().contains("docker.parallel"),
        "{}",
        program.log()
    );
}
