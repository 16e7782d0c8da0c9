//! The oracle is worth something: it reports what is planted.

use std::time::Duration;

use localcord::Message;
use sqlx::{Connection as _, SqliteConnection};

use super::Chaos;
use crate::support::{
    alarm::is_card,
    docker_host::{IMAGE, INSTANCE_LABEL, docker},
};

/// `scout` has died, nobody restarts it, and people were told. Yardarm has ended in good order, and nothing is wrong.
async fn scene() -> (Chaos, Message) {
    let mut chaos = Chaos::begin(0).await;
    let deployed = chaos.program.deploy("frail", "scout").await;
    deployed.until_text("running after").await.unwrap();
    docker(&["kill", &format!("{}scout", chaos.program.prefix)]);
    let ops = chaos.program.cord.channel("ops");
    let card = ops.wait_for(is_card).await.unwrap();
    chaos.settle().await;
    chaos.terminate().await;
    assert_eq!(chaos.found().await, [""; 0]);
    (chaos, card)
}

impl Chaos {
    async fn found(&self) -> Vec<String> {
        self.evidence().await.wrong_at_rest()
    }

    /// A container that says it was made for an agent by an action of this instance.
    fn forge(&self, word: &str, agent: &str, action: i64) -> String {
        let name = format!("{}{word}", self.program.prefix);
        let instance = self.program.instance().unwrap();
        let labels = [
            format!("--label={INSTANCE_LABEL}={instance}"),
            format!("--label=yardarm.agent={agent}"),
            format!("--label=yardarm.action={action}"),
        ];
        let [instance, agent, action] = labels.each_ref().map(String::as_str);
        docker(&[
            "create", "--name", &name, instance, agent, action, IMAGE, "true",
        ]);
        name
    }

    async fn forge_rows(&self, sql: &'static str) {
        let address = format!("sqlite://{}", self.program.path("yardarm.db").display());
        let mut connection = SqliteConnection::connect(&address).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_is_reported() {
    let (chaos, _) = scene().await;
    let name = chaos.forge("stray", "9", 1);
    let wrong = format!("container `{name}` is no agent's");
    assert_eq!(chaos.found().await, [wrong]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_execution_is_reported() {
    let (mut chaos, _) = scene().await;
    let made = chaos.witness.creations();
    let instance = chaos.program.instance().unwrap();
    let first = made.iter().find(|one| one.instance == instance).unwrap();
    // It leaves nothing behind: that it was there at all is what is wrong.
    let name = chaos.forge("again", &first.agent, first.action);
    docker(&["rm", &name]);
    chaos.witness.until_made(&instance, 2).await;
    let (action, agent) = (first.action, &first.agent);
    let wrong = format!("action {action} made 2 containers for agent {agent}");
    assert_eq!(chaos.found().await, [wrong]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_does_not_do_what_people_want_is_reported() {
    let (chaos, _) = scene().await;
    let name = format!("{}scout", chaos.program.prefix);
    chaos
        .forge_rows("UPDATE agents SET desired = 'stopped'")
        .await;
    docker(&["start", &name]);
    let wrong = format!("`{name}` is up, and was stopped");
    assert_eq!(chaos.found().await, [wrong]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_down_is_reported_unless_its_fleet_is_frozen() {
    let (chaos, _) = scene().await;
    chaos
        .forge_rows("UPDATE incidents SET gone_since = opened_at, resolved_at = opened_at")
        .await;
    let name = format!("{}scout", chaos.program.prefix);
    assert_eq!(chaos.found().await, [format!("`{name}` is down")]);
    let freezes = "INSERT INTO freezes (fleet_id, mode, action_id, created_at, state)
                   SELECT fleet_id, 'pause', 1, created_at, 'frozen' FROM agents";
    chaos.forge_rows(freezes).await;
    assert_eq!(chaos.found().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_alert_is_reported() {
    let (chaos, card) = scene().await;
    chaos.program.cord.channel("ops").delete(&card);
    assert_eq!(
        chaos.found().await,
        [
            "`alert 1` was never told",
            "nobody was told of `agent 1 down`"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubled_message_is_reported() {
    let (mut chaos, _) = scene().await;
    // As if it had forgotten that it told.
    chaos
        .forge_rows(
            "UPDATE outbox SET state = 'waiting', message_id = NULL, in_doubt = 0, due_at = created_at WHERE subject_kind = 'alert'",
        )
        .await;
    // Until then Discord itself would know the message again by its nonce.
    chaos.program.cord.advance(Duration::from_mins(10));
    chaos.program.up().await;
    let ops = chaos.program.cord.channel("ops");
    let is_doubled = |all: &[Message]| all.iter().filter(|message| is_card(message)).count() == 2;
    ops.until(is_doubled).await.unwrap();
    chaos.program.terminate().await;
    assert_eq!(chaos.found().await, ["`alert 1` is 2 messages"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_chain_is_reported() {
    let (chaos, _) = scene().await;
    chaos
        .forge_rows("DROP TRIGGER audit_is_not_changed; UPDATE audit SET actor = 7 WHERE id = 2")
        .await;
    assert_eq!(
        chaos.found().await,
        ["the audit is broken: row 2 was changed"]
    );
}
